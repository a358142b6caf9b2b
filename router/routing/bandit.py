"""The bandit's part of a decision: what plans cost here, what stays where it is, and why. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

from learner.policy import Arm, Context, Distribution
from learner.preference import Estimate, Preference
from router.config.config import Config
from router.domain import Home, Request
from router.plans.costs import Size, expected

if TYPE_CHECKING:  # numpy comes with it: only who is given one loads it
    from learner.deciding import BanditPolicy

_LEAST_RATE = 1e-9  # dollars: what is free has no rate to be a multiple of
_STAYS = 0.03  # of utility: a move that gains less than this is not worth a change of voice


@dataclass(frozen=True, slots=True)
class Chosen:
    """How likely each plan is to be taken, and what is expected of it."""

    distribution: Distribution
    estimates: tuple[Estimate, ...]
    reason: str


def rates_of(config: Config, plans: Sequence[Arm], size: Size) -> dict[str, float]:
    """What each plan costs with a request of this size, by prices alone: midway between the
    shortest way through it and the longest."""
    told = {plan: expected(config, plan, size) for plan in plans}
    return {plan: (one.least_usd + one.most_usd) / 2 for plan, one in told.items()}


def spend_of(cost_usd: float, rate: float) -> float:
    """What an answer took, as a multiple of its plan's rate."""
    return cost_usd / rate if rate > _LEAST_RATE else 1.0


def preference_of(config: Config, request: Request) -> Preference:
    """What is traded against what: as this caller says, else as the configuration does."""
    return config.objective.preference if request.preference is None else request.preference


def chosen(
    policy: "BanditPolicy",
    preference: Preference,
    context: Context,
    eligible: Sequence[Arm],
    rates: Mapping[str, float],
) -> Chosen:
    told = policy.preferring(preference).priced({arm: rates.get(arm, 0.0) for arm in policy.arms})
    estimates = tuple(told.estimates(context, eligible))
    distribution = told.spread({one.arm: one.share for one in estimates}, eligible)
    return Chosen(distribution, estimates, reason_of(told, context, estimates, distribution))


def reason_of(
    policy: "BanditPolicy",
    context: Context,
    estimates: Sequence[Estimate],
    distribution: Distribution,
) -> str:
    """Why, in one sentence with its numbers."""
    if len(estimates) < 2:
        return "the only plan that can answer"
    ranked = sorted(estimates, key=lambda one: -one.utility)
    best, second = ranked[0], ranked[1]
    told = (
        f"{best.arm} is expected to be worth {best.utility:.3f} (quality {best.quality:.2f} "
        f"± {1.96 * best.deviation:.2f}, {_dollars(best.cost)}, {best.seconds:.2f} s), "
        f"{second.arm} {second.utility:.3f}"
    )
    why = [
        f"{name} {value:+.3f}"
        for name, value in policy.reasons(context, best.arm, second.arm)[:3]
        if name != "bias"
    ]
    if why:
        told += f"; what tells them apart here: {', '.join(why)}"
    return f"{told}; exploring costs {exploring_costs(estimates, distribution):.4f}"


def exploring_costs(estimates: Sequence[Estimate], distribution: Distribution) -> float:
    """Utility that is given away, on average, by not always taking what looks best."""
    best = max(one.utility for one in estimates)
    return sum(distribution.get(one.arm, 0.0) * (best - one.utility) for one in estimates)


def too_slow(
    policy: "BanditPolicy", context: Context, eligible: Sequence[Arm], most_ms: float
) -> dict[str, str]:
    """Plans that usually take longer than the request may; none, if that would leave none."""
    told = {
        str(arm): f"takes {seconds:.2f} s at its 95th percentile, and the request may take "
        f"{most_ms / 1000:g} s"
        for arm, seconds in policy.tail_seconds(context).items()
        if arm in eligible and 1000 * seconds > most_ms
    }
    return told if len(told) < len(eligible) else {}


def leaves(
    config: Config,
    preference: Preference,
    home: Home,
    told: Chosen,
    *,
    input_tokens: int,
) -> str:
    """Why a conversation moves away from its plan, or nothing. What a provider keeps of a
    conversation is lost by moving: what is sent again then is paid in full."""
    here = next((one for one in told.estimates if one.arm == home.plan), None)
    if here is None or home.backend not in config.backends:
        return ""
    price = config.backends[home.backend].price
    kept = price.cost_usd(input_tokens=input_tokens, output_tokens=0, cached_tokens=input_tokens)
    full = price.cost_usd(input_tokens=input_tokens, output_tokens=0, cached_tokens=0)
    best = max(told.estimates, key=lambda one: one.utility)
    again = best.cost + max(full - kept, 0.0)
    price_of_moving = preference.cost * (log10(1 + 1000 * again) - log10(1 + 1000 * best.cost))
    gain = best.utility - here.utility - price_of_moving
    unsure = (best.deviation**2 + here.deviation**2) ** 0.5
    if best.arm == here.arm or gain < _STAYS + unsure:
        return ""
    return (
        f"{best.arm} is worth {gain:.3f} more than {here.arm}, after the {price_of_moving:.3f} "
        "that moving the conversation costs"
    )


def _dollars(cost: float) -> str:
    return f"${cost:.2g}" if cost else "free"
