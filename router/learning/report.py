"""The learner's report for people: what the learner expects of each plan, by kind of request."""

from collections.abc import Mapping
from typing import Any

from learner.deciding import BanditPolicy
from learner.policy import Arm
from learner.trust import Trust
from router.config.config import Config
from router.learning.fold import Fold
from router.learning.state import LearnerState
from router.plans.compiled import Plans
from router.plans.costs import Size
from router.routing.bandit import rates_of

_MOST_KINDS = 40


def report_of(fold: Fold, policy: BanditPolicy | None, config: Config) -> Mapping[str, Any]:
    bandit = fold.state.bandit
    return {
        "object": "learner",
        "state": "learning",
        "strategy": config.objective.strategy,
        "learned": bandit.learned,
        "duplicates": bandit.duplicates,
        "features": bandit.features,
        "snapshot": fold.version,
        "pinned": fold.registry.pinned,
        "bursts": {arm: round(left, 1) for arm, left in bandit.bursts.items()},
        "beliefs": [] if policy is None else [round(float(b), 4) for b in policy.posterior.beliefs],
        "curiosity": None if policy is None else round(policy.curiosity, 4),
        "sources": [
            {
                "source": name,
                "compared": int(record.compared),
                "off_by": round(record.miss.get(), 4),
                "bias": round(record.bias.get(), 4),
            }
            for name, record in fold.state.trust.records()
        ],
        "behaviours": _behaviours(fold.state.trust),
        "kinds": [] if policy is None else _kinds(fold.state, policy, config),
    }


def _behaviours(trust: Trust) -> list[dict[str, Any]]:
    """What users did with rated answers, and the weight that each behaviour has earned."""
    rows = []
    for name, record in trust.behaviours():
        expected, weight = trust.behaved(name)
        behaviour, _, claims = name.partition(":")
        rows.append(
            {
                "behaviour": behaviour,
                "claims": claims,
                "compared": int(record.compared),
                "rated": round(record.rated.get(), 4),
                "expected": round(expected, 4),
                "weight": round(weight, 4),
            }
        )
    return rows


def _kinds(state: LearnerState, policy: BanditPolicy, config: Config) -> list[dict[str, Any]]:
    arms = [Arm(plan) for plan in config.asking]
    prices = rates_of(Plans(config), policy.arms, Size())
    rates = {Arm(plan): price for plan, price in prices.items()}
    priced = policy.preferring(config.objective.preference).priced(rates)
    return [
        {
            "kind": kind.partition("=")[2] or "any",
            "named_by": kind.partition("=")[0],
            "plans": _plans(state, priced, arms, kind),
        }
        for kind in _frequent_kinds(state)
    ]


def _plans(
    state: LearnerState, policy: BanditPolicy, arms: list[Arm], kind: str
) -> list[dict[str, Any]]:
    """The policy's estimates of each plan for an average request of a kind, with counts."""
    context = {**state.usual.get(kind, {}), "complexity": 0.0}
    if kind:
        context[kind] = 1.0
    total = sum(state.seen.get((kind, arm), 0) for arm in arms) or 1
    return [
        {
            "plan": estimate.arm,
            "quality": round(estimate.quality, 4),
            "interval": round(1.96 * estimate.deviation, 4),
            "usd_per_1k": round(1000 * estimate.cost, 6),
            "seconds": round(estimate.seconds, 4),
            "tail_seconds": state.bandit.expenses.of(estimate.arm, kind).tail_seconds,
            "failure": round(estimate.failure, 4),
            "utility": round(estimate.utility, 4),
            "share": round(estimate.share, 4),
            "requests": state.seen.get((kind, estimate.arm), 0),
            "judged": state.judged.get((kind, estimate.arm), 0),
            "traffic": round(state.seen.get((kind, estimate.arm), 0) / total, 4),
        }
        for estimate in policy.estimates(context, arms)
    ]


def _frequent_kinds(state: LearnerState) -> list[str]:
    """First `""`, which stands for any kind, then the kinds with the most answers."""
    answers: dict[str, int] = {}
    for (kind, _), n in state.seen.items():
        answers[kind] = answers.get(kind, 0) + n
    ranked = sorted(answers, key=lambda kind: -answers[kind])[:_MOST_KINDS]
    return ["", *(kind for kind in ranked if kind)]
