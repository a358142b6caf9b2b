"""Carrying a request through: decide, call backends until one answers, account, write it down.

The shell around the pure parts. Whatever configuration and policy a request began with, it ends
with, even if newer ones arrive meanwhile.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from learner.policy import Arm
from router.calls.attempts import Attempts, pause_before_retry
from router.calls.outcome import CallOutcome, Stream
from router.calls.prices import estimated, priced
from router.compute.computing import REFUSALS, verification
from router.config.capabilities import able
from router.config.config import Config
from router.config.plans import AnyPlan, Ask
from router.config.signals import SignalSource
from router.domain import (
    CHAT,
    Answered,
    Attempt,
    Call,
    Decision,
    Event,
    Fault,
    Home,
    Recalled,
    Request,
    Signal,
    Trace,
    Usage,
    new_id,
)
from router.engine.accounting import accounted, beside_premium, with_answering
from router.engine.allowances import Allowances
from router.engine.conversations import Homes
from router.engine.functions import Functions
from router.engine.recall import Looked, Remembering, recalled_program, remember, to_adapt
from router.engine.streams import as_comments, error_body_of, marked_partial, metered
from router.plans.concluding import completed, stream_of, unfinished
from router.plans.executor import Executor
from router.plans.pace import Pace
from router.plans.results import Result, abandoned, ended
from router.request.text import prompt_text, tokens_in
from router.request.wants import needs
from router.reuse.recollection import Recollection
from router.routing.claims import Claims
from router.routing.decide import Surroundings, chain_of, named, plan_of, route
from router.routing.following import Following
from router.routing.ladder import policy_in_force, policy_of
from router.signals.assessor import Assessor
from router.telemetry.journal import Journal
from router.telemetry.metrics import Metrics
from router.telemetry.rows import digest
from router.wire.answers import Completion, StreamRecorder, answer_text, completion_in
from router.wire.errors import error_body
from router.wire.sse import DONE, Meter, with_cost

# For the last backend of a chain whose replicas are all gone: one is back in 2 to 4 seconds.
_PATIENCE = 15.0
_IMPATIENCE = 0.5  # where another backend can answer instead
_HEAD_START = 2.0  # seconds that a plan may take before its stream begins without words
_HEARTBEAT = 10.0
_LEFT: dict[str, Any] = {"status": 499, "error": "the caller left", "error_type": "cancelled"}


@dataclass(slots=True)
class Answer:
    """What goes back: either a body, or a stream of SSE bytes that accounts for itself."""

    status: int
    body: bytes
    trace: Trace
    stream: AsyncIterator[bytes] | None = None
    retry_after: float | None = None


@dataclass
class Engine:
    config: Config
    attempts: Attempts
    journal: Journal
    allowances: Allowances
    metrics: Metrics
    homes: Homes
    wall: Callable[[], float] = time.time
    uniform: Callable[[], float] = random.random

    resting: dict[str, float] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    claims: Claims = field(default_factory=Claims)
    learned: Mapping[str, float] = field(default_factory=dict)  # scores of backends
    following: Following = field(default_factory=Following)
    remembers: bool = False  # whether it may have a memory, if the configuration wants one
    remembering: Remembering | None = field(default=None, init=False)
    functions: Functions | None = field(default=None, init=False)  # that routes are asked of
    _level: int = 0  # of isolation, as programs were last run
    _looked: dict[str, Looked] = field(default_factory=dict)  # of requests that are under way

    def __post_init__(self) -> None:
        note = self.journal.note
        self.assessor = Assessor(self._try, self.say, note, self.wall, self.uniform)
        self._begin(self.config)

    def _begin(self, config: Config) -> None:
        self.config, self.policy = config, policy_of(config)
        self.following.bandit = None  # of plans that may be others now; the next one comes soon
        if self.remembering is not None:
            self.remembering.memory.reconfigure(config.reuse)
        elif self.remembers:
            self.remembering = remember(
                config,
                uniform=self.uniform,
                wall=self.wall,
                tell=self.tell,
                ask=lambda backend, call: self._try(self.config, (backend,), call, []),
            )
        in_force = policy_in_force(config, at=self.wall())
        self.policy_version = in_force.version
        self.journal.policy(in_force)

    def reconfigure(self, config: Config) -> None:
        self._begin(config)
        self.resting = {b: until for b, until in self.resting.items() if b in config.backends}

    async def look(
        self, request: Request, *, backend: str, allowed: tuple[str, ...]
    ) -> Looked | None:
        """What is remembered of the like of it, before anything is decided."""
        if self.remembering is None or self.config.reuse.mode == "off":
            return None
        return await self.remembering.look(self.config, request, backend=backend, allowed=allowed)

    async def remembered(self, request: Request, looked: Looked) -> Answer:
        """An answer from memory: nothing is called, and nothing is paid."""
        begun = time.perf_counter()
        assert self.remembering is not None
        assert looked.found is not None
        found = looked.found
        decision = self.remembering.decision(request, found, self.policy_version)
        reply = self.remembering.reply(request, found.solution)
        trace = Trace(
            request,
            decision,
            started_at=self.wall(),
            keep_prompt=self.config.telemetry.prompts,
            recalled=found.recalled,
            status=200,
        )
        text = found.solution.answer
        usage = Usage(tokens_in(prompt_text(request.fields)), tokens_in(text), estimated=True)
        trace = beside_premium(self.config, trace, usage)
        self.remembering.used(trace, looked)
        kept = text if self.config.telemetry.answers else None
        if request.stream:
            answer = Answered(len(text.encode()), digest(text.encode()), kept)
            body = self._recited(stream_of(reply.body), replace(trace, answer=answer), begun)
            return Answer(200, b"", trace, stream=body)
        plain = b"".join([piece async for piece in reply.body])
        trace = replace(trace, answer=Answered(len(plain), digest(plain), kept))
        trace = self._finish(trace, begun)
        return Answer(200, with_cost(plain, usage, 0.0), trace)

    async def _recited(self, stream: Stream, trace: Trace, begun: float) -> AsyncIterator[bytes]:
        prompt_tokens = tokens_in(prompt_text(trace.request.fields))
        meter = Meter(trace.request.include_usage, prompt_tokens, lambda _: 0.0)
        done = False
        try:
            async for piece in metered(stream, meter):
                yield piece
            piece = b"".join(event + b"\n\n" for event in meter.end()) + DONE
            self._finish(trace, begun)
            done = True
            yield piece
        finally:
            if not done:
                self._finish(replace(trace, **_LEFT), begun)

    def decide(
        self,
        request: Request,
        *,
        wanted: str,
        backend: str,
        allowed: tuple[str, ...],
        looked: Looked | None = None,
    ) -> Decision:
        now = self.wall()
        home = None
        if request.session_given or request.continues:
            seconds = self.config.server.sticky_seconds
            home = self.homes.find(request.session, now=now, seconds=seconds)
        resting = [b for b, until in self.resting.items() if until > now]
        around = Surroundings(allowed, resting, home=home, policy_version=self.policy_version)
        decision = named(self.config, request, backend, around, wanted=wanted)
        if decision is not None:
            return decision
        config, following = self.config, self.following
        if looked is not None and looked.vector is not None:
            self.claims.know(config, request, looked.vector)
        claims = self.claims.of(config, request)
        always = config.objective.learning.encode
        vector = self.claims.vector(config, request, always=always)
        lens = following.lens
        around = replace(around, claims=claims, lens=lens, vector=vector)
        steering = following.steering
        if following.bandit is not None and (steering or config.objective.strategy == "bandit"):
            around = replace(around, policy_version=following.version)
        if steering is not None:
            asks = self.functions.ask if self.functions is not None else None
            around = replace(around, steering=steering, asks=asks, similar=_similar(looked))
        if following.collecting:
            following.collect(request, vector)
        return route(
            config,
            self.policy,
            request,
            around,
            wanted=wanted,
            uniform=self.uniform(),
            bandit=following.bandit,
        )

    async def answer(
        self,
        request: Request,
        decision: Decision,
        *,
        path: str,
        wanted: str,
        looked: Looked | None = None,
    ) -> Answer:
        config = self.config
        begun = time.perf_counter()
        recalled = None
        if looked is not None:
            self._looked[request.id] = looked
            recalled = looked.found.recalled if looked.found is not None else None
            if looked.found is not None and recalled is not None and recalled.tier == "adapt":
                request, decision, recalled = self._adapting(request, decision, looked.found)
        trace = Trace(
            request,
            decision,
            started_at=self.wall(),
            operation=wanted,
            keep_prompt=config.telemetry.prompts,
            recalled=recalled,
        )
        plan = plan_of(config, decision)
        if not (isinstance(plan, Ask) and plan.plain and _unbounded(request)):
            return await self._carry_out(config, plan, trace, wanted, begun)
        home = self.homes.find(request.session, now=trace.started_at, seconds=1e9)
        all_wanted = needs(request.fields) | {wanted}
        chain = chain_of(config, decision, request, wanted=all_wanted, home=home)
        call = Call(path, request.body, request.stream, request.id)
        tried: list[Attempt] = []
        try:
            outcome = await self._try(config, chain, call, tried)
        except asyncio.CancelledError:
            trace = replace(trace, attempts=tuple(tried), **_LEFT)
            self._finish(trace, begun)
            raise
        trace = replace(trace, attempts=tuple(tried))
        if outcome.stream is not None:
            body = self._streamed(config, outcome, outcome.stream, trace, begun)
            return Answer(200, b"", trace, stream=body)
        if outcome.answered:
            return await self._answered(config, outcome, trace, begun)
        return self._failed(outcome, trace, begun)

    def _adapting(
        self, request: Request, decision: Decision, found: Recollection
    ) -> tuple[Request, Decision, Recalled | None]:
        """A backend that is told what was answered before changes it to fit, where there is one."""
        adapter = self.config.reuse.adapter
        named_plan = decision.strategy in ("named", "computed", "specialist")
        if adapter is None or named_plan or found.solution.kind != "text":
            return request, decision, None
        arm = Arm(adapter)
        told = replace(
            decision,
            plan=arm,
            propensity=1.0,
            strategy="reuse",
            probabilities={arm: 1.0},
            reason=found.recalled.reason,
        )
        return replace(request, body=to_adapt(request, found.solution)), told, found.recalled

    async def _carry_out(
        self, config: Config, plan: AnyPlan, trace: Trace, wanted: str, begun: float
    ) -> Answer:
        """A plan of more than one step. A stream begins with its first words, or, where the steps
        before them take long, with a comment that says so."""
        request = trace.request
        all_wanted = needs(request.fields) | {wanted}
        executor = Executor(
            config,
            request,
            lambda chain, call, tried: self._try(config, chain, call, tried),
            {b: able(settings, request, all_wanted) for b, settings in config.backends.items()},
            pace=self.pace,
            scores=self.scores,
            seed=lambda: int(self.uniform() * 2**48),
            library=looked.library if (looked := self._looked.get(request.id)) else (),
        )
        task = asyncio.ensure_future(executor.run(plan))
        try:
            patience = _HEAD_START if request.stream else None
            await asyncio.wait({task}, timeout=patience)
            if not task.done():
                answer = Answer(200, b"", trace)
                answer.stream = self._awaited(config, task, executor, answer, begun)
                return answer
            return await self._concluded(config, task.result(), executor, trace, begun)
        except asyncio.CancelledError:
            await ended([task])
            self._finish(replace(trace, attempts=tuple(executor.attempts), **_LEFT), begun)
            raise

    async def _concluded(
        self, config: Config, result: Result, executor: Executor, trace: Trace, begun: float
    ) -> Answer:
        """What came of a plan, as an answer."""
        result = result if result.ok or not result.text else _kept(result)
        trace = replace(
            trace,
            attempts=tuple(executor.attempts),
            answered_by=result.step,
            computed=executor.computed,
            partial=result.partial,
            partial_reason=result.reason,
            recalled=recalled_program(executor.computed) or trace.recalled,
        )
        upstream = executor.upstream_seconds
        if not result.ok:
            return self._came_to_nothing(result, executor, trace, begun)
        assert result.outcome is not None
        outcome = replace(result.outcome, upstream_seconds=upstream)
        comments = [executor.comments.get_nowait() for _ in range(executor.comments.qsize())]
        if outcome.stream is None:
            outcome = await completed(outcome, result.text, trace.request)
        if outcome.stream is not None:
            body = self._streamed(config, outcome, outcome.stream, trace, begun, comments)
            return Answer(200, b"", trace, stream=body)
        return await self._answered(config, outcome, trace, begun)

    def _came_to_nothing(
        self, result: Result, executor: Executor, trace: Trace, begun: float
    ) -> Answer:
        upstream = executor.upstream_seconds
        if trace.computed is not None and not trace.computed["verified"]:
            return self._not_computed(trace, begun, upstream)
        if executor.refusal is not None and not result.stopped:
            body, status = executor.refusal.body, executor.refusal.attempt.status
            trace = replace(trace, status=status, error="refused by the backend")
            trace = replace(trace, error_type="refused_by_backend")
            trace = self._finish(trace, begun, upstream=upstream)
            return Answer(status, error_body_of(body, status), trace)
        status, kind, code, message, wait = unfinished(result, executor.attempts)
        trace = replace(trace, status=status, error=message, error_type=code)
        trace = self._finish(trace, begun, upstream=upstream)
        return Answer(status, error_body(message, kind, code=code), trace, retry_after=wait)

    async def _awaited(
        self,
        config: Config,
        task: "asyncio.Task[Result]",
        executor: Executor,
        promised: Answer,
        begun: float,
    ) -> AsyncIterator[bytes]:
        """A stream whose first words are not there yet: comments keep the caller's line open."""
        concluded = False
        try:
            yield b": waggle is at work\n\n"
            while not task.done():
                comment = asyncio.ensure_future(executor.comments.get())
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
            trace = promised.trace
            answer = await self._concluded(config, task.result(), executor, trace, begun)
            promised.trace = answer.trace
            if answer.stream is None:
                yield b"data: " + answer.body + b"\n\n"
                return
            async with contextlib.aclosing(answer.stream) as stream:  # type: ignore[type-var]
                async for piece in stream:
                    yield piece
        finally:
            if not concluded:
                await ended([task])
                abandoned(task)
                left = replace(promised.trace, attempts=tuple(executor.attempts), **_LEFT)
                self._finish(left, begun)

    async def _try(
        self, config: Config, chain: tuple[str, ...], call: Call, tried: list[Attempt]
    ) -> CallOutcome:
        """One backend after the other, until one answers. What was tried is put into `tried`."""
        outcome: CallOutcome | None = None
        for backend in chain:
            settings = config.backends[backend]
            patience = _PATIENCE if backend == chain[-1] else _IMPATIENCE
            for turn in range(settings.retry.times + 1):
                outcome = await self.attempts.try_once(backend, call, patience=patience)
                self._note(outcome)
                if outcome.answered:
                    tried.append(outcome.attempt)
                    return outcome
                tried.append(replace(outcome.attempt, provider=settings.kind))
                pause = pause_before_retry(
                    outcome.attempt,
                    settings.retry,
                    turn=turn,
                    asked=outcome.retry_after,
                    uniform=self.uniform(),
                )
                if pause is None:
                    break
                await asyncio.sleep(pause)
        if outcome is None:
            raise ValueError("a chain without backends: decide() lets none through")
        return outcome

    def say(self, signals: Sequence[Signal]) -> None:
        """What we found of answers ourselves."""
        self.journal.say(signals)
        self.heard(signals)

    def heard(self, signals: Sequence[Signal]) -> None:
        if self.remembering is not None:
            self.remembering.heard(signals)

    def tell(self, kind: str, subject: str, state: str, **detail: Any) -> None:
        """Something that happened to the service, seen by this router."""
        now = self.wall()
        self.journal.note(Event(new_id(now), now, kind, subject, state, detail))

    def tell_once(self, kind: str, event_id: str, state: str) -> None:
        """As `tell`, of something that every router sees: by one id, so that it counts once."""
        detail = {"policy_version": self.policy_version, "plans": list(self.config.plans)}
        self.journal.note(Event(event_id, self.wall(), kind, self.policy_version, state, detail))

    async def asked(self, backend: str, prompt: str) -> str:
        """What a backend says to this, for ourselves; nothing, where it does not answer."""
        body = orjson.dumps({"model": backend, "messages": [{"role": "user", "content": prompt}]})
        if backend not in self.config.backends:
            return ""
        call = Call(CHAT, body, False, new_id(self.wall()))
        outcome = await self._try(self.config, (backend,), call, [])
        return answer_text(outcome.body) if outcome.answered else ""

    async def steer(self) -> None:
        """Have the functions ready that trials and strategies are made of."""
        steering = self.following.steering
        wanted = steering.functions if steering is not None else ()
        if self.functions is None and wanted:
            deadline = self.config.trials.function_ms / 1000
            self.functions = Functions(deadline, self._tell_of_function)
        if self.functions is not None:
            self.functions.deadline_seconds = self.config.trials.function_ms / 1000
            await self.functions.follow(wanted)

    def _tell_of_function(self, key: str, state: str, reason: str) -> None:
        self.tell("function", key, state, reason=reason)

    def scores(self, backend: str) -> float:
        """How much a backend's vote counts; one of whom nothing is known, as much as any."""
        return self.learned.get(backend, 1.0)

    def _note(self, outcome: CallOutcome) -> None:
        attempt = outcome.attempt
        if not attempt.fault:
            self.pace.see(attempt.backend, attempt.seconds)
        self.metrics.count(
            "waggle_attempts_total", backend=attempt.backend, outcome=attempt.fault or "answered"
        )
        if attempt.fault == "breaker_open":
            # Its own breaker knows best; this only spares us the hop, and lets decisions see it.
            rest = min(outcome.retry_after or 1.0, 2.0)
            if attempt.backend not in self.resting:
                self.tell("breaker", attempt.backend, "open", reason=attempt.detail)
            self.resting[attempt.backend] = self.wall() + rest
        elif not attempt.fault and self.resting.pop(attempt.backend, None) is not None:
            self.tell("breaker", attempt.backend, "closed")

    async def _answered(
        self, config: Config, outcome: CallOutcome, trace: Trace, begun: float
    ) -> Answer:
        body, status = outcome.body, outcome.attempt.status
        looked = self._looked.pop(trace.request.id, None)
        sources: tuple[SignalSource, ...] = ()
        if outcome.callers_fault:
            body = error_body_of(body, status)
            trace = replace(trace, error="refused by the backend", error_type="refused_by_backend")
            text = ""
        else:
            usage = outcome.usage or estimated(trace.request, len(body))
            sources = self.assessor.chosen(config, trace)
            text = answer_text(body) if config.telemetry.answers or sources else ""
            kept = text if config.telemetry.answers else None
            answer = Answered(len(body), digest(body), kept)
            trace = accounted(config, trace, usage, answer, settled=outcome.settled)
            body = with_cost(body, usage, trace.cost_usd)
            await self._spent(trace)
        trace = self._finish(trace, begun, outcome, status=status)
        if not outcome.callers_fault and self._wanted(config, looked):
            self._remember(config, looked, trace, completion_in(body))
        self.assessor.assess(config, sources, trace, text)
        return Answer(status, body, trace)

    def _wanted(self, config: Config, looked: Looked | None) -> bool:
        return self.remembering is not None and self.remembering.wants(config, looked)

    def _remember(
        self, config: Config, looked: Looked | None, trace: Trace, whole: Completion | None
    ) -> None:
        if looked is not None and whole is not None and self.remembering is not None:
            self.remembering.answered(config, looked, trace, whole.text, whole.model)

    def _not_computed(self, trace: Trace, begun: float, upstream: float) -> Answer:
        """Nothing held, and no model was to answer in words: say which constraint it was."""
        assert trace.computed is not None
        problem = trace.computed["problem"]
        status, kind, code, begins = REFUSALS.get(
            trace.computed["status"], REFUSALS["not_verified"]
        )
        message = f"{begins}: {problem}."
        trace = replace(trace, status=status, error=message, error_type=code)
        trace = self._finish(trace, begun, upstream=upstream)
        wait = 1.0 if status in (429, 503) else None
        return Answer(status, error_body(message, kind, code=code), trace, retry_after=wait)

    def _failed(self, outcome: CallOutcome, trace: Trace, begun: float) -> Answer:
        """Nobody answered: say what was tried. Only where all were busy is it 429."""
        tried = "; ".join(attempt.summary() for attempt in trace.attempts)
        busy = all(a.fault == "queue_full" or a.status == 429 for a in trace.attempts)
        status, kind = (429, "rate_limit_error") if busy else (503, "server_error")
        code = "backends_busy" if busy else "no_backend_answered"
        message = f"No backend could answer. Tried: {tried}."
        trace = replace(trace, status=status, error=message, error_type=code)
        trace = self._finish(trace, begun, outcome)
        return Answer(
            status,
            error_body(message, kind, code=code),
            trace,
            retry_after=outcome.retry_after or 1.0,
        )

    async def _streamed(
        self,
        config: Config,
        outcome: CallOutcome,
        stream: Stream,
        trace: Trace,
        begun: float,
        comments: Sequence[str] = (),
    ) -> AsyncIterator[bytes]:
        """The events of a stream, with the cost in the last; on a break, an error event."""
        request = trace.request
        prompt_tokens = tokens_in(prompt_text(request.fields))
        backend = config.backends[outcome.attempt.backend]
        answering = trace.answering
        assert answering is not None
        settled = outcome.settled
        others = trace.cost_usd - answering.cost_usd

        def cost_of(usage: Usage) -> float:
            return trace.cost_usd if settled else others + priced(backend.price, usage)

        meter = Meter(request.include_usage, prompt_tokens, cost_of)
        sources = self.assessor.chosen(config, trace)
        looked = self._looked.pop(request.id, None)
        wanted = self._wanted(config, looked)
        recorder = StreamRecorder(words=config.telemetry.answers or bool(sources) or wanted)
        trace = replace(trace, status=200)
        written: Trace | None = None

        def write(trace: Trace) -> Trace:
            usage = meter.final_usage()
            answer = recorder.answer()
            text = answer.text or ""
            if not config.telemetry.answers:
                answer = replace(answer, text=None)
            trace = accounted(config, trace, usage, answer, settled=settled)
            trace = self._finish(trace, begun, outcome)
            if wanted:
                self._remember(config, looked, trace, recorder.completion())
            self.assessor.assess(config, sources, trace, text)
            return trace

        try:
            if comments or trace.partial:
                yield as_comments(comments, trace)
            async for piece in metered(stream, meter):
                recorder.take(piece)
                yield piece
            piece = b"".join(event + b"\n\n" for event in marked_partial(meter.end(), trace)) + DONE
            recorder.take(piece)
            written = write(trace)  # before the caller has the end: what was answered is remembered
            yield piece
        except Fault as fault:
            message = f"The stream of {trace.backend} broke: {fault.detail}."
            if written is None:
                broken_off = replace(answering, fault=fault.kind, detail=fault.detail)
                told = replace(with_answering(trace, broken_off), status=502, error=message)
                written = write(replace(told, error_type="stream_broken"))
            body = error_body(message, "server_error", code="stream_broken")
            yield b"data: " + body + b"\n\n"
        finally:
            stream.connection.finish()
            if written is None:
                written = write(replace(trace, **_LEFT))
            with contextlib.suppress(Exception):
                await asyncio.shield(self._spent(written))

    async def _spent(self, trace: Trace) -> None:
        tokens = sum(a.usage.input_tokens + a.usage.output_tokens for a in trace.attempts)
        await self.allowances.spent(trace.request.key_id, tokens, trace.cost_usd)

    def _finish(
        self,
        trace: Trace,
        begun: float,
        outcome: CallOutcome | None = None,
        *,
        status: int | None = None,
        upstream: float | None = None,
    ) -> Trace:
        """`upstream`: how long some backend was at work, where steps ran beside each other."""
        seconds = time.perf_counter() - begun
        first = seconds
        if upstream is None:
            upstream = sum(a.seconds for a in trace.attempts[:-1])
        if outcome is not None:
            whole = any(a.role for a in trace.attempts)
            upstream = outcome.upstream_seconds + (0.0 if whole else upstream)
            first = outcome.attempt.first_byte_seconds or seconds
        streamed = outcome is not None and outcome.stream is not None
        overhead = max((first if streamed else seconds) - upstream, 0.0)
        trace = replace(
            trace,
            status=trace.status if status is None else status,
            seconds=seconds,
            first_byte_seconds=first,
            overhead_seconds=overhead,
        )
        self._looked.pop(trace.request.id, None)
        self._count(trace, streamed=streamed)
        settles = trace.decision.strategy not in ("named", "computed", "specialist", "reuse")
        if trace.status < 400 and len(self.config.plans) > 1 and settles:
            home = Home(trace.decision.plan, trace.backend, trace.started_at)
            self.homes.settle(trace.request.session, home)
        self.journal.append(trace)
        if trace.computed is not None:
            self._heed_level(trace.computed)
            if trace.computed["verified"]:
                self.say([verification(trace, self.wall())])
        return trace

    def _heed_level(self, computed: Mapping[str, Any]) -> None:
        """How far programs are isolated, told when it is first seen and when it changes."""
        level = computed.get("run", {}).get("level", 0)
        if level and level != self._level:
            self._level = level
            self.tell("sandbox", "programs", f"level {level}")

    def _count(self, trace: Trace, *, streamed: bool) -> None:
        metrics, backend = self.metrics, trace.backend
        metrics.count("waggle_reuse_total", tier=trace.tier)
        metrics.count("waggle_requests_total", plan=trace.decision.plan, status=str(trace.status))
        metrics.observe("waggle_overhead_seconds", trace.overhead_seconds)
        labels = {"gen_ai_request_model": backend}
        metrics.observe("gen_ai_client_operation_duration_seconds", trace.seconds, **labels)
        if streamed:
            name = "gen_ai_server_time_to_first_token_seconds"
            metrics.observe(name, trace.first_byte_seconds, **labels)
        name = "gen_ai_client_token_usage_total"
        for attempt in trace.attempts:
            usage, labels = attempt.usage, {"gen_ai_request_model": attempt.backend}
            metrics.count("waggle_cost_usd_total", attempt.cost_usd, backend=attempt.backend)
            metrics.count(name, usage.input_tokens, gen_ai_token_type="input", **labels)
            metrics.count(name, usage.output_tokens, gen_ai_token_type="output", **labels)


def _similar(looked: Looked | None) -> list[dict[str, Any]]:
    """What is remembered that is like a request, as routing functions are told of it."""
    if looked is None or looked.found is None:
        return []
    found = looked.found
    return [
        {
            "plan": found.solution.plan,
            "similarity": found.recalled.similarity,
            "tier": found.recalled.tier,
            "rate": found.solution.rate,
        }
    ]


def _unbounded(request: Request) -> bool:
    return request.max_cost_usd is None and request.max_latency_ms is None


def _kept(result: Result) -> Result:
    """An answer that something is wrong with, where there is none better."""
    return result if result.outcome is None else result.marked("gate", result.problem)
