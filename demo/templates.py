"""Renders the SQL of the demo: one statement a file under demo/sql, Redshift's dialect, chance as arithmetic."""

from __future__ import annotations

import hashlib
from pathlib import Path

import jinja2

from surgical_cdc.templates import sql_name

SQL = Path(__file__).parent / "sql"
_PRIME = 2_147_483_647


class Templates:
    """The demo's templates for one seed.

    The same seed, row number and salt always draw the same value, in any warehouse: `draw` in macros.sql multiplies and
    adds, modulo a prime, with two constants that come from the seed and the salt.
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
            "prime": _PRIME,
            "multiplier": lambda salt: self._constant("multiplier", salt),
            "offset": lambda salt: self._constant("offset", salt),
        }

    def render(self, template: str, **values: object) -> str:
        """Render demo/sql/<template>.sql with names, counts and dates; text goes in as bound parameters."""
        return self._environment.get_template(f"{template}.sql").render(values).strip()

    def _constant(self, *parts: object) -> int:
        """Return a number from 1 to the prime less one that depends on the seed and on all parts."""
        text = "/".join(str(part) for part in (self._seed, *parts))
        return 1 + int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % (_PRIME - 1)
