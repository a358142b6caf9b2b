"""What comes after what: the patterns of plans, each a short program over steps."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from router.config.plans import Ask, Cascade, FanOut, Hedge, Pipeline, Refine, Review, Step, lead
from router.plans.bodies import Work, body_of
from router.plans.feasible import impossible
from router.plans.merging import counted, joined, parts_of
from router.plans.prompts import mending, to_fuse, to_review
from router.plans.results import Result, ended
from router.records.json_text import NoJson, json_in
from router.records.shape_fields import field_names
from router.request.wants import shape_of
from router.wire.splice import replaced

if TYPE_CHECKING:
    from router.plans.executor import Executor


async def cascade(run: "Executor", plan: Cascade, work: Work) -> Result:
    """From the cheapest on, until one is accepted."""
    rungs = [r for r in enumerate(plan.cascade) if not impossible(run.config, r[1], run.why)]
    best: Result | None = None
    result = Result(problem="no rung can answer this request")
    for n, rung in rungs:
        last = n == rungs[-1][0]
        told = work.at(f"cascade.{n}", tail=work.tail and last)
        if not last:
            told = replace(told, logprobs=plan.accept.wants_logprobs)
            told = replace(told, entropy=plan.accept.entropy is not None)
        result = await run.step(rung, replace(told, parent=best.step if best else work.parent))
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


async def pipeline(run: "Executor", plan: Pipeline, work: Work) -> Result:
    """Each step goes on with what the one before it made."""
    last: Result | None = None
    for n, step in enumerate(plan.pipeline):
        tail = work.tail and n == len(plan.pipeline) - 1
        told = work.at(f"pipeline.{n}", tail=tail)
        if last is not None:
            told = replace(told, draft=last.text, parent=last.step, told="")
        result = await run.step(step, told)
        if not result.ok and last is not None:
            reason = f"step {n + 1} of {len(plan.pipeline)}: {result.problem}"
            return last.marked(result.stopped or "failed", reason)
        if not result.ok or result.partial:
            return result
        last = result
    assert last is not None
    return last


@dataclass(slots=True)
class Branch:
    """One of those that were asked at once."""

    number: int
    step: Step
    task: asyncio.Task[Result]

    @property
    def result(self) -> Result | None:
        return self.task.result() if self.task.done() and not self.task.cancelled() else None

    @property
    def ok(self) -> bool:
        return self.result is not None and self.result.ok


async def fan_out(run: "Executor", plan: FanOut, work: Work) -> Result:
    """All at once; who is late when enough are there is left behind."""
    parts = _parts(run, plan)
    branches = []
    for n, step in enumerate(plan.fan_out):
        told = work.at(f"fan_out.{n}", tail=False)
        if parts is not None:
            names = tuple(field_names(parts[n]))
            if not names:
                continue  # more branches than fields: nothing is left for this one
            told = replace(told, fields=names)
        task = asyncio.ensure_future(run.step(step, told))
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


def _parts(run: "Executor", plan: FanOut) -> list[Any] | None:
    """What of the shape each branch is asked for, where the answers are to be joined."""
    shape = shape_of(run.request.fields)
    if plan.merge != "deep" or shape is None:
        return None
    plans = [run.config.plan(step) for step in plan.fan_out]
    wishes = [p.fields if isinstance(p, Ask) and isinstance(p.fields, tuple) else () for p in plans]
    return parts_of(shape, wishes)


async def _gathered(branches: Sequence[Branch], deadline_ms: float | None, enough: int) -> None:
    """Until all are there; or until the deadline, if enough are by then; or until enough are."""
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
    said = "was left behind" if branch.result is None else branch.result.problem
    return f"branch {branch.number + 1}: {said}"


async def _merged(run: "Executor", plan: FanOut, good: Sequence[Branch], work: Work) -> Result:
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


def _weight(run: "Executor", plan: FanOut, step: Step) -> float:
    backend = lead(step, run.config.plans)
    return plan.weights.get(backend) or run.scores(backend)


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
    text = orjson.dumps(joined(documents)).decode()
    outcome = None if last.outcome is None else replace(last.outcome, body=b"")
    result = replace(last, text=text, outcome=outcome)
    return result.marked("failed", "; ".join(bad)) if bad else result


async def _best(run: "Executor", plan: FanOut, results: Sequence[Result], work: Work) -> Result:
    assert plan.by is not None
    if len(results) == 1:
        return results[0]
    told = [run.opinion(plan.by, r.text, r.step, work, "best") for r in results]
    scores = [opinion.score for opinion, _ in await run.together(told)]
    known = [(-1.0 if score is None else score) for score in scores]
    best = results[known.index(max(known))]
    if max(known) < 0:
        return best.marked("unjudged", f"{plan.by} judged none of the answers")
    return best


async def _fused(run: "Executor", plan: FanOut, results: Sequence[Result], work: Work) -> Result:
    assert plan.by is not None
    parent = max(result.step for result in results)
    messages = [
        *run.request.fields["messages"],
        {"role": "user", "content": to_fuse([result.text for result in results])},
    ]
    told = work.at("fuse", parent=parent)
    body = body_of(run.request, replace(told, draft="", told=""), "openai")
    body = replaced(body, {b'"messages"': orjson.dumps(messages)})
    stream = run.request.stream and work.tail
    result = await run.asked((plan.by,), body, told, stream=stream)
    if result.ok:
        return result
    return results[0].marked(result.stopped or "failed", f"nothing was fused: {result.problem}")


async def refine(run: "Executor", plan: Refine, work: Work) -> Result:
    """Draft, criticise, mend, until the critic is content or the rounds are over."""
    told = plan.refine
    draft = await run.step(told.draft, work.at("refine.draft", tail=False))
    if not draft.ok or draft.partial:
        return draft
    best, best_score, problem, stopped = draft, -1.0, "", ""
    for turn in range(told.max + 1):
        opinion, step = await run.opinion(
            told.critic, draft.text, draft.step, work, "refine.critic"
        )
        score = -1.0 if opinion.score is None else opinion.score
        if score > best_score:
            best, best_score = draft, score
        if score >= told.until - 1e-9:
            return draft
        problem = opinion.problems or "no more was said"
        if turn == told.max or opinion.score is None:
            break
        mended = await run.step(
            told.fixer or told.draft,
            work.at(
                "refine.fixer",
                draft=draft.text,
                told=mending(problem),
                parent=step,
                tail=False,
            ),
        )
        if not mended.ok:
            problem, stopped = mended.problem, mended.stopped
            break
        draft = mended
    if told.finally_ is not None and not stopped:
        final = await run.step(told.finally_, work.at("refine.finally"))
        if final.ok:
            return final
        problem, stopped = final.problem, final.stopped
    said = "nothing readable" if best_score < 0 else f"{best_score:g}"
    reason = f"the critic gave {said} of the {told.until:g} asked: {problem}"
    return best.marked(stopped or "critic", reason)


async def review(run: "Executor", plan: Review, work: Work) -> Result:
    """Nothing goes out that does not belong into the conversation."""
    told = plan.review
    draft = await run.step(told.draft, work.at("review.draft", tail=False))
    problem = ""
    for turn in range(told.max + 1):
        if not draft.ok or draft.partial:
            return draft
        opinion, step = await run.opinion(
            told.reviewer, draft.text, draft.step, work, "review.reviewer", to_review
        )
        if opinion.score is None:
            return draft.marked(
                "unreviewed", f"{told.reviewer} reviewed nothing: {opinion.problems}"
            )
        if opinion.score >= 0.5:
            return draft
        problem = opinion.problems or "it does not fit the conversation"
        if turn == told.max:
            break
        again = work.at(
            "review.again",
            draft=draft.text,
            told=mending(problem),
            parent=step,
            tail=False,
        )
        mended = await run.step(told.draft, again)
        if not mended.ok:
            return draft.marked(mended.stopped or "review", f"{problem}; {mended.problem}")
        draft = mended
    return draft.marked("review", problem)


async def hedge(run: "Executor", plan: Hedge, work: Work) -> Result:
    """The next begins when the one before is slower than its p95, or has failed."""
    steps = [s for s in enumerate(plan.hedge) if not impossible(run.config, s[1], run.why)]
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
                known = run.pace.p95(lead(step, run.config.plans))
                pause = (known if known is not None else plan.after_ms / 1000) if steps else None
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
        for task in tasks:  # one may have answered in the same moment
            if not task.cancelled() and task.exception() is None:
                run.abandon(task.result())
    return winner if winner is not None else failed
