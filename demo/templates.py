"""Renders the SQL of the demo: one statement a file under demo/sql, Redshift's dialect, chance as arithmetic."""

from __future__ import annotations

import hashlib
from pathlib import Path

import jinja2

from surgical_cdc.warehouse.templates import sql_name

SQL = Path(__file__).parent / "sql"
# Below 2^31, so that a product of two residues fits into a bigint.
_PRIMES = (2_147_483_647, 1_999_999_973)


class Templates:
    """The demo's templates for one seed.

    The same seed, row number and salt always draw the same value, in any warehouse: `draw` in macros.sql calculates
    modulo two primes, with constants that come from the seed and the salt.
    """

    def __init__(self, seed: object) -> None:
        """Bind the templates to a seed; its text counts."""
        self._seed = seed
        self._environment = jinja2.Environment(  # noqa: S701 - SQL, not HTML
            loader=jinja2.FileSystemLoader(SQL),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["name"] = sql_name
        self._environment.globals |= {
            "primes": _PRIMES,
            "constant": self._constant,
        }

    def render(self, template: str, **values: object) -> str:
        """Render demo/sql/<template>.sql with names, counts and dates; text goes in as bound parameters."""
        return self._environment.get_template(f"{template}.sql").render(values).strip()

    def _constant(self, salt: str, step: int) -> int:
        """Return a number from 1 to the lesser prime less one that depends on seed, salt and step."""
        digest = hashlib.sha256(f"{self._seed}/{salt}/{step}".encode()).digest()
        return 1 + int.from_bytes(digest[:8], "big") % (_PRIMES[1] - 1)
