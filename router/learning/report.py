"""What the learner knows, as a table: per kind of request and plan. Pure."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from learner.policy import Arm
from router.config.config import Config
from router.learning.fold import Fold
from router.plans.compiled import Plans
from router.plans.costs import Size
from router.routing.bandit import rates_of

if TYPE_CHECKING:
    from learner.deciding import BanditPolicy

_MOST_KINDS = 40


def report_of(fold: Fold, policy: "BanditPolicy | None", config: Config) -> Mapping[str, Any]:
    state = fold.state
    bandit = state.bandit
    kinds = []
    if policy is not None:
        preference = config.objective.preference
        arms = [Arm(plan) for plan in config.asking]
        rates = {Arm(p): r for p, r in rates_of(Plans(config), policy.arms, Size()).items()}
        priced = policy.preferring(preference).priced(rates)
        for kind in _kinds(fold):
            context = {**state.usual.get(kind, {}), "complexity": 0.0}
            if kind:
                context[kind] = 1.0
            rows: list[dict[str, Any]] = []
            for one in priced.estimates(context, arms):
                expense = bandit.expenses.of(one.arm, kind)
                judged = state.judged.get((kind, one.arm), 0)
                rows.append(
                    {
                        "plan": one.arm,
                        "quality": round(one.quality, 4),
                        "interval": round(1.96 * one.deviation, 4),
                        "usd_per_1k": round(1000 * one.cost, 6),
                        "seconds": round(one.seconds, 4),
                        "tail_seconds": expense.tail_seconds,
                        "failure": round(one.failure, 4),
                        "utility": round(one.utility, 4),
                        "share": round(one.share, 4),
                        "requests": state.seen.get((kind, one.arm), 0),
                        "judged": judged,
                    }
                )
            total = sum(row["requests"] for row in rows) or 1
            for row in rows:
                row["traffic"] = round(row["requests"] / total, 4)
            kinds.append(
                {
                    "kind": kind.partition("=")[2] or "any",
                    "named_by": kind.partition("=")[0],
                    "plans": rows,
                }
            )
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
            for name, record in state.trust.records()
        ],
        "kinds": kinds,
    }


def _kinds(fold: Fold) -> list[str]:
    counted: dict[str, int] = {}
    for (kind, _), n in fold.state.seen.items():
        counted[kind] = counted.get(kind, 0) + n
    ranked = sorted(counted, key=lambda kind: -counted[kind])[:_MOST_KINDS]
    return ["", *(kind for kind in ranked if kind)]
