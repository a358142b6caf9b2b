"""The learner's state, which a snapshot contains, and how rows change the state.

The state depends on no clock, file or random number: the same rows in the same order give the same
state to the last bit. This module writes no events; `learn` returns a detected drift.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from learner import snapshot
from learner.bandit_learner import FIRST, Bandit, Drifted
from learner.deciding import BanditSettings
from learner.pacing import Pacer
from learner.policy import Arm, Context, Feedback, Outcome, group_of
from learner.trust import SourceScore, Trust
from router.config.config import Config
from router.config.objective import MoneyBudget
from router.config.plan_steps import whole
from router.learning.arrivals import Arrivals
from router.learning.usual import fade
from router.plans.priors import Prior, priors_of
from router.request.context import NAMES_OF, context_of, readable, taught
from router.request.kinds import SORTS
from router.routing.bandit import spend_of
from router.telemetry.feed import AnsweredRequest, JudgedRequest, Watermark

DAY_SECONDS = 86_400
_CONTRIBUTIONS = 20_000  # answers whose judgement may still be revised
_BEHAVED = 2_000  # answers with behaviours that may be learned anew
_RECALIBRATED = 1.25  # ratings, as a multiple, after which they are
_TASKS = 64  # the most task names that become features; callers may invent more
_DAYS = 3  # the number of days whose spending is remembered


@dataclass
class LearnerState:
    bandit: Bandit
    lens: int  # the number of the lens for reading features; 0 for no lens
    trust: Trust = field(default_factory=Trust)
    mark: Watermark = field(default_factory=Watermark)
    contributions: OrderedDict[str, list[float]] = field(default_factory=OrderedDict)
    latest_micros: int = 0
    batches: int = 0  # the number of replayed lines of the log
    pacer: Pacer | None = None
    taught: list[str] = field(default_factory=list)  # the names of lessons from `waggle warm`
    usual: dict[str, dict[str, float]] = field(default_factory=dict)  # the mean context, by kind
    seen: dict[tuple[str, str], int] = field(default_factory=dict)  # answers by kind and plan
    judged: dict[tuple[str, str], int] = field(default_factory=dict)  # judged answers of each
    spent: dict[str, tuple[float, int]] = field(default_factory=dict)  # dollars, answers by day
    arrivals: Arrivals = field(default_factory=Arrivals)
    # The latest answers of which only behaviours are known. They are learned when ratings say what
    # behaviours mean, and again when many more ratings say it better.
    behaved: OrderedDict[str, JudgedRequest] = field(default_factory=OrderedDict)
    calibrated_at: float = 0.0  # the ratings when they were last learned

    @classmethod
    def new(cls, config: Config, lens: int) -> "LearnerState":
        return cls(Bandit(taught(lens), settings_of(config)), lens)

    @classmethod
    def read(cls, content: bytes, config: Config, lens: int) -> "LearnerState":
        """The state in a snapshot. Raises `UnreadableSnapshot` with the reason."""
        stored = snapshot.opened(content)
        bandit = snapshot.read(content, settings_of(config))
        moved_forward(bandit, lens)
        try:
            return cls(
                bandit,
                lens,
                Trust.restored(stored["trust"]),
                Watermark({table: dict(read) for table, read in stored["mark"].items()}),
                OrderedDict((id_, list(score)) for id_, score in stored["given"]),
                int(stored["latest_micros"]),
                int(stored["batches"]),
                Pacer(**stored["pacer"]) if stored["pacer"] else None,
                list(stored["taught"]),
                {kind: dict(usual) for kind, usual in stored["usual"].items()},
                {(kind, plan): n for kind, plan, n in stored["seen"]},
                {(kind, plan): n for kind, plan, n in stored["judged"]},
                {day: (float(usd), int(n)) for day, (usd, n) in stored["spent"].items()},
                # Older snapshots have no arrivals: their count begins with the next row.
                Arrivals.restored(stored["arrivals"]) if "arrivals" in stored else Arrivals(),
                OrderedDict((id_, _behaved(parts)) for id_, *parts in stored.get("behaved", ())),
                float(stored.get("calibrated_at", 0.0)),
            )
        except (KeyError, TypeError, ValueError) as error:
            reason = f"it does not say what was read before it: {error!r}"
            raise snapshot.UnreadableSnapshot(reason) from None

    def written(self, at: float) -> bytes:
        """The state as the content of a snapshot."""
        return snapshot.written(
            self.bandit,
            at=at,
            trust=self.trust.state(),
            mark=self.mark.read,
            given=list(self.contributions.items()),
            latest_micros=self.latest_micros,
            batches=self.batches,
            spent=self.spent,
            arrivals=self.arrivals.state(),
            taught=self.taught,
            usual=self.usual,
            seen=[[*key, n] for key, n in self.seen.items()],
            judged=[[*key, n] for key, n in self.judged.items()],
            pacer=None if self.pacer is None else asdict(self.pacer),
            behaved=[[id_, *_parts(judged)] for id_, judged in self.behaved.items()],
            calibrated_at=self.calibrated_at,
        )

    def use_lens(self, lens: int) -> None:
        self.lens = lens
        self.bandit.features = taught(lens)

    def add_plans(self, config: Config) -> list[Arm]:
        """Add the plans of a configuration, each with the quality that its card claims.

        If the learner has learned before, return the new plans: they get more requests for a while.
        """
        bandit = self.bandit
        arms = [Arm(plan) for plan in config.plans]
        new = [arm for arm in arms if arm not in bandit.evidence.arms]
        experienced = bool(bandit.learned)
        bandit.set_arms(arms, burst=experienced)
        for arm, prior in self._priors(config, new):
            if experienced or prior.source == "objective.cards":
                self._believe(arm, prior)
        return new if experienced else []

    def _priors(self, config: Config, arms: Sequence[Arm]) -> list[tuple[Arm, Prior]]:
        priors = priors_of(config)
        return [(arm, priors[arm]) for arm in arms if arm in priors]

    def _believe(self, arm: Arm, prior: Prior) -> None:
        for kind, quality in prior.quality.items():
            self.bandit.believe(arm, quality, weight=prior.answers, kind=_feature_of(kind))

    def _begin(self, config: Config) -> None:
        """Believe public results, with the first judged answer. Until then the default decides, and
        they would take its place."""
        for arm, prior in self._priors(config, list(self.bandit.evidence.arms)):
            if prior.source == "public results":
                self._believe(arm, prior)

    def try_more(self, plans: Sequence[str]) -> None:
        """Send more requests to these plans for a while, as if they were new."""
        for plan in plans:
            if Arm(plan) in self.bandit.evidence.arms:
                self.bandit.bursts[Arm(plan)] = self.bandit.settings.burst_length

    def teach(
        self,
        name: str,
        rows: Sequence[Mapping[str, Any]],
        config: Config,
        prices: Mapping[str, float] | None = None,
    ) -> None:
        """Learn from prompts that were scored offline. Every plan answered every prompt, so the
        learner need not correct for the choice of plans.

        With `prices`, trees grow several times on the way: so later prompts of the lesson show what
        choosing by context gains, before the first request. For that, prompts come in an order that
        means nothing.
        """
        self.taught.append(name)
        order = range(len(rows)) if prices is None else _mixed(len(rows))
        for n in order:
            row = rows[n]
            context = self._context(_version_of(row["features"]), row["features"], row["kind"])
            for plan, score in row["scores"].items():
                if context is not None and plan in config.plans:
                    id_ = f"{name}:{n}:{plan}"
                    propensity = 1 / len(row["scores"])
                    self.bandit.learn(Feedback(id_, Arm(plan), context, score, 1.0, propensity))
            if prices is not None and self.bandit.learned >= max(FIRST, 2 * self.bandit.grown_at):
                self.grow(prices)
        if prices is not None and self.bandit.trees_are_due:
            self.grow(prices)

    def grow(self, prices: Mapping[str, float]) -> None:
        """Grow trees anew; `prices` is what an answer of each plan costs in utility."""
        arms = self.bandit.evidence.arms
        self.bandit.grow(np.array([prices.get(arm, 0.0) for arm in arms]))

    def see(self, rows: Sequence[AnsweredRequest], config: Config) -> None:
        """Learn what requests cost, how long they took, and whether they failed."""
        contexts: list[Context] = []
        kinds: dict[str, list[int]] = {}  # the places of each kind's contexts
        for row in rows:
            self.latest_micros = max(self.latest_micros, row.ts_micros)
            self._pay(row, config.objective.budget)
            plan = whole(row.plan)  # a simpler form of a plan teaches about the whole plan
            if not self._is_known(plan, config) or row.abandoned or row.strategy == "reuse":
                continue  # a remembered answer is no plan's
            context = self._context(row.features_version, row.features, row.kind)
            if context is None:
                continue
            # What it took to ask whether memory may answer says nothing about the plan.
            spend = spend_of(row.cost_usd - row.questions_usd, row.rate_usd or 0.0)
            seconds = max(row.latency_ms - row.questions_ms, 0.0) / 1000
            kind = _kind_of(context, row.kind)
            self.bandit.see(Outcome(Arm(plan), context, spend, seconds, row.failed), kind)
            _count(self.seen, kind, plan)
            self.arrivals.came(kind, row.ts_micros, decided=row.strategy == "bandit")
            kinds.setdefault(kind, []).append(len(contexts))
            contexts.append(context)
        if contexts:
            fade(self.usual, contexts, kinds | {"": list(range(len(contexts)))})

    def learn(self, judged: JudgedRequest, config: Config) -> Drifted | None:
        """Learn how good an answer was, and return the drift that the answer reveals.

        If ratings say better what behaviours mean, answers with behaviours are learned anew.
        """
        self.trust.compare(judged.now, judged.before)
        drifted = self._learn(judged, config)
        if drifted is not None:  # what its users did before says nothing any more
            self.behaved = OrderedDict(
                (id_, earlier)
                for id_, earlier in self.behaved.items()
                if whole(earlier.request.plan) != drifted.arm
            )
        due = bool(self.behaved) and self.trust.rated >= _RECALIBRATED * self.calibrated_at
        if due and self.trust.behaviours_weight() > 0:
            self.calibrated_at = self.trust.rated
            for earlier in list(self.behaved.values()):
                self._learn(earlier, config)
        return drifted

    def _learn(self, judged: JudgedRequest, config: Config) -> Drifted | None:
        request = judged.request
        quality = self.trust.quality(judged.now)
        context = self._context(request.features_version, request.features, request.kind)
        # If a caller names a plan, nobody knows how likely that was. Outside of a shadow, the
        # features are not known either.
        named = request.strategy == "named"
        untold = request.strategy in ("", "reuse") or (named and not request.shadowed)
        plan = whole(request.plan)
        if context is None or untold or not self._is_known(plan, config):
            return None
        self._remember_behaviour(judged)
        if quality is None:
            return None
        score, weight = quality
        id_ = f"{request.request_id}:{score:.6f}:{weight:.6f}"
        propensity = 0.0 if named else request.propensity or 0.0
        watched = any(not source.implicit for source in judged.now)
        feedback = Feedback(
            *(id_, Arm(plan), context, score, weight, propensity, request.request_id), watched
        )
        before = self.contributions.get(request.request_id)
        drifted = None
        if before is not None:
            was, weighed = before
            self.bandit.revise(Feedback("", Arm(plan), context, was, weighed), feedback)
        elif any(not score.implicit for score in judged.before):
            return None  # the earlier judgement is too old to be revised
        else:
            if not self.bandit.learned:
                self._begin(config)
            kind = _kind_of(context, request.kind)
            _count(self.judged, kind, plan)
            self.arrivals.judged(kind, request.ts_micros)
            drifted = self.bandit.learn(feedback)
        self.contributions[request.request_id] = [score, weight]
        if len(self.contributions) > _CONTRIBUTIONS:
            self.contributions.popitem(last=False)
        return drifted

    def _is_known(self, plan: str, config: Config) -> bool:
        return plan in config.plans or plan in self.bandit.heirs.parents

    def _remember_behaviour(self, judged: JudgedRequest) -> None:
        """Keep an answer of which only behaviours are known, and drop it when it is judged."""
        id_ = judged.request.request_id
        if judged.now and all(source.implicit for source in judged.now):
            self.behaved[id_] = judged
            if len(self.behaved) > _BEHAVED:
                self.behaved.popitem(last=False)
        else:
            self.behaved.pop(id_, None)

    def pacer_at(self, now: float, budget: MoneyBudget | None) -> Pacer | None:
        """The pacer of the configured budget at this moment; None if there is no budget."""
        if budget is None:
            return None
        if budget.dollars_per_day is None:
            return self.pacer
        spent, served = self.spent.get(_day(now), (0.0, 0))
        share = (now % DAY_SECONDS) / DAY_SECONDS
        return Pacer.of_day(budget.dollars_per_day, spent, int(served), share)

    def _pay(self, row: AnsweredRequest, budget: MoneyBudget | None) -> None:
        day = _day(row.ts_micros / 1e6)
        spent, served = self.spent.pop(day, (0.0, 0))
        self.spent[day] = (spent + row.cost_usd, served + 1)
        while len(self.spent) > _DAYS:  # the days that were paid for last are kept
            del self.spent[next(iter(self.spent))]
        if budget is None or budget.dollars_per_1k is None:
            self.pacer = None
            return
        if self.pacer is None or self.pacer.budget != budget.dollars_per_1k:
            self.pacer = Pacer(budget.dollars_per_1k, 1000)
        self.pacer = self.pacer.after(row.cost_usd)

    def _context(self, version: int, features: Sequence[float | None], kind: str) -> Context | None:
        """The context of a row; None if its features are missing or unreadable."""
        if not readable(version, features):
            return None
        context = dict(context_of(features, kind, lens=self.lens))
        context.pop("complexity", None)  # only the ladder uses this number
        names, task = self.bandit.evidence.names, f"task={kind}"
        new = task in context and task not in names
        if new and sum(name.startswith("task=") for name in names) >= _TASKS:
            del context[task]
        return context


def _parts(judged: JudgedRequest) -> list[Any]:
    """An answer with behaviours, as a snapshot holds it."""
    sources = [[s.source, s.metric, s.score, s.weight] for s in judged.now]
    return [judged.request, sources]  # a value is written as the mapping of its fields


def _behaved(parts: Sequence[Any]) -> JudgedRequest:
    request, sources = parts
    return JudgedRequest(
        AnsweredRequest(**request), (), tuple(SourceScore(*source) for source in sources)
    )


def _mixed(count: int) -> list[int]:
    """The numbers below `count` in an order that is always the same."""
    order: list[int] = np.random.default_rng(count).permutation(count).tolist()
    return order


def moved_forward(bandit: Bandit, lens: int) -> None:
    """Bring a bandit to this version of the features, seen through this lens.

    Of version 2, everything is kept. Of version 1, everything is kept but what was learned through
    a lens: a lens of that version is fitted anew, and its successor has other neighbourhoods and
    directions under the same names.
    Raises `UnreadableSnapshot` if the bandit learned from features that we cannot read.
    """
    version = bandit.features.partition(":")[0]
    if version not in map(str, NAMES_OF):
        raise snapshot.UnreadableSnapshot(
            f"it was taught features {bandit.features}, and this Waggle reads "
            f"{', '.join(map(str, NAMES_OF))}"
        )
    if version == "1":
        names = bandit.evidence.names
        bandit.forget_features([name for name in names if _of_another_version(name)])
    bandit.features = taught(lens)


def _of_another_version(name: str) -> bool:
    seen_through_a_lens = group_of(name) in ("near", "far", "lex", "vec")
    return seen_through_a_lens or name in ("part.capitals", "part.signs", "part.asks")


def _version_of(features: Sequence[float | None]) -> int:
    """The version of the features in a lesson, which does not name it."""
    return next((version for version, names in NAMES_OF.items() if len(names) == len(features)), 0)


def settings_of(config: Config) -> BanditSettings:
    learning = config.objective.learning
    return BanditSettings(
        floor=learning.floor,
        memory=learning.memory,
        safe_share=learning.explore,
        margin=learning.margin,
    )


def kind_in(context: Context) -> str:
    """The kind by which expenses are averaged: the caller's task, else the kind of an agent's
    request, else the kind of the prompt."""
    starts = ("task=", "agent=", "kind=")
    return next((name for start in starts for name in context if name.startswith(start)), "")


def _kind_of(context: Context, task: str) -> str:
    """What `kind_in` says of a row's context, in which an agent's kind precedes the prompt's."""
    name = f"task={task}"
    if name in context:
        return name
    return next((name for name in context if name.startswith(("agent=", "kind="))), "")


def _feature_of(kind: str) -> str:
    if kind == "any":
        return ""
    return f"kind={kind}" if kind in SORTS else f"task={kind}"


def _count(answers: dict[tuple[str, str], int], kind: str, plan: str) -> None:
    for key in dict.fromkeys((("", plan), (kind, plan))):
        answers[key] = answers.get(key, 0) + 1


def _day(seconds: float) -> str:
    return str(int(seconds // DAY_SECONDS))
