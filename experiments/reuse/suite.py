"""Pairs of requests, written for this: what is asked, and what is asked instead.

A line that begins with `=` is a request that was answered; those below it are others, each with the
letter of what it is to the first. Those of `pairs_seen.txt` were looked at while the guards were
written, those of `pairs_unseen.txt` were not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CLASSES = {
    "p": "paraphrase",
    "n": "number",
    "u": "unit",
    "-": "negation",
    "o": "opposite",
    "w": "swap",
    "e": "entity",
    "a": "attribute",
    "m": "method",
    "f": "format",
}
FILES = ("seen", "unseen", "data")


@dataclass(frozen=True, slots=True)
class Pair:
    stored: str
    asked: str
    kind: str

    @property
    def same(self) -> bool:
        return self.kind == "paraphrase"


def pairs(name: str) -> Iterator[Pair]:
    """Those of one file, as they stand."""
    stored = ""
    path = Path(__file__).with_name(f"pairs_{name}.txt")
    for line in path.read_text("utf-8").splitlines():
        if not line.strip():
            continue
        letter, text = line[0], line[2:].strip()
        if letter == "=":
            stored = text
        else:
            yield Pair(stored, text, CLASSES[letter])
