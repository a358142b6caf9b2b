"""Is a remembered answer right, and what does a look cost? Prints tables, writes result.json."""

import argparse
import asyncio
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from experiments import readme
from experiments.reuse import lookups, report, stream
from experiments.reuse.suite import CLASSES, pairs
from router.config.environment import environment
from router.encoding.encoder import Encoder, packaged_model, prepared
from router.request.statistical import interpret
from router.reuse.editing import edit_program
from router.reuse.guards import compare
from sandbox.levels import open_pool
from sandbox.runner import Limits, Program
from sandbox.synthesis import write_program
from sandbox.verify import verify

HERE = Path(__file__).parent
WORK = Path("var/reuse")
out = Console()


def upper(wrong: int, of: int) -> float:
    """Clopper and Pearson: the share that lies above what was seen in 5 of 100 cases."""
    from scipy.stats import beta

    return float(beta.ppf(0.95, wrong + 1, max(of - wrong, 1))) if of else 1.0


def of_pairs(encoder: Encoder) -> dict[str, Any]:
    told: dict[str, Any] = {}
    rows: Counter[tuple[str, str]] = Counter()
    wrong: Counter[str] = Counter()
    cosine: Counter[str] = Counter()
    for name in ("seen", "unseen", "data"):
        some = list(pairs(name))
        one = encoder.encode([p.stored for p in some])
        two = encoder.encode([p.asked for p in some])
        near = (one * two).sum(axis=1) >= 0.95
        hits = [compare(p.stored, p.asked).likeness == "same" for p in some]
        others = [(p, hit) for p, hit in zip(some, hits, strict=True) if not p.same]
        same = [hit for p, hit in zip(some, hits, strict=True) if p.same]
        bad = sum(hit for _, hit in others)
        told[name] = {
            "pairs": len(some),
            "paraphrases": len(same),
            "hits": round(sum(same) / len(same), 4) if same else None,
            "others": len(others),
            "wrong": bad,
            "wrong_at_most": round(upper(bad, len(others)), 5),
        }
        for p, hit, close in zip(some, hits, near, strict=True):
            rows[p.kind, "n"] += 1
            wrong[p.kind] += hit
            cosine[p.kind] += bool(close)
    told["by_class"] = {
        kind: {"pairs": rows[kind, "n"], "reused": wrong[kind], "cosine_095": cosine[kind]}
        for kind in CLASSES.values()
    }
    others_n = sum(told[n]["others"] for n in ("seen", "unseen", "data"))
    wrong_n = sum(told[n]["wrong"] for n in ("seen", "unseen", "data"))
    told["all"] = {
        "pairs": sum(told[n]["pairs"] for n in ("seen", "unseen", "data")),
        "others": others_n,
        "wrong": wrong_n,
        "wrong_at_most": round(upper(wrong_n, others_n), 5),
    }
    return told


async def of_data() -> dict[str, Any]:
    """Requests for data whose numbers changed: the stored program, edited, run and verified."""
    pool = await open_pool(min_level=1, limits=Limits(10.0, 10, memory_bytes=512 << 20))
    await pool.start(("numpy",))
    right = tried = others_edited = others = 0
    try:
        for pair in pairs("data"):
            one, two = (interpret(t).spec for t in (pair.stored, pair.asked))
            if one is None or two is None:
                out.print(f"[yellow]not read:[/] {pair}")
                tried += pair.kind == "number"
                continue
            change = edit_program(write_program(one, seed=0).source, one, two)
            if pair.kind != "number":
                others += 1
                others_edited += change is not None
            if change is None:
                tried += pair.kind == "number"
                continue
            run = await pool.run(Program(change.source, {}, 7))
            holds = run.ok and verify(two, run.result).holds
            if pair.kind == "number":
                tried += 1
                right += holds and change.tier == "reuse"
            elif not holds:
                others_edited -= 1  # the verification sends it to an author
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
    told = []
    for source in sorted({row["source"] for row in rows}):
        mine = [row for row in rows if row["source"] == source]
        same = [row for row in mine if row["label"] == 1]
        by = {}
        for name, picks in (
            ("guards", lambda r: compare(r["text_a"], r["text_b"]).likeness == "same"),
            ("cosine_095", lambda r: r["cosine"] >= 0.95),
        ):
            chosen = [row for row in mine if picks(row)]
            right = sum(row["label"] == 1 for row in chosen)
            by[name] = {
                "recall": round(right / max(len(same), 1), 4),
                "reused": len(chosen),
                "not_the_same": round(1 - right / len(chosen), 4) if chosen else None,
            }
        told.append({"source": source, "pairs": len(mine), **by})
    return told


def read(path: Path, encoder: Encoder) -> list[dict[str, Any]]:
    import polars as pl

    if not path.is_file():
        out.print(
            f"[red]{path} is missing.[/] Give --data: it is made of QQP, MRPC, STS-B (GLUE) and "
            "GSM-Plus, with columns source, text_a, text_b, label."
        )
        sys.exit(2)
    told = pl.read_parquet(path).filter(pl.col("label").is_not_null()).to_dicts()
    kept = WORK / f"cosines-{encoder.name}-{len(told)}.npy"
    if not kept.is_file():
        texts = list(dict.fromkeys([t for r in told for t in (r["text_a"], r["text_b"])]))
        made = np.zeros((len(texts), encoder.dimensions), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        for start in range(0, len(order), 256):
            some = order[start : start + 256]
            made[some] = encoder.encode([texts[at] for at in some])
        place = {text: at for at, text in enumerate(texts)}
        cosines = [float(made[place[r["text_a"]]] @ made[place[r["text_b"]]]) for r in told]
        np.save(kept, np.array(cosines, dtype=np.float32))
    for row, cosine in zip(told, np.load(kept).tolist(), strict=True):
        row["cosine"] = cosine
    return told


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
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--only", default="pairs,data,sources,streams,lookups")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--count", type=int, default=1_000_000)
    given = parser.parse_args()
    folder = given.data or Path(environment("WAGGLE_DATA", "../shared/data"))
    WORK.mkdir(parents=True, exist_ok=True)
    encoder = Encoder(prepared(packaged_model(), WORK / "encoders"))
    path = HERE / "result.json"
    result: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    wanted = given.only.split(",")
    rows = read(folder / "reuse_pairs_dev.parquet", encoder)
    if "pairs" in wanted:
        result["pairs"] = of_pairs(encoder)
    if "data" in wanted:
        result["data"] = asyncio.run(of_data())
    if "sources" in wanted:
        result["sources"] = of_sources(rows)
    if "streams" in wanted:
        result["streams"] = of_streams(rows, given.seeds)
    if "lookups" in wanted:
        texts = [t for r in rows if r["source"] == "qqp" for t in (r["text_a"], r["text_b"])]
        result["lookups"] = lookups.measured(list(dict.fromkeys(texts)), given.count, WORK)
    path.write_text(json.dumps(result, indent=1) + "\n")
    if {"pairs", "data", "streams", "lookups"} <= result.keys():
        readme.put("reuse", report.readme_table(result))
    show(result)


def show(result: dict[str, Any]) -> None:
    if "pairs" in result:
        table = Table("pairs", "n", "answered from memory", "cosine >= .95", box=None)
        for kind, told in result["pairs"]["by_class"].items():
            table.add_row(kind, str(told["pairs"]), str(told["reused"]), str(told["cosine_095"]))
        out.print(table)
        out.print(result["pairs"]["all"], result["pairs"]["unseen"])
    for name in ("data", "sources", "streams", "lookups"):
        if name in result:
            out.print(name, result[name])


if __name__ == "__main__":
    main()
