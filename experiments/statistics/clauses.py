"""Appends clauses that change a request to requests that are read, and counts the ignored ones.

A clause is ignored if the request with it is read exactly as the request without it. The answer
then is certified although a part of the request was dropped.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.request import read
from tests.sandbox.paraphrases import PARAPHRASES

_BASES = 40  # requests of each kind that clauses are appended to


@dataclass(frozen=True, slots=True)
class Appended:
    """What the reader made of a request with a clause."""

    request: str
    clause: str
    kind: str
    outcome: str  # refused, read, or ignored


def bases(kind: str) -> list[str]:
    """Requests of one kind that are read, spread over the paraphrases."""
    readable = []
    for text, _ in PARAPHRASES:
        spec = read(text).spec
        # A clause must not stand right after a table, where it would be a row.
        if spec is not None and spec.kind == kind and "\n" not in text:
            readable.append(text)
    step = max(1, len(readable) // _BASES)
    return readable[::step][:_BASES]


def appended(data: Path) -> list[Appended]:
    clauses = json.loads((data / "added_clauses.json").read_text())
    outcomes = []
    for kind in ("generate", "analyse"):
        for text in bases(kind):
            whole = read(text).spec
            for clause in clauses[kind]:
                longer = f"{text.rstrip(' .?!')}, {clause}"
                spec = read(longer).spec
                outcome = "refused" if spec is None else "ignored" if spec == whole else "read"
                outcomes.append(Appended(longer, clause, kind, outcome))
    return outcomes


def summary(outcomes: Sequence[Appended]) -> dict[str, Any]:
    counted = {
        outcome: sum(each.outcome == outcome for each in outcomes)
        for outcome in ("refused", "read", "ignored")
    }
    by_clause: dict[str, int] = {}
    for each in outcomes:
        if each.outcome == "ignored":
            by_clause[each.clause] = by_clause.get(each.clause, 0) + 1
    return {"tried": len(outcomes), **counted, "ignored_clauses": by_clause}


def main() -> None:
    outcomes = appended(Path(os.environ.get("WAGGLE_DATA", "../shared/data")))
    print(json.dumps(summary(outcomes), indent=2))
    seen = set()
    for each in outcomes:
        if each.outcome == "read" and each.clause not in seen:
            seen.add(each.clause)
            print(f"read with {each.clause!r}: {each.request[-150:]}")


if __name__ == "__main__":
    main()
