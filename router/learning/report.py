"""The learner's report for people: what the learner expects of each plan, by kind of request.

The first kind stands for all requests. Each kind says whether there is anything to learn, how much
is left, and what exploring costs a day.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from learner.deciding import BanditPolicy
from learner.policy import Arm
from learner.preference import Estimate
from learner.trust import Trust
from router.config.config import Config
from router.learning.fold import Fold
from router.learning.outlook import outlook_of, verdict_of
from router.learning.prospects import KindRecord, Prospect, prospects_of
from router.learning.state import LearnerState
from router.routing.bandit import priced_usually

_MOST_KINDS = 40
_MOST_NOTED = 21  # all requests together, and twenty kinds
_NOTED = ("kind", "outlook", "verdict", "gain", "gain_deviation", "left", "judged")
_NOTED_EXPLORING = ("utility_per_day", "usd_per_day", "requests_per_day")


def report_of(
    fold: Fold, policy: BanditPolicy | None, config: Config, *, now: float
) -> Mapping[str, Any]:
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
        "guard": {} if policy is None else _guard(policy),
        "kinds": [] if policy is None else kinds_of(fold.state, policy, config, now=now),
    }


def _guard(policy: BanditPolicy) -> dict[str, Any]:
    """What choosing by context was shown to gain, how far it counts, and what that costs or saves.

    Everything is utility a request. `given_up` is a gain that the guard does not take yet, `saved`
    a loss that it keeps away.
    """
    if policy.insight is None:
        return {"counts": 0.0, "judged": 0, "exploring_may_cost": round(policy.guard.may_cost, 4)}
    ledger, counts = policy.insight.ledger, policy.guard.proved
    return {
        "counts": round(counts, 4),
        "gain": round(ledger.gain, 4),
        "at_least": round(ledger.least_gain, 4),
        "judged": round(ledger.count),
        "given_up": round((1 - counts) * max(ledger.gain, 0.0), 4),
        "saved": round((1 - counts) * max(-ledger.gain, 0.0), 4),
        "exploring_may_cost": round(policy.guard.may_cost, 4),
        "trees_believed": round(float(policy.insight.trees.mean()), 3),
        "regressions_believed": round(float(policy.insight.linear.mean()), 3),
    }


def _behaviours(trust: Trust) -> list[dict[str, Any]]:
    """What users did with rated answers, and the weight that each behaviour has earned."""
    rows = []
    for name, record in trust.behaviours():
        expected, _ = trust.behaved(name)
        behaviour, _, claims = name.partition(":")
        rows.append(
            {
                "behaviour": behaviour,
                "claims": claims,
                "compared": int(record.compared),
                "rated": round(record.rated.get(), 4),
                "expected": round(expected, 4),
                "weight": round(trust.earned(name), 4),
            }
        )
    return rows


def kinds_of(
    state: LearnerState, policy: BanditPolicy, config: Config, *, now: float
) -> list[dict[str, Any]]:
    """The most frequent kinds of request, after all requests together."""
    arms = [Arm(plan) for plan in config.asking]
    priced = priced_usually(policy, config)
    records = {kind: _record(state, priced, arms, kind) for kind in _by_frequency(state)}
    prospects = prospects_of(records, state.arrivals, now=now)
    return [
        {
            "kind": kind.partition("=")[2] or "any",
            "named_by": kind.partition("=")[0],
            **(_outlook(prospects[kind], prospects[""]) if kind in prospects else {}),
            "plans": _plans(state, records[kind].estimates, arms, kind),
        }
        for kind in list(records)[: _MOST_KINDS + 1]
    ]


def _record(
    state: LearnerState, policy: BanditPolicy, arms: Sequence[Arm], kind: str
) -> KindRecord:
    context = {**state.usual.get(kind, {}), "complexity": 0.0}
    if kind:
        context[kind] = 1.0
    return KindRecord(
        sum(state.seen.get((kind, arm), 0) for arm in arms),
        sum(state.judged.get((kind, arm), 0) for arm in arms),
        policy.estimates(context, arms),
    )


def _outlook(prospect: Prospect, whole: Prospect) -> dict[str, Any]:
    """What there is to learn, and what exploring costs; utility is a mean over requests."""
    exploring, rate, last = prospect.exploring, prospect.rate, prospect.last
    judged = dt.datetime.fromtimestamp(last.request_micros / 1e6, dt.UTC)
    return {
        "outlook": str(outlook_of(prospect, whole)),
        "verdict": verdict_of(prospect, whole),
        "best": prospect.best,
        "single": prospect.single,
        "gain": round(prospect.gain, 4),
        "gain_deviation": round(prospect.gain_deviation, 4),
        "left": round(prospect.left, 4),
        "exploring": {
            "utility": round(exploring.utility, 6),
            "utility_per_day": round(exploring.utility_per_day, 4),
            "usd_per_day": round(exploring.usd_per_day, 6),
            "requests_per_day": round(rate.decided, 2),
            "of_requests_per_day": round(rate.answered, 2),
            "days": round(rate.days, 2),
        },
        "judged": prospect.judged,
        "last_judged": judged.isoformat() if last.request_micros else None,
        "requests_since_judged": last.answers_since,
    }


def _plans(
    state: LearnerState, estimates: Sequence[Estimate], arms: Sequence[Arm], kind: str
) -> list[dict[str, Any]]:
    """The estimates of each plan for an average request of a kind, with counts."""
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
        for estimate in estimates
    ]


def noted_kinds(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The outlook of the first kinds in a report, short enough for an event of telemetry."""
    return [
        {
            **{name: kind[name] for name in _NOTED},
            **{name: kind["exploring"][name] for name in _NOTED_EXPLORING},
        }
        for kind in report["kinds"][:_MOST_NOTED]
        if "outlook" in kind
    ]


def _by_frequency(state: LearnerState) -> list[str]:
    """First `""`, which stands for all requests, then the kinds, from the most answers down."""
    answers: dict[str, int] = {}
    for (kind, _), n in state.seen.items():
        answers[kind] = answers.get(kind, 0) + n
    ranked = sorted(answers, key=lambda kind: -answers[kind])
    return ["", *(kind for kind in ranked if kind)]
