from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from surgical_cdc.errors import ProjectError
from tests.conftest import SHOP
from tests.support.compiled import compiled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the bookshop's project."""
    shutil.copytree(SHOP, tmp_path / "sql", ignore=shutil.ignore_patterns("target"))
    return tmp_path / "sql"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        pytest.param(
            "changed_at, data_type: timestamp", "changed_at, data_type: date", "changed_at is date", id="cursor"
        ),
        pytest.param(
            "joined_at, data_type: timestamp", "joined_at, data_type: date", "joined_at is date", id="created"
        ),
    ],
)
def test_source_that_can_not_be_compared_is_refused(project: Path, before: str, after: str, message: str) -> None:
    """A time that is no timestamp is found when the project is compiled."""
    sources = project / "models" / "sources" / "_sources.yml"
    assert before in sources.read_text()
    sources.write_text(sources.read_text().replace(before, after))
    with pytest.raises(ProjectError, match=rf"_sources.yml: sources.shop_raw.*{message}"):
        compiled(project)


def test_schema_of_the_engine_must_be_a_name(project: Path) -> None:
    """The schemas of the control and the scratch tables stand in statements, and so must be names."""
    settings = project / "dbt_project.yml"
    settings.write_text(settings.read_text().replace("vars:", "vars:\n  cdc_control_schema: CDC; DROP"))
    with pytest.raises(ProjectError, match=r"dbt_project.yml: vars: cdc_control_schema: .*'CDC; DROP' is no name"):
        compiled(project)
