"""The bandit's decision: each plan's odds, the reason, and when a conversation moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

from learner.policy import Arm, Context, Distribution
from learner.preference import Estimate, Preference
from router.catalog import dearest
from router.config.config import Config
from router.domain import Home, Request
from router.plans.compiled import Plans
from router.plans.costs import Size

if TYPE_CHECKING:  # the import loads numpy, which only a bandit needs
    from learner.deciding import BanditPolicy, Reasons

_LEAST_RATE = 1e-9  # dollars; a plan with a lower rate counts as free
_NO_WAITS: Mapping[Arm, float] = {}
_STAYS = 0.03  # the least gain in utility for which a conversation moves


@dataclass(frozen=True, slots=True)
class Chosen:
    """The probability of each plan, with the bandit's estimates and its reason."""

    distribution: Distribution
    estimates: tuple[Estimate, ...]
    reason: str


def rates_of(plans: Plans, arms: Sequence[Arm], size: Size) -> dict[str, float]:
    """Each plan's expected dollars for a request of this size: midway between least and most. An
    unknown price counts as the dearest that is known, so no plan is chosen for want of a price."""
    return {arm: plans[arm].comparable_usd(size) for arm in arms}


def priced_usually(policy: "BanditPolicy", config: Config) -> "BanditPolicy":
    """The policy with the configuration's weights, and its prices of a request of usual size."""
    configured = [arm for arm in policy.arms if arm in config.plans]
    rates = rates_of(Plans(config), configured, Size())
    preferring = policy.preferring(config.objective.preference)
    return preferring.priced({Arm(plan): usd for plan, usd in rates.items()})


def spend_of(cost_usd: float, rate: float) -> float:
    """The cost of an answer as a multiple of its plan's rate."""
    return cost_usd / rate if rate > _LEAST_RATE else 1.0


def preference_of(config: Config, request: Request) -> Preference:
    """The weights of cost and latency: the caller's, or else the configuration's."""
    return config.objective.preference if request.preference is None else request.preference


def chosen(
    policy: "BanditPolicy",
    preference: Preference,
    context: Context,
    eligible: Sequence[Arm],
    rates: Mapping[str, float],
    waits: Mapping[Arm, float] = _NO_WAITS,
) -> Chosen:
    usd = {arm: rates.get(arm, 0.0) for arm in policy.arms}
    estimates, reasons = policy.explained(
        context, eligible, preference=preference, rates=usd, waits=waits
    )
    shares = {estimate.arm: estimate.share for estimate in estimates}
    distribution = policy.spread(shares, eligible)
    reason = reason_of(reasons, estimates, distribution)
    busy = [f"{arm} by {wait:.2f} s" for arm, wait in waits.items() if wait > 0]
    if busy:
        reason += f"; slower than usual: {', '.join(busy)}"
    return Chosen(distribution, tuple(estimates), reason)


def reason_of(
    reasons: "Reasons",
    estimates: Sequence[Estimate],
    distribution: Distribution,
) -> str:
    """The reason for the bandit's decision, in one sentence with numbers."""
    if len(estimates) < 2:
        return "the only plan that can answer"
    best, second = sorted(estimates, key=lambda estimate: -estimate.utility)[:2]
    sentence = (
        f"{best.arm} is expected to be worth {best.utility:.3f} (quality {best.quality:.2f} "
        f"± {1.96 * best.deviation:.2f}, {_dollars(best.cost)}, {best.seconds:.2f} s), "
        f"{second.arm} {second.utility:.3f}"
    )
    why = [
        f"{name} {value:+.3f}"
        for name, value in reasons(best.arm, second.arm)[:3]
        if name != "bias"
    ]
    if why:
        sentence += f"; what tells them apart here: {', '.join(why)}"
    return f"{sentence}; exploring costs {exploring_costs(estimates, distribution):.4f}"


def exploring_costs(estimates: Sequence[Estimate], distribution: Distribution) -> float:
    """The utility lost on average because the draw does not always take the best plan."""
    best = max(estimate.utility for estimate in estimates)
    return sum(distribution.get(e.arm, 0.0) * (best - e.utility) for e in estimates)


def too_slow(
    policy: "BanditPolicy",
    context: Context,
    eligible: Sequence[Arm],
    most_ms: float,
    waits: Mapping[Arm, float] = _NO_WAITS,
) -> dict[str, str]:
    """Plans that usually take longer than the request allows. If no plan is quick enough, all plans
    stay eligible."""
    tails = policy.tail_seconds(context)
    tails = {arm: tail + max(waits.get(arm, 0.0), 0.0) for arm, tail in tails.items()}
    slow = {
        str(arm): f"takes {seconds:.2f} s at its 95th percentile"
        f"{' just now' if waits.get(arm, 0.0) > 0 else ''}, and the request may take "
        f"{most_ms / 1000:g} s"
        for arm, seconds in tails.items()
        if arm in eligible and 1000 * seconds > most_ms
    }
    return slow if len(slow) < len(eligible) else {}


def reason_to_move(
    config: Config, preference: Preference, home: Home, choice: Chosen, *, input_tokens: int
) -> str:
    """Why a conversation should move to another plan; empty if it should stay.

    A move loses the provider's prompt cache: the conversation's tokens are paid in full again.
    """
    here = next((e for e in choice.estimates if e.arm == home.plan), None)
    if here is None or home.backend not in config.backends:
        return ""
    price = config.backends[home.backend].price
    price = dearest(b.price for b in config.backends.values()) if price is None else price
    kept = price.cost_usd(input_tokens=input_tokens, output_tokens=0, cached_tokens=input_tokens)
    full = price.cost_usd(input_tokens=input_tokens, output_tokens=0)
    best = max(choice.estimates, key=lambda estimate: estimate.utility)
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
