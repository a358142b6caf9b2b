"""Compares two policies on the same logged requests, in numbers and in a sentence."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from learner.offpolicy import OffPolicyEstimate
from learner.policy import Distribution
from learner.preference import Preference
from router.config.config import Config
from router.routing.strategies import Strategy
from router.trials.book import Rejected
from router.trials.drawn_rows import DrawnRow
from router.trials.policy_odds import odds_of
from router.trials.policy_values import (
    MEASURES,
    DifferenceEstimate,
    LoggedArrays,
    ValueEstimate,
    difference_of,
    shares_of,
    value_of,
)


@dataclass(frozen=True, slots=True)
class PolicyEstimate:
    """What a policy would have brought, by measure."""

    name: str
    values: Mapping[str, ValueEstimate]


@dataclass(frozen=True, slots=True)
class PolicyComparison:
    """Two policies on the same requests."""

    rows: int
    unusable: int  # requests for which the odds of a policy could not be worked out
    policies: tuple[PolicyEstimate, PolicyEstimate]
    differences: Mapping[str, DifferenceEstimate]


def estimated(
    strategies: Sequence[Strategy], rows: Sequence[DrawnRow], config: Config, by: Preference
) -> tuple[list[PolicyEstimate], "LoggedArrays", list[Any]]:
    """Estimate each strategy on the rows for which the odds of all are known."""
    kept, odds = usable_rows(strategies, rows, config)
    arrays = LoggedArrays.of(kept, odds, by)
    shares = [shares_of(policy, arrays.plans) for policy in odds]
    policies = [
        PolicyEstimate(strategy.key, {name: value_of(arrays, wanted, name) for name in MEASURES})
        for strategy, wanted in zip(strategies, shares, strict=True)
    ]
    return policies, arrays, shares


def compared(
    a: Strategy, b: Strategy, rows: Sequence[DrawnRow], config: Config, by: Preference
) -> PolicyComparison:
    (first, second), arrays, shares = estimated((a, b), rows, config, by)
    differences = {
        name: difference_of(
            arrays, (shares[0], shares[1]), (first.values[name], second.values[name]), name
        )
        for name in MEASURES
    }
    kept = len(arrays.choices)
    return PolicyComparison(kept, len(rows) - kept, (first, second), differences)


def usable_rows(
    strategies: Sequence[Strategy], rows: Sequence[DrawnRow], config: Config
) -> tuple[list[DrawnRow], list[list[Distribution]]]:
    """The rows for which the odds of all strategies are known, and these odds by strategy."""
    kept: list[DrawnRow] = []
    columns: list[list[Distribution]] = [[] for _ in strategies]
    counts = dict.fromkeys((strategy.key for strategy in strategies), 0)
    with ExitStack() as stack:
        makers = [stack.enter_context(odds_of(strategy, config)) for strategy in strategies]
        for row in rows:
            odds = [make(row) for make in makers]
            for strategy, own in zip(strategies, odds, strict=True):
                counts[strategy.key] += own is not None
            if all(own is not None for own in odds):
                kept.append(row)
                for column, own in zip(columns, odds, strict=True):
                    column.append(own or {})
    for strategy in strategies:
        if rows and not counts[strategy.key]:
            raise Rejected(_unknown_odds(strategy, len(rows)))
    if not kept:
        raise Rejected(
            f"no drawn request of this time tells about {' and '.join(counts)}: look further back "
            "with --since"
        )
    return kept, columns


def _unknown_odds(strategy: Strategy, n: int) -> str:
    where = f"{strategy.key}: none of {n:,} drawn requests tells its odds"
    match strategy.kind:
        case "bandit":
            return (
                f"{where}: it decided none of them alone. Let it serve, or look at a time when it "
                "did"
            )
        case "function":
            return (
                f"{where}: rows from before it was written do not count, nor rows without the "
                "words or the pattern that it looks at. Try it in a trial"
            )
    return f"{where}: they have no features that this version reads. Look at a later time"


def verdict(comparison: PolicyComparison) -> str:
    """What the comparison means, in a sentence."""
    a, b = comparison.policies
    for policy in (a, b):
        if policy.values["cost_usd"].robust is None:
            return f"No comparison: of {policy.name}, {policy.values['cost_usd'].why}."
    lead = comparison.differences["utility"]
    cost = comparison.differences["cost_usd"].estimate
    money = "" if cost is None else f"; {a.name} would have cost {_money(cost)}"
    if lead.estimate is None:
        blind = next(policy for policy in (a, b) if policy.values["utility"].robust is None)
        why = f"of {blind.name}, {blind.values['utility'].why}"
        return f"Which is better cannot be told: {why}{money}."
    if lead.agree == 1:
        return f"{a.name} and {b.name} would have chosen alike on every request."
    interval = f"[{lead.estimate.low:+.4f}, {lead.estimate.high:+.4f}]"
    apart = f"{lead.estimate.value:+.4f} of utility a request {interval}"
    if lead.estimate.low > 0:
        claim = f"{a.name} would have been better than {b.name}, by {apart}"
    elif lead.estimate.high < 0:
        claim = f"{a.name} would have been worse than {b.name}, by {apart}"
    else:
        claim = f"The log cannot tell which is better: {a.name} less {b.name} is {apart}"
    return f"{claim}, choosing alike for {lead.agree:.0%} of the requests{money}."


def _money(cost: OffPolicyEstimate) -> str:
    """The difference in cost, in words."""
    value, low, high = (1000 * dollars for dollars in (cost.value, cost.low, cost.high))
    if low <= 0 <= high:
        return f"${value:+.4g} [{low:+.4g}, {high:+.4g}] per 1,000 requests, which may be nothing"
    word = "more" if value > 0 else "less"
    least, most = sorted((abs(low), abs(high)))
    return f"${abs(value):.4g} {word} [{least:.4g}, {most:.4g}] per 1,000 requests"
