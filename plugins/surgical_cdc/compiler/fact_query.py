"""A fact as one query: CTEs inlined, every column qualified, only source baselines in FROM."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.eliminate_ctes import eliminate_ctes
from sqlglot.optimizer.pushdown_projections import pushdown_projections
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.qualify_columns import validate_qualify_columns

from surgical_cdc.compiler.joined_columns import complete_using, merge_joined_columns, names_in_using
from surgical_cdc.compiler.orders import is_unordered, order_limits, order_lists
from surgical_cdc.compiler.parsing import DEPTH, depth_of, too_deep
from surgical_cdc.compiler.redshift_functions import is_foreign
from surgical_cdc.compiler.same_names import check_names, tell_apart
from surgical_cdc.compiler.special_dates import is_moment, moments
from surgical_cdc.compiler.unsupported import Refused, place, shortened
from surgical_cdc.errors import ProjectError
from surgical_cdc.names import own_name

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Fact, Select, Table

DIALECT = "redshift"
Tables = Mapping[str, "Table"]
# What the rows of a set operation are called around it; no name of a project begins so.
ROWS = own_name("rows", "all")

NON_DETERMINISTIC = (
    *(exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.CurrentUser, exp.Localtime, exp.Localtimestamp),
    *(exp.SessionUser, exp.CurrentUserId, exp.CurrentSchema, exp.CurrentDatabase, exp.CurrentVersion),
    *(exp.CurrentCatalog, exp.UtcDate, exp.Rand, exp.Uuid, exp.AnyValue),
)
NON_DETERMINISTIC_NAMES = frozenset(
    {
        *("GETDATE", "SYSDATE", "NOW", "TIMEOFDAY", "RANDOM"),
        *("CLOCK_TIMESTAMP", "STATEMENT_TIMESTAMP", "TRANSACTION_TIMESTAMP"),
        *("CURRENT_SETTING", "PG_BACKEND_PID", "PG_LAST_QUERY_ID", "LAST_USER_QUERY_ID"),
    }
)
# So many parts may a query have in which each CTE stands where it is read: it takes some seconds to read them, for each
# anchor that is tried.
MOST_PARTS = 50_000
MISMATCH = "Invalid set operation due to column mismatch"
# What a SELECT or a set operation can be made of; anything else would be left out of account in its slices.
CLAUSES = frozenset(
    {
        *("kind", "hint", "distinct", "expressions", "from_", "joins", "where", "group", "having", "qualify"),
        *("order", "limit", "offset", "with_", "this", "expression", "side", "by_name", "into"),
    }
)
ORDERED_WINDOWS = (exp.RowNumber, exp.Ntile, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue)


def qualified_query(tables: Tables, parsed: exp.Query, select: Select) -> exp.Select:
    """Return a SELECT on the sources' baselines, each of its columns with the relation that it is of.

    CTEs become derived tables, one for each time they are used, and lose the columns that nobody reads. They stay CTEs
    where that would be more than MOST_PARTS, of which what a model reads counts each time that it is read. The query's
    parts know where they stand in files, if those of `parsed` do, of which this makes use.

    Args:
        tables: those that may be read, by relation.
        parsed: the SELECT.
        select: its text, for messages.

    Raises:
        ProjectError: the SELECT names an unknown column.
        Refused: it joins inside a join, or reads a table that is none of these.
    """
    try:
        _check_query(parsed, frozenset(), tables)
        tree = eliminate_ctes(parsed)
        if not isinstance(tree, exp.Select):
            with_ = tree.args["with_"].pop() if tree.args.get("with_") else None
            rows = exp.Subquery(this=tree, alias=exp.TableAlias(this=exp.to_identifier(ROWS)))
            tree = exp.select("*").from_(rows)
            tree.set("with_", with_)
        by_name = names_in_using(tree)
        qualified = _qualified(tree, schema_of(tree, tables))
        complete_using(by_name)
        merge_joined_columns(qualified)
        # Of each CTE once, before there are as many of it as it is read: what no reader needs is not copied.
        pruned = pushdown_projections(qualified)
        if inlined_size(pruned).parts > MOST_PARTS:
            return pruned
        _inline(pruned, {})
        if depth_of(pruned) > DEPTH:
            # No model of them is: they read one another.
            raise ProjectError(too_deep(select.path))
        return pushdown_projections(pruned)
    except RecursionError:
        raise ProjectError(too_deep(select.path)) from None
    except SqlglotError as error:
        raise ProjectError(_unresolved(str(error), parsed, select, tables)) from error


def _qualified(tree: exp.Select, schema: dict[str, object]) -> exp.Select:
    """Return a query with the relation of each column, and with columns in place of each `*`."""

    def qualify_all(query: exp.Select) -> exp.Select:
        return qualify(
            query,
            dialect=DIALECT,
            schema=schema,
            quote_identifiers=False,
            identify=False,
            validate_qualify_columns=False,
        )

    qualified = qualify_all(tree)
    while any(select.is_star for select in qualified.find_all(exp.Select)) and tell_apart(qualified):
        qualified = qualify_all(qualified)
    validate_qualify_columns(qualified)
    return qualified


def fact_query(project: Project, fact: Fact, parsed: exp.Query) -> exp.Select:
    """Return the fact's SELECT on the sources' baselines, its columns in the fact's declared order.

    Raises:
        ProjectError: the SELECT names an unknown column, or gives other columns than declared.
        Refused: it joins inside a join, or gives another value at each run.
    """
    select = project.selects[fact.name]
    query = qualified_query(project.tables, parsed, select)
    schema = schema_of(query, project.tables)
    check_names(query)
    order_lists(query, schema)
    order_limits(query, fact.unique_key)
    dates = [column.name for column in fact.columns if column.data_type.startswith(("date", "timestamp"))]
    check_values(query, schema, dates)
    return _in_declared_order(query, fact, select)


def _unresolved(problem: str, tree: exp.Expr, select: Select, tables: Tables) -> str:
    """Return a message of sqlglot's with its place in the file, if that is known, and what to write instead."""
    message = re.sub(r"\.? Line: .*", "", problem, flags=re.DOTALL).rstrip(".")
    parts = _named_in(message, tree)
    if message.startswith(MISMATCH):
        message = "the branches of a set operation differ in the number of their columns"
    places = {place(part, select) for part in parts}
    remedy = _known_beside(parts[0], tables) if parts and isinstance(parts[0], exp.Column) else ""
    return f"{places.pop() if len(places) == 1 else select.path}: {message}.{remedy}"


def _known_beside(column: exp.Column, tables: Tables) -> str:
    """Return what can be written in place of an unknown column: columns of its relation, or relations."""
    visible: dict[str, Sequence[str]] = {}
    select = column.parent_select
    while select is not None:
        for part in select.find_all(exp.Table, exp.Subquery):
            if part.parent_select is select and part.alias_or_name:
                listed = _column_names(part, tables)
                visible.setdefault(part.alias_or_name, listed)
        select = select.parent_select
    owners = [f"{alias}.{column.name}" for alias, listed in visible.items() if column.name in listed]
    if not column.table:
        return f" Say which is meant: {', '.join(owners)}." if len(owners) > 1 else ""
    names = visible.get(column.table, list(visible))
    return f" Known: {', '.join(names)}." if names else ""


def _column_names(relation: exp.Expr, tables: Tables) -> Sequence[str]:
    table = tables.get(f"{relation.db}.{relation.name}") if isinstance(relation, exp.Table) else None
    return table.column_names if table else ()


def _named_in(message: str, tree: exp.Expr) -> Sequence[exp.Expr]:
    """Return the parts of a query that a message of sqlglot's is about."""
    for pattern, find in FINDERS.items():
        match = pattern.match(message)
        if match:
            return find(tree, match)
    return []


def _uneven_operations(tree: exp.Expr, _: re.Match[str]) -> Sequence[exp.Expr]:
    operations = tree.find_all(exp.SetOperation)
    return [one for one in operations if len(one.left.selects) != len(one.right.selects)]


def _numbers(tree: exp.Expr, ordinal: re.Match[str]) -> Sequence[exp.Expr]:
    literals = tree.find_all(exp.Literal)
    return [one for one in literals if one.name == ordinal[1] and isinstance(one.parent, (exp.Group, exp.Ordered))]


def _names_in_using(tree: exp.Expr, using: re.Match[str]) -> Sequence[exp.Expr]:
    joined = [part for join in tree.find_all(exp.Join) for part in join.args.get("using") or ()]
    return [part for part in joined if part.name == using[1]]


def _columns(tree: exp.Expr, unresolved: re.Match[str]) -> Sequence[exp.Expr]:
    name, table = unresolved["column"], unresolved["table"]
    columns = [part for part in tree.find_all(exp.Column) if part.name == name and (not table or part.table == table)]
    return [part for part in columns if not part.table] or columns


# What sqlglot says of what it does not find, with what finds the parts that it means.
FINDERS: Mapping[re.Pattern[str], Callable[[exp.Expr, re.Match[str]], Sequence[exp.Expr]]] = {
    re.compile(MISMATCH): _uneven_operations,
    re.compile(r"Unknown output column: (\d+)$"): _numbers,
    re.compile(r"Cannot automatically join: (\w+)$"): _names_in_using,
    re.compile(r"(?:Unknown column: |Column ')(?P<column>\w+)(?:' .* table: '(?P<table>\w+)')?"): _columns,
}


def table_named(relation: str) -> exp.Table:
    """Return a table, or schema.table, as a part of a query; whatever the name, it is not read as SQL."""
    schema, _, name = relation.rpartition(".")
    return exp.Table(this=exp.to_identifier(name), db=exp.to_identifier(schema) if schema else None)


def relation_of(table: exp.Table) -> str:
    """Return what a table is called in the contract; a temporary one has a name alone."""
    return f"{table.db}.{table.name}" if table.db else table.name


def tables_of(query: exp.Expr) -> list[exp.Table]:
    """Return the tables that a query reads, each time that it does; CTEs are none."""
    names = {cte.alias for cte in query.find_all(exp.CTE)}
    return [table for table in query.find_all(exp.Table) if table.db or table.name not in names]


def replace_tables(query: exp.Select, replacement: Callable[[exp.Table], exp.Expr]) -> exp.Select:
    """Return a copy of the query in which each source table is what `replacement` says, under the alias it had."""
    copied = query.copy()
    for original, table in zip(tables_of(query), tables_of(copied), strict=True):
        relation = replacement(original)
        relation.set("alias", exp.TableAlias(this=exp.to_identifier(table.alias_or_name)))
        table.replace(relation)
    return copied


def _check_query(query: exp.Expr, ctes: Collection[str], tables: Tables) -> None:
    """Refuse what can not be inlined, in a query and all within it, where the CTEs of these names are visible."""
    _check_clauses(query)
    visible = set(ctes)
    with_ = query.args.get("with_")
    if with_ is not None:
        if with_.args.get("recursive"):
            raise Refused("WITH RECURSIVE can not be maintained", "Write the levels out.", with_)
        for cte in with_.expressions:
            _check_cte(cte)
            _check_query(cte.this, visible, tables)
            visible.add(cte.alias)
    within = [cte.this for cte in with_.expressions] if with_ else []
    for part in _own_parts(query)[1:]:
        if isinstance(part, (exp.Select, exp.SetOperation)) and not any(part is one for one in within):
            _check_query(part, visible, tables)
        elif isinstance(part, (exp.Table, exp.Subquery)):
            _check_relation(part)
            if isinstance(part, exp.Table) and (part.db or part.name not in visible):
                _check_table(part, tables)


def _inline(query: exp.Expr, ctes: Mapping[str, exp.Expr]) -> exp.Expr:
    """Put the query of each CTE in its place, in all of a query; innermost WITH wins, as in SQL."""
    visible = {**ctes, **_inlined_ctes(query, ctes)}
    # All parts, before any is replaced: what takes a table's place is inlined already.
    parts = _own_parts(query)
    for inner in parts[1:]:
        if isinstance(inner, (exp.Select, exp.SetOperation)):
            _inline(inner, visible)
    for relation in parts:
        body = _body(relation, visible) if isinstance(relation, exp.Table) else None
        if body:
            alias = relation.args["alias"].this if relation.alias else relation.this
            relation.replace(exp.Subquery(this=body, alias=exp.TableAlias(this=alias.copy())))
    return query


class Size(NamedTuple):
    """How many parts a query has, and how many of them are tables."""

    parts: int
    tables: int


def inlined_size(query: exp.Expr) -> Size:
    """Return the size that a query would have with each CTE where it is read, without making it.

    It may be exponential in that of the query.
    """
    return _size(query, {})


def _size(query: exp.Expr, ctes: Mapping[str, Size]) -> Size:
    visible = dict(ctes)
    with_ = query.args.get("with_")
    defined = with_.expressions if with_ else []
    for cte in defined:
        visible[cte.alias] = _size(cte.this, visible)
    bodies = {id(cte.this.unnest()) for cte in defined}
    own = _own_parts(query)
    found = [Size(len(own), 0)]
    for part in own[1:]:
        if isinstance(part, exp.Table):
            found.append(visible[part.name] if not part.db and part.name in visible else Size(0, 1))
        elif isinstance(part, (exp.Select, exp.SetOperation)) and id(part) not in bodies:
            found.append(_size(part, visible))
    return Size(sum(one.parts for one in found), sum(one.tables for one in found))


def _inlined_ctes(query: exp.Expr, ctes: Mapping[str, exp.Expr]) -> Mapping[str, exp.Expr]:
    """Take the WITH from a query, and return what it defines: each may read those before it."""
    with_ = query.args.get("with_")
    if with_ is None:
        return {}
    defined: dict[str, exp.Expr] = {}
    for cte in with_.expressions:
        defined[cte.alias] = _inline(cte.this, {**ctes, **defined})
    with_.pop()
    return defined


def _body(table: exp.Table, ctes: Mapping[str, exp.Expr]) -> exp.Expr | None:
    """Return the query that a table stands for, None where it is one of the warehouse."""
    return ctes[table.name].copy() if not table.db and table.name in ctes else None


def _check_cte(cte: exp.CTE) -> None:
    if cte.args["alias"].columns:
        raise Refused(f"CTE {cte.alias} renames its columns in the WITH list", "Name them in its SELECT instead.", cte)
    if not isinstance(cte.this.unnest(), exp.Query):
        raise Refused(
            f"CTE {cte.alias}, which is no SELECT, can not be read", "Write SELECT … UNION ALL SELECT ….", cte
        )


def _check_clauses(query: exp.Expr) -> None:
    """Refuse what a query can have beside its relations, filters and groups."""
    if not isinstance(query, (exp.Select, exp.SetOperation)):
        return
    for name, clause in query.args.items():
        if clause and name not in CLAUSES:
            first = clause[0] if isinstance(clause, list) else clause
            raise Refused(
                f"{shortened(first) or name.upper()} can not be maintained",
                "Write joins, WHERE, GROUP BY and windows with all they need inside OVER (…).",
                first,
            )
    group = query.args.get("group")
    if group is not None and group.args.get("all"):
        raise Refused(f"{shortened(group)} can not be maintained", "Write out what the rows are grouped by.", query)
    for part in _own_parts(query):
        if isinstance(part, (exp.Unnest, exp.Lateral, exp.Values)):
            raise Refused(
                f"{shortened(part)} in FROM can not be maintained", "Read sources, models, or subqueries.", part
            )
        if isinstance(part, exp.Column) and part.args.get("join_mark"):
            raise Refused(f"the outer join {part.sql(DIALECT)} can not be maintained", "Write LEFT JOIN … ON.", part)


def _check_relation(relation: exp.Table | exp.Subquery) -> None:
    """Refuse what a relation in FROM has beside it, which inlining would lose."""
    beside = [name for name in ("joins", "pivots", "laterals", "sample", "limit", "offset") if relation.args.get(name)]
    renamed = isinstance(relation, exp.Table) and relation.alias_column_names
    if beside or renamed:
        raise Refused(
            f"{relation.sql(DIALECT)} can not be maintained",
            "Write each join on its own, without parentheses around it, and name columns in a SELECT.",
            relation,
        )


def _check_table(table: exp.Table, tables: Tables) -> None:
    """Refuse a table in which nobody looks for changes."""
    if table.catalog or relation_of(table) not in tables:
        raise Refused(
            f"{exp.table_name(table)}, which is no source, can not be read: nobody looks for changes in it",
            f"Describe it as a source with `cdc` meta. Known sources: {', '.join(sorted(tables))}.",
            table,
        )


def check_values(query: exp.Select, schema: Mapping[str, object], dates: Sequence[str]) -> None:
    """Refuse what gives another value at each run, is not Redshift's, or compares in a way of its own.

    Args:
        query: a qualified query.
        schema: schema -> table -> column -> data type.
        dates: its columns that are stored as dates.

    Raises:
        Refused: there is such a part.
    """
    for part in moments(query, schema, dates):
        raise _arbitrary(part)
    for part in query.walk():
        if _is_arbitrary(part):
            raise _arbitrary(part)
        if isinstance(part, exp.Filter):
            raise Refused(
                f"{shortened(part)} is not Redshift's", "Aggregate a CASE instead: COUNT(CASE WHEN … THEN 1 END).", part
            )
        if isinstance(part, (exp.Except, exp.Intersect)) and not part.args.get("distinct"):
            raise Refused(
                f"{part.key.upper()} ALL is not Redshift's",
                f"Write {part.key.upper()}, of rows that are numbered by ROW_NUMBER where equal ones count.",
                part.expression,
            )
        if isinstance(part, exp.Collate):
            raise Refused(
                f"{shortened(part)}, by which other texts are equal, can not be maintained",
                "Compare and group by LOWER(…) instead.",
                part,
            )
        if is_foreign(part):
            raise Refused(
                f"{shortened(part)} calls no function of Redshift's own, and may give another value at each run",
                "Write out what it computes, in the model or in a macro of the project.",
                part,
            )


def _arbitrary(part: exp.Expr) -> Refused:
    hint = "Use columns of sources, and order rows by what tells them apart."
    if is_unordered(part):
        hint = (
            "Redshift takes one order for all lists of a SELECT, and of DISTINCT values none but their own: it can not"
            " be ordered here. Put each list into a subquery of its own."
        )
    return Refused(f"{part.sql(DIALECT)} gives another value at each run", hint, part)


def _is_arbitrary(node: exp.Expr) -> bool:
    """Return whether a part of a query depends on when it runs, or on the order in which it happens to read rows."""
    if isinstance(node, exp.Anonymous):
        return node.name.upper() in NON_DETERMINISTIC_NAMES
    if isinstance(node, exp.Cast):
        return is_moment(node.this)
    if is_unordered(node):
        return True
    if isinstance(node, exp.Window):
        return bool(node.find(*ORDERED_WINDOWS) or node.args.get("spec")) and not node.args.get("order")
    if isinstance(node, exp.Distinct):
        return bool(node.args.get("on"))
    return isinstance(node, NON_DETERMINISTIC)


def _own_parts(query: exp.Expr) -> list[exp.Expr]:
    """Return all that stands in a query, the queries inside it included, but not what stands in those."""

    def is_inner(node: exp.Expr) -> bool:
        return node is not query and isinstance(node, (exp.Select, exp.SetOperation))

    return list(query.walk(prune=is_inner))


def schema_of(query: exp.Expr, tables: Tables) -> dict[str, object]:
    """Return the columns of the tables that a query reads; with those of all the project sqlglot takes far longer."""
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for table in tables_of(query):
        columns = tables[relation_of(table)].columns
        schema.setdefault(table.db, {})[table.name] = {column.name: column.data_type for column in columns}
    return dict(schema)


def _in_declared_order(query: exp.Select, fact: Fact, select: Select) -> exp.Select:
    selected, declared = query.named_selects, list(fact.column_names)
    if sorted(selected) != sorted(declared):
        missing, extra = sorted(set(declared) - set(selected)), sorted(set(selected) - set(declared))
        message = (
            f"{select.path}: the SELECT gives {len(selected)} columns, the model's YAML lists {len(declared)}."
            f" Listed but not given: {missing or 'none'}; given but not listed: {extra or 'none'}."
        )
        raise ProjectError(message)
    by_name = {projection.alias_or_name: projection for projection in query.selects}
    query.set("expressions", [by_name[name] for name in declared])
    return query
