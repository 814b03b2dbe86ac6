"""The engine's own names: they begin with what no name of a project may, and have the length that a name may have."""

from __future__ import annotations

import hashlib

# Of temporary tables, aliases and columns that stand beside those of a project.
PREFIX = "scdc_"
# PostgreSQL's limit, which the stand-in has; Redshift takes 127 bytes.
NAME_BYTES = 63
# Of the control tables; surgical_cdc.control.tables leads those of an older version on.
VERSION = 3
DIGEST_DIGITS = 8


def own_name(kind: str, name: str) -> str:
    """Return the name of something that the engine makes for a source, fact or node in a session.

    Example:
        >>> own_name("slice", "companies")
        'scdc_slice_companies'
    """
    return fitted(f"{PREFIX}{kind}_{name}")


def fitted(name: str, length: int = NAME_BYTES) -> str:
    """Return a name of ASCII letters with at most `length` of them; what a longer one loses, a digest stands for.

    Example:
        >>> fitted("quarantine__orders"), fitted("quarantine__orders", 16)
        ('quarantine__orders', 'quarant_a59952a1')
    """
    if len(name) <= length:
        return name
    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()[:DIGEST_DIGITS]
    return f"{name[: length - DIGEST_DIGITS - 1]}_{digest}"
