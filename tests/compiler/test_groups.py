from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from surgical_cdc.compiler import compiled_fact
from surgical_cdc.compiler.compilation import compile_dictionary
from surgical_cdc.compiler.compiled_fact import compile_fact
from tests.random.one_model import one_model

if TYPE_CHECKING:
    from pathlib import Path

    from surgical_cdc.compiler.compiled_fact import CompiledFact

FROM = "FROM live.orders o JOIN live.customers c ON c.id = o.customer_id"


def compiled(folder: Path, sql: str, columns: str = "id n:numeric(24,4)") -> CompiledFact:
    """Return the fact of a SELECT, seen to be in its dictionary as it is compiled."""
    project = one_model(folder, sql, columns)
    fact = compile_fact(project, "fact")
    assert compile_dictionary(project).contributions == (("fact",) if fact.groups else ())
    return fact


@pytest.mark.parametrize(
    "total",
    [
        pytest.param("COUNT(*)", id="rows"),
        pytest.param("COUNT(o.note)", id="values of any type"),
        pytest.param("SUM(o.kind) + SUM(o.amount) * COUNT(*)", id="an expression"),
        pytest.param("SUM(o.amount * (1 - o.kind)) / COUNT(o.amount)", id="a quotient"),
        pytest.param("SUM(CASE WHEN o.status = 1 THEN o.amount ELSE 0 END)", id="decimals that depend on the row"),
        pytest.param("CAST(SUM(COALESCE(o.amount, 0)) AS NUMERIC(18, 2))", id="the same, in a CAST"),
        pytest.param("SUM(CAST(o.note AS INTEGER))", id="a CAST"),
        pytest.param("AVG(o.kind - o.customer_id)", id="an average of integers"),
        pytest.param("c.city_id * 2 + COUNT(*)", id="a key"),
    ],
)
def test_what_can_be_added_up_is(tmp_path: Path, total: str) -> None:
    """Rows are followed by the key of the relation that has several for each row of the others."""
    groups = compiled(tmp_path, f"SELECT c.city_id AS id, {total} AS n {FROM} GROUP BY c.city_id").groups
    assert groups
    ((node, anchor),) = groups.rows.anchors.items()
    assert (node.endswith("_orders"), anchor.name) == (True, "id")


@pytest.mark.parametrize(
    "total",
    [
        pytest.param("MAX(o.kind)", id="MAX"),
        pytest.param("COUNT(DISTINCT o.kind)", id="DISTINCT"),
        pytest.param("AVG(o.amount)", id="an average of decimals"),
        pytest.param("SUM(CAST(o.amount AS DOUBLE PRECISION))", id="floats"),
        pytest.param("SUM(o.amount / 3)", id="a quotient"),
        pytest.param("SUM(SQRT(o.kind))", id="a function"),
        pytest.param("SUM(CASE WHEN o.status = 1 THEN o.amount ELSE 0 END) / COUNT(*)", id="decimals of a quotient"),
        pytest.param("COUNT(*) + MIN(o.kind)", id="one of two"),
        pytest.param("SUM((SELECT COUNT(*) FROM live.payments p WHERE p.order_id = o.id))", id="a subquery"),
        pytest.param("SUM(COUNT(*)) OVER (PARTITION BY c.city_id)", id="a window"),
    ],
)
def test_what_can_not_is_recomputed(tmp_path: Path, total: str) -> None:
    """Be it that a sum has an error, or that what is taken off leaves nothing to go by."""
    fact = compiled(tmp_path, f"SELECT c.city_id AS id, {total} AS n {FROM} GROUP BY c.city_id")
    assert fact.tree
    assert fact.groups is None


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(
            f"SELECT c.city_id AS id, COUNT(*) AS n {FROM} GROUP BY c.city_id HAVING COUNT(*) > 1", id="HAVING"
        ),
        pytest.param(f"SELECT DISTINCT c.city_id AS id, COUNT(*) AS n {FROM} GROUP BY c.city_id", id="DISTINCT"),
        pytest.param(f"SELECT c.id, COUNT(*) AS n {FROM} GROUP BY c.id", id="a group for each row"),
        pytest.param(
            "SELECT u.id, COUNT(*) AS n FROM (SELECT o.kind AS id FROM live.orders o UNION ALL SELECT c.city_id FROM"
            " live.customers c) u GROUP BY u.id",
            id="rows without a key",
        ),
        pytest.param(
            "SELECT o.kind AS id, COUNT(*) AS n FROM live.orders o WHERE o.amount > (SELECT MIN(p.amount) FROM"
            " live.payments p) GROUP BY o.kind",
            id="what is beside a value for all rows",
        ),
        pytest.param(
            "SELECT g.id, SUM(g.n) AS n FROM (SELECT o.customer_id, o.kind AS id, COUNT(*) AS n FROM live.orders o"
            " GROUP BY o.customer_id, o.kind) g GROUP BY g.id",
            id="groups of groups",
        ),
        pytest.param(
            "SELECT t.id, t.n FROM (SELECT o.kind AS id, COUNT(*) AS n FROM live.orders o GROUP BY o.kind) t"
            " WHERE t.n > 1",
            id="a last step that filters",
        ),
    ],
)
def test_groups_of_another_shape_are_recomputed(tmp_path: Path, sql: str) -> None:
    """A SELECT is not kept by its groups if something else decides on its rows, or if its groups are small."""
    assert compiled(tmp_path, sql).groups is None


def test_what_is_kept_is_a_part_of_what_a_fact_is_built_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fact that an engine without groups has filled, or updated, is built anew, and so are its groups."""
    sql = f"SELECT c.city_id AS id, COUNT(*) AS n {FROM} GROUP BY c.city_id"
    fact = compiled(tmp_path, sql)
    monkeypatch.setattr(compiled_fact, "groups_of", lambda *_: None)
    other = compiled(tmp_path / "other", sql)
    assert fact.query == other.query
    assert fact.select_fingerprint != other.select_fingerprint
