"""The learner as a fold over telemetry: killed at any moment, it comes back with the same state.

Before rows are taken in, what is about to be read is written to a log; so from any snapshot, or
from nothing, going through the log again brings the same rows in the same order, and with them the
same posterior to the last bit. A snapshot only saves the time that takes.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from learner import snapshot
from learner.bandit_learner import Bandit, Drifted
from learner.deciding import BanditPolicy, BanditSettings
from learner.pacing import Pacer
from learner.policy import Arm, Context, Feedback, Outcome
from learner.trust import Trust
from router.config.config import Config
from router.config.plan_steps import whole
from router.learning.registry import Registry, Version
from router.request.context import SORTS, VERSION, context_of, taught
from router.routing.bandit import spend_of
from router.routing.ladder import policy_of
from router.telemetry.feed import AnsweredRequest, Batch, Feed, JudgedRequest, Watermark

_log = logging.getLogger("waggle")
_CONTRIBUTIONS = 20_000  # answers whose judgement may still be changed
_TASKS = 64  # more names that callers make up are one
_DAY = 86_400
Tell = Callable[..., None]  # kind, subject, state, and details


@dataclass
class State:
    """All that a snapshot holds."""

    bandit: Bandit
    trust: Trust = field(default_factory=Trust)
    mark: Watermark = field(default_factory=Watermark)
    given: OrderedDict[str, list[float]] = field(default_factory=OrderedDict)
    latest_micros: int = 0
    batches: int = 0  # of the log that are in it
    pacer: Pacer | None = None
    taught: list[str] = field(default_factory=list)  # what `waggle warm` brought
    usual: dict[str, dict[str, float]] = field(default_factory=dict)  # the mean context by kind
    seen: dict[tuple[str, str], int] = field(default_factory=dict)  # answers by kind and plan
    judged: dict[tuple[str, str], int] = field(default_factory=dict)
    spent: dict[str, tuple[float, int]] = field(default_factory=dict)  # dollars, answers by day


class Fold:
    def __init__(self, config: Config, lens: int, tell: Tell = lambda *_, **__: None) -> None:
        self.config = config
        self.registry = Registry(config.learner_folder)
        self._feed = Feed(config.telemetry_folder)
        self._tell = tell
        self._lens = lens
        self.state = State(self._new())
        self.version = ""
        self._stamp: tuple[tuple[str, int], ...] = ()

    def begin(self) -> None:
        """From the latest snapshot that can be read, or from nothing; then what came after it."""
        for version in reversed(self.registry.versions()):
            try:
                self.state = self._opened(version.path.read_bytes())
                self.version = version.name
                break
            except (OSError, snapshot.UnreadableSnapshot) as error:
                _log.error("the snapshot %s is put aside: %s", version.name, error)
                self._tell("learner", version.name, "set aside", reason=str(error))
                self.registry.put_aside(version)
        self.know()
        for line in list(self.registry.logged())[self.state.batches :]:
            self._go_through(line)

    def turn(self) -> bool:
        """Take in what is new, a batch at most; whether there was anything."""
        wanted = self.registry.wanted_back()
        if wanted:
            self._go_back(wanted)
            return True
        for name in self.registry.taught():
            if name not in self.state.taught:
                line: dict[str, Any] = {"warm": name}
                self.registry.log(line)
                self._go_through(line)
                return True
        stamp = self._feed.stamp
        if stamp == self._stamp:
            return False
        batch = self._feed.beyond(self.state.mark, since_micros=self.state.latest_micros)
        if not batch:
            self._stamp = stamp  # taken before the look: what came since is another one
            return False
        line = {"batch": batch.state()}
        self.registry.log(line)
        self._go_through(line)
        return True

    def be_curious(self, plans: Sequence[str]) -> None:
        """Have more requests go to these for a while, as to plans that are new."""
        line = {"curious": list(plans)}
        self.registry.log(line)
        self._go_through(line)

    def keep(self, at: float) -> Version:
        """A snapshot of all of it."""
        version = self.registry.keep(self.written(at))
        self.version = version.name
        self.registry.prune(self.config.objective.learning.snapshots)
        return version

    def written(self, at: float = 0.0) -> bytes:
        state = self.state
        return snapshot.written(
            state.bandit,
            at=at,
            trust=state.trust.state(),
            mark=state.mark.read,
            given=list(state.given.items()),
            latest_micros=state.latest_micros,
            batches=state.batches,
            spent=state.spent,
            taught=state.taught,
            usual=state.usual,
            seen=[[*key, n] for key, n in state.seen.items()],
            judged=[[*key, n] for key, n in state.judged.items()],
            pacer=None if state.pacer is None else asdict(state.pacer),
        )

    def reconfigure(self, config: Config) -> None:
        self.config = config
        self.state.bandit.settings = settings_of(config)
        self.know()

    def see_through(self, lens: int) -> None:
        self._lens = lens
        self.state.bandit.features = taught(lens)

    def know(self) -> None:
        """The plans there are. One that is new is told of by its card, and tried for a while."""
        bandit = self.state.bandit
        arms = [Arm(plan) for plan in self.config.plans]
        new = [arm for arm in arms if arm not in bandit.evidence.arms]
        old = bool(bandit.learned)
        bandit.set_arms(arms, burst=old)
        for arm in new:
            for kind, quality in self.config.objective.cards.get(arm, {}).items():
                bandit.believe(arm, quality, weight=_CARD, kind=_named(kind))
        if new and old:
            for arm in new:
                self._tell("learner", arm, "new", burst=bandit.settings.burst_length)

    def policy(self, now: float) -> BanditPolicy:
        """What routers are to decide by: the pinned one, where there is one."""
        fallback = policy_of(self.config)
        pinned = self.registry.pinned
        if pinned:
            try:
                content = self.registry.find(pinned).path.read_bytes()
                told = snapshot.read(content, settings_of(self.config))
                return told.policy(fallback=fallback, pacer=self.pacer(now))
            except (LookupError, OSError, snapshot.UnreadableSnapshot) as error:
                _log.error("the pinned snapshot %s is passed over: %s", pinned, error)
        return self.state.bandit.policy(fallback=fallback, pacer=self.pacer(now))

    def pacer(self, now: float) -> Pacer | None:
        """How dear money is at the moment, by what was spent and what may be."""
        budget = self.config.objective.budget
        if budget is None:
            return None
        if budget.dollars_per_day is None:
            return self.state.pacer
        spent, served = self.state.spent.get(_day(now), (0.0, 0))
        return Pacer.of_day(budget.dollars_per_day, spent, int(served), (now % _DAY) / _DAY)

    def _go_through(self, line: Mapping[str, Any]) -> None:
        state = self.state
        state.batches += 1
        if "warm" in line:
            self._warm(line["warm"])
            return
        if "curious" in line:
            for plan in line["curious"]:
                if Arm(plan) in state.bandit.evidence.arms:
                    state.bandit.bursts[Arm(plan)] = state.bandit.settings.burst_length
            return
        if "back" in line:
            state.mark = Watermark(line["mark"])
            state.latest_micros = line["latest_micros"]
            return
        batch = Batch.of(line["batch"])
        rows = self._feed.rows(batch)
        judged = self._feed.judged(batch, state.mark)
        state.mark = state.mark.after(batch)
        for row in rows:
            self._see(row)
        for one in judged:
            self._learn(one)

    def _warm(self, name: str) -> None:
        """What somebody scored beforehand: all plans on the same prompts, so nothing was chosen."""
        self.state.taught.append(name)
        told = self.registry.lesson(name)
        for n, one in enumerate(told["rows"] if told else ()):
            context = self._context_of(VERSION, one["features"], one["kind"])
            for plan, score in one["scores"].items():
                if context is not None and plan in self.config.plans:
                    arm = Arm(plan)
                    self.state.bandit.learn(Feedback(f"{name}:{n}:{plan}", arm, context, score))
        self._tell("learner", name, "warmed", prompts=len(told["rows"]) if told else 0)

    def _see(self, row: AnsweredRequest) -> None:
        state = self.state
        state.latest_micros = max(state.latest_micros, row.ts_micros)
        self._pay(row)
        plan = whole(row.plan)  # what stands for a plan teaches what that plan now is
        arm, context = Arm(plan), self._context(row)
        remembered = row.strategy == "reuse"  # no plan was carried out
        if context is None or plan not in self.config.plans or row.abandoned or remembered:
            return
        spend = spend_of(row.cost_usd, row.rate_usd or 0.0)
        outcome = Outcome(arm, context, spend, row.latency_ms / 1000, row.failed)
        kind = kind_in(context)
        state.bandit.see(outcome, kind)
        for key in dict.fromkeys((("", plan), (kind, plan))):
            state.seen[key] = state.seen.get(key, 0) + 1
        for usual in dict.fromkeys(("", kind)):
            _fade(state.usual.setdefault(usual, {}), context)

    def _pay(self, row: AnsweredRequest) -> None:
        state, budget = self.state, self.config.objective.budget
        day = _day(row.ts_micros / 1e6)
        spent, served = state.spent.get(day, (0.0, 0))
        state.spent[day] = (spent + row.cost_usd, served + 1)
        while len(state.spent) > 3:
            del state.spent[min(state.spent)]
        if budget is None or budget.dollars_per_1k is None:
            state.pacer = None
            return
        if state.pacer is None or state.pacer.budget != budget.dollars_per_1k:
            state.pacer = Pacer(budget.dollars_per_1k, 1000)
        state.pacer = state.pacer.after(row.cost_usd)

    def _learn(self, judged: JudgedRequest) -> None:
        state, row = self.state, judged.request
        if not _compared(judged.before) and _compared(judged.now):
            state.trust.compare(judged.now)
        told = state.trust.quality(judged.now)
        context = self._context(row)
        # A caller who names a plan has chosen by what we do not know.
        if told is None or context is None or row.strategy in ("", "named", "reuse"):
            return
        plan = whole(row.plan)
        if plan not in self.config.plans:
            return
        quality, weight = told
        given = state.given.get(row.request_id)
        arm, id_ = Arm(plan), f"{row.request_id}:{quality:.6f}:{weight:.6f}"
        feedback = Feedback(id_, arm, context, quality, weight)
        if given is None and judged.before:
            return  # said again of something long past
        if given is not None:
            before = Feedback("", arm, context, given[0], given[1])
            state.bandit.revise(before, feedback)
        else:
            for key in dict.fromkeys((("", plan), (kind_in(context), plan))):
                state.judged[key] = state.judged.get(key, 0) + 1
            drifted = state.bandit.learn(feedback)
            if drifted is not None:
                self._tell_of(drifted)
        state.given[row.request_id] = [quality, weight]
        if len(state.given) > _CONTRIBUTIONS:
            state.given.popitem(last=False)

    def _context(self, row: AnsweredRequest) -> Context | None:
        return self._context_of(row.features_version, row.features, row.kind)

    def _context_of(
        self, version: int, features: Sequence[float | None], kind: str
    ) -> Context | None:
        if version != VERSION or not features:
            return None
        told = dict(context_of(features, kind, lens=self._lens))
        told.pop("complexity", None)  # the rule ladder's own number
        names = self.state.bandit.evidence.names
        task = next((name for name in told if name.startswith("task=")), None)
        known = sum(name.startswith("task=") for name in names)
        if task is not None and task not in names and known >= _TASKS:
            del told[task]
        return told

    def _tell_of(self, drifted: Drifted) -> None:
        self._tell(
            "drift",
            drifted.arm,
            "detected",
            residual=round(drifted.residual, 4),
            judged=round(drifted.seen, 1),
            kept=self.state.bandit.settings.kept,
        )

    def _go_back(self, name: str) -> None:
        """What was learned since the snapshot is dropped, and is not learned again."""
        try:
            version = self.registry.find(name)
            told = self._opened(version.path.read_bytes())
        except (LookupError, OSError, snapshot.UnreadableSnapshot) as error:
            _log.error("cannot go back to %s: %s", name, error)
            self._tell("learner", name, "not gone back", reason=str(error))
            self.registry.went_back()
            return
        line = {
            "back": version.name,
            "mark": self.state.mark.read,
            "latest_micros": self.state.latest_micros,
        }
        self.registry.log(line)
        batches = self.state.batches
        self.state = told
        self.state.batches = batches
        self._go_through(line)
        self.know()
        self.registry.went_back()
        self._tell("learner", version.name, "gone back")

    def _opened(self, content: bytes) -> State:
        told = snapshot.opened(content)
        bandit = snapshot.read(content, settings_of(self.config))
        try:
            state = State(
                bandit,
                Trust.restored(told["trust"]),
                Watermark({t: dict(read) for t, read in told["mark"].items()}),
                OrderedDict((id_, list(given)) for id_, given in told["given"]),
                int(told["latest_micros"]),
                int(told["batches"]),
                Pacer(**told["pacer"]) if told["pacer"] else None,
                list(told["taught"]),
                {kind: dict(usual) for kind, usual in told["usual"].items()},
                {(kind, plan): n for kind, plan, n in told["seen"]},
                {(kind, plan): n for kind, plan, n in told["judged"]},
                {day: (float(usd), int(n)) for day, (usd, n) in told["spent"].items()},
            )
        except (KeyError, TypeError, ValueError) as error:
            raise snapshot.UnreadableSnapshot(f"it lacks where reading stood: {error!r}") from None
        if bandit.features.partition(":")[0] != str(VERSION):
            reason = f"it was taught features {bandit.features}, and this Waggle makes {VERSION}"
            raise snapshot.UnreadableSnapshot(reason)
        bandit.features = taught(self._lens)
        return state

    def _new(self) -> Bandit:
        return Bandit(taught(self._lens), settings_of(self.config))


_CARD = 8.0  # answers that a card counts for


def _fade(usual: dict[str, float], context: Context) -> None:
    """Move a mean context a little toward this one."""
    share = 0.02 if usual else 1.0
    for name in dict.fromkeys((*usual, *context)):
        usual[name] = usual.get(name, 0.0) + share * (context.get(name, 0.0) - usual.get(name, 0.0))
        if abs(usual[name]) < 1e-4:
            del usual[name]


def settings_of(config: Config) -> BanditSettings:
    told = config.objective.learning
    return BanditSettings(
        floor=told.floor, memory=told.memory, safe_share=told.explore, margin=told.margin
    )


def kind_in(context: Context) -> str:
    """By what expenses are kept apart: the caller's own name for a kind, else ours."""
    return next(
        (name for name in context if name.startswith("task=")),
        next((name for name in context if name.startswith("kind=")), ""),
    )


def _named(kind: str) -> str:
    if kind == "any":
        return ""
    return f"kind={kind}" if kind in SORTS else f"task={kind}"


def _compared(said: Sequence[Any]) -> bool:
    return any(one.explicit for one in said) and any(not one.explicit for one in said)


def _day(seconds: float) -> str:
    return str(int(seconds // _DAY))


def rebuilt(config: Config, lens: int) -> Fold:
    """The same, from the log alone: what a snapshot is held against."""
    fold = Fold(config, lens)
    fold.know()
    for line in fold.registry.logged():
        fold._go_through(line)
    return fold
