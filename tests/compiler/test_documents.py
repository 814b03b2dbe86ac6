from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from surgical_cdc.compiler.documents import compiled_files
from surgical_cdc.dbt.project import load_project
from surgical_cdc.errors import DictionaryError, ProjectError
from tests.conftest import ROOT, SHOP

VENDOR = load_project()
BEFORE = "# Shop\n\n<!-- compiled: {} -->\nold\n<!-- /compiled -->\n\nKept.\n"
TABLE = """\
| source (columns) | fact_line | fact_order |
| --- | --: | --: |
| customers (7) |  | 3 |
| orders (10) |  | 6 |
| order_lines (6) | 4 | 3 |
| products (4) | 3 |  |"""
DIAGRAM = """\
```mermaid
flowchart LR
  customers[(customers)]
  orders[(orders)]
  order_lines[(order_lines)]
  products[(products)]
  order_lines ==> fact_line
  products --> fact_line
  customers --> fact_order
  orders ==> fact_order
  order_lines ==> fact_order
```"""
COLUMNS = """\
### fact_line

Row key: line_code. Rows are decided by order_lines (line_code, product_id), products (product_id).

| column | computed from |
| --- | --- |
| line_code | order_lines.line_code |
| order_id | order_lines.order_id |
| product_title | products.title |
| product_price | products.price |
| quantity | order_lines.quantity |

### fact_order
"""


def filled(folder: Path, block: str) -> str:
    """Return what becomes of a document of the shop that has one block."""
    shutil.copytree(SHOP, folder / "sql")
    settings = folder / "sql" / "dbt_project.yml"
    settings.write_text(settings.read_text().replace("vars:", "vars:\n  cdc_documents: [../page.md, ../gone.md]"))
    (folder / "page.md").write_text(BEFORE.format(block))
    files = compiled_files(load_project(folder / "sql"))
    assert sorted(file.name for file in files) == ["dictionary.yaml", "page.md"]
    return files[folder / "page.md"]


@pytest.mark.parametrize(("block", "text"), [("table", TABLE), ("diagram", DIAGRAM), ("columns", COLUMNS)])
def test_block_of_a_document_is_made_from_the_models(tmp_path: Path, block: str, text: str) -> None:
    """What stands between the markers is replaced, the rest is left; a document that is not there is not made."""
    start, end = f"# Shop\n\n<!-- compiled: {block} -->\n", "\n<!-- /compiled -->\n\nKept.\n"
    made = filled(tmp_path, block)
    assert made.startswith(start + text)
    assert made.endswith(end)
    assert "old" not in made


def test_unknown_block_is_refused(tmp_path: Path) -> None:
    """A marker with a name that nobody knows is no silent gap."""
    with pytest.raises(DictionaryError, match=r"page\.md: no block is called 'graph'. Known: table, diagram, columns"):
        filled(tmp_path, "graph")


def test_vendor_documents_name_every_fact_and_its_columns() -> None:
    """The page on lineage has all sources and facts, and each column of each fact."""
    page = (ROOT / "include" / "lineage.md").read_text()
    for source in VENDOR.sources.values():
        assert f"\n| {source.name} ({len(source.columns)}) |" in page
    for fact in VENDOR.facts.values():
        section = re.split(r"\n### ", page.partition(f"\n### {fact.name}\n")[2])[0]
        assert re.findall(r"^\| (\w+) \|", section, re.MULTILINE)[1:] == list(fact.column_names)


@pytest.mark.parametrize("document", ["../../outside.md", "../link.md", "/etc/hostname"])
def test_document_outside_of_the_project_is_refused(tmp_path: Path, document: str) -> None:
    """Nothing is written beyond the folder that holds the dictionary, by no path and through no link."""
    shutil.copytree(SHOP, tmp_path / "shop" / "sql")
    (tmp_path / "outside.md").write_text("kept")
    (tmp_path / "shop" / "link.md").symlink_to(tmp_path / "outside.md")
    settings = tmp_path / "shop" / "sql" / "dbt_project.yml"
    settings.write_text(settings.read_text().replace("vars:", f"vars:\n  cdc_documents: [{document}]"))
    with pytest.raises(ProjectError, match=r"dbt_project\.yml: vars: cdc_documents: .* outside of .*shop"):
        load_project(settings.parent)
