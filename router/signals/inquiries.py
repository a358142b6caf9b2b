"""Judgements that call a backend: tests in a sandbox, a specialist's passages, a judge model.

Judges cost money. Each call to a backend writes an event with the cost of the call, so reports
count the cost of judging, but no request's own cost includes it.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from router.calls.outcome import CallOutcome
from router.calls.prices import priced
from router.config.config import Config
from router.config.signals import SignalSource
from router.domain import CHAT, RUN, Attempt, Call, Event, Request, Trace, new_id
from router.plans.prompts import asking, better_in, grading, opinion_in, to_compare, to_judge
from router.request.statistical import program_in
from router.signals.judgements import Judgement, preferred, supported
from router.wire.answers import answer_text

_PASSAGES = 5

Try = Callable[[Config, tuple[str, ...], Call, list[Attempt]], Awaitable[CallOutcome]]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One judgement of an answer by one source, with the means to call the source's backend."""

    config: Config
    source: SignalSource
    trace: Trace
    text: str  # the text of the answer
    attempt: Try
    note: Callable[[Event], None]
    wall: Callable[[], float]

    async def by_tests(self) -> Judgement | None:
        """Run the program in the answer, followed by the tests that came with the request.

        Both run in one interpreter, so a program that was written to deceive its tests can.
        """
        passed = secrets.token_hex(8)  # a program that ends early does not give this value
        tests = tests_of(self.trace.request)
        program = f"{program_in(self.text)}\n\n{tests}\n\nresult = {passed!r}\n"
        outcome = await self._ask(RUN, orjson.dumps({"source": program}))
        if outcome is None:
            return None
        run = orjson.loads(outcome.body)
        if run["status"] in ("refused", "no_answer"):
            return None
        good = run["status"] == "ok" and run["result"] == passed
        return Judgement(float(good), "its tests pass" if good else f"tests: {run['status']}")

    async def by_passages(self) -> Judgement | None:
        """Compare the answer with the passages that a specialist finds for the request."""
        question = {"role": "user", "content": self.trace.request.reading.last_words}
        job = {"model": "auto", "messages": [question], "passages": _PASSAGES}
        outcome = await self._ask(CHAT, orjson.dumps(job))
        answer = orjson.loads(outcome.body).get("specialist") if outcome is not None else None
        if not answer or not answer["found"]:
            return None
        return supported(self.text, [passage["text"] for passage in answer["passages"]])

    async def by_judge(self) -> Judgement | None:
        """Ask a judge for a score, or to compare the answer with a rival's in both orders."""
        conversation = self.trace.request.reading.text
        judge = self.config.backends[self.source.by or ""]
        if self.source.against is None:
            opinion = await self._opinion(grading(to_judge(conversation, self.text), judge))
            score = opinion_in(opinion).score if opinion is not None else None
            return None if score is None else Judgement(score, "a judge's score")
        rival = await self._rival(self.source.against)
        if not rival:
            return None
        first, second = [
            await self._opinion(asking(to_compare(conversation, *pair), judge))
            for pair in ((self.text, rival), (rival, self.text))
        ]
        if first is None or second is None:
            return None
        judgement = preferred(better_in(first), better_in(second), self.text, rival)
        return None if judgement is None else replace(judgement, rival=rival)

    async def _rival(self, backend: str) -> str:
        """Another backend's answer to the same request."""
        given = self.trace.request.fields
        fields = {k: v for k, v in given.items() if k not in ("stream", "stream_options")}
        outcome = await self._ask(CHAT, orjson.dumps(fields), backend=backend)
        return answer_text(outcome.body) if outcome is not None else ""

    async def _opinion(self, fields: Mapping[str, Any]) -> str | None:
        outcome = await self._ask(CHAT, orjson.dumps(fields))
        return None if outcome is None else answer_text(outcome.body)

    async def _ask(
        self, path: str, body: bytes, *, backend: str | None = None
    ) -> CallOutcome | None:
        name = backend or self.source.by or ""
        call = Call(path, body, False, self.trace.request.id)
        outcome = await self.attempt(self.config, (name,), call, [])
        price = self.config.backends[name].price
        detail: Mapping[str, Any] = {
            "request_id": self.trace.request.id,
            "backend": name,
            "cost_usd": 0.0 if outcome.usage is None else priced(price, outcome.usage),
            "latency_ms": round(1000 * outcome.attempt.seconds, 3),
            "share": self.source.share,
        }
        now = self.wall()
        self.note(Event(new_id(now), now, "signal", self.source.kind, "asked", detail))
        good = outcome.answered and not outcome.callers_fault
        return outcome if good else None


def tests_of(request: Request) -> str:
    """The tests that came with a request: Python code that raises if the program is wrong."""
    metadata = request.fields.get("metadata")
    tests = metadata.get("tests") if isinstance(metadata, dict) else None
    return tests if isinstance(tests, str) else ""
