"""Whether a run's changes matter to a fact, decided without a query.

The one rule, whether a change can show in a fact, is asked at three grains: here of the columns of a whole change set,
by the dictionary; by `steps/update.py` of each column of the fact, by its lineage; by `compiler/slices.py` of each node
of its join tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from surgical_cdc.values import FactResult

if TYPE_CHECKING:
    from surgical_cdc.dictionary import Dictionary
    from surgical_cdc.values import ChangeSet, Preparation


def unaffected(
    dictionary: Dictionary, fact: str, change_sets: Mapping[str, ChangeSet], preparation: Preparation
) -> FactResult | None:
    """Return the result, with its reason, of a fact for which a run has nothing to do; None if it has.

    Args:
        dictionary: what feeds what.
        fact: name of the fact.
        change_sets: of the sources that feed it; those that the run leaves out are missing.
        preparation: of the run.
    """
    reason = _nothing_to_do(dictionary, fact, change_sets, preparation)
    return FactResult(fact=fact, reason=reason, change_sets=relations(change_sets)) if reason else None


def relations(change_sets: Mapping[str, ChangeSet]) -> tuple[str, ...]:
    """Return what FactResult names change sets by."""
    return tuple(change_set.relation for change_set in change_sets.values())


def _nothing_to_do(
    dictionary: Dictionary, fact: str, change_sets: Mapping[str, ChangeSet], preparation: Preparation
) -> str | None:
    """Return why a run has nothing to do for a fact, or None if it has."""
    if fact in preparation.unbuilt or fact in preparation.pending:
        return None
    feeding = [change_sets[source] for source in dictionary.feeding(fact) if source in change_sets]
    for change_set in feeding:
        read = dictionary.read_columns(fact, change_set.source)
        if change_set.inserts or change_set.deletes or read & set(change_set.changed_columns):
            return None
    changed = [change_set.source for change_set in feeding if change_set.changes]
    if changed:
        return f"no column that {fact} reads has changed in {', '.join(changed)}"
    return f"no change in {', '.join(change_set.source for change_set in feeding) or 'any source'}"
