from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from redshift_connector.core import Connection
from redshift_connector.error import ProgrammingError

from local_redshift import LocalRedshift
from local_redshift.rules import RULES, Rule, Situation, refusals
from local_redshift.rules.page import page
from local_redshift.rules.reading import Statement
from local_redshift.rules.refusing import of_any_run
from local_redshift.rules.rule import Glance
from local_redshift.testing import connect as connect_to
from local_redshift.translation.tokens import tokenize
from local_redshift.wire.injection import PARSE
from local_redshift.wire.strictness import Strictness

PACKAGE = Path(__file__).resolve().parents[1]
Rows = Callable[..., list[tuple[Any, ...]]]
COLUMNS = "(a INT, b INT, c VARCHAR(20), d NUMERIC(10, 2), e BOOLEAN, f TIMESTAMP)"
BY_NAME = {rule.name: rule for rule in RULES}
EVERY_RULE = [pytest.param(rule, id=rule.name) for rule in RULES]

# The constructs that were asked for, in the words of the request, and the rules that refuse them.
ASKED_FOR = {
    "ON CONFLICT": ["on-conflict"],
    "RETURNING": ["returning"],
    "IS [NOT] DISTINCT FROM": ["is-distinct-from"],
    "LATERAL": ["lateral"],
    "DISTINCT ON": ["distinct-on"],
    "FILTER": ["aggregate-filter"],
    "arrays and array functions": ["arrays", "any-of-array", "array-functions"],
    "VALUES as a table": ["values-as-table"],
    "CREATE INDEX": ["indexes"],
    "generate_series over tables": ["generate-series"],
    "FOR UPDATE": ["row-locks"],
    "TABLESAMPLE": ["tablesample"],
    "named windows": ["named-windows"],
    "RANGE frames": ["range-frames"],
    "ordered aggregate window without a ROWS frame": ["window-frame"],
    "EXCEPT/INTERSECT ALL": ["set-operation-all"],
    "modifying CTEs": ["modifying-with"],
    "WITH … INSERT": ["with-before-insert"],
    "WITH in MERGE": ["merge-with"],
    "MERGE with AND": ["merge-condition"],
    "MERGE with a target alias": ["merge-alias"],
    "MERGE by source": ["merge-by-source"],
    "aliased UPDATE and DELETE targets": ["update-alias", "delete-alias"],
    "qualified SET columns": ["qualified-set"],
    "TRUNCATE inside a transaction": ["truncate-in-transaction"],
    "savepoints": ["savepoints"],
    "CTAS IF NOT EXISTS": ["create-as-if-not-exists"],
    "unquoted reserved names": ["reserved-names"],
    "leader-node functions over user tables": ["leader-node-functions"],
    "several statements in one execute": ["several-statements"],
    "identifiers over 63 bytes": ["long-names"],
}


@pytest.fixture(scope="module")
def tables(redshift: LocalRedshift) -> Iterator[None]:
    """The tables of the rules' examples: t, s and u."""
    connection = connect_to(redshift)
    connection.autocommit = True
    for name in "tsu":
        connection.cursor().execute(f"CREATE TABLE {name} {COLUMNS}")
    yield
    for name in "tsu":
        connection.cursor().execute(f"DROP TABLE {name}")
    connection.close()


def example(text: str) -> str:
    """Return an example as it is sent; one is too long to stand in the table."""
    return text.replace("…", "x" * 2**24)


def error_of(run: Callable[[], object]) -> dict[str, str]:
    """Return the fields of the error that the server answers with."""
    with pytest.raises(ProgrammingError) as raised:
        run()
    fields: dict[str, str] = raised.value.args[0]
    return fields


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_what_a_rule_refuses_is_refused_with_its_name(tables: None, rows: Rows, rule: Rule) -> None:
    """Each rule's example fails through the driver, with Redshift's message, the rule's name and a way out."""
    error = error_of(lambda: rows(example(rule.refused)))
    assert f"The rule {rule.name} of the stand-in" in error["D"]
    assert rule.accepted in error["H"]
    assert error["C"] == rule.sqlstate
    assert error["M"] == next(each.message for each in refusals(example(rule.refused)) if each.rule is rule)


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_what_a_rule_proposes_is_accepted_and_runs(tables: None, rows: Rows, rule: Rule) -> None:
    """The form that each rule proposes is refused by no rule, and runs."""
    rows(rule.accepted)


@pytest.mark.parametrize("construct", ASKED_FOR)
def test_every_construct_that_was_asked_for_has_a_rule(construct: str) -> None:
    """The table of rules covers the list that it was made for; a rule that is taken out is missed."""
    assert set(ASKED_FOR[construct]) <= BY_NAME.keys()


def test_rules_have_names_of_their_own_and_say_what_they_refuse() -> None:
    """The rules are complete: one name each, a description, evidence, and examples that differ."""
    assert len(BY_NAME) == len(RULES)
    for rule in RULES:
        assert rule.refuses.endswith(".")
        assert rule.evidence
        assert rule.refused != rule.accepted


def changed(text: str, change: Callable[[str], str]) -> str:
    """Return a statement with everything changed but its literals and quoted names."""
    parts = re.split(r"('(?:[^']|'')*'|\"[^\"]*\")", text)
    return "".join(part if index % 2 else change(part) for index, part in enumerate(parts))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text, id="as-it-is"),
        pytest.param(str.upper, id="upper-case"),
        pytest.param(lambda text: text.replace(" ", "\n  "), id="lines"),
        pytest.param(lambda text: text.replace(" ", " /* ; 'it is' */ -- a comment\n"), id="comments"),
        pytest.param(lambda text: f"EXPLAIN {text}" if text.startswith(("SELECT", "WITH")) else text, id="explained"),
    ],
)
def test_rules_are_not_misled_by_how_a_statement_is_written(change: Callable[[str], str]) -> None:
    """Capitals, lines and comments hide nothing, and make nothing refused."""
    for rule in RULES:
        if rule.name in ("statement-size", "escape-strings"):
            continue
        refused, accepted = (changed(text, change) for text in (rule.refused, rule.accepted))
        assert rule.name in [each.rule.name for each in refusals(refused)], refused
        assert refusals(accepted) == (), accepted


# Further spellings of what the rules refuse.
VARIANTS = [
    ("lateral", "SELECT t.a FROM t CROSS JOIN LATERAL (SELECT 1) AS x"),
    ("lateral", "SELECT t.a FROM t LEFT JOIN LATERAL f_x(t.a) AS y ON TRUE"),
    ("arrays", "SELECT c[1] FROM t"),
    ("arrays", "SELECT c::INT[] FROM t"),
    ("arrays", "CREATE TABLE x (a INT[], b INT)"),
    ("array-functions", "SELECT UNNEST(c) FROM t"),
    ("array-functions", "SELECT pg_catalog.array_agg(a) FROM t"),
    ("any-of-array", "SELECT a FROM t WHERE a = ANY ($1)"),
    ("any-of-array", "SELECT ARRAY (SELECT a FROM t)"),
    ("is-distinct-from", "SELECT a IS NOT DISTINCT FROM b AS same FROM t"),
    ("is-distinct-from", "DELETE FROM t USING s WHERE t.a IS NOT DISTINCT FROM s.a"),
    ("values-as-table", "VALUES (1), (2)"),
    ("values-as-table", "SELECT a FROM t WHERE a IN (VALUES (1), (2))"),
    ("values-as-table", "WITH v (x) AS (VALUES (1), (2)) SELECT x FROM v"),
    ("returning", "DELETE FROM t WHERE a = 1 RETURNING *"),
    ("returning", "UPDATE t SET a = 1 RETURNING a"),
    ("update-alias", "UPDATE t x SET a = 1"),
    ("update-alias", "WITH y AS (SELECT 1) UPDATE ONLY t SET a = 1"),
    ("delete-alias", "DELETE FROM public.t x WHERE x.a = 1"),
    ("qualified-set", "UPDATE public.t SET b = 1, t.a = 2 WHERE a = 3"),
    (
        "qualified-set",
        "MERGE INTO t USING s ON TRUE WHEN MATCHED THEN UPDATE SET t.b = 1 WHEN NOT MATCHED THEN INSERT VALUES (1)",
    ),
    (
        "merge-clauses",
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN INSERT VALUES (1)",
    ),
    (
        "merge-source",
        "MERGE INTO t USING t ON t.a = 1 WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1)",
    ),
    ("indexes", "CREATE UNIQUE INDEX i ON t (a)"),
    ("indexes", "DROP INDEX i"),
    ("indexes", "REINDEX TABLE t"),
    ("unknown-objects", "CREATE TYPE mood AS ENUM ('a')"),
    ("unknown-objects", "CREATE TRIGGER x BEFORE INSERT ON t EXECUTE FUNCTION f_x()"),
    ("unknown-objects", "CREATE EXTENSION IF NOT EXISTS hstore"),
    ("unknown-commands", "SELECT 1; LISTEN x"),
    ("unknown-commands", "TABLE t"),
    ("unknown-types", "CREATE TABLE x (id SERIAL PRIMARY KEY)"),
    ("unknown-types", "ALTER TABLE t ADD COLUMN x JSON"),
    ("unknown-types", "SELECT CAST(c AS BYTEA) FROM t"),
    ("unknown-types", "SELECT c :: pg_catalog.uuid FROM t"),
    ("unknown-types", "SELECT a::regclass FROM t"),
    ("table-options", "CREATE TABLE x (a INT) INHERITS (t)"),
    ("table-options", "CREATE TEMP TABLE x (a INT) ON COMMIT DROP"),
    ("table-options", "CREATE TABLE x PARTITION OF t DEFAULT"),
    ("table-kinds", "CREATE OR REPLACE TABLE x (a INT)"),
    ("table-kinds", "CREATE TEMPORARY VIEW x AS SELECT 1 AS a"),
    ("check-constraints", "CREATE TABLE x (a INT, CONSTRAINT c CHECK (a > 0))"),
    ("check-constraints", "CREATE TABLE x (a INT, EXCLUDE USING gist (a WITH =))"),
    ("create-as-with-data", "CREATE TABLE x AS SELECT 1 AS a WITH DATA"),
    ("alter-column", "ALTER TABLE t ALTER a TYPE BIGINT"),
    ("alter-column", "ALTER TABLE t ALTER COLUMN c TYPE VARCHAR(9) USING c::VARCHAR(9)"),
    ("alter-if-exists", "ALTER TABLE IF EXISTS t RENAME TO s"),
    ("alter-if-exists", "ALTER TABLE t DROP COLUMN IF EXISTS a"),
    ("alter-table-set", "ALTER TABLE t ENABLE ROW LEVEL SECURITY"),
    ("reserved-names", "CREATE TABLE x (a INT, old INT)"),
    ("reserved-names", "CREATE TABLE x (language VARCHAR(5))"),
    ("reserved-names", "SELECT t.tag FROM t"),
    ("reserved-names", "SELECT tag, a FROM t"),
    ("reserved-names", "SELECT a new FROM t"),
    ("reserved-names", "SELECT x.a FROM t AS snapshot"),
    ("reserved-names", "SELECT MAX(open) FROM t GROUP BY partition"),
    ("leader-node-functions", "SELECT current_timestamp, a FROM t"),
    ("leader-node-functions", "INSERT INTO t (f) VALUES (NOW())"),
    ("leader-node-functions", "CREATE TABLE x AS SELECT LOCALTIMESTAMP AS a"),
    ("leader-node-functions", "WITH x AS (SELECT SUBSTR(c, 1, 2) AS c FROM t) SELECT c FROM x"),
    ("catalog-with-tables", "CREATE TABLE x AS SELECT nspname FROM pg_namespace"),
    ("catalog-with-tables", "SELECT t.a FROM t JOIN pg_class ON relname = t.c"),
    ("generate-series", "SELECT t.a, n FROM t, generate_series(1, 3) AS n"),
    ("unknown-functions", "SELECT GEN_RANDOM_UUID()"),
    ("unknown-functions", "SELECT make_date(a, b, 1) FROM t"),
    ("unsupported-functions", "SELECT PG_ADVISORY_LOCK(1)"),
    ("unsupported-functions", "SELECT current_catalog"),
    ("window-frame", "SELECT FIRST_VALUE(b) IGNORE NULLS OVER (PARTITION BY a ORDER BY f) FROM t"),
    ("window-frame", "SELECT a, SUM(SUM(b)) OVER (ORDER BY a) FROM t GROUP BY a"),
    ("range-frames", "SELECT SUM(b) OVER (ORDER BY f GROUPS 1 PRECEDING) FROM t"),
    ("range-frames", "SELECT SUM(b) OVER (ORDER BY f ROWS UNBOUNDED PRECEDING EXCLUDE TIES) FROM t"),
    ("named-windows", "SELECT SUM(b) OVER (w ROWS UNBOUNDED PRECEDING) FROM t WINDOW w AS (ORDER BY a)"),
    ("window-constants", "SELECT COUNT(*) OVER (PARTITION BY a, 'x') FROM t"),
    ("within-group-orders", "SELECT MEDIAN(a), MEDIAN(b) FROM t"),
    ("set-operation-all", "SELECT a FROM t INTERSECT ALL SELECT a FROM s"),
    ("set-operation-all", "SELECT a FROM t MINUS ALL SELECT a FROM s"),
    ("set-operation-limit", "SELECT a FROM t UNION (SELECT a FROM s LIMIT 3)"),
    ("row-locks", "SELECT a FROM t FOR NO KEY UPDATE"),
    ("row-locks", "SELECT a FROM t FOR SHARE OF t SKIP LOCKED"),
    ("savepoints", "RELEASE SAVEPOINT x"),
    ("savepoints", "ROLLBACK TO x"),
    ("modifying-with", "WITH x AS (DELETE FROM t RETURNING a) SELECT a FROM x"),
    ("materialized-with", "WITH x AS NOT MATERIALIZED (SELECT 1 AS a) SELECT a FROM x"),
    ("is-beside-comparison", "SELECT a FROM t WHERE a IN (1) IS NULL"),
    ("is-beside-comparison", "SELECT a FROM t WHERE t.a > t.b IS NOT NULL"),
    ("is-true-as-value", "SELECT COALESCE(e IS NOT TRUE, FALSE) FROM t"),
    ("rows", "SELECT ROW (a, b) FROM t"),
    ("rows", "SELECT a FROM t WHERE (a, b) < (SELECT 1, 2)"),
    ("operators-of-json", "SELECT c->>'x' FROM t"),
    ("operators-of-json", "SELECT a FROM t WHERE c @> 'x'"),
    ("fetch-first", "SELECT a FROM t ORDER BY a OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY"),
    (
        "skipped-correlation",
        "UPDATE t SET b = 1 WHERE EXISTS (SELECT 1 FROM s WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a))",
    ),
    (
        "skipped-correlation",
        "SELECT (SELECT MAX(s.b) FROM s WHERE s.a IN (SELECT u.a FROM u WHERE u.b = x.b)) FROM t AS x",
    ),
    (
        "skipped-correlation",
        "SELECT t.a FROM t WHERE t.a > ALL (SELECT s.a FROM s WHERE s.b = ALL (SELECT u.b FROM u WHERE u.a = t.a))",
    ),
    (
        "correlation-in-outer-join",
        "SELECT t.a FROM t LEFT OUTER JOIN s ON s.a = t.a AND EXISTS (SELECT 1 FROM u WHERE u.a = s.a)",
    ),
    ("explain-options", "EXPLAIN (ANALYZE) SELECT 1"),
    ("truncate-options", "TRUNCATE TABLE t RESTART IDENTITY CASCADE"),
    ("several-statements", "SELECT 1; ; SELECT 2"),
    ("leader-node-functions", 'SELECT "now"(), a FROM t'),
    ("leader-node-functions", 'SELECT "pg_catalog"."substr"(c, 1, 2) FROM t'),
    ("array-functions", 'SELECT pg_catalog."array_agg"(a) FROM t'),
    ("unknown-functions", 'SELECT "gen_random_uuid"()'),
    ("generate-series", 'SELECT "generate_series"(1, 2), a FROM t'),
    ("window-frame", 'SELECT "sum"(a) OVER (ORDER BY b) FROM t'),
    ("system-columns", 'SELECT t."ctid" FROM t'),
    ("any-of-array", "SELECT c ILIKE ANY ('{a}') FROM t"),
    ("any-of-array", "SELECT c ~ ANY ('{a}') FROM t"),
    ("values-as-table", "SELECT 1 UNION ALL VALUES (2)"),
    ("values-as-table", "CREATE TABLE x AS VALUES (1)"),
    ("values-as-table", "EXPLAIN VERBOSE VALUES (1)"),
    ("values-as-table", "SELECT a FROM ((VALUES (1))) AS x (a)"),
    ("table-as-query", "SELECT a FROM (TABLE t) AS x"),
    ("table-as-query", "WITH x AS (TABLE t) SELECT a FROM x"),
    ("table-as-query", "INSERT INTO t (a) TABLE s"),
    ("row-locks", "SELECT a FROM t FOR UPDATE LIMIT 1"),
    ("with-before-insert", "EXPLAIN VERBOSE WITH x AS (SELECT 1 AS a) INSERT INTO t (a) SELECT a FROM x"),
    ("returning", "PREPARE x (INT) AS INSERT INTO t (a) VALUES ($1) RETURNING a"),
    ("modifying-with", "WITH x AS (WITH y AS (SELECT 1) DELETE FROM t) SELECT 1"),
    (
        "merge-clauses",
        "MERGE INTO t USING s ON TRUE WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT DEFAULT VALUES",
    ),
    ("set-operation-limit", "((SELECT a FROM t LIMIT 1)) UNION SELECT 2"),
    ("set-operation-limit", "SELECT TOP 1 a FROM t UNION SELECT 2"),
    ("set-operation-limit", "SELECT 2 UNION (SELECT TOP 1 a FROM t)"),
    ("set-operation-limit", "WITH x AS (SELECT 1 AS a UNION ALL SELECT TOP 2 a FROM t) SELECT a FROM x"),
    ("set-operation-limit", "SELECT 2 UNION ((SELECT a FROM t LIMIT 1))"),
    ("window-constants", "SELECT ROW_NUMBER() OVER (ORDER BY (1)) FROM t"),
    ("window-constants", "SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY -1::INT DESC) FROM t"),
    ("window-constants", "SELECT ROW_NUMBER() OVER (ORDER BY TRUE) FROM t"),
    ("reserved-names", "CREATE TABLE x AS SELECT a AS open FROM t"),
    ("reserved-names", "CREATE VIEW x AS SELECT a old FROM t"),
    ("reserved-names", "CREATE TABLE old (a INT)"),
    ("reserved-names", "CREATE SCHEMA new"),
    ("reserved-names", "INSERT INTO old (a) VALUES (1)"),
    ("reserved-names", "ALTER TABLE t RENAME COLUMN a TO old"),
    ("reserved-names", "SELECT 'x' tag, a + 1 delta FROM t"),
    ("reserved-names", "SELECT a AS offset FROM t"),
    ("is-beside-comparison", "SELECT a FROM t WHERE a <> b ISNULL"),
    ("table-kinds", "CREATE LOCAL TEMP VIEW x AS SELECT 1 AS a"),
    ("copy-sources", "COPY t TO STDOUT"),
    ("copy-sources", "COPY (SELECT 1) TO 's3://b/k'"),
    ("copy-sources", "COPY t (a, b) FROM PROGRAM 'true'"),
    ("copy-sources", "COPY t FROM '/etc/hostname'"),
    ("operators-of-json", "SELECT c ^@ 'a' FROM t"),
    ("is-distinct-from", "SELECT 1 /* /* */ ' */ FROM t WHERE a IS DISTINCT FROM b -- '"),
    ("set-operation-limit", "SELECT 1 -- '\r UNION (SELECT a FROM t LIMIT 1) -- '"),
    ("row-locks", "SELECT a FROM t FOR /* /* /* */ */ */ UPDATE"),
    ("with-before-insert", "/* /* */ */ WITH x AS (SELECT 1 AS a) INSERT INTO t (a) SELECT a FROM x"),
    ("escape-strings", 'SELECT a AS U&"n\\0061me" FROM t'),
    ("later-syntax", "SELECT LISTAGG(DISTINCT LOWER(c), ',' ORDER BY LOWER(c)) FROM t"),
    ("later-syntax", "SELECT c IS NOT JSON FROM t"),
    ("later-syntax", "SELECT f AT LOCAL FROM t"),
    ("later-syntax", "SELECT a FROM t GROUP BY DISTINCT a"),
    ("window-of-all-rows", "SELECT LAG(b) OVER (ORDER BY f ROWS UNBOUNDED PRECEDING) FROM t"),
    ("window-of-all-rows", "SELECT LISTAGG(c) WITHIN GROUP (ORDER BY a) OVER (ORDER BY a) FROM t"),
    ("later-syntax", "SELECT a FROM t GROUP BY ALL a, b"),
    ("later-syntax", "SELECT a FROM f_x() WITH ORDINALITY AS x (a, n)"),
    ("bit-strings", "SELECT a FROM t WHERE b'101' IS NULL"),
    ("row-locks", "SELECT a FROM t FOR READ ONLY"),
    ("operators-by-schema", "SELECT c OPERATOR (\"pg_catalog\".->) 'a'"),
    ("later-syntax", "SELECT a FROM t WHERE a NOT BETWEEN SYMMETRIC 2 AND 1"),
    (
        "later-syntax",
        "WITH RECURSIVE x (a) AS (SELECT 1 UNION ALL SELECT a FROM x) CYCLE a SET seen USING path SELECT a FROM x",
    ),
    ("rows", "SELECT a FROM t WHERE (f, f) OVERLAPS (f, f)"),
    (
        "recursive-with",
        "WITH RECURSIVE y AS (SELECT 1), x AS (SELECT 1 AS a UNION ALL SELECT a FROM x) SELECT a FROM x",
    ),
    ("recursive-with", 'WITH RECURSIVE "x" ("a") AS (SELECT 1 UNION DISTINCT SELECT x.a FROM X) SELECT a FROM x'),
    (
        "function-languages",
        "CREATE OR REPLACE FUNCTION f_one() RETURNS INT LANGUAGE 'plpgsql' AS 'BEGIN RETURN 1; END'",
    ),
    ("unknown-types", "CREATE TABLE #x (a UUID)"),
    ("delete-alias", "DELETE FROM #x AS y WHERE y.a = 1"),
    ("insert-options", "INSERT INTO #x AS y (a) VALUES (1)"),
    ("reserved-names", "SELECT #x.tag FROM #x"),
    ("server-functions", "SELECT lo_import('/etc/passwd') FROM pg_class"),
    ("server-functions", "SELECT a FROM pg_catalog.pg_ls_dir('/') AS x (a)"),
    ("server-functions", "SELECT query_to_xml('SELECT 1', TRUE, TRUE, '') FROM pg_class"),
    ("copy-sources", "COPY t FROM $$/etc/passwd$$"),
    ("window-default", "SELECT LEAD(b, 2, NULL) IGNORE NULLS OVER (PARTITION BY a ORDER BY f) FROM t"),
    ("random-arguments", "SELECT pg_catalog.random(1, 6), a FROM t"),
    ("split-part-from-the-end", "SELECT SPLIT_PART(TRIM(c), ',', - 2) FROM t"),
    ("substring-pattern", "SELECT SUBSTRING(c, 'a+') FROM t"),
    ("substring-pattern", "SELECT SUBSTRING(c SIMILAR '%#\"a#\"%' ESCAPE '#') FROM t"),
    ("long-strings", "CREATE TABLE x (a INT, b CHARACTER VARYING (65536))"),
    ("long-strings", "ALTER TABLE t ADD COLUMN x CHAR(4097)"),
    ("long-strings", "SELECT CAST(c AS BPCHAR(5000)), c::VARCHAR(100000) FROM t"),
    ("several-distribution-keys", "CREATE TABLE x (a INT DISTKEY, b INT) DISTKEY (b)"),
    ("several-distribution-keys", "CREATE TABLE x (a INT, b INT) DISTKEY (a, b)"),
    ("distribution-style", "CREATE TABLE x (a INT DISTKEY) DISTSTYLE EVEN"),
    ("distribution-style", "CREATE TABLE x DISTSTYLE KEY AS SELECT a FROM t"),
    ("distribution-style", "CREATE TABLE x (a INT) DISTSTYLE HASH"),
    ("encodings", "ALTER TABLE t ADD COLUMN x INT ENCODE rle"),
    ("encodings", "CREATE TABLE x (a INT) ENCODE none"),
    ("added-identity", "ALTER TABLE t ADD x BIGINT GENERATED BY DEFAULT AS IDENTITY(1, 1)"),
    ("check-option", "CREATE OR REPLACE VIEW x AS SELECT a FROM t WITH LOCAL CHECK OPTION"),
    ("procedure-languages", "CREATE OR REPLACE PROCEDURE x() LANGUAGE 'sql' AS 'SELECT 1'"),
    ("numbers-with-letters", "SELECT a FROM t WHERE a = 0x1F"),
    ("numbers-with-letters", "SELECT 0b101, 1.5_0"),
    ("unknown-parameters", 'SET LOCAL "standard_conforming_strings" = on'),
    ("unknown-parameters", "SHOW Standard_Conforming_Strings"),
    ("unknown-parameters", "SELECT SET_CONFIG('Standard_Conforming_Strings', 'on', FALSE)"),
    ("unknown-parameters", "SELECT pg_catalog.set_config('standard_' || 'conforming_strings', 'on', FALSE)"),
    ("unknown-parameters", r"SELECT SET_CONFIG('standard\137conforming_strings', 'on', FALSE)"),
    ("unknown-parameters", "SELECT SET_CONFIG('standard_conforming'\n'_strings', 'on', FALSE)"),
    ("unknown-parameters", "SELECT SET_CONFIG($1, 'on', FALSE)"),
    ("unknown-parameters", "SELECT CURRENT_SETTING('backslash_quote')"),
    ("unknown-parameters", "ALTER USER awsuser SET backslash_quote TO on"),
    ("unknown-parameters", "RESET transform_null_equals"),
    ("unknown-parameters", "UPDATE pg_catalog.pg_settings SET setting = 'on' WHERE name LIKE 'standard%'"),
]


@pytest.mark.parametrize(
    ("rule", "statement"),
    [pytest.param(*variant, id=f"{variant[0]}-{number}") for number, variant in enumerate(VARIANTS)],
)
def test_other_spellings_are_refused_too(rule: str, statement: str) -> None:
    """A rule knows its construct in each of its forms."""
    assert rule in [each.rule.name for each in refusals(statement)]


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("begin transaction", id="driver-begin"),
        pytest.param("SELECT MEDIAN(a) OVER (PARTITION BY c), MEDIAN(b) OVER (PARTITION BY c) FROM t", id="medians"),
        pytest.param(
            "CREATE TABLE x AS WITH n AS (SELECT 0 AS a UNION ALL SELECT 1)"
            " SELECT DATEADD(day, ROW_NUMBER() OVER (ORDER BY 1) - 1, '2024-01-01') AS d FROM n",
            id="date-spine",
        ),
        pytest.param("SELECT LAG(b) IGNORE NULLS OVER (ORDER BY f) FROM t", id="lag-ignoring-nulls"),
        pytest.param("SELECT TOP 1 a FROM (SELECT b FROM t UNION SELECT 1) AS x", id="top-around-operands"),
        pytest.param("SELECT a, COUNT(*) FROM t GROUP BY ALL ORDER BY 1", id="group-by-all"),
        pytest.param("SELECT ';', 'ON CONFLICT', '[1]' -- RETURNING; \n", id="literals-and-comments"),
        pytest.param(
            "select nspname from pg_namespace where nspname = any(current_schemas(true))", id="catalog-arrays"
        ),
        pytest.param("SELECT has_table_privilege('t', 'select'), current_schema()", id="leader-alone"),
        pytest.param("SELECT n FROM generate_series(1, 9) AS n", id="series-alone"),
        pytest.param("SELECT b, x 'a' FROM t WHERE b = 'a' AND x.b <> 'b'", id="no-bits"),
        pytest.param(
            "SELECT c.oid FROM pg_class AS c WHERE c.relname OPERATOR(pg_catalog.~) '^t'", id="catalog-operator"
        ),
        pytest.param("SELECT cycle.a FROM (SELECT a FROM t) cycle", id="cycle-as-alias"),
        pytest.param(
            "WITH RECURSIVE y AS (SELECT a FROM t UNION SELECT a FROM s), "
            "x (a) AS (SELECT 1 UNION ALL SELECT x.a + 1 FROM x JOIN y ON y.a = x.a) SELECT a FROM x UNION SELECT 2",
            id="recursion",
        ),
        pytest.param("CREATE PROCEDURE p() AS $$ BEGIN NULL; END $$ LANGUAGE plpgsql", id="procedure"),
        pytest.param("CREATE FUNCTION f_x(a INT) RETURNS INT STABLE AS $$ return a $$ LANGUAGE plpythonu", id="python"),
        pytest.param("CREATE TABLE #x (a INT) SORTKEY (a); INSERT INTO #x (a) SELECT s.a FROM s", id="hash"),
        pytest.param("SELECT 1 FROM pg_class AS c JOIN pg_class AS d ON (c.oid, 1) = (d.oid, 1)", id="catalog-rows"),
        pytest.param("SELECT format_encoding(attencodingtype), ARRAY[1] FROM pg_attribute", id="catalog-functions"),
        pytest.param("SELECT c.oid::regclass FROM pg_catalog.pg_class AS c", id="catalog-types"),
        pytest.param("SELECT table_name FROM svv_tables WHERE table_schema = current_schema()", id="svv"),
        pytest.param("SELECT COUNT(*) OVER (PARTITION BY a) FROM t", id="window-without-order"),
        pytest.param("SELECT LAG(a) IGNORE NULLS OVER (PARTITION BY a ORDER BY b) FROM t", id="lag-needs-no-frame"),
        pytest.param("SELECT a FROM t ORDER BY a LIMIT 5 OFFSET 5", id="offset"),
        pytest.param("SELECT TOP 5 a FROM t", id="top"),
        pytest.param('SELECT "tag", t."new" FROM t', id="reserved-in-quotes"),
        pytest.param("SELECT CURRENT_DATE, SYSDATE, GETDATE() FROM t", id="times"),
        pytest.param("SELECT CASE WHEN a = b THEN c END IS NULL FROM t", id="is-behind-case"),
        pytest.param("SELECT a FROM t WHERE a = 1 AND (b = 2) IS NULL AND c IS NOT NULL", id="is-beside-and"),
        pytest.param("SELECT EXTRACT(EPOCH FROM f), TRIM(BOTH ' ' FROM c) FROM t", id="from-in-calls"),
        pytest.param("SELECT a FROM t WHERE (a, b) IN (SELECT s.a, s.b FROM s)", id="rows-in-query"),
        pytest.param("SELECT a FROM t WHERE a = ANY (SELECT s.a FROM s)", id="any-of-query"),
        pytest.param(
            "SELECT a FROM (SELECT t.a FROM t WHERE t.b = ALL (SELECT s.b FROM s WHERE s.a = t.a)) AS x"
            " WHERE a IN (SELECT u.a FROM u)",
            id="correlated-all",
        ),
        pytest.param(
            "SELECT t.a FROM t WHERE EXISTS (SELECT 1 FROM s WHERE s.a = t.a) UNION ALL SELECT u.a FROM u",
            id="correlation-before-union",
        ),
        pytest.param("INSERT INTO t (a) VALUES (1), (2)", id="several-rows"),
        pytest.param("UPDATE schema_a.t SET a = s.a, b = DEFAULT FROM s WHERE s.a = t.b", id="update"),
        pytest.param("DELETE schema_a.t USING s WHERE s.a = t.b", id="delete-without-from"),
        pytest.param("WITH x AS (SELECT 1 AS a) UPDATE t SET a = x.a FROM x", id="with-update"),
        pytest.param("WITH x (a) AS (SELECT 1), y (b) AS (SELECT 2) DELETE FROM t USING x", id="with-delete"),
        pytest.param("WITH x AS (WITH y AS (SELECT a FROM t) SELECT a FROM y) SELECT a FROM x", id="nested-with"),
        pytest.param("SELECT x.a FROM (WITH y AS (SELECT a FROM t) SELECT a FROM y) AS x", id="with-in-subquery"),
        pytest.param("ALTER TABLE t ALTER SORTKEY (a), ALTER DISTKEY b", id="alter-keys"),
        pytest.param("ALTER TABLE t ALTER COLUMN a ENCODE az64, ALTER COLUMN b ENCODE zstd", id="alter-encodings"),
        pytest.param(
            "CREATE TABLE x (a BIGINT IDENTITY(1, 1) ENCODE raw, b SUPER, c DOUBLE PRECISION DEFAULT 0, "
            "d CHARACTER VARYING(9) NOT NULL, e TIMESTAMP WITHOUT TIME ZONE DEFAULT SYSDATE, PRIMARY KEY (a), "
            "UNIQUE (b), FOREIGN KEY (d) REFERENCES s (c)) BACKUP NO DISTSTYLE KEY DISTKEY (a) COMPOUND SORTKEY (b, a)",
            id="definition",
        ),
        pytest.param("CREATE TABLE x BACKUP NO DISTSTYLE ALL SORTKEY AUTO AS (SELECT a FROM t)", id="ctas"),
        pytest.param("CREATE OR REPLACE VIEW v AS SELECT a FROM t WITH NO SCHEMA BINDING", id="late-view"),
        pytest.param("SELECT f_mine(a), schema_a.anything(b), ST_Area(c) FROM t", id="functions-of-users"),
        pytest.param("COPY t FROM 's3://b/k' CREDENTIALS 'x' DELIMITER '|' PARALLEL OFF", id="copy"),
        pytest.param("SET enable_case_sensitive_identifier TO off", id="set"),
        pytest.param("SELECT SET_CONFIG('query_group', $1, FALSE), CURRENT_SETTING($2)", id="set-config"),
        pytest.param("SELECT 1 /* a /* b */ RETURNING, ON CONFLICT */ FROM t", id="nested-comment"),
        pytest.param("COPY t (a, b) FROM 's3://b/k' IAM_ROLE DEFAULT", id="copy-columns"),
        pytest.param("SELECT current_user_id, a FROM t LIMIT 5 OFFSET 5", id="current-user-id"),
        pytest.param("SELECT * EXCLUDE (a) FROM t", id="exclude"),
        pytest.param('INSERT INTO "t" (a) SELECT x."values" FROM x', id="quoted-table"),
        pytest.param('WITH "x" (a) AS (SELECT 1), "y" (b) AS (SELECT 2) SELECT a FROM "x"', id="quoted-common-tables"),
        pytest.param('CREATE TABLE "x" ("a" INT, "b" INT, PRIMARY KEY ("a")) SORTKEY ("a")', id="quoted-definition"),
        pytest.param(
            "SELECT LAG(a) OVER (PARTITION BY a, LOWER(c) ORDER BY a + 1, 0 - b DESC) FROM t", id="expressions"
        ),
        pytest.param(
            "CREATE TABLE x AS (SELECT a FROM t ORDER BY a) UNION ALL (SELECT a FROM s)", id="ordered-operand"
        ),
        pytest.param("SELECT LAG(b, 2) OVER (ORDER BY f), LEAD(LEAST(a, b, 1)) OVER (ORDER BY f) FROM t", id="lag"),
        pytest.param(
            "SELECT SUBSTRING(c FROM 2 FOR 3), SUBSTRING('a', 1), SUBSTRING(c, 2, LEN('x')) FROM t", id="part"
        ),
        pytest.param("SELECT SPLIT_PART(c, '-', 2), RANDOM(), DATE_TRUNC('day', f) FROM t", id="arguments"),
        pytest.param("SELECT 1e5, 1.5E-3, t1.a2, $1, 10 x1, a AS b1_0 FROM t AS t1", id="numbers"),
        pytest.param(
            "CREATE TABLE x (a VARCHAR(65535), b CHAR(4096), c VARCHAR(MAX), d VARBYTE(100000))", id="lengths"
        ),
        pytest.param("CREATE TABLE x (distkey INT, a INT DISTKEY ENCODE zstd) DISTSTYLE KEY ENCODE AUTO", id="keys"),
        pytest.param("CREATE TABLE x DISTSTYLE KEY DISTKEY (a) AS SELECT a, b FROM t", id="ctas-keys"),
        pytest.param("CREATE TABLE lo_items (pg_read_state INT, lo_import INT)", id="names-of-functions"),
        pytest.param("DROP TABLE t", id="drop-table"),
        pytest.param("COMMENT ON TABLE t IS 'VALUES (1)'", id="comment"),
        pytest.param("SELECT NVL2(1), LISTAGG(a FROM t WHERE ((", id="broken"),
    ],
)
def test_what_redshift_accepts_is_not_refused(statement: str) -> None:
    """Statements near to those that are refused, and the housekeeping of drivers, pass."""
    assert [each for each in refusals(statement) if each.rule.situation is Situation.ALWAYS] == []


def test_no_rule_reads_beyond_the_end_of_a_statement() -> None:
    """A rule that fails on a statement says nothing about it, so none may fail on one that could run."""
    examples = [text for rule in RULES for text in (rule.refused, rule.accepted)]
    for text in [*examples, *(statement for _rule, statement in VARIANTS)]:
        for rule in RULES:
            rule.finds(Statement.of(text))


def test_nesting_has_no_limit_of_its_own(tables: None, rows: Rows) -> None:
    """A subquery in more parentheses than a recursion bears is read, and the session goes on."""
    statement = "SELECT a FROM t WHERE a IN < SELECT s.a FROM s > AND a IS DISTINCT FROM b"
    nested = statement.replace("<", "(" * 3000).replace(">", ")" * 3000)
    assert error_of(lambda: rows(nested))["M"] == "IS DISTINCT FROM is not supported"


# What a long statement repeats, and what stands between, before and behind.
LONG = {
    "comments": ("-- a line as it is in\n", "", "SELECT a FROM t\n", ""),
    "union": ("SELECT a, b FROM t WHERE a = 1", " UNION ALL ", "", ""),
    "union-in-parentheses": ("(SELECT t.a FROM t)", " UNION ALL ", "SELECT x.a FROM (", ") AS x"),
    "conditions": ("e IS TRUE", " AND ", "SELECT a FROM t WHERE ", ""),
    "columns": ("CASE WHEN e IS TRUE THEN 1 END AS a", ", ", "SELECT ", " FROM t"),
    "lists": ("LISTAGG(c) WITHIN GROUP (ORDER BY a)", ", ", "SELECT ", " FROM t"),
    "definitions": ("create the table", " as ", "INSERT INTO t (c) VALUES ('", "')"),
    "open-literal": (r"\'", "", "SELECT UNNEST('", ""),
}


@pytest.mark.parametrize(
    ("part", "between", "start", "end"), [pytest.param(*parts, id=name) for name, parts in LONG.items()]
)
def test_the_time_to_read_a_statement_grows_with_its_length(part: str, between: str, start: str, end: str) -> None:
    """Four times the text takes about four times as long, not sixteen times: all sessions wait meanwhile."""

    def seconds(text: str) -> float:
        started = time.process_time()
        refusals(text)
        return time.process_time() - started

    short, long = (min(seconds(start + between.join([part] * times) + end) for _ in range(3)) for times in (1000, 4000))
    assert long < 9 * short + 0.01


def test_a_cheap_look_hides_nothing_that_a_rule_finds() -> None:
    """Whatever a rule finds in any rule's examples, it also expects from the words of the text."""
    examples = [text for rule in RULES for text in (rule.refused, rule.accepted)]
    for text in [*examples, *(statement for _rule, statement in VARIANTS)]:
        glance = Glance.of(text, tokenize(text))
        found = {each.rule.name for each in refusals(text, glances=False)}
        assert found <= {rule.name for rule in RULES if rule.may_match(glance)}, text


def test_a_refused_statement_fails_its_transaction(tables: None, session: Connection, rows: Rows) -> None:
    """After a refusal nothing runs before a rollback, as after any error of Redshift."""
    rows("INSERT INTO t (a) VALUES (1)")
    error_of(lambda: rows("INSERT INTO t (a) VALUES (2) RETURNING a"))
    assert error_of(lambda: rows("SELECT COUNT(*) FROM t"))["C"] == "25P02"
    session.rollback()
    assert rows("SELECT COUNT(*) FROM t") == [(0,)]


def test_a_refused_statement_takes_its_parameters_along(tables: None, rows: Rows) -> None:
    """Values of any type are bound to what fails, and the error is the rule's."""
    values = (1, None, "it's \\", True, 2.5, b"x")
    error = error_of(lambda: rows("SELECT %s, %s, %s, %s, %s, %s FROM t WHERE a IS DISTINCT FROM b", *values))
    assert error["M"] == "IS DISTINCT FROM is not supported"


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("INSERT INTO t (c) VALUES ('from $5') RETURNING a -- or $7", id="literal-and-comment"),
        pytest.param("PREPARE x (INT) AS SELECT a FROM t WHERE a IS DISTINCT FROM $1", id="parameter-of-prepare"),
    ],
)
def test_what_only_looks_like_a_parameter_is_none(tables: None, rows: Rows, statement: str) -> None:
    """A dollar and a number in a literal or a comment ask for no value, and the error is the rule's."""
    assert "of the stand-in refuses this" in error_of(lambda: rows(statement))["D"]


def test_a_message_keeps_quotes_and_backslashes(tables: None, rows: Rows) -> None:
    """What the message repeats of a statement comes as it was sent."""
    error = error_of(lambda: rows(r"""CREATE SEQUENCE "it's \\ 100%" """))
    assert error["M"] == r"""SQL command "CREATE SEQUENCE "it's \\ 100%"" not supported."""


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        pytest.param("TRUNCATE t", "truncate-in-transaction", id="truncate"),
        pytest.param("ALTER TABLE t ALTER COLUMN c TYPE VARCHAR(40)", "alter-column-in-transaction", id="alter-column"),
    ],
)
def test_outside_of_a_transaction_more_is_accepted(
    tables: None, session: Connection, rows: Rows, statement: str, rule: str
) -> None:
    """What commits or needs a transaction of its own runs outside of one, and in none, prepared earlier or not."""
    session.autocommit = True
    rows(statement)
    session.autocommit = False
    rows("SELECT 1")
    assert rule in error_of(lambda: rows(statement))["D"]
    session.rollback()
    assert rule in error_of(lambda: rows(statement))["D"]
    session.rollback()
    session.autocommit = True
    rows(statement)


def test_a_transaction_of_the_simple_protocol_counts(tables: None, redshift: LocalRedshift) -> None:
    """The transaction's state is the server's, whatever opened it."""
    connection = psycopg2.connect(
        host=redshift.host, port=redshift.port, dbname="dev", user=redshift.user, password=redshift.password
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1; SELECT 2")
            assert cursor.fetchone() == (2,)
            with pytest.raises(psycopg2.errors.ActiveSqlTransaction, match="TRUNCATE would commit"):
                cursor.execute("TRUNCATE t")
            connection.rollback()
            connection.autocommit = True
            cursor.execute("TRUNCATE t")
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        pytest.param("BEGIN; TRUNCATE t; COMMIT", ["truncate-in-transaction"], id="truncate"),
        pytest.param(
            "start transaction; select 1; alter table t alter column c type varchar(40)",
            ["alter-column-in-transaction"],
            id="alter-column",
        ),
        pytest.param("BEGIN; SELECT 1; COMMIT; TRUNCATE t", [], id="truncate-behind-commit"),
    ],
)
def test_a_transaction_may_begin_in_the_same_text(text: str, rules: list[str]) -> None:
    """Of several statements in one message each is in the transaction that those before it have left."""
    assert [each.rule.name for each in refusals(text) if each.situation is Situation.ALWAYS] == rules
    assert [each for each in refusals(text) if each.situation is Situation.IN_A_TRANSACTION] == []


@pytest.mark.parametrize("cut", range(1, 6))
def test_the_state_is_read_where_an_answer_comes_in_two_parts(cut: int) -> None:
    """However the server's last message is split on its way, the state of the transaction is known."""
    strictness = Strictness()
    for answer, in_transaction in ((b"C\0\0\0\6SETZ\0\0\0\5T", True), (b"Z\0\0\0\5I", False)):
        strictness.hear(answer[:-cut])
        strictness.hear(answer[-cut:])
        assert (Situation.IN_A_TRANSACTION in strictness.situations(PARSE)) is in_transaction


def test_other_drivers_write_backslashes_as_for_redshift(redshift: LocalRedshift) -> None:
    """Psycopg2 is not led to E'…', which is refused; a value with a backslash and a quote makes the round trip."""
    value = "it's \\ 100%"
    connection = psycopg2.connect(
        host=redshift.host, port=redshift.port, dbname="dev", user=redshift.user, password=redshift.password
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s", (value,))
            assert cursor.fetchone() == (value,)
    finally:
        connection.close()


@pytest.mark.parametrize(
    "options",
    [
        "-c standard_conforming_strings=on",
        "-c search_path=public -cSTANDARD_CONFORMING_STRINGS=on",
        "--standard-conforming-strings=on",
        r"-c standard\_conforming_strings=on",
    ],
)
def test_no_session_begins_with_another_reading_of_literals(redshift: LocalRedshift, options: str) -> None:
    """An option of the connection does not change how a literal is read, nor do others end a session."""
    names = {"host": redshift.host, "port": redshift.port, "dbname": "dev", "user": redshift.user}
    settings = {**names, "password": redshift.password}
    with pytest.raises(psycopg2.OperationalError, match='unrecognized configuration parameter "standard_conforming_'):
        psycopg2.connect(**settings, options=options)
    psycopg2.connect(**settings, options="-c search_path=public").close()


def test_lenient_accepts_what_postgresql_does(tmp_path: Path) -> None:
    """A lenient stand-in refuses nothing by these rules, and still translates."""
    with LocalRedshift(data=tmp_path / "data", port=0, lenient=True) as lenient:
        connection = connect_to(lenient)
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE t (a INT) DISTSTYLE ALL")
        cursor.execute("INSERT INTO t VALUES (NVL(NULL, 1)) RETURNING a")
        assert cursor.fetchone() == [1]
        cursor.execute("TRUNCATE t")
        cursor.execute("SHOW standard_conforming_strings")
        assert cursor.fetchone() == ["off"]
        connection.close()


@pytest.mark.parametrize("name", ["orders__098f6b_%s", "orders__098f6b_265aea17ed39_%s", "orders__098f6b_%s_keys"])
def test_statements_that_differ_in_a_run_are_judged_once(name: str) -> None:
    """The names of a run's tables end in hashes, or in a word behind these; nothing else of a name is passed over."""
    statement = f'CREATE TEMP TABLE "{name}" AS SELECT 1 AS a__1'
    first, second = (of_any_run((statement % run).encode()) for run in ("6b0bf1c370bd", "81e047aa9039"))
    assert first == second
    assert first.startswith(b'CREATE TEMP TABLE "orders___')
    assert first.endswith(b"AS SELECT 1 AS a__1")


def test_the_page_of_the_rules_is_current() -> None:
    """docs/redshift_rules.md is what `make rules` writes."""
    assert (PACKAGE / "docs" / "redshift_rules.md").read_text() == page(), "run: make rules"
