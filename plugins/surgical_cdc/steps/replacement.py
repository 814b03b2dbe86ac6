"""Makes a fact's table anew beside the one that it has, and puts it in that one's place with its owner and grants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from surgical_cdc.errors import BoundViews, PrivilegeError
from surgical_cdc.steps.build import fill
from surgical_cdc.steps.privileges import grant, read_privileges, revoke
from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.templates import render, sql_name

if TYPE_CHECKING:
    from surgical_cdc.compiler.compiled_fact import CompiledFact
    from surgical_cdc.contract.tables import Fact
    from surgical_cdc.steps.privileges import Privilege
    from surgical_cdc.warehouse.session import Warehouse


@dataclass(frozen=True)
class Standing:
    """Whose a table is, who the session's user is, and what was granted on it to others."""

    owner: str
    user: str
    privileges: frozenset[Privilege]


def replaceable(fact: Fact, warehouse: Warehouse) -> Standing:
    """Make sure that the fact's table can be replaced, and return what its successor must keep.

    Raises:
        PrivilegeError: the user may not replace the table, or does not see what was granted on it.
        BoundViews: views are bound to the table.
    """
    views = warehouse.rows(render("read_bound_views"), fact.relation.split("."))
    if views:
        listed = ", ".join(f"{schema_name}.{view}" for schema_name, view in views)
        raise BoundViews(
            f"The table of {fact.name} can not be made anew: these views are bound to {fact.relation}: {listed}."
            " Nothing was written. Drop them, refresh, and create them again WITH NO SCHEMA BINDING, by which they"
            " outlast every refresh."
        )
    owner, access_list, user, is_superuser = warehouse.row(render("read_owner"), fact.relation.split("."))
    if user != owner and not is_superuser:
        raise PrivilegeError(
            f"The table of {fact.name} can not be made anew: {fact.relation} is {owner}'s, and this user is {user}."
            f" Nothing was written. {owner} or an administrator can run:"
            f" ALTER TABLE {sql_name(fact.relation)} OWNER TO {_quoted(user)};"
        )
    privileges = read_privileges(fact.relation, warehouse, owner)
    seen = {privilege.grantee for privilege in privileges if privilege.kind != "role"}
    # The access list is shown to all, but lacks roles. An item is grantee=privileges/grantor.
    grantees = {item.partition("=")[0].strip('"') for item in (access_list or "").split(",") if item} - {owner}
    if len(seen) < len(grantees):
        raise PrivilegeError(
            f"The table of {fact.name} can not be made anew: {len(grantees)} users and groups have privileges on"
            f" {fact.relation}, of which {user} sees {len(seen)}, and the others would lose them. Nothing was written."
            f" An administrator can run: ALTER USER {_quoted(user)} SYSLOG ACCESS UNRESTRICTED;"
        )
    return Standing(owner, user, privileges)


def build_beside(compiled: CompiledFact, warehouse: Warehouse, standing: Standing) -> int:
    """Make and fill the new table beside the fact's, inside the caller's transaction; return the number of its rows.

    Raises:
        DataError: a row key is NULL or not unique.
    """
    new = schema.beside(compiled.fact)
    from surgical_cdc.warehouse import ddl

    for statement in ddl.create_fact(new):
        warehouse.execute(statement)
    inserted = fill(compiled, warehouse, new.relation)
    # Default privileges may have given it what the fact's table does not have.
    given = read_privileges(new.relation, warehouse, standing.user)
    for privilege in sorted(given - standing.privileges, key=repr):
        warehouse.execute(revoke(privilege, new.relation))
    for privilege in sorted(standing.privileges - given, key=repr):
        warehouse.execute(grant(privilege, new.relation))
    if standing.owner != standing.user:
        warehouse.execute(render("give_table", relation=new.relation, owner=_quoted(standing.owner)))
    return inserted


def swap(fact: Fact, warehouse: Warehouse) -> None:
    """Put the new table in the place of the fact's.

    Readers of the fact wait from here on, so it is the last thing in the caller's transaction.
    """
    warehouse.execute(render("drop_tables", relations=[fact.relation]))
    name = fact.relation.partition(".")[2]
    warehouse.execute(render("rename_table", relation=schema.beside(fact).relation, new_name=name))


def _quoted(name: str) -> str:
    """Return the name of a user as SQL; one that IAM has given may contain any character."""
    return exp.to_identifier(name, quoted=True).sql(dialect="redshift")
