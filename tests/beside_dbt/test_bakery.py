"""A project with what projects in the wild have, from dbt's commands to facts that equal those that dbt builds.

A package, a seed, a snapshot, hooks, grants, `env_var`, `modules.datetime`, an incremental model, one name of a source
in two groups, and a key of several columns.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from local_redshift.testing import administer
from surgical_cdc.compiler.compilation import Compilation, compile_project
from surgical_cdc.dictionary import load_dictionary
from tests.beside_dbt.test_manifests import PYTHON, connect_profiles
from tests.conftest import PROJECTS, Site
from tests.random.test_equivalence import WINDOWS, WINDOWS_PER_EXAMPLE, random_windows
from tests.support.upstream import KINDS, Steps, play, windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from local_redshift import LocalRedshift
    from surgical_cdc.contract.project import Project

FACTS = ("fact_customer", "fact_product", "fact_sale")
SOURCES = ("shop__orders", "till__orders", "customers")
# The target of which dbt's own tables are.
BAKED = "baked"


def dbt(folder: Path, *commands: list[str]) -> None:
    """Run dbt's commands on a project, in one process: dbt takes seconds to import."""
    program = "import sys\nfrom dbt.cli.main import dbtRunner\nfor line in sys.argv[1:]:\n    "
    program += "done = dbtRunner().invoke(['--quiet', *line.split()])\n    if not done.success:\n        "
    program += "sys.exit(f'dbt {line}: {done.exception or [one.message for one in done.result]}')"
    where = ["--project-dir", str(folder), "--profiles-dir", str(folder)]
    lines = [" ".join([*command, *where]) for command in commands]
    environment = os.environ | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "BAKERY_STATUS": "1"}
    done = subprocess.run(
        [str(PYTHON), "-c", program, *lines], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(redshift: LocalRedshift, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the project beside its package, with the seed loaded and all compiled by dbt."""
    copy = tmp_path_factory.mktemp("bakery") / "bakery"
    shutil.copytree(PROJECTS / "bakery", copy)
    connect_profiles(copy / "dbt", redshift)
    administer(redshift, "CREATE GROUP analysts")
    dbt(copy / "dbt", ["deps"], ["seed"], ["compile", "--full-refresh"])
    yield copy / "dbt"
    administer(redshift, "DROP OWNED BY analysts CASCADE")
    administer(redshift, "DROP ROLE analysts")


@pytest.fixture(scope="module")
def compiled(folder: Path) -> Compilation:
    """The project as it is maintained."""
    done = compile_project(folder, progress=lambda _: None)
    done.write()
    return done


def test_each_fact_is_maintained_and_what_is_not_is_said(compiled: Compilation) -> None:
    """Only what reads the snapshot is left out; hooks are not run."""
    project = compiled.project
    assert (tuple(project.facts), tuple(project.sources)) == (FACTS, tuple(sorted(SOURCES)))
    assert load_dictionary(project.dictionary_path).full == {}
    assert project.facts["fact_sale"].unique_key == ("channel", "id", "part")
    assert project.sources["till__orders"].key == ("till_no", "receipt_no")
    assert "the snapshot customers_snapshot can not be read" in project.left_out["customer_versions"]
    assert compiled.warnings == [
        "fact_sale has a pre-hook and a post-hook, which no run executes: a fact is its SELECT alone"
    ]


@pytest.mark.timeout(3600 + 5 * WINDOWS)
@given(drawn=windows(SOURCES, WINDOWS_PER_EXAMPLE))
@random_windows(WINDOWS // 5)
def test_facts_equal_their_selects(site: Callable[[Project], Site], compiled: Compilation, drawn: list[Steps]) -> None:
    """After any windows each fact is its SELECT run in full."""
    play(site(compiled.project), drawn)


def test_facts_equal_those_that_dbt_builds(
    site: Callable[[Project], Site], compiled: Compilation, folder: Path, redshift: LocalRedshift
) -> None:
    """What the windows leave is what dbt makes of the baselines, row by row; the group may read it."""
    pick = random.Random(3)
    place = site(compiled.project)
    play(place, [[step(pick) for _ in range(size)] for size in (60, 8, 8)])
    connect_profiles(folder, redshift, schema=BAKED)
    dbt(folder, ["seed"], ["snapshot"], ["run", "--full-refresh"])
    for fact in place.project.facts.values():
        ours, theirs = fact.relation, f"{BAKED}_{fact.relation}".replace("bakery_", "", 1)
        rows = [sorted(map(without_blanks, place.table(one, *fact.column_names)), key=repr) for one in (ours, theirs)]
        assert rows[0] == rows[1]
        assert rows[0]
        granted = "SELECT HAS_TABLE_PRIVILEGE('analysts', %s, 'select')"
        assert place.rows(granted, (ours,)) == [(True,)]


def without_blanks(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a row without the blanks that end its texts: of those in a group it is open which one is shown."""
    return tuple(value.rstrip(" ") if isinstance(value, str) else value for value in row)


def step(pick: random.Random) -> tuple[str, int, str, int]:
    """Return a random event of the upstream; the time of none is in the future."""
    kinds = [kind for kind in KINDS if kind not in ("future", "tie")]
    return pick.choice(SOURCES), pick.randint(1, 5), pick.choice(kinds), pick.randint(0, 10_000)
