"""Measures statistical requests: how many are computed and right, and how fast the answers come.

`make bench-statistics`
"""

import argparse
import asyncio
import json
import math
import os
import random
import statistics
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from rich.progress import Progress

from experiments.readme import put
from experiments.served import service
from experiments.statistics.clauses import appended, summary
from experiments.statistics.judging import judging
from experiments.statistics.report import readme_table
from experiments.statistics.suites import suites
from router.cli.client import ServiceClient
from sandbox.contradictions import contradiction
from sandbox.levels import open_pool
from sandbox.pool import Pool
from sandbox.request import read
from sandbox.supervisor.frames import json_value
from sandbox.synthesis import write_program
from sandbox.verify import verify
from tests.sandbox.paraphrases import PARAPHRASES, line

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ORDINARY = (
    "llmrouter.parquet",
    "routellm_mmlu.parquet",
    "bfcl_july.parquet",
    "reasoning_gym_easy.parquet",
)
QUESTIONS = {
    "1000 ages": PARAPHRASES[0][0],
    "500 companies, R² > 0.8": next(t for t, _ in PARAPHRASES if "enterprise customers" in t),
    "the mean of five numbers": "What is the mean of 3, 5, 8, 12 and 15?",
    "a t-test": next(t for t, _ in PARAPHRASES if "Run a t-test to see" in t),
}


def paraphrases() -> dict[str, Any]:
    exact = 0
    for text, expected in PARAPHRASES:
        spec = read(text).spec
        exact += spec is not None and line(spec) == expected
    return {"tried": len(PARAPHRASES), "exact": exact}


def ordinary(data: Path) -> dict[str, Any]:
    """How many prompts of other kinds are mistaken for statistical requests."""
    prompts: list[str] = []
    for name in ORDINARY:
        prompts += (
            pl.read_parquet(data / name).unique("prompt_id").sort("prompt_id")["prompt"].to_list()
        )
    drawn = random.Random(1).sample(prompts, 500)
    begun = time.perf_counter()
    taken = [prompt for prompt in prompts if read(prompt).computed]
    seconds = time.perf_counter() - begun
    return {
        "of_500": sum(prompt in taken for prompt in drawn),
        "of_all": len(taken),
        "all": len(prompts),
        "microseconds_each": 1e6 * seconds / len(prompts),
        "taken": [prompt[-200:] for prompt in taken],
    }


async def requests_dev(data: Path, pool: Pool) -> dict[str, Any]:
    """For each source of requests: how many were read, answered, and answered rightly."""
    counts: dict[str, dict[str, int]] = {}
    frame = pl.read_parquet(data / "requests_dev.parquet")
    with tarfile.open(data / "dabench_tables.tar.gz") as tar:
        tables = {m.name: tar.extractfile(m) for m in tar.getmembers() if m.isfile()}
        texts = {Path(name).name: file.read() for name, file in tables.items() if file}
    for row in frame.iter_rows(named=True):
        none = dict.fromkeys(("all", "taken", "answered", "right"), 0)
        count = counts.setdefault(row["source"], none)
        count["all"] += 1
        table = None
        if row["data_file"] and row["data_file"] in texts:
            table = texts[row["data_file"]].decode("utf-8", "replace")
        rules = (row["context"] or "").split("@")[0] if table else ""
        spec = read(f"{row['request']}\n{rules}", table).spec
        if spec is None:
            continue
        count["taken"] += 1
        if contradiction(spec):
            continue
        run = await pool.run(write_program(spec, seed=1))
        if not run.ok or verify(spec, run.result).level != "spec":
            continue
        count["answered"] += 1
        count["right"] += _right(row, json_value(run.result))
    return counts


def _right(row: dict[str, Any], result: Any) -> bool:
    """Whether the result contains every expected value, rounded to the same number of places."""
    ours = list(_leaves(result))
    if row["answer_kind"] == "number":
        return any(math.isclose(o, float(row["answer"]), rel_tol=1e-6) for o in ours)
    if row["answer_kind"] != "named_values":
        return False
    values = [value for _, value in json.loads(row["answer"])]
    return all(_among(value, ours) for value in values)


def _among(value: str, ours: list[float]) -> bool:
    try:
        expected = float(value)
    except ValueError:
        return False
    places = len(value.partition(".")[2])
    return any(math.isclose(round(o, places), expected, abs_tol=1.01 * 10**-places) for o in ours)


def _leaves(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def _warm(url: str) -> None:
    """Run one program, because the first program waits until its libraries are loaded."""
    with ServiceClient(url).chat(QUESTIONS["a t-test"], "auto") as reply:
        "".join(reply.pieces())


def through_the_endpoint(count: int) -> dict[str, Any]:
    times = {}
    with service() as (url, _):
        _warm(url)
        for name, text in QUESTIONS.items():
            taken = []
            for _ in range(count):
                begun = time.perf_counter()
                with ServiceClient(url).chat(text, "auto") as reply:
                    "".join(reply.pieces())
                taken.append(1000 * (time.perf_counter() - begun))
            taken.sort()
            times[name] = {"p50_ms": statistics.median(taken), "p95_ms": taken[int(0.95 * count)]}
    return times


async def measured(data: Path) -> dict[str, Any]:
    with Progress() as progress:
        task = progress.add_task("statistics", total=5)
        result: dict[str, Any] = {"paraphrases": paraphrases()}
        progress.advance(task)
        result["ordinary"] = ordinary(data)
        progress.advance(task)
        pool = await open_pool(min_level=1)
        result["requests_dev"] = await requests_dev(data, pool)
        await pool.close()
        progress.advance(task)
        result["added_clauses"] = summary(appended(data))
        progress.advance(task)
        result["blind"] = await suites()
        progress.advance(task)
    result["judging"] = judging()  # it shows its own progress
    result["endpoint"] = await asyncio.to_thread(through_the_endpoint, 200)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("WAGGLE_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=default, help="the folder of the data sets")
    data = parser.parse_args().data
    wanted = (*ORDINARY, "requests_dev.parquet", "dabench_tables.tar.gz", "added_clauses.json")
    missing = [name for name in wanted if not (data / name).is_file()]
    if missing:
        print(
            f"{data} lacks {', '.join(missing)}: prompts of ulab-uiuc/LLMRouter and "
            "lm-sys/RouteLLM (Hugging Face), requests of SVAMP, ODEX and DABench",
            file=sys.stderr,
        )
        raise SystemExit(2)
    result = asyncio.run(measured(data))
    print(json.dumps(result, indent=2))
    (HERE / "result.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    put("statistics", readme_table(result))


if __name__ == "__main__":
    main()
