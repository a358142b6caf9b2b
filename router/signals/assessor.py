"""Judges answers after they were sent: no request waits, and only a few judgements run at once.

A source may judge only a share of the answers: the share is the probability that an answer is
judged.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from router.config.config import Config
from router.config.signals import SignalSource
from router.domain import Event, Request, Signal, Trace, new_id
from router.signals.inquiries import Inquiry, Try, tests_of
from router.signals.judgements import Judgement, by_its_words, wants_json

_AT_ONCE = 4
_MOST_WAITING = 256
_log = logging.getLogger("waggle")


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
        """The sources that will judge the answer to this request.

        The choice comes before the answer, whose text is remembered only if a source will read it.
        A computed answer that is not proven gets no check, because its form says nothing about it.
        """
        request, verified = trace.request, trace.verified
        checks = verified is None or verified.proven
        if trace.operation != "chat" or len(self._tasks) >= _MOST_WAITING:
            return ()
        return tuple(
            source
            for source in config.signals
            if (not source.plans or trace.decision.plan in source.plans)
            and (checks or source.kind == "judge")
            and _can_judge(source, request)
            and (source.share >= 1 or self.uniform() < source.share)
        )

    def assess(
        self, config: Config, sources: Sequence[SignalSource], trace: Trace, text: str
    ) -> None:
        if not sources or trace.status != 200 or not text:
            return
        task = asyncio.ensure_future(self._assess(config, sources, trace, text))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Wait until every waiting answer is judged."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.idle()

    async def _assess(
        self, config: Config, sources: Sequence[SignalSource], trace: Trace, text: str
    ) -> None:
        async with self._turns:
            for source in sources:
                inquiry = Inquiry(config, source, trace, text, self.attempt, self.note, self.wall)
                try:
                    judgement = await _judgement(inquiry)
                except Exception:  # a failing source gives no signal, and harms no caller
                    _log.exception("the signal %s failed", source.kind)
                    continue
                if judgement is not None:
                    keeps = config.telemetry.answers and not trace.request.no_store
                    keeps = keeps and not trace.private
                    self.say([self._signal(source, trace, judgement, keeps=keeps)])

    def _signal(
        self, source: SignalSource, trace: Trace, judgement: Judgement, *, keeps: bool
    ) -> Signal:
        """The signal; with the rival's answer where telemetry keeps the words of answers."""
        now = self.wall()
        return Signal(
            new_id(now),
            now,
            trace.about,
            "judge" if source.kind == "judge" else "check",
            source.kind,
            None if trace.private else judgement.reason,  # it may quote the answer
            judgement.score,
            source.believed,
            rival=judgement.rival if keeps else None,
        )


async def _judgement(inquiry: Inquiry) -> Judgement | None:
    match inquiry.source.kind:
        case "tests":
            return await inquiry.by_tests()
        case "specialist":
            return await inquiry.by_passages()
        case "judge":
            return await inquiry.by_judge()
    fields = inquiry.trace.request.fields
    return await asyncio.to_thread(by_its_words, inquiry.source, fields, inquiry.text)


def _can_judge(source: SignalSource, request: Request) -> bool:
    match source.kind:
        case "behaviour" | "outcome":  # what happens next, which the engine notices
            return False
        case "json" | "schema":
            return wants_json(request.fields)
        case "tests":
            return bool(tests_of(request))
    return True
