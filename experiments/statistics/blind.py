"""Measures requests that strangers wrote: how many are answered rightly, wrongly, or refused.

    python -m experiments.statistics.blind --cases FILE... [--refused] [--author [SEED]]

Each case is read, contradicted, written, run in a real sandbox and judged, as on a bare machine
with no model. A wrong answer counts as certified if its level is above `unverified`.
"""

import argparse
import asyncio
import json
import random
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from experiments.statistics.grading import Graded, Reply, faults, grade
from experiments.statistics.scripted_author import answers_by_author
from router.compute.words import fitting
from router.records.mock import Fakers, Maker
from router.records.shapes import parse
from sandbox.column_programs import CannotWrite
from sandbox.contradictions import contradiction
from sandbox.document import records, write_document
from sandbox.levels import open_pool
from sandbox.pool import Pool
from sandbox.records import format_records
from sandbox.request import read
from sandbox.spec import Spec
from sandbox.synthesis import write_program
from sandbox.verify import verify

_SEEDS = (1, 2)  # a right sample fails its checks once in a thousand times; then it is drawn again
_SHOWN = 300  # characters of an answer


def cases_in(files: Iterable[Path]) -> list[dict[str, Any]]:
    lines = [line for file in files for line in file.read_text().splitlines()]
    return [json.loads(line) for line in lines if line.strip()]


async def by_rule(case: dict[str, Any], pool: Pool) -> Reply:
    """Answer a case without a model."""
    reading = read(case["request"], case.get("data"))
    spec = reading.spec
    if spec is None:
        return Reply(None, reason="; ".join(reading.reasons))
    impossible = contradiction(spec)
    if impossible:
        return Reply(None, reason=f"cannot hold: {impossible}")
    problem = ""
    for seed in _SEEDS:
        try:
            program = write_program(spec, seed=seed)
        except CannotWrite as error:
            return Reply(None, reason=f"cannot be written: {error}")
        run = await pool.run(program)
        if not run.ok:
            problem = f"{run.status}: {run.error}"
            continue
        verdict = verify(spec, run.result)
        if verdict.holds:
            write = _with_words if spec.words else write_document
            return Reply(await asyncio.to_thread(write, spec, run.result), verdict.level)
        problem = "; ".join(f"{check.name}: {check.detail}" for check in verdict.failed)
    return Reply(None, reason=f"not verified: {problem}")


def _with_words(spec: Spec, result: Any) -> str:
    """The records with their columns of text, as the generator of a router adds them."""
    node = parse({field.name: "string" for field in spec.words}).node
    draw, year = random.Random(1), datetime.now(UTC).year
    merged = []
    with Fakers("en_US").borrowed() as fake:
        maker = Maker(fake, seed=1)
        for row in records(spec, result):
            text = fitting(maker.make(node), row, draw, year)
            merged.append({**text, **row})
    return format_records(merged, "json")


async def answers_by_rule(cases: Sequence[dict[str, Any]]) -> list[Graded]:
    pool = await open_pool(min_level=1)
    try:
        graded = []
        for case in cases:
            reply = await by_rule(case, pool)
            graded.append(Graded(case, reply, grade(case["expect"], reply.answer)))
        return graded
    finally:
        await pool.close()


def counts(graded: Sequence[Graded]) -> dict[str, Any]:
    """The figures of a suite: right, wrong and certified, wrong, refused, by level."""
    levels = sorted({each.reply.level for each in graded if each.reply.level})
    return {
        "all": len(graded),
        "right": sum(each.grade == "right" for each in graded),
        "wrong_certified": sum(each.certified_wrong for each in graded),
        "wrong": sum(each.grade == "wrong" for each in graded),
        "refused": sum(each.grade == "refused" for each in graded),
        "levels": {level: sum(each.reply.level == level for each in graded) for level in levels},
    }


def show(graded: Sequence[Graded], *, refused: bool) -> None:
    console = Console(width=160)
    table = Table("topic", "all", "right", "wrong, certified", "wrong", "refused")
    topics = sorted({str(each.case.get("topic", "")) for each in graded})
    for topic in topics:
        figures = counts([each for each in graded if each.case.get("topic", "") == topic])
        table.add_row(topic, *_row(figures))
    table.add_row("all", *_row(counts(graded)), style="bold")
    console.print(table)
    for each in graded:
        if each.grade == "wrong" or (refused and each.grade == "refused"):
            console.print(_described(each), markup=False, highlight=False, soft_wrap=True)
    figures = counts(graded)
    share = {key: figures[key] / max(len(graded), 1) for key in ("right", "wrong_certified")}
    console.print(
        f"right {share['right']:.1%}, wrong and certified {share['wrong_certified']:.1%}, "
        f"levels {figures['levels']}"
    )


def _row(figures: dict[str, Any]) -> list[str]:
    keys = ("all", "right", "wrong_certified", "wrong", "refused")
    return [str(figures[key] or "") for key in keys]


def _described(each: Graded) -> str:
    case, reply = each.case, each.reply
    lines = [f"\n{each.grade.upper()} {case['id']} ({reply.level}): {case['request']}"]
    if reply.answer is None:
        lines.append(f"  reason: {reply.reason}")
    else:
        lines.append(f"  answer: {reply.answer[:_SHOWN]} {reply.reason}")
        wrong = faults(case["expect"], reply.answer)
        lines.append(f"  fault: {'; '.join(wrong) or json.dumps(case['expect'])}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--cases", type=Path, nargs="+", required=True, help="files of cases")
    parser.add_argument("--refused", action="store_true", help="list the refused cases too")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON alone")
    parser.add_argument(
        "--author",
        type=int,
        nargs="?",
        const=1,
        metavar="SEED",
        help="let a scripted author write programs, right in 85%% of them",
    )
    options = parser.parse_args()
    begun = time.perf_counter()
    cases = cases_in(options.cases)
    if options.author is None:
        graded = asyncio.run(answers_by_rule(cases))
    else:
        graded = asyncio.run(answers_by_author(cases, seed=options.author))
    if options.json:
        print(json.dumps(counts(graded), indent=2))
        return
    show(graded, refused=options.refused)
    print(f"{time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main()
