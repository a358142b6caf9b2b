"""`waggle demo --weeks 24`: half a year of an office's requests, in minutes.

The service is real: its memory, the programs that it keeps and runs, its trials, adoptions and
rollbacks. The models are played, and the clock is set. Two events are staged: half way some house
rules change, so what the library says about them is wrong; and after three quarters of the time the
provider of the cheaper models makes them worse.
"""

import asyncio
import datetime as dt
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from router.calls.prices import priced
from router.config.config import Config
from router.demo.in_process import Clock, InProcessService, in_process_service
from router.demo.office import REPEATS, Office, OfficeRequest
from router.demo.office_models import (
    AUTHOR,
    CHANCES,
    LARGE,
    Desk,
    OfficeAuthor,
    OfficeModel,
    usage_for,
)
from router.demo.weeks import config_at, progress_bar
from router.domain import Event, Trace, new_id

_WEEK = 7 * 86_400.0
_JUDGED = 0.8  # share of answers that people judge
_TURN_EVERY = 125  # requests between two turns of the learner
_SETTLED_EVERY = 8  # requests between two waits for the memory
_WORSE = {"small": 0.45, "mid": 0.55}  # chances of the cheaper models after their provider's change
_LEAST_WEEKS = 6  # of a story with events


@dataclass(slots=True)
class Era:
    """Sums over the requests of one week."""

    number: int
    requests: int = 0
    quality: float = 0.0
    cost_usd: float = 0.0
    premium_usd: float = 0.0
    repeats: int = 0
    repeats_from_library: int = 0
    wrong_near: int = 0
    put_away: int = 0  # answers from the library that people called wrong
    paths: Counter[str] = field(default_factory=Counter)
    serving: str = ""
    events: list[str] = field(default_factory=list)

    def add(self, request: OfficeRequest, trace: Trace, quality: float) -> None:
        path = path_of(trace)
        library = path in LIBRARY
        self.requests += 1
        self.quality += quality
        self.cost_usd += trace.cost_usd or 0.0  # every price of the demo is known
        self.repeats += request.how in REPEATS
        self.repeats_from_library += request.how in REPEATS and library
        self.wrong_near += request.how == "near" and library and quality < 1
        self.paths[path] += 1

    def row(self) -> dict[str, Any]:
        count = max(self.requests, 1)
        return {
            "week": self.number,
            "requests": self.requests,
            "serving": self.serving,
            "paths": {name: round(n / count, 4) for name, n in self.paths.most_common()},
            "quality": round(self.quality / count, 4),
            "usd_per_1k": round(1000 * self.cost_usd / count, 5),
            "premium_usd_per_1k": round(1000 * self.premium_usd / count, 5),
            "repeats": self.repeats,
            "repeats_from_library": self.repeats_from_library,
            "reuse_of_repeats": round(self.repeats_from_library / max(self.repeats, 1), 4),
            "wrong_near": self.wrong_near,
            "events": self.events,
        }


LIBRARY = ("same request", "same words", "program")  # paths that call no model


def path_of(trace: Trace) -> str:
    """How a request was answered: by the library, or by a plan."""
    recalled = trace.recalled
    if recalled is None or recalled.checked or recalled.tier == "novel":
        return str(trace.decision.plan)
    if recalled.tier == "exact":
        return "same request"
    return "program" if "a program" in recalled.reason else "same words"


def office_weeks(
    count: int, *, requests: int, seed: int, data: Path, config_file: Path | None
) -> tuple[list[dict[str, Any]], Config, float]:
    """Simulate the weeks. Returns their rows, the configuration, and the seconds that it took."""
    config = config_at(data, config_file, usual="office.yaml")
    begun = time.monotonic()
    rows = asyncio.run(_Office(config, count, requests, seed).run())
    return rows, config, time.monotonic() - begun


@dataclass
class _Office:
    config: Config
    count: int
    per_week: int
    seed: int

    async def run(self) -> list[dict[str, Any]]:
        clock = Clock(dt.datetime.now(dt.UTC).timestamp() - self.count * _WEEK)
        begin = clock.now
        office = Office(self.count, self.per_week, self.seed)
        desk, chance = Desk(random.Random(self.seed)), random.Random(self.seed)
        eras: list[Era] = []
        with progress_bar() as progress:
            total = self.count * self.per_week
            bar = progress.add_task("Starting the service and its memory", total=total)
            async with in_process_service(self.config, clock=clock, seed=self.seed) as waggle:
                watch = _Watch(waggle)
                for name in CHANCES:
                    waggle.hosts[name].backend = OfficeModel(name, desk)
                waggle.hosts[AUTHOR].backend = OfficeAuthor(desk)
                await waggle.ready()
                for number, request in enumerate(office.requests()):
                    if not eras or eras[-1].number < request.week:
                        if eras:
                            await self._end(waggle, eras[-1], watch)
                        eras.append(Era(request.week))
                        self._stage(office, desk, eras[-1])
                    era = eras[-1]
                    clock.now = max(clock.now, begin + (number + 1) / self.per_week * _WEEK)
                    desk.begin(request)
                    await self._ask(waggle, request, era, chance)
                    if number % _SETTLED_EVERY == 0:
                        await waggle.settled()
                        progress.update(bar, completed=number + 1, description=_doing(era))
                    if number % _TURN_EVERY == _TURN_EVERY - 1:
                        await waggle.learn()
                await self._end(waggle, eras[-1], watch)
                progress.update(bar, completed=total, description=_doing(eras[-1]))
                clock.advance(60)
                await waggle.learn()
        return [era.row() for era in eras]

    async def _ask(
        self, waggle: InProcessService, request: OfficeRequest, era: Era, chance: random.Random
    ) -> None:
        answer = await waggle.ask(request.text)
        quality = request.check(answer.text) if answer.status == 200 else 0.0
        if answer.status == 200 and chance.random() < _JUDGED:
            waggle.judge(answer.trace, quality)
            era.put_away += quality < 1 and path_of(answer.trace) in LIBRARY
        era.add(request, answer.trace, quality)
        # Telemetry guesses what an answer from memory would have cost; the demo knows it.
        era.premium_usd += priced(self.config.backends[LARGE].price, usage_for(request)) or 0.0

    def _stage(self, office: Office, desk: Desk, era: Era) -> None:
        if self.count < _LEAST_WEEKS:
            return
        if era.number == office.changes_in:
            era.events.append("house rules change")
        if era.number == 1 + round(3 * self.count / 4):
            desk.worse = _WORSE
            era.events.append("the provider of small and mid makes them worse")

    async def _end(self, waggle: InProcessService, era: Era, watch: "_Watch") -> None:
        """Close a week: name what happened in it, and write it down beside its requests."""
        await waggle.settled()
        await waggle.learn()
        era.serving = waggle.publisher.director.book.serving.key
        era.cost_usd += watch.paid()
        if era.put_away:
            era.events.append(f"rolled back: {era.put_away} kept answers that people called wrong")
        era.events += watch.happened()
        now = waggle.clock()
        row = era.row()
        waggle.engine.journal.note(
            Event(new_id(now), now, "demo", f"week {era.number}", "ended", row)
        )


def _doing(era: Era) -> str:
    share = era.repeats_from_library / max(era.repeats, 1)
    return f"Week {era.number}: {share:.0%} of repeats from the library"


@dataclass
class _Watch:
    """What happened since the last week: trials, programs, and what went out of use."""

    waggle: InProcessService
    _states: dict[str, str] = field(default_factory=dict)
    _events: list[Event] = field(default_factory=list)
    _note: Callable[[Event], None] = field(init=False)

    def __post_init__(self) -> None:
        journal = self.waggle.engine.journal
        self._note = journal.note
        keeping = self.waggle.engine.replying.keeping
        if keeping is not None and keeping.forms is not None:
            keeping.forms.writing.note = self._noted

    def _noted(self, event: Event) -> None:
        self._events.append(event)
        self._note(event)

    def paid(self) -> float:
        """Dollars for calls beside requests, such as the author's, since the last week."""
        return sum(float(event.detail.get("cost_usd") or 0.0) for event in self._events)

    def happened(self) -> list[str]:
        written = Counter(event.detail.get("program") for event in self._events)
        self._events.clear()
        lines = [f"{n} programs {state}" for state, n in sorted(written.items()) if state]
        book = self.waggle.publisher.director.book
        for trial in book.trials.values():
            state = self._states.get(trial.id, "new")
            if state != trial.state:
                why = f" ({trial.why})" if trial.why else ""
                lines.append(f"{trial.name}: {state} → {trial.state}{why}")
                self._states[trial.id] = trial.state
        return lines
