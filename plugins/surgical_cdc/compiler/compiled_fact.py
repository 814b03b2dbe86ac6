"""What a fact is maintained by, all of it derived from its SELECT."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from surgical_cdc.compiler.fact_query import DIALECT, fact_query
from surgical_cdc.compiler.join_tree import join_tree
from surgical_cdc.compiler.lineage import fact_lineage
from surgical_cdc.compiler.unsupported import Refused, place
from surgical_cdc.errors import UnsupportedQuery

if TYPE_CHECKING:
    from sqlglot import exp

    from surgical_cdc.compiler.lineage import Lineage
    from surgical_cdc.compiler.nodes import JoinTree
    from surgical_cdc.dbt.project import Project
    from surgical_cdc.dbt.tables import Fact


@dataclass(frozen=True, eq=False)
class CompiledFact:
    """A fact with what its SELECT says.

    `query` is the SELECT on the sources' baselines. `tree` is None where the fact is rebuilt in full, and `reason` says
    why then.
    `select_fingerprint` is sixteen hex digits that change with the SELECT, be it by a model, a macro or a variable;
    comments and layout are no part of it.
    """

    fact: Fact
    query: exp.Select
    tree: JoinTree | None
    reason: str | None
    lineage: Lineage
    select_fingerprint: str


@cache
def compile_fact(project: Project, fact_name: str) -> CompiledFact:
    """Compile a fact once for each project.

    Raises:
        ProjectError: the SELECT does not parse, names an unknown column, or gives other columns than declared.
        UnsupportedQuery: the SELECT can not be maintained, or not incrementally as it is to be; the message names the
            part, its file and line, and says what to write.
    """
    fact = project.fact(fact_name)
    try:
        query = fact_query(project, fact)
        tree, reason = _way(project, fact, query)
        lineage = fact_lineage(project, fact, query)
    except Refused as error:
        where = place(error.clause, project.models[fact_name])
        raise UnsupportedQuery(f"{where}: {error.problem}. {error.hint}") from error
    _strip_places(query, *(tree.predicates() if tree else ()))
    digest = hashlib.sha256(query.sql(DIALECT, comments=False).encode()).hexdigest()
    return CompiledFact(fact, query, tree, reason, lineage, digest[:16])


def _way(project: Project, fact: Fact, query: exp.Select) -> tuple[JoinTree | None, str | None]:
    """Return the tree by which a fact is maintained incrementally, or why it is rebuilt in full.

    Raises:
        Refused: it is to be maintained incrementally, and can not be.
    """
    if fact.maintenance == "full":
        return None, "maintenance: full"
    try:
        return join_tree(project, fact, query), None
    except Refused as error:
        if fact.maintenance == "incremental":
            raise
        where = place(error.clause, project.models[fact.name]).removeprefix(f"{project.path}/")
        return None, f"{where}: {error.problem}"


def _strip_places(*expressions: exp.Expr) -> None:
    """Let the parts of expressions forget where they stand in files: that is dear in every copy of them."""
    for expression in expressions:
        for part in expression.walk():
            part._meta = None  # noqa: SLF001 - `meta` itself would leave an empty mapping to copy
