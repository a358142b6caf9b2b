"""The blocks of code in a Markdown page, fenced or indented."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.readme import ROOT

_FENCE = re.compile(r" {0,3}(```+|~~~+)\s*(\w*)")
_LIST_ITEM = re.compile(r"\s{0,3}([-*+]|\d+\.)\s")


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str  # the fence's language; empty for an indented block
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """Every block of a page, in order."""
    lines = page.read_text().splitlines()
    number = 0
    in_list = False
    while number < len(lines):
        line, start = lines[number], number
        if fence := _FENCE.match(line):
            number += 1
            while number < len(lines) and not lines[number].strip().startswith(fence[1]):
                number += 1
            text = "\n".join(lines[start + 1 : number])
            yield Block(page, start + 1, fence[2] or "fence without a language", text + "\n")
        elif line.startswith("    ") and not in_list and (number == 0 or not lines[number - 1]):
            while number + 1 < len(lines) and lines[number + 1].startswith("    "):
                number += 1
            yield Block(page, start + 1, "", "\n".join(lines[start : number + 1]) + "\n")
        elif line and not line.startswith(" "):
            in_list = bool(_LIST_ITEM.match(line))
        number += 1


def prose(page: Path) -> str:
    """The text of a page, with its code blocks left empty."""
    lines = page.read_text().splitlines()
    for block in blocks(page):
        fences = 1 if block.language else -1
        for number in range(block.line - 1, block.line + block.text.count("\n") + fences):
            lines[number] = ""
    return "\n".join(lines)
