"""What `check` looks at before anything runs: the project by itself, the connection, and what the warehouse allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from surgical_cdc.compiler.compilation import compile_dictionary, edited_models
from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.compiler.deletion import deletion
from surgical_cdc.dbt.artifacts import COMPILING
from surgical_cdc.dictionary import load_dictionary
from surgical_cdc.errors import DataError, DictionaryError, PrivilegeError, WarehouseRefusal
from surgical_cdc.steps.detect import refuse_keys
from surgical_cdc.steps.rehearsal import rehearse_fact, rehearse_source
from surgical_cdc.warehouse import collation, schema
from surgical_cdc.warehouse.advice import ERRORS, refusal
from surgical_cdc.warehouse.catalog import check_contract, read_catalog, schemas_of
from surgical_cdc.warehouse.templates import render, sql_name

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Table
    from surgical_cdc.dictionary import Dictionary
    from surgical_cdc.warehouse.session import Warehouse

State = Literal["ok", "WARNING", "FAILED"]
READ = ("select",)
ALL = ("select", "insert", "update", "delete")


@dataclass(frozen=True)
class Finding:
    """What one check has found, in a line or a short list that says what to do."""

    name: str
    state: State
    text: str


@dataclass(frozen=True)
class Advice:
    """What works as it is and could be better."""

    text: str


def run_checks(project: Project, connect: Callable[[], Warehouse]) -> Iterator[Finding]:
    """Yield a finding for each check; those that need what another has missed are left out."""
    yield from (_finding(name, check, project) for name, check in OF_THE_PROJECT.items())
    try:
        warehouse = connect()
    except ERRORS as error:
        yield Finding("connection", "FAILED", refusal(error))
        return
    with closing(warehouse):
        for name, check in OF_THE_WAREHOUSE.items():
            # One for each: an error ends the transaction that it is in.
            with warehouse.transaction(dry_run=True):
                finding = _finding(name, check, project, warehouse)
            yield finding
            if finding.state == "FAILED" and name in {"connection", "privileges", "contract"}:
                return


def models(project: Project) -> str:
    """Check that every fact compiles, and every `delete_when`.

    Raises:
        ProjectError: a model or a `delete_when` is no SQL, or names an unknown column.
        UnsupportedQuery: a fact can not be maintained.
    """
    for source in project.sources.values():
        deletion(project, source.name)
    full = [name for name in project.facts if compile_fact(project, name).reason]
    incremental = f"{len(project.facts) - len(full)} of {len(project.facts)} facts are maintained incrementally"
    return incremental + (f", {len(full)} rebuilt in full: {', '.join(full)}" if full else "")


def dictionary(project: Project) -> str:
    """Check that the committed dictionary is what the SELECTs say, and that no model was edited since.

    Raises:
        DictionaryError: it is missing, unreadable or stale.
    """
    edited = edited_models(project)
    if edited:
        raise DictionaryError(
            f"{edited[0]} is another than when {project.folder} was made from it. Compile the project with dbt"
            f" ({COMPILING}), then make it anew and review what changed: {project.command('compile')}"
        )
    committed = load_dictionary(project.dictionary_path)
    derived = compile_dictionary(project)
    if _reviewed(committed) != _reviewed(derived):
        raise DictionaryError(
            f"{project.dictionary_path} is not what the SELECTs beside it say. Make it anew and review what changed:"
            f" {project.command('compile')}"
        )
    return f"{project.dictionary_path} is what the models say"


def _reviewed(dictionary: Dictionary) -> tuple[object, ...]:
    """Return what of a dictionary must be as it was reviewed: all but the reasons, which have lines of files."""
    whole = {fact: {*sources} for fact, sources in dictionary.whole.items()}
    return dictionary.feeds, {*dictionary.full}, whole, {*dictionary.contributions}, dictionary.fingerprint


def alert_targets(_: Project) -> str:
    """Check that the Airflow Variable of the alerts names targets that alerts can go to.

    Raises:
        AlertSettingError: it does not; the message lists what is wrong.
    """
    # The other commands need nothing of Airflow's tasks, which take seconds to import.
    from surgical_cdc.dag import alerts

    targets = alerts.check_targets()
    if not targets:
        return f"the Airflow Variable {alerts.VARIABLE} names no target, so nobody is told of a failed run"
    return f"a failed run is told via {', '.join(target.via for target in targets)}"


def connection(_: Project, warehouse: Warehouse) -> str:
    """Say as whom, and where, the connection has logged in."""
    user, database = warehouse.row(render("read_session"))
    return f"user {user} in database {database}"


def privileges(project: Project, warehouse: Warehouse) -> str:
    """Check that the user may do what a run does, and list the GRANTs that are missing.

    Raises:
        PrivilegeError: some are missing.
    """
    user, _ = warehouse.row(render("read_session"))
    needed = _needed(project)
    names = sorted({*schemas_of(needed), project.scratch_schema})
    found = {
        name: (may_use, may_create)
        for name, may_use, may_create in warehouse.rows(render("read_schema_privileges", schemas=names), names)
    }
    missing = _missing_on_schemas(project, warehouse, found)
    usable = [name for name in names if found.get(name, (False,))[0]]
    if usable:
        for schema_name, table, *may in warehouse.rows(render("read_table_privileges", schemas=usable), usable):
            allowed = dict(zip(ALL, may, strict=True))
            relation = f"{schema_name}.{table}"
            lacking = [privilege for privilege in needed.get(relation, ()) if not allowed[privilege]]
            if lacking:
                missing.append(f"GRANT {', '.join(lacking).upper()} ON {sql_name(relation)}")
    if missing:
        listed = "\n".join(f"  {grant} TO {sql_name(user)};" for grant in missing)
        raise PrivilegeError(f"user {user} lacks privileges. An owner or an administrator can run:\n{listed}")
    return f"user {user} may read and write what a run does"


def isolation(_: Project, warehouse: Warehouse) -> str | Advice:
    """Say which isolation level the database has; a run works under both, and needs fewer retries under SNAPSHOT."""
    found = warehouse.rows(render("read_isolation"))
    if not found:
        return Advice(
            "svv_redshift_databases does not show this user the database: metadata security is on. A superuser finds"
            " its isolation level there"
        )
    level = str(found[0][0])
    if level.lower().startswith("snapshot"):
        return level
    _, database = warehouse.row(render("read_session"))
    return Advice(
        f"{level}: tasks that run side by side may be sent back with error 1023 and try again. With nobody connected:"
        f" ALTER DATABASE {sql_name(database)} ISOLATION LEVEL SNAPSHOT"
    )


def contract(project: Project, warehouse: Warehouse) -> str:
    """Check that the warehouse has the tables of the contract.

    Raises:
        ContractError: tables differ; the message lists all differences.
    """
    catalog = read_catalog(project, warehouse)
    check_contract(project, catalog)
    missing = [name for name, fact in project.facts.items() if fact.relation not in catalog]
    built = f"; the first run builds {', '.join(missing)}" if missing else ""
    return f"{len(project.sources)} sources are as the project describes them{built}"


def keys(project: Project, warehouse: Warehouse) -> str | Advice:
    """Compare the distribution and sort keys of sources and facts with what the project says of them."""
    sources = list(project.sources.values())
    tables = [*(schema.staging(source) for source in sources), *sources, *project.facts.values()]
    names = schemas_of(table.relation for table in tables)
    existing = read_catalog(project, warehouse)
    compared = [table for table in tables if table.relation in existing]
    dist: dict[str, str] = {}
    sort: dict[str, list[str]] = {}
    for schema_name, table_name, column, is_distkey, place in warehouse.rows(render("read_keys", schemas=names), names):
        relation = f"{schema_name}.{table_name}"
        if is_distkey:
            dist[relation] = column
        if place:
            sort.setdefault(relation, []).append(column)
    differing = [
        difference
        for table in compared
        for difference in _other_keys(table, dist.get(table.relation), sort.get(table.relation, []))
    ]
    if not differing:
        return f"{len(compared)} tables are distributed and sorted as the project says"
    listed = "\n".join(f"  {difference}" for difference in differing)
    return Advice(
        "these tables are laid out in another way than the project says, which costs time and changes no result."
        f" Alter them, or the project's dist and sort:\n{listed}"
    )


def collations(project: Project, warehouse: Warehouse) -> str:
    """Check that the strings of sources are compared letter by letter.

    Raises:
        ContractError: the database, or columns, take 'a' and 'A' for equal.
    """
    collation.check_database(project, warehouse)
    collation.check_columns(project, warehouse)
    return "strings are compared with regard to case"


def baselines(project: Project, warehouse: Warehouse) -> str:
    """Check that each row of a baseline has a key of its own.

    Raises:
        DataError: one has not; the message names the keys, of all sources.
    """
    wrong = []
    for source in project.sources.values():
        try:
            refuse_keys(source, warehouse)
        except DataError as error:
            wrong.append(str(error))
    if wrong:
        raise DataError("\n".join(wrong))
    return "each row of a baseline has a key of its own"


def statements(project: Project, warehouse: Warehouse) -> str:
    """Let the warehouse plan every statement that a cycle would send, by source and fact, and write nothing.

    Raises:
        WarehouseRefusal: it refuses one; the message has the source or fact, and what the statement is for.
    """
    steps = [(f"source {name}", partial(rehearse_source, project, source)) for name, source in project.sources.items()]
    steps += [(f"fact {name}", partial(rehearse_fact, project, name)) for name in project.facts]
    for name, rehearse in steps:
        try:
            rehearse(warehouse)
        except ERRORS as error:
            raise WarehouseRefusal(f"{name}: {refusal(error)}") from error
        warehouse.rollback()
    return f"the warehouse plans all statements of {len(project.sources)} sources and {len(project.facts)} facts"


OF_THE_PROJECT: Mapping[str, Callable[[Project], str]] = {
    "models": models,
    "dictionary": dictionary,
    "alerts": alert_targets,
}
OF_THE_WAREHOUSE: Mapping[str, Callable[[Project, Warehouse], str | Advice]] = {
    "connection": connection,
    "privileges": privileges,
    "isolation": isolation,
    "contract": contract,
    "keys": keys,
    "collations": collations,
    "baselines": baselines,
    "statements": statements,
}


def _finding(name: str, check: Callable[..., str | Advice], *arguments: Any) -> Finding:
    try:
        result = check(*arguments)
    except ERRORS as error:
        return Finding(name, "FAILED", refusal(error))
    return Finding(name, "WARNING", result.text) if isinstance(result, Advice) else Finding(name, "ok", result)


def _needed(project: Project) -> dict[str, tuple[str, ...]]:
    """Return what a run does with each table, by relation; those that it has yet to create are the user's own then."""
    return {
        **{source.staging: READ for source in project.sources.values()},
        **{static.relation: READ for static in project.static.values()},
        **{
            table.relation: ALL
            for table in (*project.sources.values(), *project.facts.values(), *schema.control_tables(project))
        },
    }


def _missing_on_schemas(project: Project, warehouse: Warehouse, found: Mapping[str, tuple[bool, bool]]) -> list[str]:
    """Return the GRANTs, without their TO, that the user lacks on the database and on schemas."""
    may_create_schemas, may_create_temporary_tables = warehouse.row(render("read_database_privileges"))
    _, database = warehouse.row(render("read_session"))
    written = set(schema.written_schemas(project))
    missing: list[str] = []
    if not may_create_temporary_tables:
        missing.append(f"GRANT TEMPORARY ON DATABASE {sql_name(database)}")
    if not may_create_schemas and written - set(found):
        absent = ", ".join(sorted(written - set(found)))
        missing.append(f"-- or create {absent} for it: GRANT CREATE ON DATABASE {sql_name(database)}")
    for name, (may_use, may_create) in found.items():
        lacking = [word for word, may in (("USAGE", may_use), ("CREATE", may_create or name not in written)) if not may]
        if lacking:
            missing.append(f"GRANT {', '.join(lacking)} ON SCHEMA {sql_name(name)}")
    return missing


def _other_keys(table: Table, dist: str | None, sort: list[str]) -> Iterable[str]:
    """Yield what is another key than the project says; where the project says nothing, all is as it should be."""
    expected = table.sort_keys
    if table.dist and dist != table.dist:
        yield f"{table.relation}: distributed {f'by {dist}' if dist else 'without a key'}, expected by {table.dist}"
    if expected and sort[: len(expected)] != list(expected):
        yield f"{table.relation}: sorted by {', '.join(sort) or 'nothing'}, expected by {', '.join(expected)}"
