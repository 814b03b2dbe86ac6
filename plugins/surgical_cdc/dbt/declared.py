"""What a dbt project declares of sources and facts, with types from YAML, dbt's catalog or the warehouse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar

from sqlglot import exp

from surgical_cdc.contract.project import table_of
from surgical_cdc.contract.shapes import shaped
from surgical_cdc.contract.tables import ColumnName, Grain, Maintenance, Source, Static, Strict, is_data_type, spelled
from surgical_cdc.dbt.artifacts import CATALOGUING, TABLES, Artifacts, Node, NodeColumn, SourceTable
from surgical_cdc.errors import ProjectError, did_you_mean, shortened
from surgical_cdc.names import fitted

N = TypeVar("N", Source, Static)
# Relation -> column -> data type.
Types = Mapping[str, Mapping[str, str]]
# What stands for the table's name in a setting that many tables share.
NAME = "{name}"
UNTYPED = f"Declare them, or write the catalog with `{CATALOGUING}`, or let the warehouse be asked: compile --conn-id"


class SourceMeta(Strict):
    """What stands under `meta: cdc:` of a source; the values are read with the columns, as those of the contract."""

    load: Literal["window", "snapshot", "static"] = "window"
    staging: Any = None
    key: Any = None
    cursor: Any = None
    created: Any = None
    delete_when: Any = None
    max_delete_share: Any = None
    history: Any = None
    dist: Any = None
    sort: Any = None


class FactMeta(Strict):
    """What stands under `meta: cdc:` of a model."""

    fact: bool | None = None
    anchor: ColumnName | None = None
    maintenance: Maintenance = "auto"
    moment: Grain | None = None
    history: bool = False


@dataclass(frozen=True)
class Relations:
    """The tables that dbt knows, by what SQL calls them."""

    artifacts: Artifacts

    @cached_property
    def _owners(self) -> Mapping[tuple[str, str, str], Node | SourceTable]:
        known: list[Node | SourceTable] = [*self.artifacts.nodes.values(), *self.artifacts.sources.values()]
        return {parts(one.relation_name): one for one in known if one.relation_name}

    @cached_property
    def _without_database(self) -> Mapping[tuple[str, str], Node | SourceTable]:
        return {(schema, name): owner for (_, schema, name), owner in self._owners.items()}

    def owner(self, table: exp.Table) -> Node | SourceTable | None:
        """Return the node or source that a table with a schema is, None where dbt knows none."""
        if table.catalog:
            return self._owners.get((table.catalog, table.db, table.name))
        return self._without_database.get((table.db, table.name))


def parts(relation_name: str) -> tuple[str, str, str]:
    """Return database, schema and name of a relation, in lower case, as Redshift reads them.

    Example:
        >>> parts('"dev"."public"."Companies"')
        ('dev', 'public', 'companies')
    """
    table = exp.to_table(relation_name, dialect="redshift")
    return table.catalog.lower(), table.db.lower(), table.name.lower()


def relation_of(owner: Node | SourceTable) -> str:
    """Return a relation as schema.table."""
    _, schema, name = parts(owner.relation_name or "")
    return f"{schema}.{name}"


def staging_of(template: str, table: SourceTable) -> str:
    """Return what a source's staging table is called, by a name that many tables may share."""
    return template.replace(NAME, table.name)


def told_apart(names: Mapping[str, int], owner: str, name: str) -> str:
    """Return a name, behind that of its source or package where it is there more often than once.

    The engine makes names of it; what is too long for that, a digest stands for.

    Example:
        >>> told_apart({"orders": 2, "users": 1}, "shop", "orders"), told_apart({"users": 1}, "shop", "users")
        ('shop__orders', 'users')
    """
    return fitted(name if names[name] == 1 else f"{owner}__{name}")


def tracked_sources(artifacts: Artifacts, known: Types) -> tuple[dict[str, Source | Static], dict[str, str]]:
    """Return the source tables that have `cdc` meta, by unique id; and of those that can not be read, why.

    Args:
        artifacts: those of the project.
        known: the columns of tables in the warehouse, for sources of which not all are declared.

    Raises:
        ProjectError: a setting is wrong.
    """
    by_name = sorted(artifacts.sources.items(), key=lambda item: (item[1].name, item[0]))
    tracked = {unique_id: table for unique_id, table in by_name if table.cdc is not None}
    names = Counter(table.name for table in tracked.values())
    usable: dict[str, Source | Static] = {}
    unusable: dict[str, str] = {}
    for unique_id, table in tracked.items():
        columns = columns_of(artifacts, table, known)
        name = told_apart(names, table.source_name, table.name)
        try:
            _check_columns(artifacts, table, columns)
        except ProjectError as error:
            unusable[unique_id] = str(error)
        else:
            usable[unique_id] = _source(artifacts, table, name, columns)
    return usable, unusable


def untyped_sources(artifacts: Artifacts, known: Types) -> list[SourceTable]:
    """Return the source tables with `cdc` meta of which nobody knows the columns, by name."""
    tracked = (table for table in artifacts.sources.values() if table.cdc is not None)
    untyped = [table for table in tracked if not columns_of(artifacts, table, known)]
    return sorted(untyped, key=lambda table: (table.source_name, table.name))


def _check_columns(artifacts: Artifacts, owner: Node | SourceTable, columns: Mapping[str, str]) -> None:
    """Refuse a table of which nobody knows the columns, or with one whose name or type no table of ours can have."""
    if not columns:
        artifacts.refuse(owner, f"nobody knows the columns of {owner.called}. {UNTYPED}")
    _table(Static, artifacts, owner, columns, {"name": "checked"})


def untyped_relations(artifacts: Artifacts, wanted: Iterable[str]) -> list[str]:
    """Return the relations among nodes and sources, by unique id, of which neither YAML nor catalog has the columns."""
    owners: dict[str, Node | SourceTable] = {**artifacts.nodes, **artifacts.sources}
    types = {one: columns_of(artifacts, owners[one], {}).values() for one in wanted}
    return [relation_of(owners[one]) for one, given in types.items() if not given or not all(map(is_data_type, given))]


def columns_of(artifacts: Artifacts, owner: Node | SourceTable, known: Types) -> dict[str, str]:
    """Return the columns of a table with their types; none where they are not known.

    They are those of YAML if it has the type of each that it lists. Else they are the catalog's, or the warehouse's,
    and a type that YAML has wins. What YAML calls a type and is none of Redshift's, as `string`, counts where nobody
    else knows one.
    """
    declared = declared_types(owner.columns)
    usable = usable_types(declared)
    if owner.columns and len(usable) == len(owner.columns):
        return declared
    found = catalog_types(artifacts, owner) or known.get(relation_of(owner), {})
    if not found and owner.columns and len(declared) == len(owner.columns):
        return declared
    return {name: usable.get(name, data_type) for name, data_type in found.items()}


def declared_types(columns: Mapping[str, NodeColumn]) -> dict[str, str]:
    """Return the types that YAML declares, by column."""
    return {column.name.lower(): spelled(column.data_type) for column in columns.values() if column.data_type}


def usable_types(declared: Mapping[str, str]) -> dict[str, str]:
    """Return those of the types that YAML declares that are Redshift's."""
    return {name: data_type for name, data_type in declared.items() if is_data_type(data_type)}


def catalog_types(artifacts: Artifacts, owner: Node | SourceTable) -> dict[str, str]:
    """Return the columns of a table in dbt's catalog, with types as the contract spells them; or none."""
    table = artifacts.cataloged(owner)
    columns = sorted(table.columns.values(), key=lambda column: column.index) if table else []
    return {column.name.lower(): spelled(column.type) for column in columns}


def seeds(
    artifacts: Artifacts, wanted: Sequence[Node], known: Types, taken: Iterable[str]
) -> tuple[dict[str, Static], dict[str, str]]:
    """Return seeds as static tables, by unique id; and of those that can not be read, why.

    Where a name is `taken`, or two have it, the package's is before it.
    """
    usable: dict[str, Static] = {}
    unusable: dict[str, str] = {}
    names = Counter([*taken, *(seed.name for seed in wanted)])
    for seed in wanted:
        columns = columns_of(artifacts, seed, known)
        settings = {"name": told_apart(names, seed.package_name, seed.name), "checksum": seed.checksum.checksum}
        try:
            _check_columns(artifacts, seed, columns)
        except ProjectError as error:
            unusable[seed.unique_id] = str(error)
        else:
            usable[seed.unique_id] = _table(Static, artifacts, seed, columns, settings)
    return usable, unusable


def candidates(artifacts: Artifacts, select: Sequence[str]) -> dict[str, Node]:
    """Return the models that are to be facts, or can be, by unique id.

    Those are: what `select` chooses by name or tag:…; else those that say `fact: true`; else all tables with a row key.

    Raises:
        ProjectError: `select` chooses nothing, or a model that is to be a fact has no row key or is no table.
    """
    models = {name: node for name, node in artifacts.nodes.items() if node.resource_type == "model"}
    if select:
        chosen = {name: node for word in select for name, node in _selected(artifacts, models, word)}
    else:
        chosen = {name: node for name, node in models.items() if fact_meta(artifacts, node).fact}
    for node in chosen.values():
        if not artifacts.row_key(node):
            artifacts.refuse(node, f"{node.name} is to be a fact and has no row key: set its unique_key")
        if node.config.materialized not in TABLES:
            artifacts.refuse(
                node,
                f"{node.name} is to be a fact but is materialized as {node.config.materialized}: set"
                " materialized='table'",
            )
    return chosen or {
        name: node
        for name, node in models.items()
        if artifacts.row_key(node)
        and node.config.materialized in TABLES
        and fact_meta(artifacts, node).fact is not False
    }


def fact_meta(artifacts: Artifacts, node: Node) -> FactMeta:
    """Return what a model says under `meta: cdc:`."""
    return shaped(FactMeta, node.config.meta.get("cdc") or {}, artifacts.file(node), f"{node.said}: meta.cdc")


def reached(artifacts: Artifacts, node: Node) -> Iterator[Node | SourceTable]:
    """Yield all that a node reads, through models; what stands behind seeds and snapshots does not matter."""
    waiting, seen = [*node.depends_on.nodes], set()
    while waiting:
        unique_id = waiting.pop()
        found = artifacts.nodes.get(unique_id) or artifacts.sources.get(unique_id)
        if unique_id in seen or found is None:
            continue
        seen.add(unique_id)
        yield found
        if isinstance(found, Node) and found.resource_type == "model":
            waiting += found.depends_on.nodes


def _selected(artifacts: Artifacts, models: Mapping[str, Node], word: str) -> list[tuple[str, Node]]:
    kind, colon, name = word.partition(":")
    found = [
        (unique_id, node)
        for unique_id, node in models.items()
        if (name in node.config.tags if colon and kind == "tag" else node.name == word)
    ]
    if not found:
        near = did_you_mean(word, [node.name for node in models.values()])
        known = ", ".join(sorted(node.name for node in models.values() if artifacts.row_key(node))) or "none"
        raise ProjectError(
            f"--select {shortened(word)} chooses no model{near}. Expected the name of one, or tag:<tag>. Models with a"
            f" row key: {known}."
        )
    return found


def _source(artifacts: Artifacts, table: SourceTable, name: str, columns: Mapping[str, str]) -> Source | Static:
    meta = shaped(SourceMeta, table.cdc or {}, artifacts.file(table), f"{table.said}: meta.cdc")
    settings = {key: value for key, value in meta.model_dump().items() if value is not None}
    if meta.load == "static":
        return _table(Static, artifacts, table, columns, {"name": name})
    loaded_at = table.config.loaded_at_field or table.loaded_at_field
    cursor = {"cursor": loaded_at.lower()} if loaded_at else {}
    staging = settings.get("staging")
    if isinstance(staging, str):
        settings["staging"] = staging_of(staging, table)
    return _table(Source, artifacts, table, columns, {**cursor, **settings, "name": name})


def _table(
    kind: type[N],
    artifacts: Artifacts,
    owner: Node | SourceTable,
    columns: Mapping[str, str],
    settings: Mapping[str, Any],
) -> N:
    listed = [{"name": column, "data_type": data_type} for column, data_type in columns.items()]
    described = {**settings, "relation": relation_of(owner), "columns": listed}
    return table_of(kind, described, artifacts.file(owner), owner.said)
