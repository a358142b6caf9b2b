"""What a plan's next call costs in an agent's session, given what prompt caches are likely to hold.

Providers keep the beginning of a prompt for some minutes, and read it again for a fraction of the
price. So a session that moves pays its prompt in full at the new plan, unless that plan has
answered in it a short while ago. Pure: the time is an argument.

Not covered: what a cache really holds. Providers do not say so before a call.
"""

from collections.abc import Sequence
from dataclasses import replace

from learner.policy import Arm
from router.config.plans import Ask
from router.domain import Home, Warm
from router.plans.compiled import Plans
from router.plans.costs import Size

KEPT_SECONDS = 300.0  # what providers keep an unused prompt for at the least
_LEAST_TOKENS = 1024  # providers keep no shorter prompt


def cached_tokens(home: Home, backend: str, *, tokens: int, now: float) -> int:
    """The tokens of a prompt that a backend is likely to have in its prompt cache."""
    for warm in home.warm:
        if warm.backend == backend and 0 <= now - warm.at < KEPT_SECONDS:
            cached = min(warm.tokens, tokens)
            return cached if cached >= _LEAST_TOKENS else 0
    return 0


def lasting_rates(
    plans: Plans, arms: Sequence[Arm], size: Size, home: Home, *, now: float, turns: float
) -> dict[str, float]:
    """Each plan's expected dollars a turn, if the session stays with it for so many turns.

    To move costs once, because the new plan reads the whole prompt without a cache; after that, the
    plan has as much of it in its cache as the session's home.
    """
    at_once = warm_rates(plans, arms, size, home, now=now)
    cached = cached_tokens(home, home.backend, tokens=size.input_tokens, now=now)
    rates = {}
    for arm in arms:
        plan = plans[arm]
        there = Warm(plan.lead, cached, now)
        usual = warm_rates(plans, [arm], size, replace(home, plan="", warm=(there,)), now=now)[arm]
        rates[str(arm)] = usual + max(at_once[arm] - usual, 0.0) / max(turns, 1.0)
    return rates


def warm_rates(
    plans: Plans, arms: Sequence[Arm], size: Size, home: Home, *, now: float
) -> dict[str, float]:
    """Each plan's expected dollars for this call. Only plans that ask one backend use a cache."""
    rates = {}
    for arm in arms:
        plan = plans[arm]
        rates[str(arm)] = plan.comparable_usd(size)
        if not isinstance(plan.tree, Ask):
            continue
        backend = home.backend if arm == home.plan else plan.lead
        if backend not in plans.config.backends:
            continue
        price = plans.config.backends[backend].price or plans.stand_in
        tokens = size.input_tokens
        cached = cached_tokens(home, backend, tokens=tokens, now=now)
        # What is not in the cache yet is written to it, where a provider charges for that.
        written = 0 if price.rates(tokens).cache_write is None else tokens - cached
        rates[str(arm)] = price.cost_usd(
            input_tokens=tokens,
            output_tokens=size.output_tokens,
            cached_tokens=cached,
            written_tokens=written,
        )
    return rates
