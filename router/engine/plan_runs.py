"""Runs plans step by step, and turns their results into answers."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from router.config.plans import AnyPlan
from router.domain import Trace
from router.engine.allowances import Allowances
from router.engine.asked_nodes import Validating
from router.engine.progress import Answer, InProgress
from router.engine.recall import recalled_program
from router.engine.replying import Replying
from router.engine.streams import with_level
from router.engine.tries import Tries
from router.plans.calling import StepCalls
from router.plans.citing import Citation, keeps_citations, with_citations
from router.plans.concluding import completed
from router.plans.designs import Designs
from router.plans.executor import Executor
from router.plans.logprobs import chances_of
from router.plans.results import Result, abandoned, ended
from router.reuse.programs.standards import NO_STANDARDS
from router.routing.eligible import backend_refusals
from router.wire.answers import choice_texts

_HEARTBEAT = 10.0


@dataclass
class PlanRuns:
    tries: Tries
    replying: Replying
    allowances: Allowances
    score: Callable[[str], float]
    uniform: Callable[[], float]
    designs: Designs
    validating: Callable[[Trace], Validating]
    head_start_seconds: float = 2.0  # the wait for first words before the stream begins
    clock: Callable[[], float] = time.perf_counter

    async def answer(self, progress: InProgress, plan: AnyPlan) -> Answer:
        """Run a plan. If a streaming caller has waited `head_start_seconds`, begin the stream with
        a comment."""
        executor = self._executor(progress)
        task = asyncio.ensure_future(executor.run(plan))
        try:
            patience = self.head_start_seconds if progress.trace.request.stream else None
            await asyncio.wait({task}, timeout=patience)
            if not task.done():
                answer = Answer(200, b"", progress.trace, pending=True)
                answer.stream = self._awaited(progress, task, executor, answer)
                return answer
            return await self._concluded(progress, task.result(), executor)
        except asyncio.CancelledError:
            await ended([task])
            self._left(progress, executor)
            raise

    def _executor(self, progress: InProgress) -> Executor:
        trace = progress.trace
        config, request = progress.plans.config, trace.request
        calls = StepCalls(
            progress.plans,
            request,
            lambda chain, call, tried: self.tries.try_chain(config, chain, call, tried),
            lambda chain, body: self.allowances.reserve(config, chain, request, body),
            self.tries.pace,
            self.clock,
        )
        return Executor(
            progress.plans,
            request,
            calls,
            backend_refusals(progress.plans, request, config.backends),
            score=self.score,
            seed=lambda: int(self.uniform() * 2**48),
            library=progress.lookup.library if progress.lookup is not None else (),
            standards=progress.lookup.standards if progress.lookup is not None else NO_STANDARDS,
            clock=self.clock,
            designs=self.designs,
            validate=self.validating(trace),
            pattern=request.task or trace.decision.pattern or trace.decision.kind,
            kind=trace.decision.kind,
            whole=trace.cites,
            others=[arm for arm in trace.decision.probabilities if arm != trace.decision.plan],
        )

    async def _awaited(
        self,
        progress: InProgress,
        task: "asyncio.Task[Result]",
        executor: Executor,
        promised: Answer,
    ) -> AsyncIterator[bytes]:
        """Stream comments, which keep the caller's connection open, until the plan answers."""
        concluded = False
        try:
            yield b": waggle is at work\n\n"
            while not task.done():
                comment = asyncio.ensure_future(executor.calls.comments.get())
                await asyncio.wait(
                    {task, comment}, timeout=_HEARTBEAT, return_when=asyncio.FIRST_COMPLETED
                )
                if comment.done():
                    yield f": {comment.result()}\n\n".encode()
                    continue
                comment.cancel()
                if not task.done():
                    yield b": still at it\n\n"
            concluded = True
            try:
                answer = await self._concluded(progress, task.result(), executor, note=True)
            except asyncio.CancelledError:
                concluded = False
                raise
            promised.trace = answer.trace
            if answer.stream is None:
                yield b"data: " + with_level(answer.body, answer.trace) + b"\n\n"
                return
            async with contextlib.aclosing(answer.stream) as stream:  # type: ignore[type-var]
                async for piece in stream:
                    yield piece
        finally:
            if not concluded:
                await ended([task])
                abandoned(task)
                self._left(progress, executor)

    async def _concluded(
        self, progress: InProgress, result: Result, executor: Executor, *, note: bool = False
    ) -> Answer:
        """Turn the result of a plan into an answer."""
        if not result.ok and result.text and result.outcome is not None:
            # A flawed answer is better than none.
            result = result.marked(result.flaw, result.problem)
        calls, trace = executor.calls, progress.trace
        trace.attempts, trace.answered_by = tuple(calls.attempts), result.step
        trace.computed = _computed(executor, result)
        if isinstance(executor.validate, Validating):
            exposures = (*trace.decision.exposures, *executor.validate.noted())
            trace.decision = replace(trace.decision, exposures=exposures)
        trace.partial, trace.partial_reason = result.partial, result.reason
        trace.recalled = recalled_program(executor.computed) or trace.recalled
        if self.replying.keeping is not None:
            self.replying.keeping.computed(trace)
        upstream = calls.upstream_seconds
        if not result.ok and result.stopped == "limit" and calls.limited is not None:
            if not calls.attempts:
                raise calls.limited
            return self.replying.limited(progress, calls.limited, upstream)
        if not result.ok:
            return self.replying.without_result(progress, result, calls.refusal, upstream)
        if not _keeps_citations(result, calls.citations):
            return self.replying.withheld(progress, upstream)
        assert result.outcome is not None
        outcome = replace(result.outcome, upstream_seconds=upstream)
        comments = [calls.comments.get_nowait() for _ in range(calls.comments.qsize())]
        if progress.plans.config.telemetry.answers and not trace.private:
            trace.chances = chances_of(outcome.body, result.text)
        if outcome.stream is None:
            outcome = await completed(outcome, result.text, trace.request)
        if outcome.stream is None:
            if calls.citations:
                outcome = replace(outcome, body=with_citations(outcome.body, calls.citations))
            return await self.replying.whole(progress, outcome)
        body = self.replying.streamed(progress, outcome, outcome.stream, comments, note=note)
        return Answer(200, b"", trace, stream=body)

    def _left(self, progress: InProgress, executor: Executor) -> None:
        progress.trace.attempts = tuple(executor.calls.attempts)
        progress.leave()
        self.replying.ledger.finish(progress)


def _keeps_citations(result: Result, citations: Sequence[Citation]) -> bool:
    """Whether the answer, and each of its choices if it has several, cites what it must."""
    texts = [result.text]
    if citations and result.outcome is not None and result.outcome.stream is None:
        choices = choice_texts(result.outcome.body)
        texts += choices if len(choices) > 1 else []
    return all(keeps_citations(text, citations) for text in texts)


def _computed(executor: Executor, result: Result) -> Mapping[str, Any] | None:
    """What was computed. Only the very text that was checked keeps its level: another backend's
    answer, or what a later step made of the text, is unverified."""
    computed, checked = executor.computed, executor.document
    if computed is None or (result.ok and checked and result.text == checked):
        return computed
    return {**computed, "level": "unverified"}
