"""Draws docs/cycle.svg: one changed cell of a source, and the two cells of a fact that depend on it.

`python -m docs.picture` writes it. The rows are those of the README's example.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

PICTURE = Path(__file__).parent / "cycle.svg"
WIDTH, HEIGHT = 1000, 292
ROW, PADDING, LETTER = 24, 10, 7.3
INK, FAINT, LINE, PAPER, HEAD, MARK = "#1f2328", "#59636e", "#d1d9e0", "#ffffff", "#f6f8fa", "#ffe58f"
SANS = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"
DESCRIPTION = (
    "The price of one product differs between staging and the baseline. The change set has this one cell. The join to"
    " order_lines leads to two keys of fact_line. Only these two rows are computed again, and only their price is"
    " written; the other rows, and fact_order, are left alone."
)


@dataclass(frozen=True)
class Table:
    """A table of the picture; `marked` are its changed cells, by row and column."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    marked: frozenset[tuple[int, int]] = frozenset()

    @property
    def widths(self) -> list[float]:
        """The width of each column, by its longest text."""
        lines = [self.columns, *self.rows]
        return [max(len(line[at]) for line in lines) * LETTER + 2 * PADDING for at in range(len(self.columns))]

    @property
    def width(self) -> float:
        """The width of the table."""
        return sum(self.widths)

    @property
    def height(self) -> float:
        """The height of the table, without its title."""
        return ROW * (len(self.rows) + 1)


STAGING = Table(
    "staging.products",
    ("id", "title", "price"),
    (("1", "Atlas", "32.00"), ("2", "Globe", "30.00")),
    frozenset({(0, 2)}),
)
BASELINE = Table("products, the baseline", STAGING.columns, (("1", "Atlas", "30.00"), STAGING.rows[1]))
CHANGES = Table("change set", ("id", "price"), (("1", "30.00 → 32.00"),), frozenset({(0, 1)}))
KEYS = Table("affected keys", ("line_code",), (("2-1",), ("4-1",)))
FACT = Table(
    "fact_line",
    ("line_code", "product", "price"),
    (("1-1", "Globe", "30.00"), ("2-1", "Atlas", "32.00"), ("3-1", "Globe", "30.00"), ("4-1", "Atlas", "32.00")),
    frozenset({(1, 2), (3, 2)}),
)
UNTOUCHED = Table("fact_order", ("reads no column that has changed",), ())


def drawing() -> str:
    """Return the picture as SVG."""
    svg = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img")
    ET.SubElement(svg, "title").text = "One changed cell, and what depends on it"
    ET.SubElement(svg, "desc").text = DESCRIPTION
    _box(svg, 0.5, 0.5, WIDTH - 1, HEIGHT - 1, fill=PAPER, rx="8")
    left, middle = 24.0, 158.0
    _table(svg, STAGING, left, 56)
    _table(svg, BASELINE, left, 196)
    changes = left + STAGING.width + 106
    keys = changes + CHANGES.width + 124
    facts = WIDTH - left - FACT.width
    _table(svg, CHANGES, changes, middle - CHANGES.height / 2)
    _table(svg, KEYS, keys, middle - KEYS.height / 2)
    _table(svg, FACT, facts, 56)
    _table(svg, UNTOUCHED, WIDTH - left - UNTOUCHED.width, 238)
    _arrow(svg, left + STAGING.width, changes, middle, ("detect", "compare"))
    _arrow(svg, changes + CHANGES.width, keys, middle, ("climb the joins", "order_lines"))
    _arrow(svg, keys + KEYS.width, facts, middle, ("update", "these rows"))
    ET.indent(svg, " ")
    return ET.tostring(svg, encoding="unicode") + "\n"


def _table(svg: ET.Element, table: Table, left: float, top: float) -> None:
    _text(svg, table.title, left, top - 9, family=SANS, weight="600")
    _box(svg, left, top, table.width, ROW, fill=HEAD)
    for number, row in enumerate((table.columns, *table.rows)):
        x, y = left, top + ROW * number
        for column, (text, width) in enumerate(zip(row, table.widths, strict=True)):
            is_marked = (number - 1, column) in table.marked
            if is_marked:
                _box(svg, x, y, width, ROW, fill=MARK)
            color = FAINT if number == 0 else INK
            _text(svg, text, x + PADDING, y + 16.5, fill=color, weight="600" if is_marked else "400")
            x += width
        if number:
            _line(svg, left, y, left + table.width, y, LINE)
    _box(svg, left, top, table.width, table.height, fill="none")


def _arrow(svg: ET.Element, start: float, end: float, y: float, label: tuple[str, str]) -> None:
    above, below = label
    gap, tip = 8, 7
    _line(svg, start + gap, y, end - gap - tip, y, FAINT)
    points = f"{end - gap:g},{y:g} {end - gap - tip:g},{y - 4:g} {end - gap - tip:g},{y + 4:g}"
    ET.SubElement(svg, "polygon", points=points, fill=FAINT)
    center = (start + end) / 2
    _text(svg, above, center, y - 9, family=SANS, anchor="middle", weight="600")
    _text(svg, below, center, y + 18, family=SANS, anchor="middle", fill=FAINT)


def _text(
    svg: ET.Element,
    text: str,
    x: float,
    y: float,
    *,
    family: str = MONO,
    fill: str = INK,
    weight: str = "400",
    anchor: str = "start",
) -> None:
    attributes = {"font-family": family, "font-size": "12", "font-weight": weight, "text-anchor": anchor, "fill": fill}
    ET.SubElement(svg, "text", {"x": f"{x:g}", "y": f"{y:g}", **attributes}).text = text


def _box(svg: ET.Element, x: float, y: float, width: float, height: float, *, fill: str, rx: str = "0") -> None:
    size = {"x": f"{x:g}", "y": f"{y:g}", "width": f"{width:g}", "height": f"{height:g}"}
    ET.SubElement(svg, "rect", {**size, "rx": rx, "fill": fill, "stroke": LINE})


def _line(svg: ET.Element, x1: float, y1: float, x2: float, y2: float, color: str) -> None:  # noqa: PLR0917
    ends = {"x1": f"{x1:g}", "y1": f"{y1:g}", "x2": f"{x2:g}", "y2": f"{y2:g}"}
    ET.SubElement(svg, "line", {**ends, "stroke": color})


if __name__ == "__main__":
    PICTURE.write_text(drawing())
