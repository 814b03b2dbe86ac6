"""Opens a run: control tables, contract, lease, and what the run finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.compiler.deletion import deletion
from surgical_cdc.control import built_by, lease, ledger
from surgical_cdc.control.retention import sweep
from surgical_cdc.control.tables import complete_control
from surgical_cdc.dictionary import load_dictionary
from surgical_cdc.errors import DictionaryError
from surgical_cdc.steps.quiet import nothing_to_do, summary_of_nothing, what_to_do
from surgical_cdc.values import Preparation, Run
from surgical_cdc.warehouse import collation, schema
from surgical_cdc.warehouse.catalog import check_contract
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from collections.abc import Collection

    from surgical_cdc.compiler.compiled_fact import CompiledFact
    from surgical_cdc.contract.project import Project
    from surgical_cdc.dictionary import Dictionary
    from surgical_cdc.warehouse.catalog import Catalog
    from surgical_cdc.warehouse.session import Warehouse


def prepare(project: Project, warehouse: Warehouse, run: Run, *, rehearsal: bool = False) -> Preparation | None:
    """Check the contract and take the lease; None if another run holds it, so that the caller waits and asks again.

    A rehearsal takes no lease and writes nothing. A run that has nothing to do ends here, with its lines in the ledger.

    Raises:
        DictionaryError: the dictionary is missing, or was derived from other models than these.
        ContractError: tables differ from the contract; the message lists all differences.
        ProjectError: the run asks for a source that the project does not have, or a `delete_when` is no predicate.
        RequestError: there is nothing that the run could undo, or not all of it.
        UnsupportedQuery: the SELECT of a fact is none that can be maintained.
    """
    for name in run.sources:
        project.source(name)
    dictionary = _check_dictionary(project)
    for name in project.sources:
        deletion(project, name)
    with warehouse.transaction(dry_run=rehearsal):
        catalog = complete_control(project, warehouse)
        check_contract(project, catalog)
        found = lease.read(project, warehouse)
        if found.taken_from(run.token):
            return None
        collation.check_database(project, warehouse)
        selects = built_by.recorded(project, warehouse)
        moments = {
            name: moment
            for name, fact in project.facts.items()
            if (moment := built_by.moment_of(fact, run.window_end, selects.get(name)))
        }
        unbuilt = [
            name
            for name, fact in project.facts.items()
            if fact.relation not in catalog
            or name not in selects
            or _is_filled_otherwise(compile_fact(project, name, moments.get(name)), selects[name], catalog)
        ]
        if unbuilt:
            # It costs a statement a table; a table's columns keep the collation that they were made with.
            collation.check_columns(project, warehouse)
        left = set(
            warehouse.rows(render("find_left_behind", control=project.control_schema, pending=_pending(project)))
        )
        preparation = Preparation(
            token=run.token,
            baseline_token=found.baseline_token,
            started_at=found.read_at,
            unbuilt=tuple(unbuilt),
            pending=tuple(fact for fact in project.facts if ("pending", fact) in left),
            moments=moments,
            voided=tuple(name for name in project.sources if ("voided", name) in left),
        )
        preparation = what_to_do(project, warehouse, run, preparation)
        results = None if rehearsal else nothing_to_do(project, dictionary, run, preparation)
        if results is None:
            lease.take(project, warehouse, run)
            return preparation
        # It is over before anybody had to be kept away.
        ended = preparation.model_copy(update={"ended": True})
        ledger.record(project, warehouse, summary_of_nothing(run, ended, results))
        sweep(project, warehouse, found)
    return ended


def _is_filled_otherwise(compiled: CompiledFact, definition: built_by.Definition, catalog: Catalog) -> bool:
    """Return whether another SELECT has filled a fact, or nobody knows its groups."""
    groups = compiled.groups
    return definition.fingerprint != compiled.select_fingerprint or bool(groups and groups.relation not in catalog)


def _check_dictionary(project: Project) -> Dictionary:
    """Refuse a stale dictionary: by it a fact would be skipped although it reads what has changed.

    Nor may another version of the compiler change the way of a fact before somebody has seen it.
    """
    dictionary = load_dictionary(project.dictionary_path)
    advice = f"Write it anew, review what changed and commit it: {project.command('compile')}"
    if dictionary.fingerprint != project.fingerprint:
        raise DictionaryError(
            f"{project.dictionary_path} was derived from other models than those in {project.path}. {advice}"
        )
    moved = [name for name in project.facts if _way(compile_fact(project, name)) != _reviewed_way(dictionary, name)]
    if moved:
        raise DictionaryError(
            f"{project.dictionary_path} has another way of maintenance than this version of the compiler for"
            f" {', '.join(moved)}. {advice}"
        )
    return dictionary


def _way(compiled: CompiledFact) -> tuple[Collection[str] | None, bool]:
    """Return the sources by whose changes alone a fact is rebuilt in full, None where it is by all.

    And whether it is maintained by contributions.
    """
    return compiled.tree.read_whole.keys() if compiled.tree else None, bool(compiled.groups)


def _reviewed_way(dictionary: Dictionary, fact: str) -> tuple[Collection[str] | None, bool]:
    whole = None if fact in dictionary.full else dictionary.whole.get(fact, {}).keys()
    return whole, fact in dictionary.contributions


def _pending(project: Project) -> dict[str, str]:
    return {name: schema.pending(project, fact).relation for name, fact in project.facts.items()}
