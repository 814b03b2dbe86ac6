"""The pages that people read, their links and the commands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

FOLDERS = (ROOT / "docs", ROOT / "packages" / "local_redshift" / "docs")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in folder.rglob("*.md"))])
FENCE = re.compile(r"^ *```")
CODE = re.compile(r"`+[^`\n]*`+")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language, and its lines with the number of the first one."""

    page: Path
    language: str
    first: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """A command that a page tells its reader to type."""

    page: Path
    line: int
    text: str

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{self.page.relative_to(ROOT)}, line {self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    lines = page.read_text().splitlines()
    fences = [number for number, line in enumerate(lines) if FENCE.match(line)]
    for opening, closing in zip(fences[::2], fences[1::2], strict=True):
        language = lines[opening].strip().removeprefix("```")
        yield Block(page, language, opening + 2, tuple(line.strip() for line in lines[opening + 1 : closing]))


def commands(page: Path) -> Iterator[Command]:
    """Yield the lines of bash blocks, and of console blocks those behind a prompt, without comments."""
    for block in blocks(page):
        for number, line in enumerate(block.lines, block.first):
            typed = {"bash": line, "console": line.removeprefix("$ ") if line.startswith("$ ") else ""}
            text = re.sub(r"(^|\s+)#.*$", "", typed.get(block.language, ""))
            if text:
                yield Command(page, number, text)


def prose(page: Path) -> str:
    """Return a page without its code."""
    kept: list[str] = []
    inside = False
    for line in page.read_text().splitlines():
        inside ^= bool(FENCE.match(line))
        kept.append("" if inside else CODE.sub("``", line))
    return "\n".join(kept)


def links(page: Path) -> list[str]:
    """Return where the links of a page lead that stay in the repository."""
    return [link for link in LINK.findall(prose(page)) if not re.match(r"\w+:", link)]


def anchors(page: Path) -> set[str]:
    """Return what a link to a heading of a page can name, as GitHub makes it."""
    headings = re.findall(r"^#+ +(.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}
