"""Draws the map of the engine's packages into CONTRIBUTING.md: who imports whom, and how large each is.

`make house` writes it, between two comments.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import grimp

PAGE = Path(__file__).parents[1] / "CONTRIBUTING.md"
HOUSE = Path(__file__).parents[1] / "plugins" / "surgical_cdc"
BEGIN, END = "<!-- house -->", "<!-- /house -->"
# It starts the command line, and nothing else.
LEFT_OUT = "__main__"
# What a line count is rounded to, so that the page need not follow each change.
ROUNDED = 100

Edges = Mapping[str, frozenset[str]]
"""Package -> those that it imports."""


def imports() -> Edges:
    """Return for each package, and each module beside the packages, the others that it imports."""
    graph = grimp.build_graph(HOUSE.name, cache_dir=None)
    parts = {name.partition(".")[2]: name for name in graph.find_children(HOUSE.name)}
    return {
        part: frozenset(
            other
            for other, imported in parts.items()
            if other != part and graph.direct_import_exists(importer=name, imported=imported, as_packages=True)
        )
        for part, name in sorted(parts.items())
        if part != LEFT_OUT
    }


def reduced(edges: Edges) -> Edges:
    """Leave out each import that a longer way stands for.

    Example:
        >>> reduced({"a": frozenset("bc"), "b": frozenset("c"), "c": frozenset()})["a"]
        frozenset({'b'})
    """
    return {
        part: imported - frozenset().union(*(_reached(edges, other) for other in imported))
        for part, imported in edges.items()
    }


def diagram(edges: Edges) -> str:
    """Return the map in mermaid: arrows lead to what is imported, less those that a longer way stands for."""
    arrows = [f"  {part} --> {other}" for part, others in reduced(edges).items() for other in sorted(others)]
    return "\n".join(["```mermaid", "flowchart TD", *arrows, "```"])


def table(edges: Edges) -> str:
    """Return what each package is for, by its docstring, with the number of its modules and lines."""
    rows = [_row(part) for part in _downwards(edges)]
    return "\n".join(["| | what is in it | modules | lines of Python |", "|---|---|--:|--:|", *rows])


def page(text: str) -> str:
    """Return the text of CONTRIBUTING.md with the map of today."""
    edges = imports()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{diagram(edges)}\n\n{table(edges)}\n{END}{after}"


def _reached(edges: Edges, part: str) -> frozenset[str]:
    """Return what a package imports, directly or by others; they point one way, so this ends."""
    return edges[part].union(*(_reached(edges, other) for other in edges[part]))


def _downwards(edges: Edges) -> list[str]:
    """Return the packages so that each stands before what it imports."""
    return sorted(edges, key=lambda part: (-_floor(edges, part), part))


def _floor(edges: Edges, part: str) -> int:
    return 1 + max((_floor(edges, other) for other in edges[part]), default=0)


def _row(part: str) -> str:
    folder = HOUSE / part
    modules = sorted(folder.glob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    head = folder / "__init__.py" if folder.is_dir() else modules[0]
    sentence = (ast.get_docstring(ast.parse(head.read_text())) or "").partition("\n")[0]
    lines = sum(len(module.read_text().splitlines()) for module in modules)
    count = sum(module.name != "__init__.py" for module in modules)
    return f"| `{part}` | {sentence} | {count} | {max(ROUNDED, round(lines, -2)):,} |"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
