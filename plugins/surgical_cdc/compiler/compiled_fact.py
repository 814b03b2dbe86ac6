"""What a fact is maintained by, all of it derived from its SELECT."""

from __future__ import annotations

import gc
import hashlib
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlglot import exp

from surgical_cdc.compiler.current_time import NO_MOMENT, bound
from surgical_cdc.compiler.fact_query import DIALECT, fact_query, relation_of, tables_of
from surgical_cdc.compiler.groups import groups_of
from surgical_cdc.compiler.limits import limited_tree
from surgical_cdc.compiler.lineage import fact_lineage
from surgical_cdc.compiler.parsing import parse
from surgical_cdc.compiler.unsupported import Refused, place
from surgical_cdc.contract.tables import KEY_TYPES, Static
from surgical_cdc.errors import UnsupportedQuery

if TYPE_CHECKING:
    from surgical_cdc.compiler.groups import Groups
    from surgical_cdc.compiler.lineage import Lineage
    from surgical_cdc.compiler.nodes import JoinTree
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Fact, Select

# So many facts are kept compiled; one that reads the current time is compiled anew whenever that moves.
COMPILED = 4096
# So many new objects are left until Python looks for unreachable ones.
COLLECTED_AFTER = 50_000
# So many tables the trees have together by which an anchor is looked for: each may take a second for some dozens.
TRIED_TABLES = 2000
# What a column's name ends in that refers to a row of something.
REFERENCES = ("id", "_key", "_sk", "_code", "_no", "_number")


@dataclass(frozen=True, eq=False)
class CompiledFact:
    """A fact with what its SELECT says.

    `query` is the SELECT on the sources' baselines. `tree` is None where the fact is rebuilt in full, and `reason` says
    why then. `groups` is None unless the fact is maintained by contributions.
    `select_fingerprint` is sixteen hex digits that change with the SELECT, be it by a model, a macro or a variable,
    with a seed that it reads, with the current time if it reads that, and with what is kept of the fact's groups;
    comments and layout are no part of it.
    """

    fact: Fact
    query: exp.Select
    tree: JoinTree | None
    reason: str | None
    lineage: Lineage
    groups: Groups | None
    select_fingerprint: str

    @property
    def in_full(self) -> bool:
        """Whether it is rebuilt in full by all changes, or by those of some sources."""
        return self.tree is None or bool(self.tree.read_whole)


@lru_cache(maxsize=COMPILED)
def compile_fact(project: Project, fact_name: str, moment: datetime | None = None) -> CompiledFact:
    """Compile a fact from its SELECT in the folder `cdc`, once for each project.

    `moment` is what the current time is in the SELECT; where none is given, its rows must be of no interest.

    Raises:
        ProjectError: the SELECT does not parse, names an unknown column, or gives other columns than declared.
        UnsupportedQuery: the SELECT can not be maintained, or not incrementally as it is to be; the message names the
            part, its file and line, and says what to write.
    """
    return compile_query(project, project.fact(fact_name), parse(project.selects[fact_name]), moment)


def compile_query(project: Project, fact: Fact, parsed: exp.Query, moment: datetime | None = None) -> CompiledFact:
    """Compile a fact from its SELECT as a tree, of which this makes use; raises what `compile_fact` does."""
    collect_seldom()
    select = project.selects[fact.name]
    try:
        query = fact_query(project, fact, bound(parsed, moment or NO_MOMENT))
        tree, reason = _way(project, fact, query)
        lineage = fact_lineage(project, fact, query)
    except Refused as error:
        raise unsupported(error, select) from error
    _strip_places(query, *((tree.query, *tree.predicates()) if tree else ()))
    groups = groups_of(project, fact, query) if tree else None
    return CompiledFact(fact, query, tree, reason, lineage, groups, _fingerprint(project, query, groups))


def _fingerprint(project: Project, query: exp.Select, groups: Groups | None) -> str:
    statics = [project.tables[relation] for relation in sorted(_relations(query))]
    checksums = [table.checksum for table in statics if isinstance(table, Static)]
    kept = [_unquoted(groups.table.query)] if groups else []
    return hashlib.sha256("\n".join([_unquoted(query), *checksums, *kept]).encode()).hexdigest()[:16]


def collect_seldom() -> None:
    """Let Python look for unreachable objects after more new ones than it does by itself.

    The parts of a query point at each other, and there are many: it would look through all of them again and again,
    which takes longer than all else.
    """
    if gc.get_threshold()[0] < COLLECTED_AFTER:
        gc.set_threshold(COLLECTED_AFTER, *gc.get_threshold()[1:])


def by_another_anchor(project: Project, compiled: CompiledFact) -> CompiledFact:
    """Return a fact that is not maintained by its anchor alone as one that is by another of its columns, if it can be.

    Those of the row key come first, then what refers to a row of something by its name: the fewer rows have a value,
    the fewer are recomputed when it is affected. Any other is better than none. The query is the same whatever the
    anchor.
    """
    if compiled.query.args.get("with_"):
        return compiled
    fact = compiled.fact
    names = [column.name for column in fact.columns if column.data_type.startswith(KEY_TYPES)]
    likely = [name for name in names if name in fact.unique_key or name.endswith(REFERENCES)]
    likely.sort(key=lambda name: name not in fact.unique_key)
    trees: list[JoinTree] = []
    others = [name for name in names if name not in likely]
    most = max(1, TRIED_TABLES // max(1, sum(1 for _ in compiled.query.find_all(exp.Table))))
    for name in [*likely, *others][:most]:
        if trees and name not in likely:
            break
        with suppress(Refused):
            tree = limited_tree(project, fact.model_copy(update={"anchor": name}), compiled.query, with_whole=True)
            if tree.followed or not tree.read_whole:
                trees.append(tree)
            if not tree.read_whole:
                break
    if not trees:
        return compiled
    # The first of those by which the fewest sources are read as a whole.
    best = min(trees, key=lambda tree: len(tree.read_whole))
    _strip_places(best.query, *best.predicates())
    groups = groups_of(project, best.fact, compiled.query)
    fingerprint = _fingerprint(project, compiled.query, groups)
    return replace(compiled, fact=best.fact, tree=best, reason=None, groups=groups, select_fingerprint=fingerprint)


def unsupported(error: Refused, select: Select) -> UnsupportedQuery:
    """Return the error for what is in the way of a fact, with its place."""
    return UnsupportedQuery(f"{place(error.clause, select)}: {error.problem}. {error.hint}")


def _unquoted(query: exp.Select) -> str:
    """Return the text of a query without quotation marks around names, which are in lower case in it by now.

    Where a name came by a `*`, sqlglot may quote what stands before it as well.
    """
    if any(name.args.get("quoted") for name in query.find_all(exp.Identifier)):
        query = query.copy()
        for name in query.find_all(exp.Identifier):
            name.args["quoted"] = False
    return query.sql(DIALECT, comments=False)


def _relations(query: exp.Select) -> set[str]:
    return {relation_of(table) for table in tables_of(query)}


def _way(project: Project, fact: Fact, query: exp.Select) -> tuple[JoinTree | None, str | None]:
    """Return the tree by which a fact is maintained incrementally, or why it is rebuilt in full.

    Raises:
        Refused: it is to be maintained incrementally, and can not be.
    """
    if fact.maintenance == "full":
        return None, "maintenance: full"
    try:
        tree = limited_tree(project, fact, query, with_whole=fact.maintenance == "auto")
    except Refused as error:
        if fact.maintenance == "incremental":
            raise
        refused = error
    else:
        if tree.followed or not tree.read_whole:
            return tree, None
        refused = next(refused for refused in tree.whole.values() if refused)
    where = place(refused.clause, project.selects[fact.name]).removeprefix(f"{project.path}/")
    return None, f"{where}: {refused.problem}"


def _strip_places(*expressions: exp.Expr) -> None:
    """Let the parts of expressions forget where they stand in files: that is dear in every copy of them."""
    for expression in expressions:
        for part in expression.walk():
            part._meta = None  # noqa: SLF001 - `meta` itself would leave an empty mapping to copy
