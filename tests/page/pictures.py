"""Takes the pictures of docs/reference/page.md and of docs/how-to: `python -m tests.page.pictures`."""

from __future__ import annotations

import os
import tempfile
from contextlib import closing
from functools import partial
from pathlib import Path

from local_redshift import LocalRedshift
from surgical_cdc.contract.project import load_project
from surgical_cdc.warehouse.connection import connect as reach
from tests.conftest import ROOT, SHOP, Site, airflow_connection
from tests.page import how_to_pictures
from tests.page.browser import chromium, page_of
from tests.page.world import SHOP_ROWS, api_server, change_and_undo, fill_database, write_shop_dags

FOLDER = ROOT / "docs" / "pictures"
VIEWS = {"facts": "facts", "run": "run?dag_id=vendor_cdc", "changes": "changes?dag_id=vendor_cdc&fact=fact_vendor"}
VIEWS |= {"speed": "speed?dag_id=vendor_cdc"}
VIEWS |= {"row": f"row?dag_id={SHOP_ROWS}&table=orders&key=2&look_up=1"}


def main() -> None:
    """Write a PNG for each view."""
    fill_database()
    write_shop_dags()
    FOLDER.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp())
    with LocalRedshift(data=folder / "redshift", port=0) as redshift:
        os.environ["AIRFLOW_CONN_REDSHIFT_DEFAULT"] = airflow_connection(redshift)
        connect = partial(reach, "redshift_default", label="pictures")
        with closing(connect()) as warehouse:
            shop = Site(load_project(SHOP), connect, warehouse)
            shop.clear()
            change_and_undo(shop, SHOP_ROWS, "leave it at the door")
        with (
            api_server(folder / "api-server.log") as url,
            chromium() as browser,
            page_of(browser, url, "viewer") as page,
        ):
            for name, place in VIEWS.items():
                page.goto(f"/surgical_cdc/{place}", wait_until="networkidle")
                page.screenshot(path=FOLDER / f"{name}.png", full_page=name != "run")
    how_to_pictures.take(FOLDER / "how_to")


if __name__ == "__main__":
    main()
