"""`waggle demo --weeks 12 --stream records`: a quarter of a year of a router's life in minutes.

Real backends answer real requests and real checks judge the answers; the service's own code runs
trials, adoptions and rollbacks. The demo sets the clock and stages one event: after three quarters
of the time, the cheap provider begins to deliver incomplete records.
"""

import asyncio
import datetime as dt
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from learner.preference import Preference
from router.backends.protocol import Backend
from router.cli.report import learning_report, write_report
from router.cli.terminal import err, out
from router.config.config import Config
from router.config.load import at_home, load
from router.demo.in_process import Clock, InProcessService, in_process_service
from router.demo.tasks import Task, linked, plain
from router.domain import Call, Reply, Trace
from router.trials.logged import utility_of
from router.wire.chat_replies import in_one_piece

_WEEK = 7 * 86_400.0
_TURN_EVERY = 50  # requests between two turns of the learner
_JUDGED = 0.8  # share of answers that the simulated app scores
_PLAIN = ("catalogue", "inventory")
_LINKED = ("customers", "patients")


@dataclass(slots=True)
class Week:
    """Sums over the requests of one week."""

    number: int
    requests: int = 0
    quality: float = 0.0
    utility: float = 0.0
    cost_usd: float = 0.0
    premium_usd: float = 0.0
    seconds: float = 0.0
    serving: str = ""
    paths: int = 0
    events: tuple[str, ...] = ()

    def add(self, trace: Trace, quality: float, preference: Preference) -> None:
        self.requests += 1
        self.quality += quality
        self.utility += utility_of(quality, trace.cost_usd or 0.0, trace.seconds, preference)
        self.cost_usd += trace.cost_usd or 0.0  # every price of the demo is known
        self.premium_usd += trace.premium_cost_usd or 0.0
        self.seconds += trace.seconds

    def row(self) -> dict[str, Any]:
        count = max(self.requests, 1)
        return {
            "week": self.number,
            "requests": self.requests,
            "quality": round(self.quality / count, 4),
            "utility": round(self.utility / count, 4),
            "usd_per_1k": round(1000 * self.cost_usd / count, 5),
            "premium_usd_per_1k": round(1000 * self.premium_usd / count, 5),
            "ms": round(1000 * self.seconds / count, 3),
            "serving": self.serving,
            "paths": self.paths,
            "events": list(self.events),
        }


@dataclass
class _Incomplete:
    """A backend that drops the last field of its records in 70% of its answers."""

    inner: Backend
    chance: random.Random

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        async with self.inner.send(call) as reply:
            whole = b"".join([piece async for piece in reply.body])
            yield replace(reply, body=in_one_piece(self._without(whole)))

    def _without(self, body: bytes) -> bytes:
        if self.chance.random() > 0.7:
            return body
        answer = orjson.loads(body)
        message = answer["choices"][0]["message"]
        records = orjson.loads(message["content"])
        for record in records if isinstance(records, list) else [records]:
            if isinstance(record, dict) and len(record) > 1:
                record.pop(list(record)[-1])
        message["content"] = orjson.dumps(records).decode()
        return orjson.dumps(answer)

    async def close(self) -> None:
        await self.inner.close()


def weeks(
    count: int, *, requests: int, seed: int, data: Path, config_file: Path | None
) -> list[dict[str, Any]]:
    """Simulate the weeks, show their results, and write a report beside their telemetry."""
    config = config_at(data, config_file, usual="weeks.yaml")
    begun = time.monotonic()
    rows = asyncio.run(_run(config, count, requests, seed))
    _show(rows, config, time.monotonic() - begun)
    return rows


def config_at(data: Path, config_file: Path | None, *, usual: str) -> Config:
    """A configuration with this data folder: of the given file, or of the demo's usual one."""
    config = load(config_file or Path(str(files("router.demo") / usual)))
    server = config.server.model_copy(update={"data": str(data)})
    return at_home(config.model_copy(update={"server": server}))


def progress_bar() -> Progress:
    """A bar that shows how many of the requests are played, and how long the others will take."""
    description = TextColumn("[progress.description]{task.description}")
    return Progress(description, BarColumn(), TimeRemainingColumn(), console=err)


async def _run(config: Config, count: int, requests: int, seed: int) -> list[dict[str, Any]]:
    clock = Clock(dt.datetime.now(dt.UTC).timestamp() - count * _WEEK)
    chance = random.Random(seed)
    change_after = max(1, round(3 * count / 4))
    rows = []
    async with in_process_service(config, clock=clock, seed=seed) as waggle:
        with progress_bar() as progress:
            bar = progress.add_task("Week 1", total=count * requests)
            for number in range(1, count + 1):
                if number == change_after + 1 and count >= 6:
                    waggle.change("cheap", lambda inner: _Incomplete(inner, random.Random(seed)))
                week = await _week(waggle, number, requests, chance, progress, bar)
                rows.append(week.row())
        clock.advance(60)
        await waggle.learn()
    return rows


async def _week(
    waggle: InProcessService,
    number: int,
    requests: int,
    chance: random.Random,
    progress: Progress,
    bar: Any,
) -> Week:
    week, book = Week(number), waggle.publisher.director.book
    interval = _WEEK / requests
    before = {name: trial.state for name, trial in book.trials.items()}
    for at in range(requests):
        task = _task(chance)
        answer = await waggle.ask(task.prompt, task=task.kind, shape=task.shape, seed=at)
        quality = task.check(answer.text) if answer.status == 200 else 0.0
        if answer.status == 200 and chance.random() < _JUDGED:
            waggle.judge(answer.trace, quality)
        week.add(answer.trace, quality, waggle.config.objective.preference)
        waggle.clock.advance(interval)
        if at % _TURN_EVERY == _TURN_EVERY - 1:
            await waggle.learn()
            doing = f"Week {number}: {book.serving.key}, quality {week.quality / week.requests:.2f}"
            progress.update(bar, completed=(number - 1) * requests + at + 1, description=doing)
    week.serving = book.serving.key
    week.paths = _paths(waggle)
    week.events = tuple(
        f"{trial.name}: {before.get(trial.id, 'new')} → {trial.state}"
        for trial in book.trials.values()
        if before.get(trial.id) != trial.state
    )
    return week


def _paths(waggle: InProcessService) -> int:
    from router.trials.simplifying import paths

    return paths(waggle.config, waggle.publisher.director.book.serving, (*_PLAIN, *_LINKED))


def _task(chance: random.Random) -> Task:
    if chance.random() < 0.55:
        return replace(plain(chance), kind=chance.choice(_PLAIN))
    return replace(linked(chance), kind=chance.choice(_LINKED))


def _show(rows: Sequence[dict[str, Any]], config: Config, seconds: float) -> None:
    table = Table(title="Week by week", box=None)
    heads = ("week", "served by", "paths", "quality", "utility", "$ per 1k", "ms", "what happened")
    for name in heads:
        table.add_column(
            name, justify="left" if name in ("served by", "what happened") else "right"
        )
    for row in rows:
        table.add_row(
            str(row["week"]),
            row["serving"],
            str(row["paths"]),
            f"{row['quality']:.3f}",
            f"{row['utility']:.3f}",
            f"{row['usd_per_1k']:.4f}",
            f"{row['ms']:.2f}",
            escape("; ".join(row["events"])),
        )
    out.print(table)
    path = write_report(learning_report(config, days=len(rows) * 7.0 + 1), config.data)
    out.print(f"The whole story, each claim with its query: {path} ({seconds:.0f} s)")
    folder = config.data
    out.print(f"Read on: waggle trial list --data {folder}; waggle routes log --data {folder}")
