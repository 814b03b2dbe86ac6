from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.pages import FOLDERS, PAGES, anchors, links, prose

# Where a page leaves out the beginning of a path.
STAND_IN = ROOT / "packages" / "local_redshift" / "src"
BESIDE = [ROOT / "plugins" / "surgical_cdc" / "compiler", STAND_IN, STAND_IN / "local_redshift"]
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
# A folder or a module in code, but not what a program writes or a user's project has.
PATH = re.compile(r"`(?!target/|dist/|\.venv|\.local)((?:[\w.-]+/)+[\w.-]*|\w+\.py)`")


def dead(page: Path, link: str) -> bool:
    """Whether a link of a page leads nowhere."""
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return not target.exists() or bool(anchor and anchor not in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    """Each link to a file of the repository, or to a heading, finds it."""
    assert [link for link in links(page) if dead(page, link)] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_every_document_is_in_the_index(folder: Path) -> None:
    """docs/README.md leads to each page, and to each script that is for a reader."""
    index = ROOT / "docs" / "README.md"
    led_to = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    pages = {page for kind in ("*.md", "*.sql") for page in folder.rglob(kind)} - {index}
    assert sorted(pages - led_to) == []


@pytest.mark.parametrize("link", ["nowhere.md", "README.md#nothing", "#nothing"])
def test_a_dead_link_is_found(link: str) -> None:
    """A file or a heading that is not there is told from one that is."""
    page = ROOT / "docs" / "README.md"
    assert dead(page, link)
    assert not dead(page, "README.md#documentation")


def test_code_is_no_prose(tmp_path: Path) -> None:
    """What looks like a link in code is none."""
    page = tmp_path / "page.md"
    page.write_text("[a](b.md) `[c](d.md)`\n```\n[e](f.md)\n```\n[g](https://example.com)\n")
    assert links(page) == ["b.md"]
    assert "f.md" not in prose(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_are_there(page: Path) -> None:
    """What stands in a line of text as a path of this repository is one."""
    inside = [ROOT, page.parent, page.parents[1], *BESIDE]
    named = PATH.findall(FENCED.sub("", page.read_text()))
    assert [path for path in named if not any((folder / path).exists() for folder in inside)] == []
