from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from surgical_cdc.steps.prepare import prepare
from surgical_cdc.steps.refresh import refresh
from surgical_cdc.steps.update import update
from surgical_cdc.steps.verify import verify
from tests.conftest import SHOP, at
from tests.support.bookshop import ORDER, Prepared, run
from tests.support.compiled import compiled

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Site

FACT = "fact_order"
TOTAL = ("models/marts/fact_order.sql", "orders.total,", "orders.total + 1 AS total,")


def edited(site: Site, folder: Path, file: str, old: str, new: str) -> Site:
    """Return the site with a project in which one text of a file is another one, its dictionary up to date."""
    path = shutil.copytree(SHOP, folder / "edited" / "sql")
    text = (path / file).read_text()
    assert text.count(old) == 1
    (path / file).write_text(text.replace(old, new))
    return replace(site, project=compiled(path))


def verdict(site: Site) -> str:
    """Return what verifying the orders' fact says."""
    return verify(site.project, FACT, site.warehouse).verdict(site.project)


@pytest.mark.parametrize(
    ("edit", "rows"),
    [
        pytest.param(TOTAL, 4, id="column"),
        pytest.param(("models/marts/fact_order.sql", "WHERE\n", "WHERE\n  orders.order_id > 2 AND "), 2, id="rows"),
        pytest.param(("dbt_project.yml", "paid_status: paid", "paid_status: open"), 0, id="variable"),
    ],
)
def test_another_select_fills_its_fact_anew(
    open_site: Site, tmp_path: Path, edit: tuple[str, str, str], rows: int
) -> None:
    """No source tells of a SELECT that is another one; the next run builds the fact, and no other, once."""
    site = edited(open_site, tmp_path, *edit)
    result = run(site, 30)
    done = result.fact_results[FACT]
    assert (done.built, done.inserted, done.deleted) == (True, rows, 4)
    assert not result.fact_results["fact_line"].built
    assert verdict(site) == f"fact_order: equal, {rows} rows"
    assert run(site, 60).fact_results[FACT].reason
    # Put back, it is another one again.
    assert run(open_site, 90).fact_results[FACT].built
    assert verdict(open_site) == "fact_order: equal, 4 rows"


@pytest.mark.parametrize("new", ["-- as ordered\n  orders.total,", "orders.total /* with tax */,", "orders  . total,"])
def test_comments_and_layout_do_not_matter(open_site: Site, tmp_path: Path, new: str) -> None:
    """A model that computes the same, written in another way, costs no build."""
    site = edited(open_site, tmp_path, "models/marts/fact_order.sql", "orders.total,", new)
    assert run(site, 30).fact_results[FACT].reason


def test_a_build_that_was_not_synced_is_repeated(open_site: Site, tmp_path: Path) -> None:
    """What has filled a fact is known from the sync on."""
    site = edited(open_site, tmp_path, *TOTAL)
    failed = Prepared(site, site.run(at(30), run_id="failed"))
    with closing(site.connect()) as warehouse:
        assert update(site.project, FACT, warehouse, failed.run, failed.preparation, failed.change_sets).built
    failed.cleanup(failure="broken")
    assert run(site, 60).fact_results[FACT].built
    assert run(site, 90).fact_results[FACT].reason


def test_models_that_change_during_a_run_are_noticed(open_site: Site, tmp_path: Path) -> None:
    """Rows that another SELECT has updated stay in the fact, even if it is put back: the next run builds the fact."""
    site = edited(open_site, tmp_path, *TOTAL)
    open_site.stage("orders", {**ORDER, "order_id": 1, "customer_id": 7, "status": "paid", "changed_at": at(10)})
    begun = Prepared(open_site, open_site.run(at(30), run_id="begun"))
    with closing(site.connect()) as warehouse:
        done = update(site.project, FACT, warehouse, begun.run, begun.preparation, begun.change_sets)
    assert (done.built, done.affected) == (False, 1)
    begun.fact_results[FACT] = done
    begun.sync()
    begun.cleanup()
    preparation = prepare(open_site.project, open_site.warehouse, open_site.run(run_id="next"))
    assert preparation
    assert preparation.unbuilt == (FACT,)


def test_a_refresh_is_known(open_site: Site, tmp_path: Path) -> None:
    """Verification tells an outdated fact from a wrong one, and a refresh makes it up to date at once."""
    site = edited(open_site, tmp_path, *TOTAL)
    assert "Its SELECT is another one than it was built by. The next run builds it anew" in verdict(site)
    refresh(site.project, FACT, site.warehouse)
    assert verdict(site) == "fact_order: equal, 4 rows"
    assert run(site, 30).fact_results[FACT].reason
