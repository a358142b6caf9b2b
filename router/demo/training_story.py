"""`waggle demo --train`: a task leaves the dear model, which comes back when the rule changes.

The service is real, and so are the data set, the training, its process, the evaluation, the trial
and the adoption. Only the dear model is played, the staff who judge its answers are simulated, and
the clock is set. Nobody tells the service which task it is, or its rule. Half way the rule changes.
"""

import asyncio
import datetime as dt
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from router.cli.terminal import out
from router.config.config import Config
from router.demo.in_process import Clock, InProcessReply, InProcessService, in_process_service
from router.demo.tickets import QUEUES, SYSTEM, Ticket, read_queue, tickets, written
from router.demo.weeks import config_at
from router.domain import Call, Reply
from router.models.registry import Registry
from router.request.text import tokens_in
from router.trials.made_trials import state_of
from router.wire.chat_replies import completion, in_one_piece, reply_base, usage_of

TASK = "tickets"
_SECONDS = 240.0  # between two tickets
_JUDGED = 0.8  # share of answers that the staff judge
_SKILL = 0.97  # share of the dear model's answers that are right
_TURN_EVERY = 40  # tickets between two turns of the learner
CHANGES_AT = 0.45  # of the tickets


@dataclass
class Dear:
    """The dear model: it knows the staff's rules of the day, and errs now and then."""

    chance: random.Random
    ticket: Ticket | None = None

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        ticket = self.ticket
        assert ticket is not None
        right = self.chance.random() < _SKILL
        others = [queue for queue in QUEUES if queue != ticket.queue]
        text = written(ticket.queue if right else self.chance.choice(others), self.chance)
        usage = usage_of(tokens_in(SYSTEM) + tokens_in(ticket.text), tokens_in(text))
        body = completion(reply_base(call, "large"), text, "stop", usage)
        yield Reply(200, "application/json", in_one_piece(body))

    async def close(self) -> None:
        pass


@dataclass(slots=True)
class Chapter:
    """Sums over the tickets between two events."""

    begins: str
    first: int
    requests: int = 0
    quality: float = 0.0
    cost_usd: float = 0.0
    premium_usd: float = 0.0
    by_model: int = 0  # answered by the trained model alone

    def add(self, reply: InProcessReply, quality: float) -> None:
        answering = reply.trace.answering or reply.trace.attempts[-1]
        self.requests += 1
        self.quality += quality
        self.cost_usd += reply.trace.cost_usd or 0.0  # every price of the demo is known
        self.premium_usd += reply.trace.premium_cost_usd or 0.0
        self.by_model += answering.provider == "learned"

    def row(self) -> dict[str, Any]:
        count = max(self.requests, 1)
        return {
            "begins": self.begins,
            "ticket": self.first,
            "requests": self.requests,
            "by_model": round(self.by_model / count, 4),
            "quality": round(self.quality / count, 4),
            "usd_per_1k": round(1000 * self.cost_usd / count, 4),
            "premium_usd_per_1k": round(1000 * self.premium_usd / count, 4),
        }


def training_story(
    count: int, *, seed: int, data: Path, config_file: Path | None
) -> list[dict[str, Any]]:
    """Play so many tickets, tell what happens, and return the chapters."""
    config = config_at(data, config_file, usual="train.yaml")
    begun = time.monotonic()
    story = _Story(config, count, seed)
    rows = asyncio.run(story.run())
    _show(rows, config, time.monotonic() - begun)
    return rows


@dataclass
class _Story:
    config: Config
    count: int
    seed: int
    chapters: list[Chapter] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    number: int = 0

    async def run(self) -> list[dict[str, Any]]:
        clock = Clock(dt.datetime.now(dt.UTC).timestamp() - self.count * _SECONDS)
        changes_at = round(CHANGES_AT * self.count)
        dear, chance = Dear(random.Random(self.seed)), random.Random(self.seed)
        async with in_process_service(self.config, clock=clock, seed=self.seed) as waggle:
            waggle.hosts["large"].backend = dear
            self._begin("the dear model answers everything")
            for number, ticket in enumerate(tickets(self.count, changes_at, self.seed), 1):
                self.number = number
                if number == changes_at + 1:
                    self._begin("the staff change a rule: refunds go to the workshop first")
                dear.ticket = ticket
                await self._ask(waggle, ticket, chance)
                clock.advance(_SECONDS)
                if number % _TURN_EVERY == 0:
                    await self._turn(waggle)
            await self._turn(waggle)
        return [chapter.row() for chapter in self.chapters]

    async def _ask(self, waggle: InProcessService, ticket: Ticket, chance: random.Random) -> None:
        messages = [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": ticket.text},
        ]
        reply = await waggle.ask(ticket.text, task=TASK, messages=messages)
        right = reply.status == 200 and read_queue(reply.text) == ticket.queue
        if reply.status == 200 and chance.random() < _JUDGED:
            waggle.judge(reply.trace, float(right))
        self.chapters[-1].add(reply, float(right))

    async def _turn(self, waggle: InProcessService) -> None:
        """Let the service learn. Training takes minutes of the tickets' time, not of ours: so the
        demo waits for it."""
        await waggle.learn()
        teaching = waggle.publisher.teaching
        while teaching.under is not None:
            out.print(f"{self.number:>6,}  training, in a process of its own")
            await asyncio.to_thread(teaching.under.process.wait)
            waggle.clock.advance(60)
            await waggle.learn()
        book = waggle.publisher.director.book
        for name, made in book.made.items():
            state = state_of(book, name)
            if state == self.states.get(name):
                continue
            if name not in self.states:
                out.print(f"{self.number:>6,}  {escape(made.evidence)}")
            self.states[name] = state
            trial = book.trial(name)
            self._begin(f"{name}: {state}" if state != "running" else f"{name} is tried", trial.why)

    def _begin(self, event: str, why: str = "") -> None:
        self.chapters.append(Chapter(event, self.number))
        out.print(
            f"{self.number:>6,}  [bold]{escape(event)}[/]{escape(f' ({why})' if why else '')}"
        )


def _show(rows: list[dict[str, Any]], config: Config, seconds: float) -> None:
    table = Table(title="The bill, chapter by chapter, in dollars per 1,000 tickets", box=None)
    for name in ("from", "what began", "tickets", "by model", "right", "paid", "dear alone"):
        left = name == "what began"
        table.add_column(name, justify="left" if left else "right", min_width=24 if left else None)
    for row in rows:
        table.add_row(
            f"{row['ticket']:,}",
            escape(row["begins"]),
            f"{row['requests']:,}",
            f"{row['by_model']:.0%}",
            f"{row['quality']:.1%}",
            f"{row['usd_per_1k']:.3f}",
            f"{row['premium_usd_per_1k']:.3f}",
        )
    out.print(table)
    out.print(
        f"The bill per 1,000 tickets: ${rows[0]['usd_per_1k']:.3f} before, and "
        f"${rows[-1]['usd_per_1k']:.3f} at the end, where {rows[-1]['by_model']:.0%} are "
        f"answered by what was trained, and {rows[-1]['quality']:.1%} rightly."
    )
    registry, folder = Registry(config.models_folder), config.data
    registry.follow()
    versions = sum(len(model.versions) for model in registry.book.models.values())
    out.print(f"{versions} versions were trained ({seconds:.0f} s in all). The record of it:")
    for command in ("growth list", "models list", "models lessons", "data show"):
        out.print(f"  waggle {command} --data {folder}")
