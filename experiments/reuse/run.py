"""Measures whether remembered answers are right, and what a lookup costs. `make bench-reuse`

Pairs of requests test the guards. Edited programs are run and verified. Streams test the budget of
wrong answers. Lookups are timed among a million solutions.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from experiments import readme
from experiments.reuse import blind, lookups, monitor, priors, repeats, report, stream, swaps
from experiments.reuse.suite import pairs
from router.config.environment import environment
from router.encoding.encoder import Encoder, packaged_model, prepared
from router.request.statistical import interpret
from router.reuse.editing import edit_program
from router.reuse.guards import compare
from router.reuse.verifier import verifier_of
from sandbox.levels import open_pool
from sandbox.runner import Limits, Program
from sandbox.synthesis import write_program
from sandbox.verify import verify

HERE = Path(__file__).parent
WORK = Path("var/reuse")
out = Console()


def of_pairs(rows: list[dict[str, Any]], encoder: Encoder, unseen: Sequence[str]) -> dict[str, Any]:
    """Wrong reuse and recall on pairs by people who had not seen the guards, and on swaps."""
    suites = {
        "seen": blind.written("natural.seen"),
        "multilingual_seen": blind.written("multilingual.seen"),
        "earlier": [
            blind.Pair(pair.stored, pair.later, pair.same, pair.kind)
            for name in ("seen", "unseen")
            for pair in pairs(name)
        ],
        "swaps": [blind.Pair(a, b, False, "swap") for a, b in swaps.checked(rows)],
    }
    if unseen:
        suites["unseen"] = [pair for name in unseen for pair in blind.written(name)]
        suites["multilingual"] = blind.written("multilingual.unseen")
    return blind.measured(suites, encoder, verifier_of(str(WORK / "encoders")))


async def of_data() -> dict[str, Any]:
    """How many stored programs are right after an edit for a request with other numbers."""
    pool = await open_pool(min_level=1, limits=Limits(10.0, 10, memory_bytes=512 << 20))
    await pool.start(("numpy",))
    right = tried = others_edited = others = 0
    try:
        for pair in pairs("data"):
            stored, later = interpret(pair.stored).spec, interpret(pair.later).spec
            if stored is None or later is None:
                out.print(f"[yellow]not read as a request for data:[/] {pair}")
                tried += pair.kind == "number"
                continue
            change = edit_program(write_program(stored, seed=0).source, stored, later)
            if pair.kind != "number":
                others += 1
                others_edited += change is not None
            if change is None:
                tried += pair.kind == "number"
                continue
            run = await pool.run(Program(change.source, {}, 7))
            holds = run.ok and verify(later, run.result).holds
            if pair.kind == "number":
                tried += 1
                right += holds and change.tier == "reuse"
            elif not holds:
                others_edited -= 1  # Such a program fails its verification.
    finally:
        await pool.close()
    return {
        "number_changes": tried,
        "right": right,
        "share": round(right / tried, 4),
        "others": others,
        "others_edited_and_verified": others_edited,
    }


def of_sources(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Recall and mistakes of the guards, and of a plain cosine, on each public data set."""
    result = []
    for source in sorted({row["source"] for row in rows}):
        own = [row for row in rows if row["source"] == source]
        same = [row for row in own if row["label"] == 1]
        methods = {}
        for name, picks in (
            ("guards", lambda row: compare(row["text_a"], row["text_b"]).likeness == "words"),
            ("cosine_095", lambda row: row["cosine"] >= 0.95),
        ):
            chosen = [row for row in own if picks(row)]
            right = sum(row["label"] == 1 for row in chosen)
            methods[name] = {
                "recall": round(right / max(len(same), 1), 4),
                "reused": len(chosen),
                "not_the_same": round(1 - right / len(chosen), 4) if chosen else None,
            }
        result.append({"source": source, "pairs": len(own), **methods})
    return result


def read(path: Path, encoder: Encoder) -> list[dict[str, Any]]:
    """The labelled pairs of public data sets with their cosines, which are cached in a file."""
    if not path.is_file():
        out.print(
            f"[red]{path} is missing.[/] Name its folder with --data. The file holds pairs of QQP, "
            "MRPC, STS-B (GLUE) and GSM-Plus, in the columns source, text_a, text_b and label."
        )
        sys.exit(2)
    rows = pl.read_parquet(path).filter(pl.col("label").is_not_null()).to_dicts()
    kept = WORK / f"cosines-{encoder.name}-{len(rows)}.npy"
    if not kept.is_file():
        texts = list(dict.fromkeys([t for row in rows for t in (row["text_a"], row["text_b"])]))
        vectors = np.zeros((len(texts), encoder.dimensions), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        for start in range(0, len(order), 256):
            batch = order[start : start + 256]
            vectors[batch] = encoder.encode([texts[at] for at in batch])
        of = {text: vectors[at] for at, text in enumerate(texts)}
        cosines = [float(of[row["text_a"]] @ of[row["text_b"]]) for row in rows]
        np.save(kept, np.array(cosines, dtype=np.float32))
    for row, cosine in zip(rows, np.load(kept).tolist(), strict=True):
        row["cosine"] = cosine
    return rows


def of_streams(rows: list[dict[str, Any]], seeds: int) -> list[dict[str, Any]]:
    questions = [row for row in rows if row["source"] == "qqp"]
    kinds = stream.mixed([(0.5, 0.001), (0.2, 0.005), (0.2, 0.03), (0.1, 0.2)])
    edge = stream.mixed([(0.4, 0.004), (0.3, 0.012), (0.3, 0.02)])
    return [
        stream.simulated("four kinds, wrong in .1, .5, 3 and 20%", kinds, seeds),
        stream.simulated("three kinds near the budget, .4, 1.2 and 2%", edge, seeds),
        stream.simulated("QQP by cosine alone", stream.by_cosine(questions), seeds),
        stream.simulated("QQP behind the guards", stream.guarded(questions), seeds),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(environment("WAGGLE_DATA", "../shared/data"))
    parts = "priors,pairs,data,sources,streams,monitor,repeats,lookups"
    parser.add_argument("--data", type=Path, default=default, help="the folder of the data sets")
    parser.add_argument("--only", default=parts, help="the parts to run, with commas between them")
    parser.add_argument(
        "--unseen",
        default="natural.unseen,natural2.unseen",
        help="blind files that nobody looked at while the guards were written",
    )
    parser.add_argument("--seeds", type=int, default=100, help="number of streams of each kind")
    parser.add_argument("--count", type=int, default=1_000_000, help="size of the index")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    encoder = Encoder(prepared(packaged_model(), WORK / "encoders"))
    path = HERE / "result.json"
    result: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    wanted = options.only.split(",")
    rows = read(options.data / "reuse_pairs_dev.parquet", encoder)
    if "priors" in wanted:
        priors.write(priors.measured(encoder, verifier_of(str(WORK / "encoders"))))
    if "pairs" in wanted:
        unseen = options.unseen.split(",") if options.unseen else ()
        result["pairs"] = of_pairs(rows, encoder, unseen)
    if "data" in wanted:
        result["data"] = asyncio.run(of_data())
    if "sources" in wanted:
        result["sources"] = of_sources(rows)
    if "streams" in wanted:
        result["streams"] = of_streams(rows, options.seeds)
    if "monitor" in wanted:
        result["monitor"] = monitor.measured(swaps.checked(rows), encoder, options.seeds)
    if "repeats" in wanted:
        result["repeats"] = repeats.measured()
    if "lookups" in wanted:
        questions = [row for row in rows if row["source"] == "qqp"]
        texts = [text for row in questions for text in (row["text_a"], row["text_b"])]
        result["lookups"] = lookups.measured(list(dict.fromkeys(texts)), options.count, WORK)
    path.write_text(json.dumps(result, indent=1) + "\n")
    if {"pairs", "data", "streams", "monitor", "repeats", "lookups"} <= result.keys():
        readme.put("reuse", report.readme_table(result))
    show(result)


def show(result: dict[str, Any]) -> None:
    if "pairs" in result:
        columns = ("pairs", "wrong", "wrong_at_most", "wrong_of_served", "recall")
        table = Table("suite", *columns, "recall with a backend", box=None)
        for name, row in result["pairs"].items():
            shown = (str(row[column]) for column in columns)
            table.add_row(name, *shown, str(row["with_backend"]["recall"]))
        out.print(table)
    for name in ("data", "sources", "streams", "monitor", "repeats", "lookups"):
        if name in result:
            out.print(name, result[name])


if __name__ == "__main__":
    main()
