"""What may be done with a fact's table by others than its owner: read from the warehouse, granted, revoked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from surgical_cdc.compiler.fact_query import table_named
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.tables import Fact
    from surgical_cdc.warehouse.session import Warehouse


@dataclass(frozen=True)
class Privilege:
    """What one user, group or role may do with a table, or all users; the words are those of svv_relation_privileges.

    Attributes:
        word: SELECT, INSERT, …
        kind: user, group, role or public.
        grantee: its name.
        grantable: whether the grantee may grant it to others.
    """

    word: str
    kind: str
    grantee: str
    grantable: bool = False


def read_privileges(relation: str, warehouse: Warehouse, owner: str) -> frozenset[Privilege]:
    """Return what was granted on a table to others than its owner."""
    found = warehouse.rows(render("read_privileges"), relation.split("."))
    privileges = {Privilege(word.upper(), kind.lower(), name, bool(grantable)) for word, kind, name, grantable in found}
    return frozenset(privilege for privilege in privileges if (privilege.kind, privilege.grantee) != ("user", owner))


def said(fact: Fact) -> list[Privilege]:
    """Return what dbt's `grants` say of a fact; the adapter takes `group:bi`, and `group bi` as SQL has it."""
    return [_granted(word.upper(), grantee.strip()) for word, grantees in fact.grants.items() for grantee in grantees]


def _granted(word: str, grantee: str) -> Privilege:
    if grantee.lower() == "public":
        return Privilege(word, "public", "public")
    for kind in ("user", "group", "role"):
        if grantee.lower().startswith((f"{kind}:", f"{kind} ")):
            return Privilege(word, kind, grantee[len(kind) + 1 :].strip().strip('"'))
    return Privilege(word, "user", grantee.strip('"'))


def grant(privilege: Privilege, relation: str) -> exp.Grant:
    """Return the statement that grants a privilege on a table."""
    return exp.Grant(
        privileges=[exp.GrantPrivilege(this=exp.var(privilege.word))],
        securable=table_named(relation),
        principals=[_principal(privilege)],
        grant_option=privilege.grantable,
    )


def revoke(privilege: Privilege, relation: str) -> exp.Revoke:
    """Return the statement that takes a privilege on a table back."""
    return exp.Revoke(
        privileges=[exp.GrantPrivilege(this=exp.var(privilege.word))],
        securable=table_named(relation),
        principals=[_principal(privilege)],
    )


def _principal(privilege: Privilege) -> exp.Expression:
    if privilege.kind == "public":
        return exp.var("PUBLIC")
    kind = privilege.kind.upper() if privilege.kind in {"group", "role"} else None
    return exp.GrantPrincipal(this=exp.to_identifier(privilege.grantee, quoted=True), kind=kind)
