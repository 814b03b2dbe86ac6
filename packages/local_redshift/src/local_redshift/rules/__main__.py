"""`python -m local_redshift.rules`: write the page of the rules."""

from __future__ import annotations

from pathlib import Path

from local_redshift.rules.page import page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "redshift_rules.md"

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE} is written")
