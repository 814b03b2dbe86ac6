from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from surgical_cdc.dbt.project import load_project
from surgical_cdc.errors import ProjectError
from tests.conftest import SHOP

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        pytest.param(
            "changed_at, data_type: timestamp", "changed_at, data_type: date", "changed_at is date", id="cursor"
        ),
        pytest.param(
            "joined_at, data_type: timestamp", "joined_at, data_type: date", "joined_at is date", id="created"
        ),
        pytest.param(
            'code, data_type: "varchar(32)"', 'code, data_type: "varchar(257)"', "256 bytes at most", id="key"
        ),
    ],
)
def test_source_that_can_not_be_compared_is_refused(tmp_path: Path, before: str, after: str, message: str) -> None:
    """A cursor that is no timestamp, and a key that no tombstone can hold, are found when the project is loaded."""
    project = tmp_path / "sql"
    shutil.copytree(SHOP, project)
    sources = project / "models" / "sources" / "_sources.yml"
    sources.write_text(sources.read_text().replace(before, after))
    with pytest.raises(ProjectError, match=rf"_sources.yml: sources.shop_raw.*{message}"):
        load_project(project)


def test_schema_of_the_engine_must_be_a_name(tmp_path: Path) -> None:
    """The schemas of the control and the scratch tables stand in statements, and so must be names."""
    project = tmp_path / "sql"
    shutil.copytree(SHOP, project)
    settings = project / "dbt_project.yml"
    settings.write_text(settings.read_text().replace("vars:", "vars:\n  cdc_control_schema: CDC; DROP"))
    with pytest.raises(ProjectError, match=r"dbt_project.yml: vars.cdc_control_schema: .*'CDC; DROP' is no name"):
        load_project(project)
