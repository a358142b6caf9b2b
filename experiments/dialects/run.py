"""Measures the dialects at the door: what a request loses on its way, and what it takes. `make
bench-dialects`

    python -m experiments.dialects.run [--requests 400] [--asks 400] [--publish]
"""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from experiments import readme
from experiments.dialects import messages, responses
from experiments.dialects.added import measure

HERE = Path(__file__).parent
# For each dialect, the figures of its round trip over so many generated requests.
ROUND_TRIPS: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "responses": responses.round_trip,
    "messages": messages.round_trip,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--asks", type=int, default=400)
    parser.add_argument("--publish", action="store_true", help="write result.json and the tables")
    arguments = parser.parse_args()
    result = {
        "round_trips": {
            dialect: measured(arguments.requests) for dialect, measured in ROUND_TRIPS.items()
        },
        "added": measure(tuple(ROUND_TRIPS), arguments.asks),
    }
    for name, rows in tables(result).items():
        table = Table(*rows[0], title=name)
        for row in rows[1:]:
            table.add_row(*row)
        Console().print(table)
    if arguments.publish:
        (HERE / "result.json").write_text(json.dumps(result, indent=2) + "\n")
        readme.put("dialects-lost", lost_table(result), "dialects")
        readme.put("dialects-added", added_table(result), "dialects")


def tables(result: Mapping[str, Any]) -> dict[str, list[list[str]]]:
    return {"dialects-lost": _lost(result), "dialects-added": _added(result)}


def lost_table(result: Mapping[str, Any]) -> str:
    head, *rows = _lost(result)
    return readme.table(head, rows)


def added_table(result: Mapping[str, Any]) -> str:
    head, *rows = _added(result)
    return readme.table(head, rows)


def _lost(result: Mapping[str, Any]) -> list[list[str]]:
    lost = [["dialect", "generated requests", "values carried", "named", "lost without a name"]]
    for dialect, of in result["round_trips"].items():
        lost.append([f"`/v1/{dialect}`", *(f"{of[n]:,}" for n in ("requests", "carried"))])
        lost[-1] += [f"{of[name]:,}" for name in ("named", "unnamed")]
    return lost


def _added(result: Mapping[str, Any]) -> list[list[str]]:
    added = [["asked", "whole: added p50", "of chat's", "as a stream", "of chat's"]]
    by_door: dict[str, list[str]] = {}
    for row in result["added"]:
        cells = [f"{row['added_ms']:.2f} ms", f"{row['times_chat']:.2f} ×"]
        by_door.setdefault(row["door"], []).extend(cells)
    return added + [[door, *cells] for door, cells in by_door.items()]


if __name__ == "__main__":
    main()
