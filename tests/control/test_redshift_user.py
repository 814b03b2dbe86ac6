from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import redshift_connector
from redshift_connector.error import ProgrammingError

from local_redshift.testing import PASSWORD, administer
from surgical_cdc.cli.checks import run_checks
from surgical_cdc.contract.project import Project, load_project
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.refresh import refresh
from surgical_cdc.steps.verify import verify
from surgical_cdc.warehouse.connection import session
from tests.conftest import ROOT, Connect, Site
from tests.support.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local_redshift import LocalRedshift

SCRIPT = ROOT / "docs" / "reference" / "redshift_user.sql"


@pytest.fixture
def vendors(site: Callable[[Project], Site]) -> Site:
    """The vendor domain's empty warehouse."""
    return site(load_project())


@pytest.fixture
def engine(redshift: LocalRedshift, vendors: Site) -> Iterator[Connect]:
    """Open sessions of the user that the script makes."""
    for statement in re.sub(r"--[^\n]*", "", SCRIPT.read_text()).split(";"):
        if statement.strip():
            vendors.execute(statement)
    vendors.execute(f"ALTER USER surgical_cdc PASSWORD '{PASSWORD}'")
    settings = {**redshift.settings, "user": "surgical_cdc", "password": PASSWORD}
    yield lambda: session(redshift_connector.connect(**settings), "tests")
    administer(redshift, "DROP OWNED BY surgical_cdc CASCADE")
    administer(redshift, "DROP USER surgical_cdc")


def test_user_of_the_script_can_do_all_that_a_run_does(vendors: Site, engine: Connect) -> None:
    """The user passes all checks, runs cycles that build and update the facts, refreshes and verifies them."""
    upstream = Upstream(vendors.project)
    sources = list(vendors.project.sources)
    for number in range(2):
        steps = [(source, key, "put", 100 * number + key) for source in sources for key in range(1, 4)]
        for name, rows in upstream.window(steps).items():
            vendors.stage(name, *rows)
        done = run_cycle(vendors.project, engine, vendors.run(upstream.end, run_id=f"window {number}"))
        assert sum(change_set.rewrites for change_set in done.change_sets.values()) > len(sources)
    assert [finding.name for finding in run_checks(vendors.project, engine) if finding.state != "ok"] == []
    with closing(engine()) as warehouse:
        assert refresh(vendors.project, "fact_vendor", warehouse).built
        with warehouse.transaction():
            warehouse.execute("ALTER TABLE staging_public.fact_vendor ADD COLUMN colour VARCHAR(8)")
        assert refresh(vendors.project, "fact_vendor", warehouse).built
    for fact in vendors.project.facts:
        with closing(engine()) as warehouse:
            assert verify(vendors.project, fact, warehouse).equal


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("DELETE FROM staging.companies", id="staging"),
        pytest.param("SELECT COUNT(*) FROM public.salaries", id="other-table"),
        pytest.param("CREATE SCHEMA more", id="schema"),
        pytest.param("DROP TABLE staging_public.forecasts", id="drop-of-another-beside-the-facts"),
        pytest.param("DROP TABLE cdc.forecasts", id="drop-of-another-beside-the-control-tables"),
        pytest.param("DROP TABLE public.companies", id="drop-of-a-baseline"),
        pytest.param("DROP TABLE staging.companies", id="drop-of-staging"),
        pytest.param("ALTER TABLE staging_public.forecasts RENAME TO facts", id="rename-of-another"),
        pytest.param("DROP SCHEMA staging_public", id="drop-of-the-facts"),
        pytest.param("DROP SCHEMA staging_public CASCADE", id="drop-of-the-facts-and-others"),
        pytest.param("DROP SCHEMA cdc_scratch", id="drop-of-the-change-sets"),
    ],
)
def test_user_of_the_script_can_do_no_more(vendors: Site, engine: Connect, statement: str) -> None:
    """The user may not write to staging, nor touch what others have beside its tables, nor make or drop schemas."""
    for table in ("public.salaries", "staging_public.forecasts", "cdc.forecasts"):
        vendors.execute(f"CREATE TABLE {table} (a INTEGER)")
    with closing(engine()) as warehouse, pytest.raises(ProgrammingError, match="42501"):
        warehouse.execute(statement)


def test_script_names_every_baseline(vendors: Site) -> None:
    """The script grants what is needed on the baselines that the project has."""
    named = set(re.findall(r"^  (\w+\.\w+),?$", SCRIPT.read_text(), re.MULTILINE))
    assert named == {source.relation for source in vendors.project.sources.values()}
