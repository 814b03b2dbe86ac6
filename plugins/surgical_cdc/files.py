"""Reads and writes the text files of a project, and bounds what a YAML file makes of a few lines."""

from __future__ import annotations

import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml

from surgical_cdc.errors import ProjectError, yaml_problem

BYTE_ORDER_MARK = "\ufeff"
# All but tab, line feed, form feed and carriage return: they come from an editor's mishap or a file that is no text.
CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")
# Of collections inside one another. What reads them calls itself at each level.
YAML_DEPTH = 100
# So many values the aliases of a file may stand for; some 400 bytes of them can stand for a billion.
YAML_ALIASED = 100_000
IS_A_FOLDER = "is a folder, expected a file. Rename the folder"


def read_text(file: Path) -> str:
    """Return the text of a file, which is UTF-8.

    Raises:
        FileNotFoundError: there is no such file.
        ProjectError: it is no file, may not be read, or is no text in UTF-8; the message says what to do.
    """
    try:
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            fail(file, IS_A_FOLDER)
        if not stat.S_ISREG(mode):
            fail(file, "is a pipe, a socket or a device, expected a file. Remove it")
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except OSError as error:
        fail(file, f"can not be read: {error.strerror}. Correct it, or who may read it")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        fail(file, f"line {line} has the byte 0x{error.object[error.start]:02x}, which is not UTF-8. Save it as UTF-8")
    if text.startswith(BYTE_ORDER_MARK):
        fail(file, "begins with a byte order mark. Save it as UTF-8 without one (BOM)")
    found = CONTROL_CHARACTER.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        fail(file, f"line {line} has the control character U+{ord(found[0]):04X}, expected text. Remove it")
    return text


def write_text(file: Path, text: str) -> None:
    """Write a text in UTF-8, in a folder that is made if it does not exist.

    Raises:
        ProjectError: the file can not be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except IsADirectoryError:
        fail(file, IS_A_FOLDER)
    except OSError as error:
        fail(file, f"can not be written: {error.strerror}. Correct it, or who may write there")


def read_yaml(file: Path) -> dict[str, Any]:
    """Read a YAML file that has a mapping at its top; an empty file is an empty mapping.

    Raises:
        ProjectError: the file is missing, no YAML, or something else.
    """
    try:
        text = read_text(file)
        check_yaml(text)
        loader = yaml.CSafeLoader(text)
        node = loader.get_single_node()
        _check_node(file, node, [])
        content = None if node is None else loader.construct_document(node)
    except FileNotFoundError:
        fail(file, "does not exist")
    except yaml.MarkedYAMLError as error:
        fail(file, f"is no valid YAML: {yaml_problem(error)}")
    except (yaml.YAMLError, ValueError) as error:  # the latter where a date has no such day
        fail(file, f"is no valid YAML: {error}")
    if content is None:
        return {}
    if not isinstance(content, dict):
        fail(file, f"expected a mapping at the top, found {type(content).__name__}")
    return content


def check_yaml(text: str) -> None:
    """Refuse a YAML text that takes more than a bound to read.

    Raises:
        yaml.MarkedYAMLError: it is nested too deep, or its aliases stand for too many values; or it is no YAML.
    """
    sizes: dict[str, int] = {}
    aliased = 0
    # For each collection that is open: its anchor, and the values in it so far, with those of its aliases.
    opened: list[tuple[str | None, int]] = []
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            opened.append((event.anchor, 1))
            if len(opened) > YAML_DEPTH:
                _too_much(event, f"this is nested more than {YAML_DEPTH} deep. Write it with fewer levels")
            continue
        if isinstance(event, yaml.AliasEvent):
            # An alias inside of what it names has no size yet; it is refused where the nodes are known.
            size = sizes.get(event.anchor or "", 1)
            aliased += size
            if aliased > YAML_ALIASED:
                _too_much(event, f"the aliases up to here stand for over {YAML_ALIASED:,} values. Write them out")
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size = opened.pop()
            if anchor:
                sizes[anchor] = size
        elif isinstance(event, yaml.ScalarEvent):
            size = 1
        else:
            continue
        if opened:
            opened[-1] = opened[-1][0], opened[-1][1] + size


def _too_much(event: yaml.Event, problem: str) -> NoReturn:
    mark: Any = event.start_mark
    raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _check_node(file: Path, node: yaml.Node | None, around: Sequence[yaml.Node]) -> None:
    """Refuse a key that stands twice in a mapping, of which YAML keeps one, and an anchor inside what it names."""
    if not isinstance(node, yaml.CollectionNode):
        return
    if node in around:
        fail(file, f"line {node.start_mark.line + 1}: the anchor here is read inside what it names")
    parts = node.value
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                fail(file, f"line {key.start_mark.line + 1}: the key {key.value} stands twice")
            seen |= {key.value} if isinstance(key, yaml.ScalarNode) else set()
        parts = [value for _, value in node.value]
    for part in parts:
        _check_node(file, part, [*around, node])


def fail(file: Path, problem: str) -> NoReturn:
    """Raise ProjectError for a file; `problem` is a sentence without its full stop, whose subject the file is."""
    raise ProjectError(f"{file}: {problem}.")
