from __future__ import annotations

from pathlib import Path

import pytest

from surgical_cdc.errors import UnsupportedQuery
from surgical_cdc.query import fact_query
from surgical_cdc.tree import join_tree
from tests.engine.one_model import one_model


def edges(folder: Path, sql: str, columns: str = "id n", **options: str) -> list[tuple[str, str]]:
    """Return the nodes of a fact's tree with their edges, parents first."""
    tree = join_tree(one_model(folder, sql, columns, **options), "fact")
    return [(node.name, "; ".join(edge.predicate.sql("redshift") for edge in node.edges)) for node in tree.nodes]


def test_joins_hang_on_the_node_of_the_anchor(tmp_path: Path) -> None:
    """The anchor's source is the root; what joins it, and what joins that, hangs below by the join's predicate."""
    sql = """
    SELECT c.id, COUNT(*) OVER (PARTITION BY c.id) AS n FROM live.customers AS c
    LEFT JOIN live.cities AS t ON c.city_id = t.id LEFT JOIN live.orders AS o ON o.customer_id = c.id
    """
    assert edges(tmp_path, sql) == [
        ("n1_customers", ""),
        ("n2_cities", "n1_customers.city_id = n2_cities.id"),
        ("n3_orders", "n3_orders.customer_id = n1_customers.id"),
    ]


def test_tie_leads_through_models_and_group_keys(tmp_path: Path) -> None:
    """A tie to a grouped model leads to the source column behind its group key, whatever it is called on the way."""
    sql = "SELECT c.id, t.n FROM live.customers AS c LEFT JOIN ref.totals AS t ON t.buyer = c.id"
    totals = (
        "SELECT buyer, COUNT(*) AS n FROM (SELECT o.customer_id AS buyer FROM live.orders AS o) AS b GROUP BY buyer"
    )
    found = edges(tmp_path, sql, totals=totals)
    assert found == [("n1_customers", ""), ("n2_orders", "n2_orders.customer_id = n1_customers.id")]


def test_names_of_nodes_are_no_names_of_the_query(tmp_path: Path) -> None:
    """An alias that looks like a node's name is not taken for one."""
    sql = (
        "SELECT n2_customers.id, n1_orders.id AS n FROM live.orders AS n2_customers"
        " LEFT JOIN live.customers AS n1_orders ON n2_customers.customer_id = n1_orders.id"
    )
    assert edges(tmp_path, sql) == [
        ("nn1_orders", ""),
        ("nn2_customers", "nn1_orders.customer_id = nn2_customers.id"),
    ]


def test_cte_is_found_in_any_case(tmp_path: Path) -> None:
    """Names are folded to lower case, those of CTEs too."""
    sql = "WITH Buyers AS (SELECT c.id FROM live.customers AS c) SELECT b.id, b.id AS n FROM buyers AS b"
    assert edges(tmp_path, sql) == [("n1_customers", "")]


def test_outer_join_condition_ties_only_what_it_joins(tmp_path: Path) -> None:
    """A condition between two others in an outer join's ON filters none of their rows, so it is no tie between them."""
    sql = """
    SELECT c.id, COUNT(*) AS n FROM live.customers AS c, live.cities AS t
    LEFT JOIN live.orders AS o ON o.customer_id = c.id AND c.city_id = t.id
    GROUP BY c.id
    """
    with pytest.raises(UnsupportedQuery, match="t, tied to c and o by no usable predicate"):
        edges(tmp_path, sql)


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        pytest.param(
            "SELECT c.id, u.n FROM live.customers c JOIN (SELECT id, 1 AS n FROM live.orders EXCEPT"
            " SELECT id, 2 AS n FROM live.cities) u ON u.id = c.id",
            "EXCEPT can not",
            id="except",
        ),
        pytest.param(
            "SELECT c.id, 1 AS n FROM live.orders o RIGHT JOIN live.customers c ON o.customer_id = c.id",
            "RIGHT JOIN c",
            id="right join",
        ),
        pytest.param(
            "SELECT c.id, 1 AS n FROM live.customers c FULL JOIN live.orders o ON o.customer_id = c.id",
            "FULL JOIN o",
            id="full join",
        ),
        pytest.param("SELECT c.id, 1 AS n FROM live.customers c LIMIT 5", "LIMIT 5 can not", id="limit"),
        pytest.param(
            "SELECT c.id, ROW_NUMBER() OVER (ORDER BY c.id) AS n FROM live.customers c",
            r"c\.id into ROW_NUMBER\(\) OVER \(ORDER BY c\.id\)",
            id="window without partition",
        ),
        pytest.param(
            "SELECT o.id, RANK() OVER (PARTITION BY o.customer_id ORDER BY o.id) AS n FROM live.orders o",
            r"o\.id into RANK\(\) OVER",
            id="window entered by another column",
        ),
        pytest.param(
            "SELECT c.id, g.n FROM live.customers c LEFT JOIN (SELECT o.kind, MAX(o.customer_id) AS buyer,"
            " COUNT(*) AS n FROM live.orders o GROUP BY o.kind) g ON g.buyer = c.id",
            r"MAX\(o\.customer_id\) = .*, computed from several rows",
            id="grouped relation joined by an aggregate",
        ),
        pytest.param(
            "SELECT c.id, m.n FROM live.customers c CROSS JOIN (SELECT MAX(o.kind) AS n FROM live.orders o) m",
            "m, tied to c by no usable predicate",
            id="global aggregate",
        ),
        pytest.param(
            "SELECT c.id, (SELECT MAX(o.kind) FROM live.orders o) AS n FROM live.customers c",
            "which is tied to no row of the query around it",
            id="uncorrelated subquery",
        ),
        pytest.param(
            "SELECT c.id, 1 AS n FROM live.customers c WHERE NOT c.id IN (SELECT o.customer_id FROM live.orders o)",
            "where a NULL among its rows matters",
            id="not in",
        ),
        pytest.param(
            "SELECT c.id, CASE WHEN c.id IN (SELECT o.customer_id FROM live.orders o) THEN 1 END AS n"
            " FROM live.customers c",
            "where a NULL among its rows matters",
            id="in outside a condition",
        ),
        pytest.param(
            "SELECT o.id, 1 AS n FROM live.customers c LEFT JOIN live.orders o ON o.customer_id = c.id",
            "from the optional side of an outer join",
            id="anchor from the optional side",
        ),
        pytest.param(
            "SELECT c.id + t.id AS id, 1 AS n FROM live.customers c JOIN live.cities t ON c.city_id = t.id",
            "computed from 2 relations",
            id="anchor of two relations",
        ),
        pytest.param(
            "SELECT c.id, 1 AS n FROM live.customers c LEFT JOIN live.cities t ON c.city_id = t.id"
            " LEFT JOIN live.orders o ON o.kind = COALESCE(t.id, 0)",
            r"COALESCE\(t\.id, 0\), which may hold where the optional side of an outer join is absent",
            id="tie to an optional row that NULL satisfies",
        ),
        pytest.param(
            "SELECT c.id, COUNT(o.id) AS n FROM live.customers c CROSS JOIN live.cities t LEFT JOIN live.orders o"
            " ON o.customer_id = c.id AND o.kind = t.id GROUP BY c.id",
            "t, tied to c and o by no usable predicate",
            id="tie in the outer join of a third",
        ),
        pytest.param(
            "SELECT c.id, 1 AS n FROM live.customers c LEFT JOIN live.cities t ON t.name LIKE 'A%'"
            " WHERE COALESCE(t.id, 0) = c.city_id",
            r"COALESCE\(t\.id, 0\) = c\.city_id, which may hold where t is absent",
            id="tie that an absent row satisfies",
        ),
        pytest.param(
            "SELECT c.id, 1 AS n FROM live.customers c LEFT JOIN live.cities t ON c.city_id = t.id"
            " LEFT JOIN live.orders o ON o.kind = GREATEST(t.id, 0)",
            r"GREATEST\(t\.id, 0\), which may hold where the optional side of an outer join is absent",
            id="tie by a function that skips NULL",
        ),
        pytest.param(
            "SELECT c.id, (SELECT COUNT(*) FROM live.orders o LEFT JOIN live.cities t ON t.id = c.city_id"
            " AND t.id = o.kind) AS n FROM live.customers c",
            "which is tied to no row of the query around it",
            id="correlation in an outer join",
        ),
        pytest.param(
            "SELECT c.id, 1 AS n FROM live.customers c"
            " WHERE COALESCE(c.id IN (SELECT o.customer_id FROM live.orders o), TRUE)",
            "where a NULL among its rows matters",
            id="in as an operand",
        ),
        pytest.param(
            "SELECT c.id, 1 AS n FROM live.customers c"
            " WHERE (c.id, c.city_id) IN (SELECT o.customer_id, o.kind FROM live.orders o)",
            r"\(c\.id, c\.city_id\) IN",
            id="in of several columns",
        ),
        pytest.param(
            "SELECT c.id, 1 AS n FROM live.customers c WHERE (SELECT MAX(o.kind) FROM live.orders o) IN (1, 2)",
            "which is tied to no row of the query around it",
            id="uncorrelated subquery in a list",
        ),
        pytest.param(
            "SELECT c.id, g.n FROM live.customers c JOIN (SELECT o.customer_id, COUNT(o.customer_id) AS n"
            " FROM live.orders o GROUP BY o.customer_id) g ON g.n = c.id",
            r"COUNT\(o\.customer_id\) = .*, computed from several rows",
            id="grouped relation joined by a count of its key",
        ),
        pytest.param(
            "SELECT CAST(o.note AS VARCHAR(5)) AS id, 1 AS n FROM live.orders o",
            "a varchar\\(5\\) that fact.id shows as bigint",
            id="anchor of another type",
        ),
        pytest.param(
            "SELECT COALESCE(c.city_id, 0) AS id, 1 AS n FROM live.customers c",
            "whose type is not known",
            id="anchor of unknown type",
        ),
        pytest.param(
            "SELECT c.id, 1 AS n FROM live.customers c WHERE EXISTS (SELECT 1 FROM live.cities t WHERE t.id = c.city_id"
            " AND EXISTS (SELECT 1 FROM live.orders o WHERE o.customer_id = c.id))",
            "correlated over more than one level",
            id="correlation two levels out",
        ),
    ],
)
def test_query_that_can_not_be_maintained_is_refused(tmp_path: Path, sql: str, problem: str) -> None:
    """The refusal names the file, the clause, and the way out."""
    with pytest.raises(UnsupportedQuery, match=problem) as refused:
        edges(tmp_path, sql)
    assert str(refused.value).startswith(f"{tmp_path}/sql/models/fact.sql, line 2: ")
    assert "maintenance: full" in str(refused.value)


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(
            "SELECT c.id, o.id AS n FROM live.customers c LEFT JOIN ref.bought o JOIN live.cities t ON t.id = o.kind"
            " ON o.customer_id = c.id",
            id="join inside a join",
        ),
        pytest.param(
            "SELECT c.id, o.id AS n FROM live.customers c LEFT JOIN (ref.bought o JOIN live.cities t ON t.id = o.kind)"
            " ON o.customer_id = c.id",
            id="join in parentheses",
        ),
        pytest.param("SELECT x.id, x.kind AS n FROM ref.bought AS x (kind, id, customer_id)", id="renamed columns"),
        pytest.param("SELECT x.id, 1 AS n FROM live.orders AS x (id)", id="renamed columns of a source"),
    ],
)
def test_clause_beside_a_relation_is_refused(tmp_path: Path, sql: str) -> None:
    """What stands beside a model in FROM would be lost when the model's query takes its place."""
    bought = "SELECT o.id, o.kind, o.customer_id FROM live.orders AS o"
    with pytest.raises(UnsupportedQuery, match=r"fact\.sql, line 2: .*Write each join on its own"):
        edges(tmp_path, sql, bought=bought)


@pytest.mark.parametrize("maintenance", ["incremental", "full"])
@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        pytest.param(
            "SELECT c.id, CAST(GETDATE() > '2026-01-01' AS BIGINT) AS n FROM live.customers c",
            r"GETDATE\(\) gives another value at each run",
            id="another value at each run",
        ),
        pytest.param(
            "SELECT c.id, CAST(CAST('today' AS DATE) > '2026-01-01' AS BIGINT) AS n FROM live.customers c",
            r"CAST\('today' AS DATE\) gives another value at each run",
            id="another value each day",
        ),
        pytest.param(
            "SELECT o.customer_id AS id, ANY_VALUE(o.kind) AS n FROM live.orders o GROUP BY o.customer_id",
            r"ANY_VALUE\(o\.kind\) gives another value at each run",
            id="any value",
        ),
        pytest.param(
            "SELECT o.customer_id AS id, LENGTH(LISTAGG(o.note, ',')) AS n FROM live.orders o GROUP BY o.customer_id",
            r"LISTAGG\(o\.note, ','\) gives another value at each run",
            id="list without order",
        ),
        pytest.param(
            "SELECT o.id, ROW_NUMBER() OVER (PARTITION BY o.id) AS n FROM live.orders o",
            r"ROW_NUMBER\(\) OVER \(PARTITION BY o\.id\) gives another value at each run",
            id="number without order",
        ),
    ],
)
def test_query_that_gives_another_value_at_each_run_is_refused(
    tmp_path: Path, sql: str, problem: str, maintenance: str
) -> None:
    """A fact can not equal a SELECT that gives another value each time, however it is maintained."""
    config = f"unique_key='id', meta={{'cdc': {{'maintenance': '{maintenance}'}}}}"
    with pytest.raises(UnsupportedQuery, match=problem):
        fact_query(one_model(tmp_path, sql, "id n", config=config), "fact")
