"""The shapes of SQL that a fact can and can not have: test cases, of which docs/reference/sql_shapes.md is made.

`python -m tests.compiler.sql_shapes` writes the page anew.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.compiler.groups import Groups
from surgical_cdc.errors import UnsupportedQuery
from tests.random.one_model import FactModel, one_model, small_project

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "sql_shapes.md"


@dataclass(frozen=True)
class Shape:
    """A SELECT on the sources of one_model; if it is refused, `why`, and a pattern of what the refusal `names`.

    `in_full` says that it is also tried as a fact that is rebuilt in full: its rows have keys of their own.
    """

    title: str
    sql: str
    why: str = ""
    names: str = ""
    columns: str = "id n"
    anchor: str = "id"
    in_full: bool = False

    @property
    def model(self) -> FactModel:
        """The fact that it is tried as."""
        meta = f"{{'cdc': {{'anchor': '{self.anchor}', 'maintenance': 'incremental'}}}}"
        return FactModel(self.sql, self.columns, f"unique_key='id', meta={meta}")


SUPPORTED: dict[str, Sequence[Shape]] = {
    "Joins": (
        Shape(
            "INNER and LEFT JOIN on equality",
            "SELECT o.id, t.parent_id AS n FROM live.orders o JOIN live.customers c ON c.id = o.customer_id"
            " LEFT JOIN live.cities t ON t.id = c.city_id",
        ),
        Shape(
            "USING",
            "SELECT customer_id AS id, COUNT(p.id) AS n FROM live.orders o JOIN (SELECT x.id, x.payer_id AS customer_id"
            " FROM live.payments x) p USING (customer_id) GROUP BY customer_id",
        ),
        Shape(
            "USING, of three relations",
            "SELECT id, c.city_id AS n FROM live.orders LEFT JOIN live.customers c USING (id) LEFT JOIN live.cities t"
            " USING (id) WHERE NOT c.name IS NULL",
        ),
        Shape(
            "on any other predicate between two sources",
            "SELECT c.id, COUNT(o.id) AS n FROM live.customers c LEFT JOIN live.orders o ON o.day BETWEEN c.joined"
            " AND DATEADD(day, 40, c.joined) GROUP BY c.id",
        ),
        Shape(
            "on a list of ids",
            "SELECT t.id, COUNT(o.id) AS n FROM live.cities t LEFT JOIN live.orders o"
            " ON ',' || o.note || ',' LIKE '%,' || t.name || ',%' GROUP BY t.id",
        ),
        Shape(
            "on OR, or null-safe",
            "SELECT c.id, COUNT(o.id) AS n FROM live.customers c LEFT JOIN live.orders o"
            " ON o.customer_id = c.id OR (o.customer_id IS NULL AND c.referrer_id IS NULL) GROUP BY c.id",
        ),
        Shape(
            "on expressions",
            "SELECT c.id, MAX(t.id) AS n FROM live.customers c LEFT JOIN live.cities t"
            " ON LOWER(t.name) = COALESCE(c.name, '') GROUP BY c.id",
        ),
        Shape(
            "with commas and WHERE",
            "SELECT o.id, c.city_id AS n FROM live.orders o, live.customers c WHERE c.id = o.customer_id",
        ),
        Shape(
            "self join, and one source in several roles",
            "SELECT c.id, s.city_id AS n FROM live.customers c LEFT JOIN live.customers r ON r.id = c.referrer_id"
            " LEFT JOIN live.customers s ON s.id = r.referrer_id",
        ),
        Shape(
            "outer joins that read one another",
            "SELECT o.id, t.id AS n FROM live.orders o LEFT JOIN live.customers c ON c.id = o.customer_id"
            " LEFT JOIN live.cities t ON t.id = c.city_id AND t.parent_id = o.kind",
        ),
        Shape(
            "FULL JOIN on equality of keys, by COALESCE of the keys",
            "SELECT COALESCE(c.id, o.customer_id) AS id, COUNT(o.id) + COUNT(c.id) AS n FROM live.customers c FULL JOIN"
            " live.orders o ON o.customer_id = c.id AND o.kind = c.status WHERE COALESCE(c.id, o.customer_id) > 0"
            " GROUP BY COALESCE(c.id, o.customer_id)",
        ),
        Shape(
            "FULL JOIN by USING, of three relations",
            "SELECT id, c.city_id + t.parent_id + p.payer_id + o.kind AS n FROM live.customers c FULL JOIN"
            " live.cities t USING (id) FULL JOIN live.payments p USING (id) LEFT JOIN live.orders o USING (id)",
        ),
        Shape(
            "what is joined to a FULL JOIN, and to the one value or the other",
            "SELECT COALESCE(c.id, o.id) AS id, r.id + s.id AS n FROM live.customers c FULL JOIN live.orders o"
            " ON o.id = c.id LEFT JOIN live.cities r ON r.id = COALESCE(o.kind, c.city_id)"
            " LEFT JOIN live.payments s ON s.id = c.referrer_id",
        ),
        Shape(
            "groups side by side, joined by what they are grouped by",
            "WITH bought AS (SELECT o.customer_id AS person, COUNT(*) AS n FROM live.orders o GROUP BY o.customer_id),"
            " paid AS (SELECT p.payer_id AS person, COUNT(*) AS n FROM live.payments p GROUP BY p.payer_id), active AS"
            " (SELECT COALESCE(b.person, p.person) AS person, b.n AS bought, p.n AS paid FROM bought b FULL JOIN paid p"
            " ON p.person = b.person) SELECT c.id, a.bought - a.paid AS n FROM live.customers c LEFT JOIN active a"
            " ON a.person = c.id",
        ),
        Shape(
            "with constants",
            "SELECT c.id * 2 + k.n AS id, c.id AS n FROM live.customers c"
            " CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 AS n) k",
            anchor="n",
        ),
    ),
    "CTEs and subqueries in FROM": (
        Shape(
            "to any depth",
            "WITH active AS (SELECT c.id, c.city_id FROM live.customers c WHERE c.status = 1), placed AS (SELECT a.id,"
            " t.parent_id FROM active a JOIN live.cities t ON t.id = a.city_id) SELECT p.id, p.parent_id AS n"
            " FROM (SELECT placed.id, placed.parent_id FROM placed) p",
        ),
        Shape(
            "used several times",
            "WITH active AS (SELECT c.id, c.referrer_id FROM live.customers c WHERE c.status = 1) SELECT a.id,"
            " b.referrer_id AS n FROM active a LEFT JOIN active b ON b.id = a.referrer_id",
        ),
    ),
    "GROUP BY and DISTINCT": (
        Shape(
            "any aggregate, over LEFT JOINs too",
            "SELECT c.id, COUNT(o.id) + COUNT(DISTINCT o.kind) + COALESCE(SUM(o.kind), 0) AS n FROM live.customers c"
            " LEFT JOIN live.orders o ON o.customer_id = c.id GROUP BY c.id",
        ),
        Shape(
            "LISTAGG with an order",
            "SELECT c.id, LENGTH(LISTAGG(o.note, ',') WITHIN GROUP (ORDER BY o.id)) AS n FROM live.customers c"
            " JOIN live.orders o ON o.customer_id = c.id GROUP BY c.id",
        ),
        Shape(
            "LISTAGG without one: it is ordered by what it lists",
            "SELECT c.id, LENGTH(LISTAGG(o.note, ',')) AS n FROM live.customers c"
            " JOIN live.orders o ON o.customer_id = c.id GROUP BY c.id",
        ),
        Shape(
            "HAVING",
            "SELECT o.kind AS id, COUNT(*) AS n FROM live.orders o WHERE o.kind >= 0 GROUP BY o.kind"
            " HAVING MAX(o.amount) > 0",
        ),
        Shape(
            "a grouped relation, joined by its group key",
            "SELECT c.id, g.n FROM live.customers c LEFT JOIN (SELECT o.customer_id, COUNT(*) AS n FROM live.orders o"
            " GROUP BY o.customer_id) g ON g.customer_id = c.id",
        ),
        Shape(
            "GROUP BY an expression, joined by that expression",
            "SELECT c.id, g.n FROM live.customers c LEFT JOIN (SELECT COALESCE(o.customer_id, 1) AS buyer,"
            " COUNT(*) AS n FROM live.orders o GROUP BY COALESCE(o.customer_id, 1)) g ON g.buyer = c.id",
        ),
        Shape(
            "GROUP BY a text without blanks, joined by what it ends in",
            "SELECT t.id, COUNT(g.n) AS n FROM live.cities t LEFT JOIN (SELECT RTRIM(o.note) AS note, COUNT(*) AS n"
            " FROM live.orders o GROUP BY RTRIM(o.note)) g ON t.name LIKE '%' || g.note GROUP BY t.id",
        ),
        Shape(
            "a group key from the optional side",
            "SELECT t.id, g.n FROM live.cities t LEFT JOIN (SELECT c.city_id, COUNT(*) AS n FROM live.orders o"
            " LEFT JOIN live.customers c ON c.id = o.customer_id GROUP BY c.city_id) g ON g.city_id = t.id",
        ),
        Shape(
            "groups of groups",
            "SELECT c.id, g.n FROM live.customers c JOIN (SELECT k.customer_id, MAX(k.n) AS n FROM (SELECT"
            " o.customer_id, o.kind, COUNT(*) AS n FROM live.orders o GROUP BY o.customer_id, o.kind) k"
            " GROUP BY k.customer_id) g ON g.customer_id = c.id",
        ),
        Shape(
            "DISTINCT",
            "SELECT DISTINCT c.city_id AS id, 1 AS n FROM live.customers c WHERE NOT c.city_id IS NULL",
        ),
    ),
    "Groups that changed rows contribute to": (
        Shape(
            "COUNT, and SUM of integers and decimals, of a joined table's column",
            "SELECT c.city_id AS id, COUNT(*) + COUNT(o.day) AS n, SUM(o.amount * (1 - o.kind)) AS total FROM"
            " live.orders o JOIN live.customers c ON c.id = o.customer_id WHERE c.city_id > 0 GROUP BY c.city_id",
            columns="id n total:numeric(24,4)",
        ),
        Shape(
            "AVG of integers, by several keys, texts and NULL among them",
            "SELECT COALESCE(o.note, '') || '/' || COALESCE(CAST(o.kind AS VARCHAR(9)), '') AS id, o.note,"
            " AVG(o.customer_id) AS n FROM live.orders o LEFT JOIN live.customers c ON c.id = o.customer_id"
            " WHERE c.status IS NULL OR c.status = 1 GROUP BY o.note, o.kind",
            columns="id:varchar(40) note:varchar(20) n",
            anchor="note",
        ),
        Shape(
            "before a last step that lists columns, over EXISTS and a source that is read twice",
            "WITH totals AS (SELECT COALESCE(r.city_id, 0) AS id, COUNT(c.id) AS n FROM live.customers c JOIN"
            " live.customers r ON r.id = c.referrer_id WHERE EXISTS (SELECT 1 FROM live.orders o WHERE o.customer_id"
            " = r.id) GROUP BY COALESCE(r.city_id, 0)) SELECT t.id, t.n FROM totals t",
        ),
    ),
    "One row for all": (
        Shape(
            "an aggregate without groups",
            "SELECT 1 AS id, COUNT(o.id) + COUNT(c.city_id) AS n FROM live.orders o LEFT JOIN live.customers c"
            " ON c.id = o.customer_id WHERE o.day >= '2026-01-05' AND o.kind BETWEEN 1 AND 2",
        ),
        Shape(
            "with subqueries, and HAVING",
            "SELECT 1 AS id, SUM(o.kind) AS n FROM live.orders o JOIN live.customers c ON c.id = o.customer_id"
            " WHERE c.name = 'a' AND o.kind < (SELECT 2 * AVG(p.status) FROM live.payments p WHERE p.payer_id = c.id)"
            " AND o.kind >= (SELECT MIN(t.parent_id) FROM live.cities t) HAVING COUNT(*) > 1",
        ),
        Shape(
            "subqueries alone",
            "SELECT 1 AS id, (SELECT COUNT(*) FROM live.orders o WHERE o.kind = 1) + (SELECT MAX(t.id) FROM"
            " live.cities t) AS n",
        ),
        Shape(
            "of several such queries",
            "WITH bought AS (SELECT COUNT(*) AS n FROM live.orders o WHERE o.kind = 1), paid AS (SELECT COUNT(*) AS n"
            " FROM (SELECT DISTINCT p.payer_id FROM live.payments p) p) SELECT 1 AS id, bought.n - paid.n AS n"
            " FROM bought CROSS JOIN paid UNION ALL SELECT 2, MAX(o.n) FROM (SELECT ROW_NUMBER() OVER (ORDER BY o.id)"
            " AS n FROM live.orders o) o",
        ),
    ),
    "LIMIT": (
        Shape(
            "of the fact, by columns that it shows; what its order leaves open is ordered by the row key",
            "SELECT c.id, c.city_id AS n FROM live.customers c ORDER BY c.city_id DESC LIMIT 3",
        ),
        Shape(
            "of groups",
            "SELECT o.customer_id AS id, CAST(SUM(o.kind) AS BIGINT) AS n FROM live.orders o JOIN live.customers c"
            " ON c.id = o.customer_id WHERE c.status = 1 GROUP BY o.customer_id ORDER BY n LIMIT 2",
        ),
        Shape(
            "of a UNION in FROM, with more rows than one to a key",
            "SELECT CAST(u.id AS BIGINT) AS id, u.person, u.n FROM (SELECT o.id * 2 AS id, o.customer_id AS person,"
            " o.kind AS n FROM live.orders o UNION ALL SELECT p.id * 2 + 1, p.payer_id, p.status"
            " FROM live.payments p) u"
            " ORDER BY u.n, u.person DESC LIMIT 4",
            columns="id person n",
            anchor="person",
        ),
    ),
    "Window functions": (
        Shape(
            "PARTITION BY the anchor",
            "SELECT o.id, ROW_NUMBER() OVER (PARTITION BY o.id ORDER BY p.paid_on, p.id) AS n FROM live.orders o"
            " LEFT JOIN live.payments p ON p.id = o.id",
        ),
        Shape(
            "a windowed relation, joined by its partition",
            "SELECT o.id, o.n, c.id AS buyer FROM live.customers c JOIN (SELECT o.id, o.customer_id, SUM(o.kind) OVER"
            " (PARTITION BY o.customer_id ORDER BY o.id ROWS UNBOUNDED PRECEDING) AS n FROM live.orders o) o"
            " ON o.customer_id = c.id",
            columns="id n buyer",
            anchor="buyer",
        ),
        Shape(
            "PARTITION BY the key of a source among others, joined by any column of it",
            "SELECT c.id, MAX(o.amount) AS n FROM live.customers c LEFT JOIN (SELECT o.customer_id, o.amount,"
            " ROW_NUMBER() OVER (PARTITION BY o.id, o.kind ORDER BY o.day DESC) AS version FROM live.orders o) o"
            " ON o.customer_id = c.id AND o.version = 1 GROUP BY c.id",
            columns="id n:numeric(10,2)",
        ),
        Shape(
            "QUALIFY",
            "SELECT c.id, newest.id AS n FROM live.customers c LEFT JOIN (SELECT o.id, o.customer_id FROM live.orders o"
            " QUALIFY ROW_NUMBER() OVER (PARTITION BY o.customer_id ORDER BY o.day DESC, o.id) = 1) newest"
            " ON newest.customer_id = c.id",
        ),
        Shape(
            "windows over groups",
            "SELECT c.id, MAX(g.place) AS n FROM live.customers c LEFT JOIN (SELECT o.customer_id, o.kind, RANK() OVER"
            " (PARTITION BY o.customer_id ORDER BY COUNT(*)) AS place FROM live.orders o GROUP BY o.customer_id,"
            " o.kind) g ON g.customer_id = c.id GROUP BY c.id",
        ),
    ),
    "Subqueries in conditions and in SELECT": (
        Shape(
            "EXISTS and NOT EXISTS, correlated with the query around",
            "SELECT c.id, c.city_id AS n FROM live.customers c WHERE EXISTS (SELECT 1 FROM live.orders o"
            " WHERE o.customer_id = c.id) AND NOT EXISTS (SELECT 1 FROM live.payments p WHERE p.payer_id > c.id)",
        ),
        Shape(
            "IN as a condition",
            "SELECT c.id, 1 AS n FROM live.customers c WHERE c.status = 0 OR c.id IN (SELECT o.customer_id"
            " FROM live.orders o GROUP BY o.customer_id HAVING COUNT(*) > 1)",
        ),
        Shape(
            "NOT IN, correlated by something else",
            "SELECT c.id, 1 AS n FROM live.customers c WHERE NOT c.city_id IN (SELECT o.kind FROM live.orders o"
            " WHERE o.customer_id = c.id)",
        ),
        Shape(
            "NOT IN, and IN as a value, where neither side is NULL",
            "SELECT c.id, CASE WHEN c.city_id IN (SELECT t.id FROM live.cities t WHERE t.id > 0) THEN 1 ELSE 0 END AS n"
            " FROM live.customers c WHERE NOT c.city_id IS NULL AND NOT c.city_id IN (SELECT o.kind FROM live.orders o"
            " WHERE NOT o.kind IS NULL EXCEPT SELECT p.status FROM live.payments p WHERE p.status > 0)",
        ),
        Shape(
            "a correlated value",
            "SELECT c.id, (SELECT COUNT(*) FROM live.orders o WHERE o.customer_id = c.id AND o.kind = 1) AS n"
            " FROM live.customers c",
        ),
        Shape(
            "comparison with a correlated value",
            "SELECT o.id, o.customer_id AS n FROM live.orders o WHERE o.id = (SELECT MAX(p.id) FROM live.orders p"
            " WHERE p.customer_id = o.customer_id)",
        ),
    ),
    "Values for all rows": (
        Shape(
            "a subquery of an aggregate, tied to nothing",
            "SELECT c.id, c.status - (SELECT MAX(o.kind) FROM live.orders o) AS n FROM live.customers c"
            " WHERE c.city_id >= (SELECT MIN(t.id) FROM live.cities t WHERE t.parent_id > 0)",
        ),
        Shape(
            "the same in HAVING, and beside a list",
            "SELECT o.customer_id AS id, SUM(o.kind) AS n FROM live.orders o WHERE o.customer_id > 0 AND"
            " (SELECT COUNT(*) FROM live.payments p WHERE p.status = 1) IN (1, 2, 3) GROUP BY o.customer_id"
            " HAVING COUNT(*) >= (SELECT MIN(t.parent_id) FROM live.cities t)",
        ),
        Shape(
            "the same joined where it is equal",
            "SELECT c.id, c.city_id + m.n AS n, c.status, m.k FROM live.customers c LEFT JOIN (SELECT MAX(t.id) AS k,"
            " COUNT(*) AS n FROM live.cities t) m ON m.k = c.city_id",
            columns="id n status k",
        ),
        Shape(
            "an aggregate without groups, joined to all",
            "WITH newest AS (SELECT MAX(o.day) AS day, MAX(o.note) AS note FROM live.orders o) SELECT p.id, CASE WHEN"
            " m.note IS NULL THEN 0 ELSE 1 END AS n FROM live.payments p CROSS JOIN newest m WHERE p.paid_on <= m.day",
        ),
    ),
    "UNION and UNION ALL": (
        Shape(
            "as the fact: each branch has its own way to the anchor",
            "SELECT o.id * 2 AS id, o.customer_id AS n FROM live.orders o UNION ALL SELECT c.id * 2 + 1, t.parent_id"
            " FROM live.customers c JOIN live.cities t ON t.id = c.city_id",
            anchor="n",
        ),
        Shape(
            "joined to, and joined from",
            "WITH links AS (SELECT o.customer_id, o.kind AS city_id FROM live.orders o UNION ALL SELECT p.payer_id,"
            " CAST(NULL AS BIGINT) FROM live.payments p) SELECT c.id, COUNT(links.customer_id) + COUNT(t.id) AS n"
            " FROM live.customers c LEFT JOIN links ON links.customer_id = c.id LEFT JOIN live.cities t"
            " ON t.id = links.city_id GROUP BY c.id",
        ),
        Shape(
            "with a branch that shows NULL where it is joined",
            "SELECT c.id, COUNT(u.n) + COUNT(t.id) AS n FROM live.customers c LEFT JOIN (SELECT o.customer_id AS person"
            ", o.kind AS n FROM live.orders o UNION ALL SELECT CAST(NULL AS BIGINT), p.status FROM live.payments p"
            " JOIN live.orders paid ON paid.id = p.order_id) u ON u.person = c.id LEFT JOIN live.cities t"
            " ON t.id = u.n GROUP BY c.id",
        ),
        Shape(
            "grouped",
            "SELECT u.person AS id, SUM(u.n) AS n FROM (SELECT o.customer_id AS person, 1 AS n FROM live.orders o"
            " UNION ALL SELECT p.payer_id AS person, 2 AS n FROM live.payments p) u WHERE u.person > 0"
            " GROUP BY u.person",
        ),
        Shape(
            "without duplicates",
            "SELECT u.id, 1 AS n FROM (SELECT o.customer_id AS id FROM live.orders o UNION SELECT p.payer_id"
            " FROM live.payments p) u WHERE u.id > 0",
        ),
        Shape(
            "in IN",
            "SELECT c.id, 1 AS n FROM live.customers c WHERE c.id IN (SELECT o.customer_id FROM live.orders o"
            " UNION ALL SELECT p.payer_id FROM live.payments p)",
        ),
    ),
    "EXCEPT and INTERSECT": (
        Shape(
            "as the fact, and in one another",
            "SELECT o.customer_id AS id, 1 AS n FROM live.orders o WHERE o.customer_id > 0 EXCEPT (SELECT p.payer_id, 1"
            " FROM live.payments p INTERSECT SELECT c.id, c.status FROM live.customers c)",
        ),
        Shape(
            "grouped, and joined by a column",
            "SELECT c.id, g.n FROM live.customers c LEFT JOIN (SELECT u.person, COUNT(*) AS n FROM (SELECT"
            " o.customer_id AS person, o.kind FROM live.orders o EXCEPT SELECT p.payer_id, p.status FROM live.payments"
            " p) u GROUP BY u.person) g ON g.person = c.id",
        ),
        Shape(
            "in IN",
            "SELECT c.id, 1 AS n FROM live.customers c WHERE c.id IN (SELECT o.customer_id FROM live.orders o EXCEPT"
            " SELECT p.payer_id FROM live.payments p) OR c.city_id IN (SELECT t.id FROM live.cities t INTERSECT SELECT"
            " o.kind FROM live.orders o)",
        ),
    ),
    "Relations that read no table": (
        Shape(
            "a row for each number",
            "SELECT k.k AS id, COUNT(o.id) AS n FROM (SELECT 1 AS k UNION ALL SELECT 2 UNION ALL SELECT 3) k"
            " LEFT JOIN live.orders o ON o.customer_id = k.k GROUP BY k.k",
        ),
        Shape(
            "a row for each day of a calendar",
            "WITH numbers AS (SELECT 0 AS i UNION ALL SELECT 1), calendar AS (SELECT DATEADD(day, ROW_NUMBER() OVER"
            " (ORDER BY a.i, b.i) * 20 - 20, CAST('2026-01-01' AS DATE)) AS day FROM numbers a CROSS JOIN numbers b)"
            " SELECT d.day AS id, COALESCE(g.n, 0) AS n FROM calendar d LEFT JOIN (SELECT o.day, COUNT(*) AS n"
            " FROM live.orders o GROUP BY o.day) g ON g.day = d.day",
            columns="id:date n",
        ),
        Shape(
            "days that others are tied by",
            "SELECT c.id, COUNT(o.id) AS n FROM live.customers c JOIN (SELECT CAST('2026-01-01' AS DATE) AS day"
            " UNION ALL SELECT CAST('2026-02-10' AS DATE)) d ON d.day >= c.joined LEFT JOIN live.orders o"
            " ON o.day = d.day GROUP BY c.id",
        ),
        Shape(
            "beside each row",
            "SELECT c.id * 10 + k.k AS id, c.id AS customer_id, c.city_id AS n FROM live.customers c"
            " CROSS JOIN (SELECT 1 AS k UNION ALL SELECT 2) k",
            columns="id customer_id n",
            anchor="customer_id",
        ),
        Shape(
            "a constant for the key of a branch",
            "SELECT o.customer_id AS id, COUNT(*) AS n FROM live.orders o WHERE o.customer_id > 0"
            " GROUP BY o.customer_id UNION ALL SELECT -1, COUNT(*) FROM live.orders o LEFT JOIN live.customers c"
            " ON c.id = o.customer_id WHERE c.id IS NULL",
        ),
        Shape(
            "an EXCEPT with a constant in its place",
            "SELECT u.id, 1 AS n FROM (SELECT o.customer_id AS id FROM live.orders o EXCEPT SELECT 1"
            " FROM live.payments p WHERE p.status = 1) u WHERE u.id > 0",
        ),
        Shape(
            "a branch of a UNION that is tied by a constant",
            "SELECT c.id, COUNT(u.m) AS n FROM live.customers c LEFT JOIN (SELECT o.customer_id AS m FROM live.orders o"
            " UNION ALL SELECT 1 FROM live.payments p) u ON u.m = c.id GROUP BY c.id",
        ),
        Shape(
            "what is joined by NULL, and never found",
            "SELECT o.id, COUNT(c.id) AS n FROM (SELECT o.id, CAST(NULL AS BIGINT) AS m FROM live.orders o) o"
            " LEFT JOIN (SELECT c.id FROM live.customers c) c ON c.id = o.m GROUP BY o.id",
        ),
    ),
    "Expressions": (
        Shape(
            "CASE, casts, JSON, dates and what else gives one value for one row",
            "SELECT o.id, CASE WHEN o.kind = 1 THEN CAST(o.amount AS BIGINT) WHEN"
            " JSON_EXTRACT_PATH_TEXT(o.config, 'status', TRUE) = 'verified' THEN LENGTH(o.note)"
            " ELSE DATEDIFF(day, DATE '2026-01-01', o.day) END AS n FROM live.orders o",
        ),
        Shape(
            "the current date and time",
            "SELECT c.id, DATEDIFF(day, c.joined, CURRENT_DATE) AS n FROM live.customers c"
            " WHERE c.joined < DATE_TRUNC('month', GETDATE())",
        ),
        Shape(
            "an anchor cast to a number with a scale",
            "SELECT CAST(o.amount AS NUMERIC(12, 2)) AS id, COUNT(*) AS n FROM live.orders o WHERE o.amount > 0"
            " GROUP BY CAST(o.amount AS NUMERIC(12, 2))",
            columns="id:numeric(12,2) n",
        ),
        Shape(
            "a cast anchor",
            "SELECT o.id, CAST(o.kind AS BIGINT) AS n FROM live.orders o",
            anchor="n",
        ),
    ),
}
REFUSED: dict[str, Sequence[Shape]] = {
    "Joins": (
        Shape(
            "RIGHT JOIN",
            "SELECT c.id, 1 AS n FROM live.orders o RIGHT JOIN live.customers c ON o.customer_id = c.id",
            "a LEFT JOIN says the same",
            "RIGHT JOIN c",
        ),
        Shape(
            "FULL JOIN by the key of one side",
            "SELECT c.id, o.id AS n FROM live.customers c FULL JOIN live.orders o ON o.id = c.id WHERE c.id > 0",
            "rows that have the other side alone lack it",
            r"c\.id, into a FULL JOIN, .* Anchor, join and group by COALESCE\(c\.id, o\.id\)",
            in_full=True,
        ),
        Shape(
            "FULL JOIN behind another join",
            "SELECT COALESCE(c.id, o.id) AS id, 1 AS n FROM live.customers c JOIN live.cities t ON t.id = c.id"
            " FULL JOIN live.orders o ON o.id = c.id",
            "not built: a subquery says the same",
            "FULL JOIN o behind another join",
            in_full=True,
        ),
        Shape(
            "FULL JOIN on no equality",
            "SELECT COALESCE(c.id, o.id) AS id, 1 AS n FROM live.customers c FULL JOIN live.orders o ON o.id > c.id",
            "its rows have no key that each of its sides has",
            "FULL JOIN o, which is not on the equality of keys",
        ),
        Shape(
            "FULL JOIN by keys of different types",
            "SELECT COALESCE(c.id, o.amount) AS id, 1 AS n FROM live.customers c FULL JOIN live.orders o"
            " ON o.amount = c.id",
            "compared, a value may be rounded, and equal to another than in its source",
            r"a FULL JOIN by c\.id and o\.amount, given as bigint and numeric\(10,2\)",
        ),
        Shape(
            "FULL JOIN by what tells equal keys apart",
            "SELECT t.id, COUNT(f.n) AS n FROM live.cities t LEFT JOIN (SELECT COALESCE(c.name, o.note) AS n FROM"
            " live.customers c FULL JOIN live.orders o ON o.note = c.name) f ON LENGTH(f.n) = t.id GROUP BY t.id",
            "texts that differ in trailing blanks meet, and a slice would lack some of them",
            "LENGTH.* which tells equal values apart .* into FULL JOIN",
        ),
        Shape(
            "no predicate between two relations",
            "SELECT c.id, COUNT(*) AS n FROM live.customers c CROSS JOIN live.cities t GROUP BY c.id",
            "every row of one would affect every row of the other",
            "t, tied to c by no usable predicate",
        ),
        Shape(
            "a predicate over three relations",
            "SELECT c.id, 1 AS n FROM live.customers c JOIN live.cities t ON t.id = c.city_id"
            " JOIN live.orders o ON o.customer_id = c.id + t.id",
            "slices are followed from one source to another",
            "a tie to 2 sources at once",
        ),
        Shape(
            "only the ON of another outer join",
            "SELECT c.id, COUNT(*) AS n FROM live.customers c CROSS JOIN live.cities t LEFT JOIN live.orders o"
            " ON o.customer_id = c.id AND c.city_id = t.id GROUP BY c.id",
            "that ON filters the rows of what it joins alone",
            "t, tied to c and o by no usable predicate",
        ),
        Shape(
            "only the ON of a third relation's outer join",
            "SELECT c.id, COUNT(o.id) AS n FROM live.customers c CROSS JOIN live.cities t LEFT JOIN live.orders o"
            " ON o.customer_id = c.id AND o.kind = t.id GROUP BY c.id",
            "that ON filters the rows of what it joins alone",
            "t, tied to c and o by no usable predicate",
        ),
        Shape(
            "a predicate that holds where an optional row is absent",
            "SELECT c.id, 1 AS n FROM live.customers c LEFT JOIN live.cities t ON c.city_id = t.id"
            " LEFT JOIN live.orders o ON o.kind = COALESCE(t.id, 0)",
            "a slice shows an optional row as absent where its partner is outside the slice",
            r"COALESCE\(t\.id, 0\), which may hold where the optional side of an outer join is absent",
        ),
        Shape(
            "the same by a function that skips NULL",
            "SELECT c.id, 1 AS n FROM live.customers c LEFT JOIN live.cities t ON c.city_id = t.id"
            " LEFT JOIN live.orders o ON o.kind = GREATEST(t.id, 0)",
            "a function counts as NULL for NULL only where that is known",
            r"GREATEST\(t\.id, 0\), which may hold where the optional side of an outer join is absent",
        ),
        Shape(
            "the same in WHERE",
            "SELECT c.id, 1 AS n FROM live.customers c LEFT JOIN live.cities t ON t.name LIKE 'A%'"
            " WHERE COALESCE(t.id, 0) = c.city_id",
            "it decides on rows without the optional one as well",
            r"COALESCE\(t\.id, 0\) = c\.city_id, which may hold where t is absent",
        ),
        Shape(
            "joins in parentheses, or nested",
            "SELECT c.id, o.id AS n FROM live.customers c LEFT JOIN (live.orders o JOIN live.cities t ON t.id = o.kind)"
            " ON o.customer_id = c.id",
            "the order of joins has to be the order in which they are written",
            "Write each join on its own",
        ),
    ),
    "Groups, windows, LIMIT": (
        Shape(
            "a grouped relation joined by an aggregate",
            "SELECT c.id, g.n FROM live.customers c LEFT JOIN (SELECT o.kind, MAX(o.customer_id) AS buyer,"
            " COUNT(*) AS n FROM live.orders o GROUP BY o.kind) g ON g.buyer = c.id",
            "a slice must hold whole groups",
            r"MAX\(o\.customer_id\) = .*, computed from several rows",
        ),
        Shape(
            "a grouped relation joined by a count of its key",
            "SELECT c.id, g.n FROM live.customers c JOIN (SELECT o.customer_id, COUNT(o.customer_id) AS n"
            " FROM live.orders o GROUP BY o.customer_id) g ON g.n = c.id",
            "a slice must hold whole groups",
            r"COUNT\(o\.customer_id\) = .*, computed from several rows",
        ),
        Shape(
            "a group key that an outer join makes up",
            "SELECT t.id, g.n FROM live.cities t LEFT JOIN (SELECT COALESCE(c.city_id, 0) AS city_id, COUNT(*) AS n"
            " FROM live.orders o LEFT JOIN live.customers c ON c.id = o.customer_id GROUP BY COALESCE(c.city_id, 0)) g"
            " ON g.city_id = t.id",
            "rows whose partner is outside the slice would be counted as rows without one",
            r"COALESCE\(c\.city_id, 0\) = .*, from the optional side of an outer join",
        ),
        Shape(
            "a group of texts, entered by what tells their trailing blanks apart",
            "SELECT t.id, COUNT(g.n) AS n FROM live.cities t LEFT JOIN (SELECT o.note, COUNT(*) AS n"
            " FROM live.orders o GROUP BY o.note) g ON t.name LIKE '%' || g.note GROUP BY t.id",
            "texts that differ in trailing blanks are one group, and a slice would lack some of them",
            r"LIKE '%' \|\| o\.note, which tells equal values apart .* into GROUP BY o\.note",
        ),
        Shape(
            "the same by a partition",
            "SELECT o.id, CAST(LENGTH(o.note) AS BIGINT) AS size, COUNT(*) OVER (PARTITION BY o.note) AS n"
            " FROM live.orders o",
            "a slice must hold whole partitions",
            r"LENGTH\(o\.note\) AS BIGINT\), which tells equal values apart",
            columns="id size n",
            anchor="size",
        ),
        Shape(
            "the same by DISTINCT",
            "SELECT c.id, COUNT(d.note) AS n FROM live.customers c LEFT JOIN (SELECT DISTINCT o.note"
            " FROM live.orders o) d ON LENGTH(d.note) = c.id GROUP BY c.id",
            "of such texts DISTINCT and UNION keep one, and a slice might keep another",
            r"LENGTH\(d\.note\) = .*, which tells equal values apart .* into SELECT DISTINCT",
        ),
        Shape(
            "ROLLUP, CUBE, GROUPING SETS",
            "SELECT COALESCE(o.customer_id, 0) AS id, COUNT(*) AS n FROM live.orders o WHERE o.customer_id > 0"
            " GROUP BY ROLLUP (o.customer_id)",
            "the total is over all rows",
            "ROLLUP",
            in_full=True,
        ),
        Shape(
            "a window without PARTITION BY",
            "SELECT c.id, ROW_NUMBER() OVER (ORDER BY c.id) AS n FROM live.customers c",
            "one row changes the number of all others",
            r"c\.id into ROW_NUMBER\(\) OVER \(ORDER BY c\.id\)",
            in_full=True,
        ),
        Shape(
            "a window entered by another column than its partition",
            "SELECT o.id, RANK() OVER (PARTITION BY o.customer_id ORDER BY o.id) AS n FROM live.orders o",
            "a slice must hold whole partitions",
            r"o\.id into RANK\(\) OVER",
        ),
        Shape(
            "groups by an aggregate of a subquery",
            "SELECT g.orders AS id, COUNT(*) AS n FROM (SELECT c.id, COUNT(o.id) AS orders FROM live.customers c"
            " LEFT JOIN live.orders o ON o.customer_id = c.id GROUP BY c.id) g GROUP BY g.orders",
            "a row moves another from one group to the next",
            r"a row for each COUNT\(o\.id\), which is computed from several others",
            in_full=True,
        ),
        Shape(
            "LIMIT by what the fact does not show",
            "SELECT c.id, 1 AS n FROM live.customers c ORDER BY c.joined LIMIT 5",
            "where a row comes among the others is read from the fact",
            r"LIMIT 5 by c\.joined, which the fact does not show, can not",
            in_full=True,
        ),
        Shape(
            "LIMIT by what the fact shows as another type, or as one that is not known",
            "SELECT o.customer_id AS id, AVG(o.amount) AS n FROM live.orders o WHERE o.customer_id > 0"
            " GROUP BY o.customer_id ORDER BY n LIMIT 2",
            "rounded values come in another order",
            r"LIMIT 2 by n, an unknown type that the fact shows as bigint, can not",
            in_full=True,
        ),
        Shape(
            "LIMIT with OFFSET",
            "SELECT c.id, c.city_id AS n FROM live.customers c ORDER BY c.id LIMIT 2 OFFSET 1",
            "not built: what comes before the fact's first row is not in it",
            "LIMIT 2, by which one row pushes out another, can not",
            in_full=True,
        ),
        Shape(
            "LIMIT below the fact; what its order leaves open is ordered by all that is shown",
            "SELECT x.id, 1 AS n FROM (SELECT c.id FROM live.customers c ORDER BY c.joined LIMIT 5) x",
            "one row pushes out another",
            "LIMIT 5, by which one row pushes out another, can not",
            in_full=True,
        ),
    ),
    "Subqueries": (
        Shape(
            "a value for all rows that may be missing",
            "SELECT c.id, (SELECT MAX(o.kind) FROM live.orders o HAVING COUNT(*) > 1) AS n FROM live.customers c",
            "not built: a CASE in its SELECT says the same",
            "which is tied to no row of the query around it",
            in_full=True,
        ),
        Shape(
            "the value of some row",
            "SELECT c.id, 1 AS n FROM live.customers c WHERE c.status < (SELECT o.kind FROM live.orders o"
            " ORDER BY o.day, o.id LIMIT 1)",
            "not built: an aggregate says the same",
            "which is tied to no row of the query around it",
            in_full=True,
        ),
        Shape(
            "rows tied by a value for all",
            "SELECT c.id, COUNT(o.id) AS n FROM live.customers c CROSS JOIN (SELECT MAX(t.parent_id) AS k FROM"
            " live.cities t) m LEFT JOIN live.orders o ON o.kind = m.k GROUP BY c.id",
            "slices are followed from one source to another",
            r"a tie to MAX\(t\.parent_id\), computed from several rows",
            in_full=True,
        ),
        Shape(
            "ANY and ALL",
            "SELECT c.id, 1 AS n FROM live.customers c WHERE c.id > ALL (SELECT o.customer_id FROM live.orders o)",
            "it is no tie to single rows",
            "which is tied to no row of the query around it",
        ),
        Shape(
            "NOT IN without another correlation",
            "SELECT c.id, 1 AS n FROM live.customers c WHERE NOT c.id IN (SELECT o.customer_id FROM live.orders o)",
            "one NULL among the rows makes it NULL for all, and a slice may lack that row",
            "where a NULL among its rows matters",
            in_full=True,
        ),
        Shape(
            "IN as a value",
            "SELECT c.id, CASE WHEN c.id IN (SELECT o.customer_id FROM live.orders o) THEN 1 END AS n"
            " FROM live.customers c",
            "there it can be NULL, not false, and a slice may lack the NULL that makes it so",
            "where a NULL among its rows matters",
            in_full=True,
        ),
        Shape(
            "IN inside a function",
            "SELECT c.id, 1 AS n FROM live.customers c"
            " WHERE COALESCE(c.id IN (SELECT o.customer_id FROM live.orders o), TRUE)",
            "there it can be NULL, not false, and a slice may lack the NULL that makes it so",
            "where a NULL among its rows matters",
        ),
        Shape(
            "IN with several columns",
            "SELECT c.id, 1 AS n FROM live.customers c"
            " WHERE (c.id, c.city_id) IN (SELECT o.customer_id, o.kind FROM live.orders o)",
            "not built: EXISTS says the same",
            r"\(c\.id, c\.city_id\) IN",
        ),
        Shape(
            "correlated over two levels",
            "SELECT c.id, 1 AS n FROM live.customers c WHERE EXISTS (SELECT 1 FROM live.cities t WHERE t.id = c.city_id"
            " AND EXISTS (SELECT 1 FROM live.orders o WHERE o.customer_id = c.id))",
            "Redshift does not run it either",
            "correlated over more than one level",
        ),
        Shape(
            "correlated in the ON of an outer join",
            "SELECT c.id, (SELECT COUNT(*) FROM live.orders o LEFT JOIN live.cities t ON t.id = c.city_id"
            " AND t.id = o.kind) AS n FROM live.customers c",
            "that ON does not filter the subquery's rows",
            "which is tied to no row of the query around it",
        ),
        Shape(
            "a UNION that is correlated inside",
            "SELECT c.id, 1 AS n FROM live.customers c WHERE EXISTS (SELECT 1 FROM live.orders o WHERE"
            " o.customer_id = c.id UNION ALL SELECT 1 FROM live.payments p WHERE p.payer_id = c.id)",
            "not built: two EXISTS with OR say the same",
            "which is tied to no row of the query around it",
        ),
    ),
    "UNION, EXCEPT, INTERSECT": (
        Shape(
            "a UNION with LIMIT",
            "SELECT u.id, 1 AS n FROM (SELECT o.id FROM live.orders o UNION ALL SELECT c.id FROM live.customers c"
            " LIMIT 5) u",
            "one row pushes out another",
            "LIMIT 5, by which one row pushes out another, can not",
        ),
        Shape(
            "a UNION tied by columns of different types",
            "SELECT c.id, COUNT(u.m) AS n FROM live.customers c LEFT JOIN (SELECT o.customer_id AS m FROM live.orders o"
            " UNION ALL SELECT p.amount FROM live.payments p) u ON u.m = c.id GROUP BY c.id",
            "in the UNION a value may be rounded, and equal to another than in its source",
            r"m of a UNION, given as bigint and numeric\(10,2\)",
        ),
        Shape(
            "the same of an EXCEPT",
            "SELECT c.id, COUNT(u.m) AS n FROM live.customers c LEFT JOIN (SELECT o.customer_id AS m FROM live.orders o"
            " EXCEPT SELECT p.amount FROM live.payments p) u ON u.m = c.id GROUP BY c.id",
            "compared, a value may be rounded, and equal to another than in its source",
            r"m of an EXCEPT, given as bigint and numeric\(10,2\)",
        ),
        Shape(
            "what is tied to a constant in a branch of a UNION",
            "SELECT u.id, COUNT(c.id) AS n FROM (SELECT o.id, o.customer_id AS m FROM live.orders o WHERE o.id < 3"
            " UNION ALL SELECT p.id + 10, 1 FROM live.payments p) u LEFT JOIN live.customers c ON c.id = u.m"
            " GROUP BY u.id",
            "not built: each of its rows would lead to all rows of that branch",
            "a tie to no sources at once",
            anchor="id",
        ),
    ),
    "The anchor": (
        Shape(
            "from the optional side of an outer join",
            "SELECT o.id, 1 AS n FROM live.customers c LEFT JOIN live.orders o ON o.customer_id = c.id",
            "rows without a partner have no anchor of their own",
            "from the optional side of an outer join",
        ),
        Shape(
            "computed from two relations",
            "SELECT c.id + t.id AS id, 1 AS n FROM live.customers c JOIN live.cities t ON c.city_id = t.id",
            "affected keys are looked up in one source",
            "computed from 2 relations",
        ),
        Shape(
            "the same for all rows",
            "SELECT c.id, 1 AS n FROM live.customers c",
            "each change would affect all rows",
            "1 as the anchor, of which all rows have the same",
            anchor="n",
        ),
        Shape(
            "of another type than the fact's column",
            "SELECT CAST(o.note AS VARCHAR(5)) AS id, 1 AS n FROM live.orders o",
            "a rounded key is not found under what it was computed from",
            r"a varchar\(5\) that fact\.id shows as bigint",
        ),
        Shape(
            "of a type that is not known",
            "SELECT c.city_id * 2 AS id, 1 AS n FROM live.customers c",
            "a rounded key is not found under what it was computed from",
            "whose type is not known",
        ),
    ),
}
REFUSED_ALWAYS: Sequence[Shape] = (
    Shape(
        "CONNECT BY",
        "SELECT c.id, 1 AS n FROM live.customers c START WITH c.id = 1 CONNECT BY PRIOR c.id = c.referrer_id",
        "how many levels there are depends on the rows",
        r"CONNECT BY PRIOR c\.id = c\.referrer_id can not be maintained",
    ),
    Shape(
        "outer joins written as (+)",
        "SELECT o.id, c.city_id AS n FROM live.orders o, live.customers c WHERE o.customer_id = c.id (+)",
        "not built: LEFT JOIN says the same",
        r"the outer join c\.id \(\+\) can not be maintained",
    ),
    Shape(
        "values inside a column in FROM",
        "SELECT c.id, COUNT(*) AS n FROM live.customers c, c.name AS part GROUP BY c.id",
        "the contract has no type for such columns",
        r"c\.name AS part in FROM can not be maintained",
    ),
    Shape(
        "VALUES in FROM",
        "SELECT c.id, x.n FROM live.customers c JOIN (VALUES (1, 10), (2, 20)) AS x (id, n) ON x.id = c.id",
        "Redshift has no such tables; SELECT … UNION ALL SELECT … says the same",
        "VALUES .* in FROM can not be maintained",
    ),
    Shape(
        "VALUES in WITH",
        "WITH x AS (VALUES (1, 10)) SELECT c.id, 1 AS n FROM live.customers c JOIN x ON TRUE",
        "Redshift has no such tables; SELECT … UNION ALL SELECT … says the same",
        "CTE x, which is no SELECT",
    ),
    Shape(
        "WINDOW",
        "SELECT c.id, MAX(c.status) OVER w AS n FROM live.customers c WINDOW w AS (PARTITION BY c.id)",
        "Redshift has no such clause",
        r"w OVER \(PARTITION BY c\.id\) can not be maintained",
    ),
    Shape(
        "a table that is no source",
        "SELECT x.id, 1 AS n FROM elsewhere.things x",
        "changes are known of the project's sources alone",
        r"elsewhere\.things, which is no source",
    ),
    Shape(
        "today, written as a text",
        "SELECT c.id, DATEDIFF(day, c.joined, CAST('today' AS DATE)) AS n FROM live.customers c",
        "the fact would differ from its SELECT without any change",
        r"CAST\('today' AS DATE\) gives another value at each run",
    ),
    Shape(
        "the same beside a date",
        "SELECT c.id, 1 AS n FROM live.customers c WHERE DATEADD(day, 7, c.joined) > 'today' AND c.name <> 'now'",
        "Redshift makes a date of the text",
        r"'today' gives another value at each run",
    ),
    Shape(
        "the same where a date is stored",
        "SELECT c.id, 'today' AS n FROM live.customers c",
        "Redshift makes a date of the text",
        r"'today' AS n gives another value at each run",
        columns="id n:date",
    ),
    Shape(
        "the session",
        "SELECT c.id, 1 AS n FROM live.customers c WHERE c.name = CURRENT_SETTING('search_path')",
        "it is another one at each run",
        r"CURRENT_SETTING\('search_path'\) gives another value at each run",
    ),
    Shape(
        "a function of a user",
        "SELECT c.id, f_score(c.name) AS n FROM live.customers c",
        "it may be volatile, or read what nobody looks for changes in",
        r"F_SCORE\(c\.name\) calls no function of Redshift's own",
    ),
    Shape(
        "a function in a schema",
        "SELECT c.id, COUNT(*) AS n FROM live.customers c GROUP BY c.id HAVING tools.upper(MAX(c.name)) > 'A'",
        "it is a user's, whatever its name",
        r"tools\.upper\(MAX\(c\.name\)\) calls no function of Redshift's own",
    ),
    Shape(
        "ANY_VALUE",
        "SELECT c.city_id AS id, ANY_VALUE(c.id) AS n FROM live.customers c GROUP BY c.city_id",
        "any row will do, at each run another",
        r"ANY_VALUE\(c\.id\) gives another value at each run",
    ),
    Shape(
        "LISTAGG without an order, beside one with another",
        "SELECT c.city_id AS id, LENGTH(LISTAGG(c.name, ',') || LISTAGG(c.name, ',') WITHIN GROUP (ORDER BY c.id)) AS n"
        " FROM live.customers c GROUP BY c.city_id",
        "the order is that in which rows happen to be read; Redshift takes one order for all lists of a SELECT",
        r"LISTAGG\(c\.name, ','\) gives another value at each run",
    ),
    Shape(
        "ROW_NUMBER, LAG and the like without an order",
        "SELECT c.id, ROW_NUMBER() OVER (PARTITION BY c.id) AS n FROM live.customers c",
        "the order is that in which rows happen to be read",
        r"ROW_NUMBER\(\) OVER \(PARTITION BY c\.id\) gives another value at each run",
    ),
    Shape(
        "a frame without an order",
        "SELECT c.id, SUM(c.city_id) OVER (PARTITION BY c.id ROWS UNBOUNDED PRECEDING) AS n FROM live.customers c",
        "the order is that in which rows happen to be read",
        "gives another value at each run",
    ),
    Shape(
        "DISTINCT ON",
        "SELECT DISTINCT ON (c.city_id) c.id, 1 AS n FROM live.customers c",
        "Redshift has no such clause",
        r"DISTINCT ON \(c\.city_id\) gives another value at each run",
    ),
    Shape(
        "GROUP BY ALL",
        "SELECT c.city_id AS id, COUNT(*) AS n FROM live.customers c GROUP BY ALL",
        "not built: GROUP BY can name its columns",
        "GROUP BY ALL can not be maintained",
    ),
    Shape(
        "two columns of one name",
        "WITH j AS (SELECT * FROM live.customers c JOIN live.cities t ON t.id = c.city_id) SELECT j.id, 1 AS n FROM j",
        "either may be meant",
        r"j\.id is the name of several columns there, c\.id and t\.id",
    ),
    Shape(
        "EXCEPT ALL, INTERSECT ALL",
        "SELECT o.customer_id AS id, 1 AS n FROM live.orders o EXCEPT ALL SELECT p.payer_id, 1 FROM live.payments p",
        "Redshift has no such operations",
        "EXCEPT ALL is not Redshift's",
    ),
    Shape(
        "FILTER behind an aggregate",
        "SELECT c.city_id AS id, COUNT(*) FILTER (WHERE c.status = 1) AS n FROM live.customers c GROUP BY c.city_id",
        "Redshift has no such clause",
        r"FILTER\(WHERE c.status = 1\) is not Redshift's",
    ),
    Shape(
        "COLLATE",
        "SELECT c.id, COLLATE(c.name, 'case_insensitive') AS n FROM live.customers c",
        "what is equal under it is not so in change detection and in joins",
        "by which other texts are equal, can not be maintained",
    ),
    Shape(
        "WITH RECURSIVE",
        "WITH RECURSIVE up AS (SELECT c.id FROM live.customers c UNION ALL SELECT d.referrer_id FROM up JOIN"
        " live.customers d ON d.id = up.id) SELECT up.id, 1 AS n FROM up",
        "how many levels there are depends on the rows",
        "WITH RECURSIVE",
    ),
    Shape(
        "columns renamed in FROM or WITH",
        "SELECT x.key AS id, 1 AS n FROM live.cities AS x (key)",
        "not built: a SELECT can name its columns",
        "name columns in a SELECT",
    ),
)
HEAD = """# Shapes of SQL

What a fact's SELECT can be made of to be maintained incrementally. A fact with another shape is rebuilt in full,
whenever a column that it reads has changed: `compile` says so, with file, line and clause, and so does the dictionary,
where it is reviewed. Where such a shape stands in a joined relation or a subquery, that is read as a whole: a change of
what is read there rebuilds the fact in full, and all other changes are followed to the rows that they affect. The
dictionary has these sources too. A run never changes the way. `meta={'cdc': {'maintenance': 'incremental'}}` refuses
such a shape when it is compiled, and says what to write instead; `'full'` rebuilds any.

This page is made of test cases by `python -m tests.compiler.sql_shapes`. Each supported example is maintained on random
windows and compared with its SELECT run in full; each refused one is compiled, and what the compiler says is what
stands here. Why the supported ones give the same rows as a full rebuild, and the others might not:
[adr/0001](../adr/0001-slices-along-the-join-tree.md). Shapes can be combined; `tests/random/test_models.py` does so
at random.

The current date and time are those of one moment, the end of the run's window, cut to the day where no more than the
date is read, else to the hour. While it stands the fact is maintained incrementally; when it moves, the fact is built
anew once, and it never moves back.

A value for all rows is computed as it is and as it will be, whenever something that it reads changes; only if these
differ does it affect all keys.

A relation that reads no table, such as a calendar of days or a list of numbers, is the same at each run while the
moment stands. It can be what a fact has a row for each of.

A fact that groups in its last step, and shows of a group its keys, COUNT, SUM of integers and decimals, and AVG of
integers, keeps its groups: what changed rows contribute is added to them and taken off, so that an update costs the
same however large they are ([adr/0009](../adr/0009-groups-by-contributions.md)). The column *by* has these. All other
groups are recomputed from all their rows: those with MIN, MAX, DISTINCT, a SUM of floats, an AVG of decimals, HAVING or
a window, and those that are as many as the rows of a source.

One row for all has nothing that it could be entered by, and is recomputed as a whole, from all rows. What is
incremental in it is the decision: it is left alone unless a changed row, by its old or its new image, fulfils what the
query asks of its rows and of those that it leads to.

What a model reads counts each time that the model is read. A SELECT that so reads more than 400 tables, or has more
than 50,000 parts (names, operators, literals), is rebuilt in full with its models as CTEs, and each column that it
reads may feed each of the fact's. Where a model in between is a fact of its own, and its table a source of this one's
project, both can be maintained.

Two things depend on the rows and are not checked; there a full rebuild gives one result or another as well. An ORDER BY
that leaves rows tied (`ROW_NUMBER() OVER (PARTITION BY a ORDER BY b)` with equal `b`): order by what tells the rows
apart. And strings that differ in trailing spaces alone: to Redshift they are equal, and which of them a group, a
DISTINCT or MIN shows is open; write `RTRIM` where both occur. `verify` takes no account of trailing spaces there.

## Supported
"""
REFUSED_HEAD = """
## Rebuilt in full, and refused in facts that are to be maintained incrementally
"""
ALWAYS_HEAD = """
## Refused in every fact

Also in one that is rebuilt in full.
"""


def page() -> str:
    """Return docs/reference/sql_shapes.md as the shapes and the compiler say it."""
    lines = [HEAD]
    for group, shapes in SUPPORTED.items():
        lines += [f"**{group}**\n", "| shape | example | by |", "|---|---|---|"]
        ways = ("contributions" if groups else "" for groups in groups_of(shapes))
        lines += [_row([shape.title, _code(shape.sql), way]) for shape, way in zip(shapes, ways, strict=True)]
        lines.append("")
    lines[-1] = REFUSED_HEAD
    for group, shapes in REFUSED.items():
        lines += [f"**{group}**\n", *_refused(shapes, _rebuilt_by), ""]
    lines[-1] = ALWAYS_HEAD
    return "\n".join([*lines, *_refused(REFUSED_ALWAYS, None), ""])


def groups_of(shapes: Iterable[Shape]) -> list[Groups | None]:
    """Return what is kept of the groups of facts of supported shapes."""
    with tempfile.TemporaryDirectory() as folder:
        facts = {f"fact_{number}": shape.model for number, shape in enumerate(shapes)}
        project = small_project(Path(folder), facts)
        return [compile_fact(project, fact).groups for fact in facts]


def refusal(folder: Path, shape: Shape) -> str:
    """Return what the compiler says of a shape."""
    try:
        compile_fact(one_model(folder, shape.sql, shape.model.columns, config=shape.model.config), "fact")
    except UnsupportedQuery as error:
        return str(error)
    raise AssertionError(f"{shape.title} is not refused")


def _refused(shapes: Iterable[Shape], rebuilt_by: Callable[[Path, Shape], str] | None) -> list[str]:
    header = [
        "shape",
        "example",
        "reason",
        "what the compiler says",
        *(["rebuilt in full by changes of"] if rebuilt_by else []),
    ]
    lines = [_row(header), _row(["---"] * len(header)).replace(" ", "")]
    for shape in shapes:
        with tempfile.TemporaryDirectory() as folder:
            said = refusal(Path(folder), shape).partition(": ")[2].partition(" Or set meta")[0]
        cells = [shape.title, _code(shape.sql), shape.why, _cell(_names(said))]
        if rebuilt_by:
            with tempfile.TemporaryDirectory() as folder:
                cells.append(rebuilt_by(Path(folder), shape))
        lines.append(_row(cells))
    return lines


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rebuilt_by(folder: Path, shape: Shape) -> str:
    """Return the sources by whose changes a fact of a shape is rebuilt in full, if it can be."""
    config = f"unique_key='id', meta={{'cdc': {{'anchor': '{shape.anchor}'}}}}"
    try:
        tree = compile_fact(one_model(folder, shape.sql, shape.columns, config=config), "fact").tree
    except UnsupportedQuery:
        return "refused"
    return ", ".join(sorted(tree.read_whole)) if tree else "all that it reads"


def _code(sql: str) -> str:
    return f"`{_cell(sql.replace('live.', ''))}`"


def _names(text: str) -> str:
    """Return what the compiler says without the schema of the sources."""
    return text.replace("live.", "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page())
