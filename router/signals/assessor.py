"""Judging answers once they have gone out: nobody waits for it, and it never crowds out requests.

What was chosen by chance carries the probability it was chosen with. Judges cost money: each call
is an event with its cost, so that judging shows up in no request's bill and in every account of it.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from router.calls.outcome import CallOutcome
from router.calls.prices import priced
from router.config.config import Config
from router.config.signals import SignalSource
from router.domain import CHAT, RUN, Attempt, Call, Event, Request, Signal, Trace, new_id
from router.plans.prompts import Message, better_in, opinion_in, to_compare, to_judge
from router.request.statistical import program_in
from router.signals.verdicts import JudgeVerdict, preferred, supported, verdict, wants_json
from router.wire.answers import answer_text

_AT_ONCE = 4
_WAITING = 256
_log = logging.getLogger("waggle")

Try = Callable[[Config, tuple[str, ...], Call, list[Attempt]], Awaitable[CallOutcome]]


@dataclass
class Assessor:
    attempt: Try
    say: Callable[[Sequence[Signal]], None]
    note: Callable[[Event], None]
    wall: Callable[[], float]
    uniform: Callable[[], float]
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def chosen(self, config: Config, trace: Trace) -> tuple[SignalSource, ...]:
        """Which sources will judge this answer. Asked before it is there: its words must be kept
        until then, and only where somebody will read them."""
        request = trace.request
        if trace.operation != "chat" or len(self._tasks) >= _WAITING:
            return ()
        return tuple(
            source
            for source in config.signals
            if (not source.plans or trace.decision.plan in source.plans)
            and _may_say(source, request)
            and (source.share >= 1 or self.uniform() < source.share)
        )

    def assess(
        self, config: Config, sources: Sequence[SignalSource], trace: Trace, text: str
    ) -> None:
        if not sources or trace.status != 200 or not text:
            return
        task = asyncio.ensure_future(self._all(config, sources, trace, text))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Until all that was begun is judged."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.idle()

    async def _all(
        self, config: Config, sources: Sequence[SignalSource], trace: Trace, text: str
    ) -> None:
        async with self._turns:
            for source in sources:
                try:
                    told = await self._verdict(config, source, trace, text)
                except Exception:  # a judge that fails has said nothing; the answer is long out
                    _log.exception("the signal %s failed", source.kind)
                    continue
                if told is not None:
                    self.say([self._signal(source, trace, told)])

    async def _verdict(
        self, config: Config, source: SignalSource, trace: Trace, text: str
    ) -> JudgeVerdict | None:
        match source.kind:
            case "tests":
                return await self._tested(config, source, trace, text)
            case "specialist":
                return await self._supported(config, source, trace, text)
            case "judge":
                return await self._judged(config, source, trace, text)
        return await asyncio.to_thread(verdict, source, trace.request.fields, text)

    async def _tested(
        self, config: Config, source: SignalSource, trace: Trace, text: str
    ) -> JudgeVerdict | None:
        """The answer's program, followed by the tests that came with the request."""
        passed = secrets.token_hex(8)  # nothing that the program says can pass for this
        program = f"{program_in(text)}\n\n{_tests_of(trace.request)}\n\nresult = {passed!r}\n"
        job = orjson.dumps({"source": program})
        outcome = await self._ask(config, source, trace, RUN, job)
        if outcome is None:
            return None
        told = orjson.loads(outcome.body)
        if told["status"] in ("refused", "no_answer"):
            return None
        good = told["status"] == "ok" and told["result"] == passed
        return JudgeVerdict(float(good), "its tests pass" if good else f"tests: {told['status']}")

    async def _supported(
        self, config: Config, source: SignalSource, trace: Trace, text: str
    ) -> JudgeVerdict | None:
        question = {"role": "user", "content": trace.request.reading.last_words}
        job = orjson.dumps({"model": "auto", "messages": [question], "passages": 5})
        outcome = await self._ask(config, source, trace, CHAT, job)
        told = orjson.loads(outcome.body).get("specialist") if outcome is not None else None
        if not told or not told["found"]:
            return None
        return supported(text, [passage["text"] for passage in told["passages"]])

    async def _judged(
        self, config: Config, source: SignalSource, trace: Trace, text: str
    ) -> JudgeVerdict | None:
        request = trace.request
        conversation = request.reading.text
        if source.against is None:
            said = await self._said(config, source, trace, to_judge(conversation, text))
            score = opinion_in(said).score if said is not None else None
            return None if score is None else JudgeVerdict(score, "a judge's score")
        fields = {k: v for k, v in request.fields.items() if k not in ("stream", "stream_options")}
        other = await self._ask(
            config, source, trace, CHAT, orjson.dumps(fields), backend=source.against
        )
        rival = answer_text(other.body) if other is not None else ""
        if not rival:
            return None
        first = await self._said(config, source, trace, to_compare(conversation, text, rival))
        second = await self._said(config, source, trace, to_compare(conversation, rival, text))
        if first is None or second is None:
            return None
        return preferred(better_in(first), better_in(second), text, rival)

    async def _said(
        self, config: Config, source: SignalSource, trace: Trace, messages: list[Message]
    ) -> str | None:
        fields = {"model": "auto", "messages": messages, "temperature": 0}
        outcome = await self._ask(config, source, trace, CHAT, orjson.dumps(fields))
        return None if outcome is None else answer_text(outcome.body)

    async def _ask(
        self,
        config: Config,
        source: SignalSource,
        trace: Trace,
        path: str,
        body: bytes,
        *,
        backend: str | None = None,
    ) -> CallOutcome | None:
        name = backend or source.by or ""
        call = Call(path, body, False, trace.request.id)
        outcome = await self.attempt(config, (name,), call, [])
        price = config.backends[name].price
        cost = 0.0 if outcome.usage is None else priced(price, outcome.usage)
        detail: Mapping[str, Any] = {
            "request_id": trace.request.id,
            "backend": name,
            "cost_usd": cost,
            "latency_ms": round(1000 * outcome.attempt.seconds, 3),
            "share": source.share,
        }
        now = self.wall()
        self.note(Event(new_id(now), now, "signal", source.kind, "asked", detail))
        good = outcome.answered and not outcome.callers_fault
        return outcome if good else None

    def _signal(self, source: SignalSource, trace: Trace, told: JudgeVerdict) -> Signal:
        now = self.wall()
        who = "judge" if source.kind == "judge" else "check"
        return Signal(
            new_id(now), now, trace.about, who, source.kind, told.told, told.score, source.believed
        )


def _may_say(source: SignalSource, request: Request) -> bool:
    match source.kind:
        case "json" | "schema":
            return wants_json(request.fields)
        case "tests":
            return bool(_tests_of(request))
    return True


def _tests_of(request: Request) -> str:
    """Tests that came with a request: Python that raises where the program is wrong."""
    metadata = request.fields.get("metadata")
    told = metadata.get("tests") if isinstance(metadata, dict) else None
    return told if isinstance(told, str) else ""
