from __future__ import annotations

from pathlib import Path

import pytest

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.errors import UnsupportedQuery
from tests.random.one_model import one_model


def edges(folder: Path, sql: str, columns: str = "id n", **options: str) -> list[tuple[str, str]]:
    """Return the nodes of a fact's tree with their edges, parents first."""
    tree = compile_fact(one_model(folder, sql, columns, **options), "fact").tree
    assert tree
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


def test_what_is_joined_to_a_union_is_tied_to_each_branch(tmp_path: Path) -> None:
    """Each branch has its own nodes; a branch that shows NULL in the tie's column has none of the rows to be joined."""
    sql = """
    SELECT u.id, u.n FROM (
      SELECT o.id, o.customer_id AS n, o.kind AS place FROM live.orders AS o
      UNION ALL (SELECT c.id, c.city_id AS n, CAST(NULL AS SMALLINT) AS place FROM live.customers AS c
      UNION ALL SELECT p.id, p.payer_id AS n, p.status AS place FROM live.payments AS p)
    ) AS u LEFT JOIN live.cities AS t ON t.id = u.place
    """
    assert edges(tmp_path, sql) == [
        ("n2_orders", ""),
        ("n3_customers", ""),
        ("n4_payments", ""),
        ("n1_cities", "n1_cities.id = n2_orders.kind; n1_cities.id = n4_payments.status"),
    ]


def test_branch_of_a_union_that_can_not_match_has_no_edges(tmp_path: Path) -> None:
    """A branch that shows NULL where the union is entered is read for none of its rows."""
    sql = """
    SELECT c.id, COUNT(u.id) AS n FROM live.customers AS c LEFT JOIN (
      SELECT o.customer_id AS id FROM live.orders AS o
      UNION ALL SELECT CAST(NULL AS BIGINT) AS id FROM live.payments AS p JOIN live.cities AS t ON t.id = p.status
    ) AS u ON u.id = c.id GROUP BY c.id
    """
    assert edges(tmp_path, sql) == [
        ("n1_customers", ""),
        ("n2_orders", "n2_orders.customer_id = n1_customers.id"),
        ("n3_payments", ""),
        ("n4_cities", ""),
    ]


def test_relation_that_must_be_there_is_tied_by_what_else_an_absent_row_may_satisfy(tmp_path: Path) -> None:
    """A scope that is entered at the optional side of an outer join has only rows in which that side is there."""
    sql = """
    SELECT c.id, (SELECT COUNT(*) FROM live.orders AS o LEFT JOIN live.payments AS p
      ON COALESCE(p.order_id, 0) = COALESCE(o.id, 0) WHERE p.payer_id = c.id) AS n FROM live.customers AS c
    """
    assert edges(tmp_path, sql) == [
        ("n1_customers", ""),
        ("n3_payments", "n3_payments.payer_id = n1_customers.id"),
        ("n2_orders", "COALESCE(n3_payments.order_id, 0) = COALESCE(n2_orders.id, 0)"),
    ]


def test_refusal_names_the_model_and_the_line_of_the_clause(tmp_path: Path) -> None:
    """A clause may stand in a model that the fact reads, some lines down."""
    sql = "SELECT c.id,\n t.n\nFROM live.customers AS c\nLEFT JOIN ref.totals AS t\n ON t.buyer = c.id"
    totals = """SELECT
      o.kind,
      MAX(o.customer_id) AS buyer,
      COUNT(*) AS n
    FROM live.orders AS o
    GROUP BY o.kind"""
    with pytest.raises(UnsupportedQuery, match=r"models/totals\.sql, line 4: MAX\(o\.customer_id\)"):
        edges(tmp_path, sql, totals=totals)


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
    with pytest.raises(UnsupportedQuery, match=r"fact\.sql, line [25]: .*Write each join on its own"):
        edges(tmp_path, sql, bought=bought)
