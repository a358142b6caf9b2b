"""Runs several steps at once and makes one answer of theirs: joined, voted on, chosen or fused."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from router.config.plan_steps import lead
from router.config.plans import Ask, FanOut, Step
from router.plans.bodies import Work, body_of
from router.plans.caller import Caller
from router.plans.merging import counted, joined, parts_of
from router.plans.prompts import to_fuse
from router.plans.results import Result, ended, together
from router.records.json_text import NoJson, json_in
from router.records.shape_fields import field_names
from router.wire.splice import replaced


@dataclass(slots=True)
class Branch:
    """One step of a fan-out, and the task that runs the step."""

    number: int
    step: Step
    task: asyncio.Task[Result]

    @property
    def result(self) -> Result | None:
        return self.task.result() if self.task.done() and not self.task.cancelled() else None

    @property
    def ok(self) -> bool:
        return self.result is not None and self.result.ok


async def fan_out(run: Caller, plan: FanOut, work: Work) -> Result:
    """Run all steps at once; after the deadline, end late steps if enough others have answered."""
    parts = _parts(run, plan)
    branches = []
    for n, step in enumerate(plan.fan_out):
        branch_work = work.at(f"fan_out.{n}", tail=False)
        if parts is not None:
            names = tuple(field_names(parts[n]))
            if not names:
                continue  # there are more branches than fields
            branch_work = replace(branch_work, fields=names)
        task = asyncio.ensure_future(run.step(step, branch_work))
        branches.append(Branch(n, step, task))
    enough = min(plan.quorum, len(branches))
    try:
        await _gathered(branches, plan.deadline_ms, enough)
    finally:
        await ended([branch.task for branch in branches])
    missing = "; ".join(_missing(branch) for branch in branches if not branch.ok)
    good = [branch for branch in branches if branch.ok]
    if not good:
        failed = [b.result for b in branches if b.result is not None]
        stopped = failed[0].stopped if failed else ""
        return Result(problem=missing, stopped=stopped)
    result = await _merged(run, plan, good, work)
    if len(good) < enough:
        return result.marked("quorum", f"{len(good)} of {enough} answers came: {missing}")
    if missing and plan.merge == "deep":
        return result.marked("failed", missing)
    return result


def _parts(run: Caller, plan: FanOut) -> list[Any] | None:
    """For the merge `deep`, the part of the shape that each branch must fill."""
    shape = run.request.reading.shape
    if plan.merge != "deep" or shape is None:
        return None
    wishes = [
        step.fields if isinstance(step, Ask) and isinstance(step.fields, tuple) else ()
        for step in plan.fan_out
    ]
    return parts_of(shape, wishes)


async def _gathered(branches: Sequence[Branch], deadline_ms: float | None, enough: int) -> None:
    """Wait for all branches; after the deadline, wait only until enough branches have answered."""
    loop = asyncio.get_running_loop()
    deadline = None if deadline_ms is None else loop.time() + deadline_ms / 1000
    waiting: set[asyncio.Task[Result]] = {branch.task for branch in branches}
    while waiting:
        late = deadline is not None and loop.time() >= deadline
        if late and sum(branch.ok for branch in branches) >= enough:
            return
        left = None if deadline is None or late else deadline - loop.time()
        _, waiting = await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)


def _missing(branch: Branch) -> str:
    problem = "was left behind" if branch.result is None else branch.result.problem
    return f"branch {branch.number + 1}: {problem}"


async def _merged(run: Caller, plan: FanOut, good: Sequence[Branch], work: Work) -> Result:
    results = [branch.task.result() for branch in good]
    match plan.merge:
        case "deep":
            return _deep(good, results)
        case "vote":
            weights = [_weight(run, plan, branch.step) for branch in good]
            return results[counted([r.text for r in results], weights).winner]
        case "best":
            return await _best(run, plan, results, work)
        case _:
            return await _fused(run, plan, results, work)


def _weight(run: Caller, plan: FanOut, step: Step) -> float:
    backend = lead(step, {})
    return plan.weights.get(backend) or run.score(backend)


def _deep(good: Sequence[Branch], results: Sequence[Result]) -> Result:
    documents, bad = [], []
    for branch, result in zip(good, results, strict=True):
        try:
            documents.append(json_in(result.text))
        except NoJson as error:
            bad.append(f"branch {branch.number + 1}: {error}")
    last = results[-1]
    if not documents:
        return replace(last, problem="; ".join(bad))
    result = last.rewritten(orjson.dumps(joined(documents)).decode())
    return result.marked("failed", "; ".join(bad)) if bad else result


async def _best(run: Caller, plan: FanOut, results: Sequence[Result], work: Work) -> Result:
    assert plan.by is not None
    if len(results) == 1:
        return results[0]
    opinions = await together([run.opinion(plan.by, r.text, r.step, work, "best") for r in results])
    scores = [-1.0 if opinion.score is None else opinion.score for opinion, _ in opinions]
    best = results[scores.index(max(scores))]
    if max(scores) < 0:
        return best.marked("unjudged", f"{plan.by} judged none of the answers")
    return best


async def _fused(run: Caller, plan: FanOut, results: Sequence[Result], work: Work) -> Result:
    assert plan.by is not None
    parent = max(result.step for result in results)
    messages = [
        *run.request.fields["messages"],
        {"role": "user", "content": to_fuse([result.text for result in results])},
    ]
    fusing = work.at("fuse", parent=parent)
    body = body_of(run.request, replace(fusing, draft="", instruction=""), "openai")
    body = replaced(body, {b'"messages"': orjson.dumps(messages)})
    stream = run.request.stream and work.tail
    result = await run.call((plan.by,), body, fusing, stream=stream)
    if result.ok:
        return result
    return results[0].marked(result.stopped or "failed", f"nothing was fused: {result.problem}")
