"""The temporary tables that loading and feeding share: pools and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.pools import DIGITS

if TYPE_CHECKING:
    from demo.pools import Pool
    from demo.templates import Templates
    from surgical_cdc.warehouse.session import Warehouse

# The first companies are clients, and the facts are about the vendors of one of them. The staff of client c has the ids
# c, c + CLIENTS, c + 2 * CLIENTS …; there are at least STAFF of them.
CLIENTS = 10
CLIENT_NUMBER = 5
STAFF = 20
_PARAMETERS_OF_A_STATEMENT = 30_000


def insert_pool(pool: Pool, warehouse: Warehouse, templates: Templates) -> None:
    """Put a pool into a temporary table of its name."""
    warehouse.execute(templates.render("seed/create", table=pool.table, columns=pool.columns))
    width = len(pool.columns)
    rows_at_once = _PARAMETERS_OF_A_STATEMENT // width
    for first in range(0, len(pool.rows), rows_at_once):
        rows = pool.rows[first : first + rows_at_once]
        statement = templates.render("seed/insert", table=pool.table, width=width, rows=len(rows))
        warehouse.execute(statement, [value for row in rows for value in row])
    warehouse.execute(templates.render("analyze", relation=pool.table))


def count_to(count: int, warehouse: Warehouse, templates: Templates) -> None:
    """Make the temporary table seed_numbers, with the numbers from 1 to the count."""
    insert_pool(DIGITS, warehouse, templates)
    warehouse.execute(templates.render("seed/numbers", count=count, places=len(str(count))))
    warehouse.execute(templates.render("analyze", relation="seed_numbers"))
