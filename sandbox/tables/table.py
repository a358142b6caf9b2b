"""A shipped table: labels with real-world weights, and the source that an answer names.

A table is a CSV file of `data/` below a head of `# key: value` lines. A file is read once, when it
is first asked for. A file is trusted: the tests check it, not every start.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Table:
    """`weights` are counts in any unit: a label's share is its weight divided by their sum."""

    name: str
    labels: tuple[str, ...]
    weights: tuple[float, ...]
    source: str
    year: int

    @property
    def shares(self) -> tuple[float, ...]:
        """The probability of each label."""
        total = sum(self.weights)
        return tuple(weight / total for weight in self.weights)


@dataclass(frozen=True, slots=True)
class TableFile:
    """One file: its head by key, and its rows by column."""

    head: dict[str, str]
    rows: tuple[dict[str, str], ...]

    def table(self, labels: tuple[str, ...], weights: tuple[float, ...], which: str = "") -> Table:
        """A table of this file; `which` says what part of the file it is."""
        year = int(self.head["year"])
        source = f"{self.head['source']}{which} ({year})"
        return Table(self.head["name"] + which, labels, weights, source, year)


@cache
def read_file(name: str) -> TableFile:
    """The file `name`.csv of `data/`."""
    lines = (FOLDER / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    heads = [line for line in lines if line.startswith("# ")]
    pairs = (line.removeprefix("# ").partition(": ") for line in heads)
    head = {key: value for key, _, value in pairs}
    return TableFile(head, tuple(csv.DictReader(lines[len(heads) :])))


@cache
def whole_table(name: str) -> Table:
    """The table of a file that has a label and a weight in each row."""
    file = read_file(name)
    labels = tuple(row["label"] for row in file.rows)
    return file.table(labels, tuple(float(row["weight"]) for row in file.rows))
