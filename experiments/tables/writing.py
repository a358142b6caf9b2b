"""How a table is written: a head of `# key: value` lines, then CSV."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "sandbox" / "tables" / "data"


@dataclass(frozen=True)
class Head:
    """What a file says of itself. `source` is the sentence that an answer names."""

    name: str
    source: str
    year: int
    licence: str
    origin: str


def write(name: str, head: Head, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with (FOLDER / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"# {key}: {value}\n" for key, value in asdict(head).items())
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)
