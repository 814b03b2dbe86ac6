from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from surgical_cdc.compiler import fact_query, join_tree
from surgical_cdc.compiler.compilation import compile_dictionary
from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.compiler.parsing import parse
from surgical_cdc.contract.project import Project
from surgical_cdc.contract.tables import Select
from surgical_cdc.errors import UnsupportedQuery
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.verify import compare
from surgical_cdc.warehouse.session import Warehouse
from tests.compiler.sql_shapes import PAGE, REFUSED, REFUSED_ALWAYS, SUPPORTED, Shape, page, refusal
from tests.conftest import Site
from tests.random.one_model import one_model, small_project
from tests.support.upstream import Steps, Upstream, windows

COMPILED = "target/compiled/small/models/fact.sql"
ALL_SUPPORTED = [shape for shapes in SUPPORTED.values() for shape in shapes]
ALL_REFUSED = [shape for shapes in REFUSED.values() for shape in shapes]


def test_supported_shapes_equal_their_selects(site: Callable[[Project], Site], tmp_path: Path) -> None:
    """Each documented example is maintained, and is its SELECT run in full after any windows."""
    play(site, small_project(tmp_path, {f"fact_{number}": shape.model for number, shape in enumerate(ALL_SUPPORTED)}))


def test_shapes_in_full_equal_their_selects(site: Callable[[Project], Site], tmp_path: Path) -> None:
    """So is one that is rebuilt in full, be it by all changes or by those of what it reads as a whole.

    What it reads is seen to change, and what it leaves open has one result.
    """
    facts = {
        f"fact_{number}": replace(shape.model, config="unique_key='id'")
        for number, shape in enumerate(shape for shape in ALL_REFUSED if shape.in_full)
    }
    project = small_project(tmp_path, facts)
    dictionary = compile_dictionary(project)
    assert {*dictionary.full, *dictionary.whole} == {*facts}
    play(site, project)


def test_shapes_that_are_too_large_equal_their_selects(
    site: Callable[[Project], Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not inlined gives the rows of what is, and all that it reads is seen to change."""
    with_ctes = [shape for shape in ALL_SUPPORTED if shape.sql.startswith("WITH ")]
    facts = {f"fact_{number}": shape.model for number, shape in enumerate([*with_ctes, *ALL_SUPPORTED[::8]])}
    inlined, most_parts = small_project(tmp_path / "inlined", facts), fact_query.MOST_PARTS

    def is_equal(_: Project, fact: str, warehouse: Warehouse) -> bool:
        with monkeypatch.context() as patched:
            limit_parts(patched, most_parts)
            return compare(inlined, fact, warehouse).equal

    with pytest.MonkeyPatch.context() as patched:
        limit_parts(patched, 0)
        in_full = {name: replace(model, config="unique_key='id'") for name, model in facts.items()}
        project = small_project(tmp_path / "large", in_full)
        assert {*compile_dictionary(project).full} == {*facts}
        assert sum(bool(compile_fact(project, fact).query.args.get("with_")) for fact in facts) >= len(with_ctes)
        play(site, project, is_equal)


def limit_parts(patched: pytest.MonkeyPatch, parts: int) -> None:
    """Let a query of more parts than that not be inlined."""
    patched.setattr(fact_query, "MOST_PARTS", parts)
    patched.setattr(join_tree, "MOST_PARTS", parts)


def test_size_is_that_of_the_inlined_query() -> None:
    """It is known before anything is copied, names that an inner WITH gives again among it."""
    query = parse(
        Select(
            path="fact.sql",
            sql="WITH a AS (SELECT o.id FROM live.orders AS o), b AS (SELECT x.id FROM a AS x, a AS y)"
            " SELECT c.id FROM b AS c JOIN (WITH a AS (SELECT z.id FROM live.cities AS z) SELECT a.id FROM a, b) AS d"
            " ON d.id IN (SELECT e.id FROM a AS e UNION ALL SELECT f.id FROM live.cities AS f)",
        )
    )
    size = fact_query.inlined_size(query)
    inlined = fact_query._inline(query.copy(), {})
    assert size.tables == len(fact_query.tables_of(inlined)) == 7
    # But for the subqueries and names in which the CTEs stand.
    assert abs(size.parts - len(list(inlined.walk()))) < 4 * size.tables


def has_rows_of_its_select(project: Project, fact: str, warehouse: Warehouse) -> bool:
    """Return whether a fact has the rows that its SELECT run in full gives."""
    return compare(project, fact, warehouse).equal


def play(
    site: Callable[[Project], Site],
    project: Project,
    is_equal: Callable[[Project, str, Warehouse], bool] = has_rows_of_its_select,
) -> None:
    """Run random windows, and compare all facts after each."""

    @settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(drawn=windows(project.sources, 4))
    def run(drawn: list[Steps]) -> None:
        place = site(project)
        upstream = Upstream(project)
        for number, steps in enumerate(drawn):
            for name, rows in upstream.window(steps).items():
                place.stage(name, *rows)
            run_cycle(project, place.connect, place.run(upstream.end, run_id=f"window {number}"))
            upstream.sync()
            with place.warehouse.transaction():
                for fact in project.facts:
                    assert is_equal(project, fact, place.warehouse), project.selects[fact].sql

    run()


@pytest.mark.parametrize("shape", [pytest.param(shape, id=shape.title) for shape in ALL_REFUSED])
def test_shape_that_can_not_be_maintained_is_refused(tmp_path: Path, shape: Shape) -> None:
    """The refusal names file, line and clause, and the way out."""
    said = refusal(tmp_path, shape)
    assert said.startswith(f"{tmp_path}/sql/{COMPILED}, line 2: ")
    with pytest.raises(UnsupportedQuery, match=shape.names):
        raise UnsupportedQuery(said)


@pytest.mark.parametrize("maintenance", ["incremental", "full"])
@pytest.mark.parametrize("shape", [pytest.param(shape, id=shape.title) for shape in REFUSED_ALWAYS])
def test_shape_that_no_fact_can_have_is_refused(tmp_path: Path, shape: Shape, maintenance: str) -> None:
    """A fact can not equal a SELECT that gives another value each time, however it is maintained."""
    config = f"unique_key='id', meta={{'cdc': {{'maintenance': '{maintenance}'}}}}"
    with pytest.raises(UnsupportedQuery, match=shape.names) as refused:
        compile_fact(one_model(tmp_path, shape.sql, shape.columns, config=config), "fact")
    assert str(refused.value).startswith(f"{tmp_path}/sql/{COMPILED}, line 2: ")


def test_page_of_shapes_is_that_of_the_compiler() -> None:
    """docs/reference/sql_shapes.md says of each shape what the compiler does with it."""
    assert PAGE.read_text() == page(), "run: python -m tests.compiler.sql_shapes"


@pytest.mark.parametrize("shape", [pytest.param(shape, id=shape.title) for shape in ALL_REFUSED[::4]])
def test_fact_of_another_shape_is_rebuilt_in_full(tmp_path: Path, shape: Shape) -> None:
    """Unless it is to be maintained incrementally: the dictionary has the reason, with file, line and clause.

    Where no more is in the way than what nothing leads through, it has the reasons by the sources read there.
    """
    config = f"unique_key='id', meta={{'cdc': {{'anchor': '{shape.anchor}'}}}}"
    project = one_model(tmp_path, shape.sql, shape.columns, config=config)
    compiled, dictionary = compile_fact(project, "fact"), compile_dictionary(project)
    if compiled.tree:
        assert dictionary.whole == {"fact": compiled.tree.read_whole}
        assert all(
            reason.endswith(" can not be maintained incrementally") for reason in compiled.tree.read_whole.values()
        )
        return
    assert dictionary.full == {"fact": compiled.reason}
    assert re.match(r"cdc/facts/fact\.sql, line \d+: ", dictionary.full["fact"])
    assert dictionary.full["fact"].endswith(" can not be maintained incrementally")
