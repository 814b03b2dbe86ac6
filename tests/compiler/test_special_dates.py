from __future__ import annotations

from pathlib import Path

import pytest

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.errors import UnsupportedQuery
from tests.random.one_model import one_model


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("o.day - 'today'", id="subtracted"),
        pytest.param("CASE o.day WHEN 'today' THEN 1 END", id="case of a date"),
        pytest.param("DATEDIFF(day, CASE WHEN o.kind = 1 THEN o.day ELSE 'today' END, o.day)", id="result of case"),
        pytest.param("DECODE(o.day, 'Today', 1)", id="decode"),
        pytest.param("NVL2(o.kind, o.day, 'now ') - o.day", id="nvl2"),
        pytest.param("LAST_DAY('today') - o.day", id="function of dates"),
        pytest.param("DATE('tomorrow') - o.day", id="date"),
        pytest.param("DATE_PART(year, 'now')", id="part of a date"),
        pytest.param("MONTHS_BETWEEN(o.day, 'yesterday')", id="months"),
        pytest.param(
            "(SELECT MAX(u.day) - o.day FROM (SELECT x.day FROM live.orders x UNION ALL SELECT 'today') u)", id="union"
        ),
    ],
)
def test_text_that_becomes_the_date_of_the_run_is_refused(tmp_path: Path, value: str) -> None:
    """Redshift makes a date of such a text where it needs one, at each run another."""
    sql = f"SELECT o.id, {value} AS n FROM live.orders o"  # noqa: S608
    with pytest.raises(UnsupportedQuery, match=r"line 2: .* gives another value at each run"):
        compile_fact(one_model(tmp_path, sql, "id n"), "fact")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("'today'", id="shown"),
        pytest.param("CASE WHEN o.day > DATE '2026-01-01' THEN 'today' ELSE 'yesterday' END", id="name of a case"),
        pytest.param("CASE o.note WHEN 'now' THEN 'a' END", id="case of a text"),
        pytest.param("COALESCE(o.note, 'today')", id="beside a text"),
        pytest.param("o.note || 'today'", id="concatenated"),
        pytest.param("UPPER('now')", id="function of texts"),
    ],
)
def test_text_that_stays_a_text_is_not(tmp_path: Path, value: str) -> None:
    """The same words among texts are texts."""
    sql = f"SELECT o.id, {value} AS n FROM live.orders o"  # noqa: S608
    assert compile_fact(one_model(tmp_path, sql, "id n:varchar(40)"), "fact").query.named_selects == ["id", "n"]
