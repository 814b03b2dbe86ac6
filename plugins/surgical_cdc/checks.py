"""What `check` looks at before anything runs; each gives a line, or raises an error that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from surgical_cdc.catalog import check_contract, read_catalog
from surgical_cdc.dictionary import dump_dictionary, load_dictionary
from surgical_cdc.errors import DictionaryError
from surgical_cdc.lineage import compile_dictionary
from surgical_cdc.query import fact_query
from surgical_cdc.tree import join_tree

if TYPE_CHECKING:
    from surgical_cdc.project import Project
    from surgical_cdc.warehouse import Warehouse


def models(project: Project) -> str:
    """Check that every fact compiles, those that are maintained incrementally to a join tree."""
    full = [name for name, fact in project.facts.items() if fact.maintenance == "full"]
    for name in project.facts:
        fact_query(project, name)
        if name not in full:
            join_tree(project, name)
    return f"{len(project.facts)} facts compile" + (f", maintenance: full for {', '.join(full)}" if full else "")


def dictionary(project: Project) -> str:
    """Check that the committed dictionary is what the models say.

    Raises:
        DictionaryError: it is missing, unreadable or stale.
    """
    path = project.dictionary_path
    load_dictionary(path)
    if path.read_text() != dump_dictionary(compile_dictionary(project)):
        raise DictionaryError(
            f"{path} is not what the models say. Write it anew and review what changed: python -m surgical_cdc compile"
        )
    return f"{path} is what the models say"


def contract(project: Project, connect: Callable[[], Warehouse]) -> str:
    """Check that the warehouse can be reached and has the tables of the contract.

    Raises:
        ContractError: tables differ; the message lists all differences.
    """
    with closing(connect()) as warehouse, warehouse.transaction(dry_run=True):
        catalog = read_catalog(project, warehouse)
    check_contract(project, catalog)
    missing = [name for name, fact in project.facts.items() if fact.relation not in catalog]
    built = f"; the first run builds {', '.join(missing)}" if missing else ""
    return f"{len(project.sources)} sources are as the project describes them{built}"


CHECKS: dict[str, Callable[[Project, Callable[[], Warehouse]], str]] = {
    "models": lambda project, _: models(project),
    "dictionary": lambda project, _: dictionary(project),
    "contract": contract,
}
