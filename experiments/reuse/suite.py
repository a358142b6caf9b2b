"""Test pairs: a stored request, and a later request that may or may not want the same answer.

In a file of pairs, a line that begins with `=` is the stored request. Each line below it is a later
request, with the letter of a class that says how the two requests differ. The author of the guards
looked at `pairs_seen.txt` while writing the guards, and never at `pairs_unseen.txt`.
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
    later: str
    kind: str

    @property
    def same(self) -> bool:
        return self.kind == "paraphrase"


def pairs(name: str) -> Iterator[Pair]:
    """The pairs of one file, in the order of the file."""
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
