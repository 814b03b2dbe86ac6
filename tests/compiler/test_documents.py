from __future__ import annotations

import re

import pytest

from surgical_cdc.compiler.compilation import compile_dictionary
from surgical_cdc.compiler.documents import lineage_page
from surgical_cdc.contract.project import load_project
from tests.conftest import SHOP

VENDOR = load_project()
PROJECT = load_project(SHOP)
TABLE = """\
| source (columns) | fact_line | fact_order |
| --- | --: | --: |
| customers (7) |  | 3 |
| order_lines (6) | 4 | 3 |
| orders (10) |  | 6 |
| products (4) | 3 |  |"""
DIAGRAM = """\
```mermaid
flowchart LR
  customers[(customers)]
  order_lines[(order_lines)]
  orders[(orders)]
  products[(products)]
  order_lines ==> fact_line
  products --> fact_line
  customers --> fact_order
  order_lines ==> fact_order
  orders ==> fact_order
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


@pytest.mark.parametrize("text", [TABLE, DIAGRAM, COLUMNS])
def test_page_of_the_lineage_is_made_from_the_models(text: str) -> None:
    """The page has a table of sources and facts, a diagram, and what each column of a fact is computed from."""
    assert text in lineage_page(PROJECT, compile_dictionary(PROJECT))


def test_vendor_documents_name_every_fact_and_its_columns() -> None:
    """The page on lineage has all sources and facts, and each column of each fact."""
    page = (VENDOR.folder / "lineage.md").read_text()
    for source in VENDOR.sources.values():
        assert f"\n| {source.name} ({len(source.columns)}) |" in page
    for fact in VENDOR.facts.values():
        section = re.split(r"\n### ", page.partition(f"\n### {fact.name}\n")[2])[0]
        assert re.findall(r"^\| (\w+) \|", section, re.MULTILINE)[1:] == list(fact.column_names)
