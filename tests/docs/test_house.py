from __future__ import annotations

from docs.house import BEGIN, END, PAGE, diagram, imports, page, reduced


def test_the_map_of_the_house_is_of_today() -> None:
    """CONTRIBUTING.md has the arrows of the code, and a line for each package; its counts may be older."""
    edges = imports()
    text = PAGE.read_text()
    assert diagram(edges) in text, "run: make house"
    listed = [line.split("`")[1] for line in text.partition(BEGIN)[2].partition(END)[0].splitlines() if "| `" in line]
    assert sorted(listed) == sorted(edges), "run: make house"


def test_the_map_stands_between_its_comments() -> None:
    """What is written anew is the map, and nothing around it."""
    text = PAGE.read_text()
    drawn = page(f"above {BEGIN}\nold\n{END} below")
    assert drawn.startswith(f"above {BEGIN}\n```mermaid\n")
    assert drawn.endswith(f"|\n{END} below")
    assert page(text).partition(END)[2] == text.partition(END)[2]


def test_an_import_that_a_longer_way_stands_for_is_left_out() -> None:
    """What is reached by another package anyway has no arrow of its own; what is not keeps it."""
    edges = {"a": frozenset("bcd"), "b": frozenset("c"), "c": frozenset(), "d": frozenset()}
    assert reduced(edges) == {"a": frozenset("bd"), "b": frozenset("c"), "c": frozenset(), "d": frozenset()}


def test_the_map_knows_who_imports_whom() -> None:
    """Packages and single modules are in it, and what starts the program is not."""
    edges = imports()
    assert {"steps", "errors"} <= edges["cli"]
    assert edges["errors"] == frozenset()
    assert "__main__" not in edges
