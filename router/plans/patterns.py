"""The patterns in which one step follows another: cascade, pipeline, hedge."""

import asyncio
from dataclasses import replace

from router.config.plan_steps import lead
from router.config.plans import Cascade, Hedge, Pipeline, Plan
from router.plans.acceptance import holds_of
from router.plans.bodies import Work
from router.plans.caller import Caller
from router.plans.compiled import Vital
from router.plans.results import Result, ended


async def cascade(run: Caller, plan: Cascade, work: Work) -> Result:
    """Ask the cheapest rung first, then dearer rungs, until an answer is accepted."""
    rungs = [r for r in enumerate(plan.cascade) if not Vital.of(r[1]).missing(run.refusals)]
    best: Result | None = None
    result = Result(problem="no rung can answer this request")
    for n, rung in rungs:
        last = n == rungs[-1][0]
        rung_work = work.at(
            f"cascade.{n}",
            tail=work.tail and last,
            parent=best.step if best else work.parent,
            logprobs=plan.accept.wants_logprobs if not last else work.logprobs,
            entropy=plan.accept.entropy is not None if not last else work.entropy,
        )
        result = await run.step(rung, rung_work)
        if not result.ok:
            if result.stopped:
                break
            continue
        if last or result.partial:
            return result
        before = best.text if best else ""
        verdict = await run.judged(plan.accept, result, work.at("accept"), before=before)
        if verdict.holds:
            return result
        best = result
    if best is None:
        return result
    return best.marked(result.stopped or "failed", f"no dearer answer came: {result.problem}")


async def pipeline(run: Caller, plan: Pipeline, work: Work) -> Result:
    """Run the steps in order: each step works on the answer of the step before it."""
    last: Result | None = None
    for n, step in enumerate(plan.pipeline):
        if last is not None and not isinstance(step, str) and not _due(run, step, last.text):
            continue
        tail = work.tail and n == len(plan.pipeline) - 1
        step_work = work.at(f"pipeline.{n}", tail=tail)
        if last is not None:
            step_work = replace(step_work, draft=last.text, parent=last.step, instruction="")
        result = await run.step(step, step_work)
        if not result.ok and last is not None:
            reason = f"step {n + 1} of {len(plan.pipeline)}: {result.problem}"
            return last.marked(result.stopped or "failed", reason)
        if not result.ok or result.partial:
            return result
        last = result
    assert last is not None
    return last


def _due(run: Caller, step: Plan, draft: str) -> bool:
    """Whether this request has a step that some requests leave out."""
    if step.when is not None and not holds_of(step.when, draft):
        return False
    return step.every is None or (run.turn(step) + 1) % step.every == 0


async def hedge(run: Caller, plan: Hedge, work: Work) -> Result:
    """Start the next step when a step fails or takes longer than its p95; the first answer wins."""
    steps = [s for s in enumerate(plan.hedge) if not Vital.of(s[1]).missing(run.refusals)]
    running: set[asyncio.Task[Result]] = set()
    failed: Result = Result(problem="no backend of the hedge can answer this request")
    winner: Result | None = None
    try:
        while winner is None and (steps or running):
            pause: float | None = None
            if steps:
                n, step = steps.pop(0)
                task = asyncio.ensure_future(run.step(step, work.at(f"hedge.{n}")))
                running.add(task)
                usual = run.p95(lead(step, {}))
                pause = (usual if usual is not None else plan.after_ms / 1000) if steps else None
            done, running = await asyncio.wait(
                running, timeout=pause, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                result = task.result()
                if result.ok and winner is None:
                    winner = result
                elif result.ok:
                    run.abandon(result)
                else:
                    failed = result
    finally:
        tasks = list(running)
        await ended(tasks)
        for task in tasks:  # a task may have answered just before it was cancelled
            if not task.cancelled() and task.exception() is None:
                run.abandon(task.result())
    return winner if winner is not None else failed
