"""The course of a trial: turns rows of telemetry into a comparison that counts each unit once."""

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log10
from typing import Any, Literal, TypeVar

from learner.assignment import Side
from learner.comparison import Comparison, TrialRules
from learner.policy import Context
from learner.sequence import ComparedUnit, Contrast
from learner.watch import Turn, Watch
from router.config.config import Config
from router.request.context import NAMES, context_of
from router.routing.function_contract import NO_OPINION, NOT_ITS_FAULT
from router.trials.book import Trial
from router.trials.logged import LoggedExposure, utility_of

_TAGGED = NAMES.index("tagged")
_MOST_PENDING = 20_000
_MOST_UNITS = 200_000
_MOST_CALLERS = 5000
_MOST_REASONS = 3  # why a function or node had no effect, those first that were most frequent
_PATIENCE = 300  # compared answers within which a made plan that is in doubt must be worth it
_DOUBT = 0.7  # standard errors
_SUSPECT = 20  # compared answers after which a made plan whose answers fell may go
_SOON = 0.49  # the alpha with which an adopted made plan is shown to be worse than its control
_SET_BACK_MICROS = 900_000_000  # of rows that are read again after the clock was set back

V = TypeVar("V")
Phase = Literal["shadow", "compared", "watched"]


@dataclass
class EarlierUtility:
    """Predicts a caller's utility: the mean over the caller's earlier requests of the same kind."""

    _means: OrderedDict[tuple[str, str], tuple[int, float]] = field(default_factory=OrderedDict)

    def of(self, row: LoggedExposure) -> float:
        count, mean = self._means.get((row.key_id, row.kind), (0, 0.0))
        return mean * count / (count + 10)

    def learn(self, row: LoggedExposure, utility: float) -> None:
        key = (row.key_id, row.kind)
        count, mean = self._means.pop(key, (0, 0.0))
        self._means[key] = (count + 1, mean + (utility - mean) / (count + 1))
        if len(self._means) > _MOST_CALLERS:
            self._means.popitem(last=False)


@dataclass
class Course:
    """The progress of a trial. Units that the sides decide differently wait here for judgements."""

    trial: Trial
    config: Config
    parent: str = ""  # the plan that a made plan on trial was made from
    since_micros: int = 0
    comparison: Comparison = field(init=False)
    beside_parent: Contrast = field(default_factory=Contrast)  # the units of it or of its parent
    watch: Watch = field(init=False)
    began_micros: int = field(init=False)  # earlier rows do not count
    answered: int = 0  # requests that the candidate answered in shadow
    disagreed: int = 0
    words: Counter[str] = field(default_factory=Counter)  # what a node said in shadow
    errors: Counter[str] = field(default_factory=Counter)  # its own, in shadow
    kept_back: OrderedDict[str, None] = field(default_factory=OrderedDict)  # by the machine
    silent: OrderedDict[str, str] = field(default_factory=OrderedDict)  # why, after the shadow
    seen: OrderedDict[str, None] = field(default_factory=OrderedDict)
    pending: OrderedDict[str, tuple[LoggedExposure, ComparedUnit]] = field(
        default_factory=OrderedDict
    )
    earlier: EarlierUtility = field(default_factory=EarlierUtility)

    def __post_init__(self) -> None:
        rules = rules_of(self.trial, self.config)
        self.phase = phase_of(self.trial)
        self.began_micros = int(self.trial.since * 1e6)
        # An adopted strategy's share changes over time, so no split is checked.
        share = 0.0 if self.phase == "watched" else self.trial.slot.share
        self.comparison = Comparison(rules, share)
        control = self.config.growth.control if self.trial.pattern else self.config.trials.control
        self.watch = Watch(rules, calm_share=1 - control)
        if self.trial.pattern:  # to go back costs little: the plan may be made and tried again
            rules = replace(rules, alpha=_SOON)
            margin = self.config.growth.epsilon
            least = margin if self.trial.goal == "better" else -margin
            self.watch = Watch(
                rules,
                1 - control,
                patience=_PATIENCE,
                least=least,
                tolerated=least,
                doubt=_DOUBT,
                least_alert=_SUSPECT,
                least_doubted=_SUSPECT,
            )
        self.follow(self.trial)

    def follow(self, trial: Trial) -> None:
        """Take the trial's present state. Where an adopted plan has a smaller share than usual,
        there is an alert: of an earlier process, or because the plan is in doubt."""
        self.trial = trial
        doubted = trial.state == "adopted" and trial.share < self.watch.calm_share - 1e-9
        if doubted and self.watch.alert is None:
            self.watch.start_alert()

    def reads_from(self, late: int, recent: int, now: int) -> int:
        """The time to read from: `late` before the last row; if watched, not before `recent`.

        If the clock was set back, `now` is before the trial's beginning or before the last row;
        then rows count from some minutes before now.
        """
        since = self.since_micros if self.since_micros <= now else now - _SET_BACK_MICROS
        if now < self.began_micros:
            self.began_micros = max(now - _SET_BACK_MICROS, 0)
        began = self.began_micros
        began = max(began, recent) if self.phase == "watched" else began
        return max(since - late, began, 0)

    def take(self, rows: Sequence[LoggedExposure]) -> None:
        for row in rows:
            self.since_micros = max(self.since_micros, row.ts_micros)
            if row.unit in self.seen or row.abandoned:
                continue
            if self.trial.node:
                row = _before_nodes(row)
            if row.trouble not in ("", NO_OPINION) and self.phase != "shadow":
                _remember(self.silent, row.request_id, row.trouble)
            if row.trouble in NOT_ITS_FAULT:
                _remember(self.kept_back, row.request_id, None)
                continue
            _remember(self.seen, row.unit, None)
            if row.side == "shadow":
                self._take_shadow(row)
            else:
                self._compare(row, "candidate" if row.side == "candidate" else "current")

    def _take_shadow(self, row: LoggedExposure) -> None:
        if row.trouble and row.trouble != NO_OPINION:
            self.errors[row.trouble] += 1
            return
        self.answered += 1
        self.disagreed += row.apart
        if self.trial.node:
            self.words[row.other] += 1

    def _compare(self, row: LoggedExposure, side: Side) -> None:
        group = "" if self.trial.node else row.pattern or row.kind
        self.comparison.see(side, row.seconds, group)
        if not row.apart:
            return
        log_cost = log10(1 + 1000 * row.cost_usd)
        context = self._context(row, side)
        unit = ComparedUnit(
            side,
            row.chance,
            context,
            log_cost,
            row.seconds,
            row.failed,
            dollars=row.paid_usd,
            group=group,
        )
        self.comparison.expose(unit)
        self.pending[row.request_id] = (row, unit)
        if len(self.pending) > _MOST_PENDING:
            self.pending.popitem(last=False)

    def _context(self, row: LoggedExposure, side: Side) -> Context:
        """The context of a unit as of before the draw, so it is the same for either side."""
        context = dict(context_of(row.features, row.kind, lens=0)) if row.features else {}
        context.pop("complexity", None)
        if self.trial.node:
            return {**context, "all": 1.0}
        pair = (row.plan, row.other) if side == "candidate" else (row.other, row.plan)
        return {**context, f"kind={row.kind}": 1.0, "pair=" + ">".join(pair): 1.0}

    def waiting(self) -> Mapping[str, int]:
        """The ids of requests whose quality is not known yet, and when each request began."""
        return {id_: row.ts_micros for id_, (row, _) in self.pending.items() if not row.failed}

    def judge(self, qualities: Mapping[str, float]) -> list[Turn]:
        """Add the qualities of waiting requests, and return what the watch noticed.

        Only an adopted strategy is watched. A failed answer has quality 0, even if a signal says
        more.
        """
        turns, preference = [], self.config.objective.preference
        failed = [id_ for id_, (row, _) in self.pending.items() if row.failed]
        qualities = {**qualities, **dict.fromkeys(failed, 0.0)}
        for id_ in [id_ for id_ in self.pending if id_ in qualities]:
            row, unit = self.pending.pop(id_)
            utility = utility_of(qualities[id_], row.cost_usd, row.seconds, preference)
            context = {**unit.context, "before": self.earlier.of(row)}
            judged = replace(unit, quality=qualities[id_], utility=utility, context=context)
            self.earlier.learn(row, utility)
            self.comparison.judge(judged)
            if self.parent == (row.other if row.side == "candidate" else row.plan):
                self.beside_parent.add(judged, utility)
            if self.trial.state == "adopted":
                turns.append(self.watch.judge(judged))
        return [turn for turn in turns if turn != "calm"]

    def restart(self) -> None:
        """Begin a new comparison, since earlier units were drawn with another share."""
        self.comparison = Comparison(self.comparison.rules, self.comparison.share)

    def numbers(self) -> dict[str, Any]:
        numbers = self.comparison.numbers()
        if self.phase == "shadow":
            numbers |= {
                "shadowed": self.answered,
                "disagreed": self.disagreed,
                "troubled": self.errors.total(),
            }
        if self.kept_back:
            numbers |= {"kept_back": len(self.kept_back)}
        if self.silent:
            numbers |= {"silent": dict(Counter(self.silent.values()).most_common(_MOST_REASONS))}
        if self.phase == "watched":
            numbers |= {"alerts": self.watch.alerts, "alert": self.watch.alert is not None}
        return numbers


def _before_nodes(row: LoggedExposure) -> LoggedExposure:
    """The row as of before a node spoke, since a classifier's kind says on which side a row is."""
    features = list(row.features) if row.features else []
    if features:
        features[_TAGGED] = 0.0
    return replace(row, kind="", features=features)


def _remember(seen: OrderedDict[str, V], key: str, value: V) -> None:
    seen[key] = value
    if len(seen) > _MOST_UNITS:
        seen.popitem(last=False)


def phase_of(trial: Trial) -> Phase:
    """The purpose for which the rows of a trial are read."""
    if trial.state in ("adopting", "adopted"):
        return "watched"
    return "shadow" if trial.state == "shadow" else "compared"


def rules_of(trial: Trial, config: Config) -> TrialRules:
    settings = config.trials
    usual = TrialRules(
        goal="better" if trial.goal == "better" else "no worse",
        alpha=settings.alpha,
        margin=settings.epsilon,
        most_requests=settings.most_requests,
    )
    return replace(usual, **trial.rules)
