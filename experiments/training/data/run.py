"""Counts which planted duplicates, leaks and personal data are found, and what is wrongly removed.

    make bench-training

The cases are made by `worlds/make_duplicates.py`, which somebody wrote who had not seen the code:
the half that the thresholds were chosen with (`seen`), and the half that nobody had looked at.
"""

import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from experiments.readme import put
from experiments.training.data.report import readme_table
from router.encoding.home import encoder_of
from router.reuse.verifier import verifier_of
from router.training.alike import distinct
from router.training.benchmark_files import held_out_texts
from router.training.data_rows import SPLITS, DataRow, Message
from router.training.leaks import leaks
from router.training.meaning import Meaning
from router.training.scrubbing import scrubbed
from router.training.splitting import parted
from router.training.wording import wordings

HERE = Path(__file__).parent
WORLD = HERE.parent / "worlds" / "make_duplicates.py"
HALVES = ("seen", "unseen")


def main() -> None:
    meaning = Meaning(encoder_of(None, "var/encoders"), verifier_of("var/encoders"))
    with TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(WORLD), folder], check=True, stdout=subprocess.DEVNULL)
        halves = {half: measured(half, Path(folder), meaning) for half in HALVES}
    machine = f"{os.cpu_count()} shared cores, Python {platform.python_version()}"
    result = {"halves": halves, "machine": machine}
    (HERE / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    put("data", readme_table(result), "training/data")
    print(readme_table(result))


def measured(half: str, folder: Path, meaning: Meaning) -> dict[str, Any]:
    rows = rows_of(folder / f"duplicates_{half}.jsonl")
    truth = json.loads((folder / f"duplicates_{half}_truth.json").read_text())
    begun = _cpu_seconds()
    alike = distinct(rows, meaning)
    seconds = _cpu_seconds() - begun
    parts = parted(alike.rows, alike.vectors, 0.15, 0.15)
    return {
        "rows": len(rows),
        **_duplicates(alike.removed, truth),
        **_leaked(rows, truth, meaning, folder / f"benchmark_{half}.jsonl"),
        **_personal(rows, truth),
        "split": {split: len(parts.rows[split]) for split in SPLITS},
        "split_left_out": len(parts.left_out),
        "split_cosine": parts.least_alike,
        "cpu_seconds": round(seconds, 1),
    }


def rows_of(path: Path) -> list[DataRow]:
    raw = [json.loads(line) for line in path.read_text().splitlines()]
    return [
        DataRow(
            each["id"],
            each["ts"] * 1_000_000,
            tuple(Message(m["role"], m["content"]) for m in each["messages"]),
            each["answer"],
            each["quality"],
            "judged",
        )
        for each in raw
    ]


def _duplicates(removed: Sequence[Any], truth: Mapping[str, Any]) -> dict[str, Any]:
    pairs = {frozenset((each.id, each.of)) for each in removed}
    planted = {kind: set(map(frozenset, truth[kind])) for kind in ("exact", "near", "paraphrase")}
    false = pairs - {pair for own in planted.values() for pair in own}
    return {
        **{kind: _part(pairs & own, own) for kind, own in planted.items()},
        "false_removals": len(false),
        "false_of_different": _part(
            false & set(map(frozenset, truth["different"])), truth["different"]
        ),
    }


def _leaked(
    rows: Sequence[DataRow], truth: Mapping[str, Any], meaning: Meaning, benchmark: Path
) -> dict[str, Any]:
    vectors = meaning.encoder.encode([w.text for w in wordings([row.text for row in rows])])
    leaked = {leak.id for leak in leaks(rows, vectors, held_out_texts(str(benchmark)), meaning)}
    planted = {id_ for id_, _ in truth["leaks"]}
    resembling = {id_ for id_, _ in truth["resemble"]}
    return {
        "leaks": _part(leaked & planted, planted),
        "false_leaks": len(leaked - planted),
        "false_of_resembling": _part(leaked & resembling, resembling),
    }


def _personal(rows: Sequence[DataRow], truth: Mapping[str, Any]) -> dict[str, Any]:
    clean, _ = scrubbed(rows)
    changed = {row.id for row, after in zip(rows, clean, strict=True) if row != after}
    kinds = dict(zip(truth["personal"], truth["kinds"]["personal"], strict=True))
    covered = {id_ for id_, kind in kinds.items() if "address" not in kind["kinds"]}
    addresses = kinds.keys() - covered
    return {
        "personal": _part(changed & covered, covered),
        "addresses": _part(changed & addresses, addresses),
        "false_personal": len(changed - kinds.keys()),
    }


def _part(some: Sequence[Any] | set[Any], of: Sequence[Any] | set[Any]) -> list[int]:
    return [len(some), len(of)]


def _cpu_seconds() -> float:
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


if __name__ == "__main__":
    main()
