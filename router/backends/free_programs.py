"""Runs programs that were written without a spec, several times each, and judges them together.

Every program runs twice with one seed and again with other seeds; one that draws runs with more. A
program that also brings a spec is held against the spec, which can prove it alone.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from router.request.statistical import interpret_whole
from router.request.text import last_user_text
from sandbox.contradictions import contradiction
from sandbox.document import records, write_document
from sandbox.free.answers import FreeAnswer, is_large
from sandbox.free.echo import unechoed
from sandbox.free.foreign import foreign_numbers
from sandbox.free.prose import filled, wants_words
from sandbox.free.shapes import shapes_of
from sandbox.free.verdict import FallenProgram, HeldProgram, held, judged
from sandbox.judging.check import StatisticalCheck, Verification
from sandbox.reading.data_tables import beside
from sandbox.records import format_records, json_text
from sandbox.runner import Program, Run, RunRefused
from sandbox.spec import Spec
from sandbox.verify import verify

RunProgram = Callable[[Program], Awaitable[Run | RunRefused]]
Describe = Callable[[Run], str]

_SEEDS_A_TURN = 2**32
_OTHER_SEEDS, _MORE_SEEDS = 1, 4
_CSV = re.compile(r"\bcsv\b", re.IGNORECASE)


async def free_outcome(
    job: Mapping[str, Any], run: RunProgram, failure: Describe
) -> dict[str, Any]:
    """Run and judge the programs of a job. The last one is new; those before it held alone."""
    text = last_user_text(job["fields"])
    columns, problem = _columns(job["fields"], text)
    if problem:
        return {"status": "not_statistical", "problem": problem}
    params: dict[str, Any] = {"request": text} | ({"columns": columns} if columns else {})
    programs: list[HeldProgram] = []
    measures: dict[str, Any] = {}
    for written in job["programs"]:
        source = str(written["source"])
        runs = await _runs(source, params, int(job["seed"]), run)
        if isinstance(runs, RunRefused):
            return {"status": "refused", "problem": str(runs)}
        failed = next((each for each in runs if not each.ok), None)
        if failed is not None:
            return {"status": failed.status, "problem": failure(failed), "program": source}
        judgement = await asyncio.to_thread(held, text, source, [each.result for each in runs])
        if isinstance(judgement, FallenProgram):
            return _fallen(judgement, source)
        programs.append(judgement)
        measures = _measures(runs)
    if job.get("read"):
        return await asyncio.to_thread(_by_reading, job, programs[-1], measures)
    by_spec = await asyncio.to_thread(_by_spec, text, job, programs[-1], columns)
    verdict = by_spec if by_spec else await asyncio.to_thread(_by_others, text, programs)
    shown = programs[verdict["chosen"]]
    document = await asyncio.to_thread(
        write_free, text, shown.answer, as_object=bool(job.get("as_object"))
    )
    return {
        "status": "ok",
        **verdict,
        "program": shown.source,
        "seed": int(job["seed"]),
        "run": measures,
        "shapes": shapes_of(programs[0].answer),
        "missing": list(programs[-1].unechoed),
        "parameters": dict(shown.answer.parameters),
        "document": "" if verdict["problem"] else document,
    }


def _columns(fields: Mapping[str, Any], text: str) -> tuple[dict[str, Any], str]:
    """The columns of the table beside the request, and what is wrong with the table."""
    data = fields.get("data")
    if data is None:
        return {}, ""
    table = beside(data, text)
    return {name: list(values) for name, values in table.columns.items()}, table.problem


async def _runs(
    source: str, params: Mapping[str, Any], seed: int, run: RunProgram
) -> list[Run] | RunRefused:
    """The runs of one program: two with one seed, others with other seeds."""
    others = [seed + turn * _SEEDS_A_TURN for turn in range(1, 1 + _OTHER_SEEDS + _MORE_SEEDS)]
    first = [seed, seed, *others[:_OTHER_SEEDS]]
    ended = await asyncio.gather(*(run(Program(source, params, each)) for each in first))
    runs = [each for each in ended if isinstance(each, Run)]
    if len(runs) < len(ended):
        return next(each for each in ended if isinstance(each, RunRefused))
    varies = all(each.ok for each in runs) and str(runs[0].result) != str(runs[-1].result)
    if varies and not is_large(runs[0].result):
        more = (run(Program(source, params, each)) for each in others[_OTHER_SEEDS:])
        runs += [each for each in await asyncio.gather(*more) if isinstance(each, Run)]
    return runs


def _by_reading(
    job: Mapping[str, Any], program: HeldProgram, measures: Mapping[str, Any]
) -> dict[str, Any]:
    """The verdict on a program for a request that the rules have read: what they read must hold."""
    spec = interpret_whole(job["fields"]).spec
    verdict = verify(spec, dict(program.answer.figures)) if spec is not None else None
    if spec is None or verdict is None or not verdict.holds:
        failed = verdict.failed if verdict is not None else ()
        problem = "; ".join(f"{check.name}: {check.detail}" for check in failed)
        return _fallen(FallenProgram(problem or "it was not read"), program.source)
    figures = dict(program.answer.figures)
    document = (
        format_records(records(spec, figures), "json")
        if spec.words
        else write_document(spec, figures, as_object=bool(job.get("as_object")))
    )
    return {
        "status": "ok",
        **_spec_verdict(job, verdict),
        "spec": spec.as_json(),
        "program": program.source,
        "seed": int(job["seed"]),
        "run": measures,
        "shapes": shapes_of(program.answer),
        "missing": [],
        "parameters": dict(program.answer.parameters),
        "document": document,
    }


def _spec_verdict(job: Mapping[str, Any], verdict: Verification) -> dict[str, Any]:
    return {
        "chosen": len(job["programs"]) - 1,
        "level": verdict.level,
        "unchecked": list(verdict.unchecked),
        "problem": "",
        "agreeing": [],
        "verification": verdict.as_json(),
        "score": verdict.score,
    }


def _fallen(judgement: FallenProgram, source: str) -> dict[str, Any]:
    verification = Verification(judgement.checks, ("every clause",))
    return {
        "status": "ok",
        "problem": judgement.problem,
        "program": source,
        "level": "unverified",
        "unchecked": [],
        "verification": verification.as_json(),
        "score": verification.score,
    }


def _by_others(text: str, programs: Sequence[HeldProgram]) -> dict[str, Any]:
    verdict = judged(text, programs)
    checks = [check for program in programs for check in program.checks]
    if len(programs) > 1:
        detail = verdict.problem or "figures, names and shapes are the same"
        checks.append(StatisticalCheck("a second program agrees", bool(verdict.agreeing), detail))
    checks.append(StatisticalCheck("same seed, same bytes; other seeds, consistent", True, ""))
    verification = Verification(tuple(checks), verdict.unchecked)
    return {
        "chosen": verdict.chosen,
        "level": verdict.level,
        "unchecked": list(verdict.unchecked),
        "problem": verdict.problem,
        "agreeing": list(verdict.agreeing),
        "verification": {**verification.as_json(), "level": verdict.level},
        "score": verification.score,
    }


def _by_spec(
    text: str, job: Mapping[str, Any], program: HeldProgram, columns: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The verdict by the spec that the last program brings, if the spec covers the request."""
    written = job["programs"][-1].get("spec")
    if not isinstance(written, dict):
        return None
    try:
        own = dict(written.get("data") or {})
        given = {**columns, **own}
        data = {str(name): tuple(values) for name, values in given.items()}
        spec = replace(Spec.from_json(written), data=data)
    except (TypeError, ValueError):
        return None
    figures = program.answer.figures
    names = [*figures, *program.answer.flat]
    if unechoed(text, {**spec.as_json(), "data": given}, names) or foreign_numbers(own, text):
        return None
    try:
        if contradiction(spec):
            return None
        verdict = verify(spec, figures)
    except (TypeError, ValueError, KeyError, IndexError, OverflowError, ZeroDivisionError):
        return None  # the spec is of the caller's model, and may be any nonsense
    if not verdict.holds or verdict.unchecked or spec.words:
        return None
    return _spec_verdict(job, verdict)


def write_free(text: str, answer: FreeAnswer, *, as_object: bool) -> str:
    """The document of an answer: a table as records, other figures as an object, or prose."""
    if answer.template and wants_words(text):
        prose = filled(answer.template, answer.flat, text)
        return json_text({"text": prose, **answer.figures}) if as_object else prose
    if not answer.is_table:
        return json_text(dict(answer.figures))
    names = list(answer.figures)
    rows = [
        dict(zip(names, row, strict=True)) for row in zip(*answer.figures.values(), strict=True)
    ]
    return format_records(rows, "csv" if _CSV.search(text) else "json", as_object=as_object)


def _measures(runs: Sequence[Run]) -> dict[str, Any]:
    first = runs[0]
    return {
        "seconds": sum(run.seconds for run in runs),
        "cpu_seconds": sum(run.cpu_seconds for run in runs),
        "peak_bytes": max(run.peak_bytes for run in runs),
        "tier": first.tier,
        "level": first.level,
        "runs": len(runs),
    }
