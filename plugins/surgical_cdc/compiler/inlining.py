"""Brings the models of a dbt project together: each fact becomes one SELECT on sources, with its models as CTEs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from surgical_cdc.compiler.fact_query import table_named
from surgical_cdc.compiler.parsing import DEPTH, parse, too_deep
from surgical_cdc.compiler.unsupported import Refused
from surgical_cdc.contract.tables import Select
from surgical_cdc.dbt.artifacts import COMPILE, COMPILING, Artifacts, Node, SourceTable
from surgical_cdc.dbt.declared import Relations, relation_of, told_apart
from surgical_cdc.errors import ProjectError
from surgical_cdc.files import fail

if TYPE_CHECKING:
    from collections.abc import Mapping

# What dbt calls the CTE of an ephemeral model; here any model that another reads gets such a name.
EPHEMERAL = "__dbt__cte__"


class Inlining:
    """Makes SELECTs of models; one that several read is parsed once, and copied for each, as the trees are changed."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts
        self._relations = Relations(artifacts)
        # By unique id.
        self._parsed: dict[str, exp.Query] = {}

    def select(self, fact: Node) -> exp.Query:
        """Return the SELECT of a fact, in which each model that it reads is a CTE, after those that this one reads.

        Its parts know their places in the files that dbt has compiled.

        Raises:
            ProjectError: dbt has not compiled a model, its text is not one query, or too many read one another.
            Refused: a model reads its own table, or a snapshot.
        """
        try:
            return _OneSelect(self._artifacts, self._relations, self._parsed, fact).query()
        except RecursionError:
            raise ProjectError(too_deep(str(self._artifacts.sql_file(fact)))) from None


class _OneSelect:
    def __init__(self, artifacts: Artifacts, relations: Relations, parsed: dict[str, exp.Query], fact: Node) -> None:
        self._artifacts = artifacts
        self._relations = relations
        self._known = parsed
        self._fact = fact
        # Of each model that was reached its CTE, in the order in which they are defined; None while it is being made.
        self._ctes: dict[str, exp.CTE | None] = {}

    def query(self) -> exp.Query:
        query = self._parsed(self._fact)
        ctes = [cte for cte in self._ctes.values() if cte is not None]
        if ctes:
            own = query.args.get("with_")
            recursive = bool(own and own.args.get("recursive"))
            query.set("with_", exp.With(expressions=[*ctes, *(own.expressions if own else [])], recursive=recursive))
        return query

    def _parsed(self, node: Node) -> exp.Query:
        """Return the query of a model, in which sources stand as schema.table, and other models as their CTEs."""
        if node.unique_id not in self._known:
            self._known[node.unique_id] = parse(self._text(node))
        query = self._known[node.unique_id].copy()
        ephemeral = self._ephemeral(node)
        _drop_ephemeral(query, ephemeral)
        for table in list(query.find_all(exp.Table)):
            if table.db:
                self._resolve(table, node)
            elif table.name in ephemeral:
                self._refer(table, ephemeral[table.name])
        for column in query.find_all(exp.Column):
            # They may have named the database and schema of a table that is another now.
            column.set("db", None)
            column.set("catalog", None)
        return query

    def _text(self, node: Node) -> Select:
        file = self._artifacts.sql_file(node)
        if node.language != "sql":
            fail(file, f"is in {node.language}, expected SQL. Write it in SQL, or describe its table as a source")
        if node.compiled_code is None:
            fail(file, f"dbt has not compiled {node.name}. {COMPILE}")
        return Select(path=str(file), sql=node.compiled_code)

    def _ephemeral(self, node: Node) -> Mapping[str, Node]:
        """Return the ephemeral models whose text dbt has put before that of a model, by what it calls them there."""
        found: dict[str, Node] = {}
        waiting = [*node.depends_on.nodes]
        while waiting:
            read = self._artifacts.nodes.get(waiting.pop())
            if read is not None and read.config.materialized == "ephemeral" and EPHEMERAL + read.alias not in found:
                found[EPHEMERAL + read.alias] = read
                waiting += read.depends_on.nodes
        return found

    def _resolve(self, table: exp.Table, reader: Node) -> None:
        owner = self._relations.owner(table)
        if owner is None:
            # It is refused as any table is that is no source.
            return
        if owner is self._fact or owner is reader:
            raise Refused(
                f"{owner.name} reads its own table, which was there before",
                f"Read it under is_incremental() alone, which `{COMPILING}` makes false.",
                table,
            )
        if isinstance(owner, SourceTable) or owner.resource_type == "seed":
            _rename(table, relation_of(owner))
        elif owner.resource_type == "snapshot":
            raise Refused(
                f"the snapshot {owner.name} can not be read: it shows what was, which no SELECT on the sources tells",
                "Read the source; or describe the snapshot's table as a source of its own.",
                table,
            )
        else:
            self._refer(table, owner)

    def _refer(self, table: exp.Table, model: Node) -> None:
        """Let a table be the CTE of a model, which is made before those that read it."""
        if model.unique_id not in self._ctes:
            if sum(cte is None for cte in self._ctes.values()) > DEPTH:
                raise ProjectError(too_deep(str(self._artifacts.sql_file(self._fact))))
            self._ctes[model.unique_id] = None
            query = self._parsed(model)
            # Put behind those that it reads.
            del self._ctes[model.unique_id]
            alias = exp.TableAlias(this=exp.to_identifier(self._name(model)))
            self._ctes[model.unique_id] = exp.CTE(this=query, alias=alias)
        elif self._ctes[model.unique_id] is None:
            fail(self._artifacts.sql_file(model), f"{model.name} reads what reads it. Let one of them do without")
        _rename(table, self._name(model))

    def _name(self, model: Node) -> str:
        return EPHEMERAL + told_apart(self._artifacts.names, model.package_name, model.name)


def _rename(table: exp.Table, relation: str) -> None:
    """Let a table be another, under the alias or the name that it had."""
    renamed = table_named(relation)
    renamed.set("alias", table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table.name)))
    for part in ("this", "db", "catalog", "alias"):
        table.set(part, renamed.args.get(part))


def _drop_ephemeral(query: exp.Query, ephemeral: Mapping[str, Node]) -> None:
    """Take from a query the CTEs that dbt has put before it."""
    with_ = query.args.get("with_")
    if with_ is None:
        return
    kept = [cte for cte in with_.expressions if cte.alias not in ephemeral]
    if kept:
        with_.set("expressions", kept)
    else:
        with_.pop()
