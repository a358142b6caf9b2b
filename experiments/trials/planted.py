"""Measures whether simplification removes useless plans that we planted, and no others.

The pool holds nine models with recorded outcomes, and six copies of them that are dearer or worse.
The bandit learns from its own choices. The search proposes plans to remove, and a trial on other
prompts tests each proposal.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from experiments.replay.alone import LearnerAlone
from experiments.replay.outcomes import Outcomes, contexts
from experiments.replay.playing import COST
from learner.assignment import Side
from learner.comparison import Comparison, TrialRules
from learner.deciding import BanditPolicy
from learner.policy import Arm, Context, draw, draw_beside
from learner.preference import Estimate
from learner.sequence import ComparedUnit
from learner.verdict import Word, verdict_of
from router.config.config import Config
from router.routing.strategies import Strategy
from router.trials.idle_plans import find_idle

PLANTED = 6
EPSILON = 0.01
_ROUNDS = 32
_GOES_ON = 1000
_LOOKED_AT = 1500
MOST_REQUESTS = 20_000  # of a trial


@dataclass(frozen=True)
class _Row:
    at: int
    kind: str


@dataclass
class _Replay:
    """Stands in for `Replay`: the learner's estimates for a recorded prompt."""

    policy: Any
    seen: list[Context]

    def estimates(self, row: _Row, plans: list[Arm]) -> list[Estimate]:
        estimates: list[Estimate] = self.policy.estimates(self.seen[row.at], plans)
        return estimates


def with_useless(outcomes: Outcomes, seed: int) -> Outcomes:
    """The outcomes with six useless copies of arms: three cost twice as much, and three give no
    quality in a fifth of their answers."""
    chance = np.random.default_rng(700 + seed)
    quality, cost = [outcomes.quality], [outcomes.cost]
    names = list(outcomes.arms)
    for n in range(PLANTED):
        of = int(chance.integers(len(outcomes.arms)))
        names.append(Arm(f"planted-{n}"))
        copied, paid = outcomes.quality[:, [of]], outcomes.cost[:, [of]]
        if n % 2:
            copied = np.where(chance.random(copied.shape) < 0.2, 0.0, copied)
        else:
            paid = 2 * paid
        quality.append(copied)
        cost.append(paid)
    return replace(outcomes, arms=tuple(names), quality=np.hstack(quality), cost=np.hstack(cost))


def simplified(outcomes: Outcomes, seed: int, *, most: int = MOST_REQUESTS) -> dict[str, Any]:
    pool = with_useless(outcomes, seed)
    order = np.random.default_rng(seed).permutation(len(pool.prompts)).tolist()
    seen = contexts(pool, order, tagged=True)
    cut = len(order) * 7 // 10
    player = LearnerAlone(pool)
    player.play(order[:cut], seen, seed)
    rounds = _Rounds(pool, player, seen, order[:cut], order[cut:], most)
    for turn in range(_ROUNDS):
        rounds.next(100 * seed + turn)
    gone = list(rounds.serving.without)
    useful = _useful(pool, order[cut:])
    planted = {f"planted-{n}" for n in range(PLANTED)}
    kinds = len(set(pool.tasks))
    return {
        "seed": seed,
        "found": len(planted & set(gone)),
        "planted": PLANTED,
        "useful": sorted(useful),
        "useful_removed": sorted(useful & set(gone)),
        "others_removed": sorted(set(gone) - planted - useful),
        "paths": [kinds * len(pool.arms), kinds * (len(pool.arms) - len(gone))],
        "loss": _loss(pool, _policy(player), seen, order[cut:], gone),
        "trials": rounds.trials,
    }


@dataclass
class _Rounds:
    """Rounds of simplification: propose plans to remove, try the proposal, let the bandit learn."""

    pool: Outcomes
    player: LearnerAlone
    seen: list[Context]
    learned: list[int]  # prompts from which the bandit learns
    unseen: list[int]  # prompts for the trials
    most: int  # requests of a trial
    serving: Strategy = field(default_factory=lambda: Strategy("bandit", "bandit"))
    spared: set[str] = field(default_factory=set)
    alone: set[str] = field(default_factory=set)
    trials: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        plans = {str(arm): {"ask": f"b-{n}"} for n, arm in enumerate(self.pool.arms)}
        backends = {f"b-{n}": {"kind": "generator"} for n in range(len(self.pool.arms))}
        self.config = Config.model_validate({"backends": backends, "plans": plans})

    def next(self, seed: int) -> None:
        policy = _policy(self.player)
        idle = self._proposal(policy)
        if idle is not None:
            trial = _Trial(self.pool, policy, self.seen, self.unseen, self.most)
            word, requests = trial.decide(self.serving.without, idle, seed)
            self.trials.append({"without": list(idle), "word": word, "requests": requests})
            if word == "adopt":
                without = (*self.serving.without, *idle)
                self.serving = replace(self.serving, without=without)
            else:
                (self.spared if len(idle) == 1 else self.alone).update(idle)
        self._learn_on(seed)

    def _proposal(self, policy: BanditPolicy) -> tuple[str, ...] | None:
        """The plans that the router's own search proposes to remove."""
        bandit = self.player.bandit
        rows: Any = [_Row(at, self.pool.tasks[at]) for at in self.learned[-_LOOKED_AT:]]
        replay: Any = _Replay(policy, self.seen)
        judged = {str(arm): int(bandit.evidence.weight(arm)) for arm in self.pool.arms}
        search = find_idle(
            self.config,
            replay,
            self.serving,
            rows,
            judged,
            EPSILON,
            tried=lambda row, plan: self.player.judged[row.kind, self.pool.arms.index(Arm(plan))],
            spared=self.spared,
            alone=self.alone,
        )
        for plan in search.unsure[:4]:
            bandit.bursts[Arm(plan)] = bandit.settings.burst_length
        return search.idle.plans if search.idle is not None else None

    def _learn_on(self, seed: int) -> None:
        """Let the bandit learn from another thousand requests."""
        chance = np.random.default_rng(3000 + seed)
        left = [arm for arm in self.pool.arms if arm not in self.serving.without]
        for step in range(_GOES_ON):
            at = self.learned[int(chance.integers(len(self.learned)))]
            if step % self.player.every == 0:
                policy = _policy(self.player)
            arm = draw(policy.distribution(self.seen[at], left), float(chance.random())).arm
            self.player.learn(f"{seed}:{step}", at, self.pool.arms.index(arm), self.seen[at])


@dataclass
class _Trial:
    """A trial on recorded outcomes; prompts repeat if the trial needs more."""

    pool: Outcomes
    policy: Any
    seen: list[Context]
    prompts: list[int]
    most: int

    def decide(self, removed: Sequence[str], without: Sequence[str], seed: int) -> tuple[Word, int]:
        """The verdict on a strategy without some plans, and the number of requests until then."""
        chance = np.random.default_rng(900 + seed)
        rules = TrialRules(goal="no worse", margin=EPSILON, studied=True, most_harm=0.1)
        comparison = Comparison(rules)
        current = [arm for arm in self.pool.arms if arm not in removed]
        fewer = [arm for arm in current if arm not in without]
        dearness = self.pool.dearness
        for n in range(self.most):
            at = self.prompts[int(chance.integers(len(self.prompts)))]
            uniform = float(chance.random())
            side: Side = "candidate" if chance.random() < 0.5 else "current"
            here, there = (fewer, current) if side == "candidate" else (current, fewer)
            own, other = (self.policy.distribution(self.seen[at], arms) for arms in (here, there))
            chosen = draw(own, uniform).arm
            comparison.see(side, 0.1, self.pool.tasks[at])
            if chosen == draw_beside(own, other, uniform):
                if n % 200 == 199 and (word := verdict_of(comparison).word) != "more data":
                    return word, n + 1
                continue
            arm = self.pool.arms.index(chosen)
            quality, dear = float(self.pool.quality[at, arm]), float(dearness[arm])
            utility = quality - COST * dear
            unit = ComparedUnit(
                side, 0.5, {}, dear, 0.1, False, quality, utility, group=self.pool.tasks[at]
            )
            comparison.expose(unit)
            comparison.judge(unit)
            if (word := verdict_of(comparison).word) != "more data":
                return word, n + 1
        return "more data", self.most


def _policy(player: LearnerAlone) -> BanditPolicy:
    return player.policy()


def _useful(pool: Outcomes, prompts: list[int]) -> set[str]:
    """The plans whose removal costs more than epsilon, with the best plan left for each task."""
    worth = pool.quality - COST * pool.dearness
    tasks = np.array([pool.tasks[at] for at in prompts])
    by_task = np.array([worth[prompts][tasks == task].sum(axis=0) for task in sorted(set(tasks))])
    best = by_task.max(axis=1).sum()
    useful = set()
    for at, arm in enumerate(pool.arms):
        rest = np.delete(by_task, at, axis=1).max(axis=1).sum()
        if (best - rest) / len(prompts) > EPSILON:
            useful.add(str(arm))
    return useful


def _loss(
    pool: Outcomes, policy: Any, seen: list[Context], prompts: list[int], gone: list[str]
) -> float:
    """The mean utility that a request loses without the removed plans, by the recorded outcomes."""
    worth = pool.quality - COST * pool.dearness
    left = [arm for arm in pool.arms if arm not in gone]
    every = list(pool.arms)
    index = {arm: at for at, arm in enumerate(pool.arms)}

    def value(arms: list[Arm]) -> float:
        total = 0.0
        for at in prompts:
            odds = policy.distribution(seen[at], arms)
            total += sum(share * worth[at, index[arm]] for arm, share in odds.items())
        return total / len(prompts)

    return round(float(value(every) - value(left)), 5)
