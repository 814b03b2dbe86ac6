"""What tells one SELECT of a fact from another."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

from surgical_cdc.compiler.fact_query import DIALECT, fact_query

if TYPE_CHECKING:
    from surgical_cdc.dbt.project import Project


@cache
def fingerprint(project: Project, fact_name: str) -> str:
    """Return sixteen hex digits that change with a fact's SELECT, be it by a model, a macro or a variable.

    Comments and layout are no part of it.
    """
    sql = fact_query(project, fact_name).sql(DIALECT, comments=False)
    return hashlib.sha256(sql.encode()).hexdigest()[:16]
