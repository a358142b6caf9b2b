"""The course of one trial: rows of telemetry, each unit once, into a comparison."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log10
from typing import Any, Literal

from learner.assignment import Side
from learner.policy import Context
from learner.preference import Preference
from learner.sequence import ComparedUnit
from learner.trial import Comparison, TrialRules
from learner.watch import Turn, Watch
from router.config.config import Config
from router.request.context import context_of
from router.routing.function_contract import LOADING
from router.trials.book import Trial
from router.trials.logged import LoggedExposure, utility_of

_MOST_PENDING = 20_000
_MOST_UNITS = 200_000


@dataclass
class Before:
    """How answers to a caller's requests of one kind fared so far: what is known of a unit before
    it is drawn, and what its own outcome is then held against."""

    _means: OrderedDict[tuple[str, str], tuple[int, float]] = field(default_factory=OrderedDict)

    def of(self, row: LoggedExposure) -> float:
        count, mean = self._means.get((row.key_id, row.kind), (0, 0.0))
        return mean * count / (count + 10)

    def learn(self, row: LoggedExposure, utility: float) -> None:
        key = (row.key_id, row.kind)
        count, mean = self._means.pop(key, (0, 0.0))
        self._means[key] = (count + 1, mean + (utility - mean) / (count + 1))
        if len(self._means) > 5000:
            self._means.popitem(last=False)


@dataclass
class Course:
    """Rows go in by `take`; whoever was decided apart waits here until it is judged."""

    trial: Trial
    config: Config
    preference: Preference
    since_micros: int = 0
    comparison: Comparison = field(init=False)
    watch: Watch = field(init=False)
    shadowed: int = 0
    troubled: int = 0
    disagreed: int = 0
    seen: OrderedDict[str, None] = field(default_factory=OrderedDict)
    pending: OrderedDict[str, tuple[LoggedExposure, ComparedUnit]] = field(
        default_factory=OrderedDict
    )
    before: Before = field(default_factory=Before)

    def __post_init__(self) -> None:
        rules = rules_of(self.trial, self.config)
        self.phase = phase_of(self.trial)
        self.watched = self.phase == "watched"
        # Shares of what is adopted change on the way: no split is held against one of them.
        share = 0.0 if self.watched else self.trial.slot.share
        self.comparison = Comparison(rules, share)
        self.watch = Watch(rules, calm_share=1 - self.config.trials.control)
        if self.trial.state == "adopted" and self.trial.share < self.watch.calm_share - 1e-9:
            self.watch.start_alert()  # as it stood when we were ended

    def asks_from(self, late: int, recent: int) -> int:
        """Where to look for new rows: back by `late`, and of what is adopted to `recent`."""
        began = int(self.trial.since * 1e6)
        began = max(began, recent) if self.watched else began
        return max(self.since_micros - late, began, 0)

    def take(self, rows: Sequence[LoggedExposure]) -> None:
        for row in rows:
            self.since_micros = max(self.since_micros, row.ts_micros)
            if row.unit in self.seen or row.abandoned or row.trouble == LOADING:
                continue
            self.seen[row.unit] = None
            if len(self.seen) > _MOST_UNITS:
                self.seen.popitem(last=False)
            self._see(row)

    def _see(self, row: LoggedExposure) -> None:
        if row.side == "shadow":
            self.shadowed += 1
            self.troubled += bool(row.trouble)
            self.disagreed += row.apart
            return
        side: Side = "candidate" if row.side == "candidate" else "current"
        self.comparison.see(side, row.seconds)
        if not row.apart:
            return
        exposed = ComparedUnit(
            side,
            row.chance,
            self._context(row, side),
            log10(1 + 1000 * row.cost_usd),
            row.seconds,
            row.failed,
        )
        self.comparison.expose(exposed)
        self.pending[row.request_id] = (row, exposed)
        if len(self.pending) > _MOST_PENDING:
            self.pending.popitem(last=False)

    def _context(self, row: LoggedExposure, side: Side) -> Context:
        """What was known before it was drawn: the same whichever side it fell on."""
        told = dict(context_of(row.features, row.kind, lens=0)) if row.features else {}
        told.pop("complexity", None)
        pair = (row.plan, row.other) if side == "candidate" else (row.other, row.plan)
        return {**told, f"kind={row.kind}": 1.0, "pair=" + ">".join(pair): 1.0}

    def waiting(self) -> Mapping[str, int]:
        """Requests of which it is not yet known how good they were, and when they began."""
        return {id_: row.ts_micros for id_, (row, _) in self.pending.items() if not row.failed}

    def judge(
        self, qualities: Mapping[str, float], tell: Callable[[Turn], Any] | None = None
    ) -> int:
        """What was said of them since; one that failed was worth nothing, whoever says so."""
        failed = [id_ for id_, (row, _) in self.pending.items() if row.failed]
        told = {**dict.fromkeys(failed, 0.0), **qualities}
        known = [id_ for id_ in self.pending if id_ in told]
        for id_ in known:
            row, exposed = self.pending.pop(id_)
            utility = utility_of(told[id_], row.cost_usd, row.seconds, self.preference)
            context = {**exposed.context, "before": self.before.of(row)}
            judged = replace(exposed, quality=told[id_], utility=utility, context=context)
            self.before.learn(row, utility)
            self.comparison.judge(judged)
            if tell is not None:
                tell(self.watch.judge(judged))
        return len(known)

    def restart(self) -> None:
        """Compare anew from here: what was found before belongs to another share."""
        self.comparison = Comparison(self.comparison.rules, self.comparison.share)

    def numbers(self) -> dict[str, Any]:
        told: dict[str, Any] = self.comparison.numbers()
        if self.shadowed:
            told |= {
                "shadowed": self.shadowed,
                "disagreed": self.disagreed,
                "troubled": self.troubled,
            }
        if self.watched:
            told |= {"alerts": self.watch.alerts, "alert": self.watch.alert is not None}
        return told


def phase_of(trial: Trial) -> str:
    """What its rows are read for."""
    if trial.state in ("adopting", "adopted"):
        return "watched"
    return "shadow" if trial.state == "shadow" else "compared"


def rules_of(trial: Trial, config: Config) -> TrialRules:
    told = config.trials
    goal: Literal["better", "no worse"] = "better" if trial.goal == "better" else "no worse"
    usual = TrialRules(
        goal=goal, alpha=told.alpha, margin=told.epsilon, most_requests=told.most_requests
    )
    return replace(usual, **trial.rules)
