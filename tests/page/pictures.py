"""Takes the pictures of docs/reference/page.md: `python -m tests.page.pictures`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.conftest import ROOT
from tests.page.browser import chromium, page_of
from tests.page.world import api_server, fill_database

FOLDER = ROOT / "docs" / "pictures"
VIEWS = {"facts": "facts", "run": "run?dag_id=vendor_cdc", "changes": "changes?dag_id=vendor_cdc&fact=fact_vendor"}
VIEWS |= {"speed": "speed?dag_id=vendor_cdc"}


def main() -> None:
    """Write a PNG for each view."""
    fill_database()
    FOLDER.mkdir(exist_ok=True)
    log = Path(tempfile.mkdtemp()) / "api-server.log"
    with api_server(log) as url, chromium() as browser, page_of(browser, url, "viewer") as page:
        for name, place in VIEWS.items():
            page.goto(f"/surgical_cdc/{place}", wait_until="networkidle")
            page.screenshot(path=FOLDER / f"{name}.png", full_page=name != "run")


if __name__ == "__main__":
    main()
