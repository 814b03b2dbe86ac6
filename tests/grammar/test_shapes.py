"""The shape of a statement: what becomes equal, what stays different, and that the grammar sees no difference."""

from __future__ import annotations

import pytest

from local_redshift.rules import RULES, Rule
from tests.grammar.check import unparsable
from tests.grammar.shapes import shape

EXAMPLES = {f"{rule.name}-{kind}": getattr(rule, kind) for rule in RULES for kind in ("refused", "accepted")}
# A list per kind of thing that a shape leaves out or joins, each a little wrong in one place.
BROKEN = {
    "empty-element": "SELECT a, b, , c FROM t",
    "no-parenthesis": "INSERT INTO t (a, b VALUES (1, 2), (3, 4)",
    "parenthesis-too-many": "SELECT a) FROM t",
    "case-without-end": "SELECT CASE WHEN a THEN b WHEN c THEN d FROM t",
    "two-operators": "SELECT a FROM t WHERE a = 1 AND AND b = 2 AND c = 3",
    "name-after-name": "SELECT a b c FROM t",
    "reserved-name": "SELECT a, tag, c FROM t",
    "unknown-verb": "SELEC a, b, c FROM t",
    "last-of-a-list": "SELECT a FROM t WHERE a IN (1, 2, 3 4)",
}
WHOLE = {
    "between": "SELECT a FROM t WHERE a BETWEEN 1 AND 2 AND b BETWEEN 1 AND 2 AND NOT c BETWEEN 3 AND 4 AND a = 1",
    "operators": "SELECT a <> -1, b >= +c, d || -e, f % 2, -g::NUMERIC(38, 9), c ~ 'x', d !~* 'x' FROM t",
    "literals": "SELECT 'it''s', E'a', DATE '2026-01-01', 1, 1.5, .5, 1e5, INTERVAL '1 day', $1::INT",
    "quoted": 'SELECT t."tag", "new" FROM public."T" AS t',
    "functions": "SELECT DATEADD(day, -1, a), EXTRACT(EPOCH FROM a - b), NVL2(a, b, c), COUNT(DISTINCT a) FROM s.t",
    "window": "SELECT LISTAGG(DISTINCT a, ',') WITHIN GROUP (ORDER BY a DESC) OVER (PARTITION BY b, c) FROM t",
    "comments": "-- a 'comment'\nSELECT /* another; */ a -- and the last\nFROM t",
    "transaction": "begin transaction",
    "end": "END",
}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        pytest.param("SELECT 'aa', 'it''s', 2, 34, 2.5, $7", "SELECT 'x' , 'x' , 1 , 1.0 , $1", id="literals"),
        pytest.param("SELECT aa, bb.cc, dd FROM ss.tt -- all", "SELECT x , x.x , x FROM x.x", id="names"),
        pytest.param("select Name from tt order by aa desc", "SELECT NAME FROM x ORDER BY x DESC", id="keywords"),
        pytest.param(
            "INSERT INTO tt (aa, bb) VALUES ($1, $2), ($3, $4), (1, 'x'), (2, 'y')",
            "INSERT INTO x ( x , x ) VALUES ( $1 , $1 ) , ( $1 , $1 ) , ( 1 , 'x' )",
            id="rows",
        ),
        pytest.param(
            "SELECT CASE WHEN aa = 1 THEN 'b' WHEN cc = 2 THEN 'd' WHEN ee = 3 THEN 'f' ELSE gg END FROM tt",
            "SELECT CASE WHEN x = 1 THEN 'x' WHEN x = 1 THEN 'x' ELSE x END FROM x",
            id="case",
        ),
        pytest.param(
            "SELECT aa FROM tt UNION ALL SELECT bb FROM ss UNION ALL SELECT cc FROM uu",
            "SELECT x FROM x UNION ALL SELECT x FROM x",
            id="union",
        ),
        pytest.param(
            "SELECT aa || bb || cc || dd FROM tt WHERE ee = 1 AND ff = 2 AND gg = 3 AND (hh OR ii OR jj OR kk)",
            "SELECT x || x FROM x WHERE x = 1 AND x = 1 AND ( x OR x )",
            id="operators",
        ),
        pytest.param(
            "SELECT aa FROM tt WHERE bb BETWEEN 1 AND 2 AND cc BETWEEN 3 AND 4 AND NOT dd BETWEEN 5 AND 6",
            "SELECT x FROM x WHERE x BETWEEN 1 AND 1 AND x BETWEEN 1 AND 1 AND NOT x BETWEEN 1 AND 1",
            id="between",
        ),
        pytest.param(
            "SELECT aa FROM tt JOIN ss ON bb = cc JOIN uu ON dd = ee",
            "SELECT x FROM x JOIN x ON x = x JOIN x ON x = x",
            id="joins",
        ),
        pytest.param(
            "SELECT SUBSTRING(aa, 1, 2)::NUMERIC(9, 2)",
            "SELECT SUBSTRING ( x , 1 , 1 ) :: NUMERIC ( 1 , 1 )",
            id="arguments",
        ),
    ],
)
def test_shape(statement: str, expected: str) -> None:
    """Names, literals, comments and repetitions go; keywords, functions and the number of their arguments stay."""
    assert shape(statement) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("DROP TABLE cdc_scratch.t__1f", "DROP TABLE cdc_scratch.other__2e4", id="scratch-tables"),
        pytest.param(
            "INSERT INTO ss.tt (aa, bb, cc) VALUES ($1, $2, $3), ($4, $5, $6), ($7, $8, $9)",
            "INSERT INTO ss.uu (aa, bb) VALUES ($1, $2), ($3, $4)",
            id="rows-and-columns",
        ),
        pytest.param("SELECT aa, bb FROM tt", "SELECT aa, bb, cc -- three\n  FROM\n  tt", id="layout"),
    ],
)
def test_statements_that_share_a_shape(one: str, other: str) -> None:
    """What differs from run to run, and the lengths of lists, make no other shape."""
    assert shape(one) == shape(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("SELECT aa FROM tt ORDER BY aa", "SELECT aa FROM tt ORDER BY aa DESC", id="keyword"),
        pytest.param("SELECT NVL(aa, 1)", "SELECT COALESCE(aa, 1)", id="function"),
        pytest.param("SELECT aa::NUMERIC", "SELECT aa::NUMERIC(1)", id="precision"),
        pytest.param("SELECT aa, bb FROM tt", "SELECT aa, bb + 1 FROM tt", id="expression"),
        pytest.param("SELECT aa FROM tt", "SELECT aa FROM ss.tt", id="qualified"),
        pytest.param("SELECT tag FROM tt", 'SELECT "tag" FROM t', id="quoted"),
        pytest.param("SELECT aa FROM tt, ss", "SELECT aa FROM tt", id="one-or-two"),
        pytest.param(
            "SELECT aa, bb FROM tt GROUP BY aa", "SELECT aa, bb FROM tt GROUP BY aa, bb", id="lists-of-two-clauses"
        ),
    ],
)
def test_statements_of_different_shape(one: str, other: str) -> None:
    """Whatever a grammar could tell apart stays."""
    assert shape(one) != shape(other)


@pytest.mark.parametrize(
    "statement", [pytest.param(text, id=name) for name, text in (BROKEN | WHOLE | EXAMPLES).items()]
)
def test_a_shape_parses_when_its_statement_does(statement: str) -> None:
    """The grammar judges the shape as it judges the statement, for each example of the rules too."""
    assert bool(unparsable(shape(statement))) == bool(unparsable(statement))


@pytest.mark.parametrize("statement", [pytest.param(text, id=name) for name, text in BROKEN.items()])
def test_broken_statements_do_not_parse(statement: str) -> None:
    """A list that is wrong in one place keeps that place in its shape."""
    assert unparsable(shape(statement))


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.name) for rule in RULES])
def test_the_accepted_form_of_each_rule_parses(rule: Rule) -> None:
    """The two judges agree on what the rules recommend."""
    assert unparsable(rule.accepted) == ""
