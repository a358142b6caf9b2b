"""Measures whether the library's A/B says what standards bring to authors. `make bench-library`

python -m experiments.library.run [--seeds 12] [--requests 600]
"""

import argparse
import json
import random
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.console import Console
from rich.progress import track

from experiments.library.authors import (
    WORLDS,
    AuthorWorld,
    answered,
    is_right,
    requested,
    sentences_in,
    traits_of,
)
from experiments.readme import put, table
from router.reuse.programs.drafts import Draft
from router.reuse.programs.figures import LibraryReader
from router.reuse.programs.standards import PROPENSITY
from router.reuse.solution_store import FILE, SolutionStore

HERE = Path(__file__).parent
EVERY = 50  # requests after which the keeper tidies, and renews the standards


def played(world: AuthorWorld, seed: int, requests: int) -> dict[str, Any]:
    """A stream of requests through the library's own lines: what its A/B says, and the truth."""
    chance = random.Random(f"{world.name} {seed}")
    truths: dict[str, list[int]] = {}  # of each version: what showing it changes, by request
    texts: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = SolutionStore(Path(folder))
        standards, lines = store.standards(), []
        for number in range(requests):
            texts[standards.version] = standards.text
            request, own = requested(chance), chance.randrange(2**32)
            shown = bool(standards.version) and chance.random() < PROPENSITY
            ways = [answered(world, request, text, own) for text in (standards.text, "")]
            right = [is_right(source, request) for source in dict.fromkeys(ways)]
            source, held = (ways[0], right[0]) if shown else (ways[1], right[-1])
            truths.setdefault(standards.version, []).append(right[0] - right[-1])
            draft = Draft(
                f"r{number}",
                "coder",
                0,
                traits_of(source, request),
                held,
                "agreed" if held else "none",
                standards.version,
                shown,
            )
            lines.append(draft.line(float(number)))
            if len(lines) == EVERY:
                store.add_lines(lines)
                standards, lines = store.renew_standards(float(number)), []
        store.close()
        reader = LibraryReader(Path(folder) / FILE)
        figures = reader.figures(1).standards
        withdrawn = [row["withdrew"] for row in reader.rows("program_standards") if row["withdrew"]]
        reader.close()
    version = figures["version"]
    row = {"world": world.name, "seed": seed, "in_force": version, "withdrawn": len(withdrawn)}
    row |= {"sentences": sentences_in(texts.get(version or "", ""))}
    if version and figures["interval"] is not None:
        low, high = figures["interval"]
        truth = fmean(truths[version]) if version in truths else 0.0
        row |= {"gain": figures["gain"], "low": low, "high": high, "truth": truth}
    return row


def summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = []
    for world in WORLDS:
        own = [row for row in rows if row["world"] == world.name]
        measured = [row for row in own if "gain" in row]
        lines.append(
            {
                "world": world.name,
                "what": world.what,
                "seeds": len(own),
                "made": sum(bool(row["in_force"]) or row["withdrawn"] > 0 for row in own),
                "withdrawn": sum(row["withdrawn"] > 0 for row in own),
                "measured": len(measured),
                "says_helps": sum(row["low"] > 0 for row in measured),
                "covers": sum(row["low"] <= row["truth"] <= row["high"] for row in measured),
                "gain": round(fmean([row["gain"] for row in measured]), 4) if measured else None,
                "truth": round(fmean([row["truth"] for row in measured]), 4) if measured else None,
            }
        )
    return lines


def readme_table(result: Mapping[str, Any]) -> str:
    head = (
        "world",
        "standards were made",
        "the A/B says: they help",
        "they harm, and are withdrawn",
        "gain, measured (true)",
        "interval holds the truth",
    )
    cells = []
    for line in result["summary"]:
        has_gain = line["gain"] is not None
        gain = f"{line['gain']:+.3f} ({line['truth']:+.3f})" if has_gain else "-"
        cells.append(
            (
                f"{line['world']}: {line['what']}",
                f"{line['made']} of {line['seeds']}",
                f"{line['says_helps']} of {line['seeds']}",
                f"{line['withdrawn']} of {line['seeds']}",
                gain,
                f"{line['covers']} of {line['measured']}",
            )
        )
    return table(head, cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--requests", type=int, default=600)
    given = parser.parse_args()
    jobs = [(world, seed) for world in WORLDS for seed in range(given.seeds)]
    console = Console(stderr=True)
    rows = [played(*job, given.requests) for job in track(jobs, "streams", console=console)]
    result = {"summary": summary(rows), "rows": rows}
    print(readme_table(result))
    if (given.seeds, given.requests) == (12, 600):
        (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
        put("library", readme_table(result))


if __name__ == "__main__":
    main()
