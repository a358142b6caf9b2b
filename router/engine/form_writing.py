"""Asks the configured author for the program of a form, and keeps it if it holds.

A program is kept if it reproduces the well rated answers of a request and of a like request with
other values, and its reviewers accept it. What the author was paid is an event: no request pays.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import orjson

from router.calls.outcome import CallOutcome
from router.calls.prices import priced
from router.compute.prompts import written_in
from router.compute.reviewing import to_revise
from router.domain import CHAT, Call, Event, new_id
from router.engine.form_programs import FormPrograms
from router.engine.recall import AskBackend, Lookup
from router.plans.compiled import Plans
from router.reuse.forms.answers import is_short, same_answer
from router.reuse.forms.form import Form
from router.reuse.forms.prompts import to_write
from router.reuse.forms.shelf import ShelfRow
from router.reuse.forms.shelves import form_space
from router.reuse.memory import SolutionMemory
from router.reuse.solution import Solution
from router.wire.answers import answer_text
from sandbox.review.reviewers import review


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """An answer of a backend, which is a lesson as soon as somebody rates it well."""

    plans: Plans
    lookup: Lookup
    form: Form
    text: str
    bare: Solution  # the solution without its answer


@dataclass
class FormWriting:
    memory: SolutionMemory
    ask: AskBackend
    wall: Callable[[], float]
    note: Callable[[Event], None]
    programs: FormPrograms

    async def write(
        self, given: GivenAnswer, author: str, mates: list[ShelfRow], alike: Collection[int]
    ) -> int:
        """Ask the author for a program, and keep it if it reproduces what was rated well: this
        answer, another, and none of those `alike` that ask the same contradicts it. The first
        solution of its line; 0 if it was dropped."""
        text = given.lookup.query.text
        messages = to_write(text, given.text, mates)
        source, answer, paid = await self._source(given, author, messages)
        verdicts = await asyncio.to_thread(review, source, text) if source else ()
        if reasons := [reason for verdict in verdicts for reason in verdict.reasons]:
            self._tell(given, author, *paid, state="revised")
            revise = to_revise(messages, answer, reasons)
            source, _, paid = await self._source(given, author, revise)
            verdicts = await asyncio.to_thread(review, source, text) if source else ()
        answers: list[str | None] = [None] * (1 + len(mates))
        if source and all(verdict.accepts for verdict in verdicts):
            answers = await self.programs.trial(source, [text, *(m.request for m in mates)])
        pairs = list(zip(mates, answers[1:], strict=True))
        held = [mate for mate, answer in pairs if _same(answer, mate.answer)]
        contradicted = any(
            answer is not None and is_short(mate.answer) and not same_answer(answer, mate.answer)
            for mate, answer in pairs
            if mate.id in alike
        )
        kept = bool(held) and _same(answers[0], given.text) and not contradicted
        self._tell(given, author, *paid, state="written" if kept else "dropped")
        if not kept:
            self.memory.add_reviews(0, verdicts)
            return 0
        root = await self.keep(given, given.form, text, given.text, source, 0)
        self.memory.add_reviews(root, verdicts)
        for mate in held:
            if mate.id not in alike:  # it may ask something else, and its answer be chance
                continue
            await self.keep(given, mate.form, mate.request, mate.answer, source, root)
        return root

    async def _source(
        self, given: GivenAnswer, author: str, messages: list[dict[str, Any]]
    ) -> tuple[str, str, tuple[CallOutcome, float]]:
        """The program that the author wrote, its whole answer, and what the call took."""
        steadily = given.plans.config.backends[author].steadily
        body = orjson.dumps({"model": author, "messages": messages, **steadily})
        begun = time.perf_counter()
        outcome = await self.ask(author, Call(CHAT, body, False, given.bare.request_id))
        answer = answer_text(outcome.body) if outcome.answered else ""
        written = written_in(answer)
        source = "" if written.refusal or not answer else written.source
        return source, answer, (outcome, time.perf_counter() - begun)

    async def keep(
        self, given: GivenAnswer, form: Form, request: str, answer: str, source: str, root: int
    ) -> int:
        """Store the program for this request; `root` is the first solution of its line."""
        query = given.lookup.query
        own = request == query.text
        key = blake2b(f"{form.words}{form.values}".encode(), digest_size=16).digest()
        solution = replace(
            given.bare,
            space=form_space(query.space),
            exact=blake2b(query.space + key, digest_size=16).digest(),
            kind="program",
            request=request,
            answer=answer,
            program=source,
            spec={"kind": "form", "of": key.hex()},
            vector=given.bare.vector if own else b"",
            state="proven",
            proof="it reproduced well rated answers",
            parent=root,
            change="the same program, for other words" if root else "",
            request_id=given.bare.request_id if own and not root else "",
        )
        return await asyncio.wrap_future(self.memory.keep(solution))

    def _tell(
        self,
        given: GivenAnswer,
        author: str,
        outcome: CallOutcome,
        seconds: float,
        *,
        state: str,
    ) -> None:
        """Record what the author was paid; no request pays for it."""
        cost, config = None, given.plans.config
        if outcome.usage is not None:
            cost = priced(config.backends[author].price, outcome.usage)
        now = self.wall()
        detail = {
            "request_id": given.bare.request_id,
            "backend": author,
            "cost_usd": cost,
            "latency_ms": round(1000 * seconds, 3),
            "program": state,
        }
        self.note(Event(new_id(now), now, "signal", "reuse", "asked", detail))


def _same(answer: str | None, right: str) -> bool:
    return answer is not None and same_answer(answer, right)
