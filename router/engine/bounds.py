"""The most that a plan may cost for one request, for a caller who asks before the money is spent.

The bound rests on the same figures as the reservations of a key: the whole prompt, and the longest
answer that the request allows. It assumes the longest way through the plan, with all earlier
answers in the prompt of each later step.

Not covered: a call that a provider charges although it failed and was tried again, and a judge
that answers with more words than the request allows its answer.
"""

from router.domain import Request
from router.engine.estimates import Estimates
from router.plans.compiled import Plans
from router.plans.costs import Size, expected

_TEMPLATE_TOKENS = 2_000  # what a step of a plan may add to the prompt beside earlier answers


def most_usd(plans: Plans, name: str, request: Request, estimates: Estimates) -> float | None:
    """The most dollars that this plan may cost; None if the price of a backend is unknown."""
    config, plan = plans.config, plans[name]
    if any(config.backends[backend].price is None for backend in plan.backends):
        return None
    calls = plan.cost(Size()).most_calls

    def dearest_call(backend: str) -> float:
        claim = estimates.claim(config, (backend,), request, request.body)
        added = 0 if calls <= 1 else _TEMPLATE_TOKENS + (calls - 1) * claim.most.tokens
        price = config.backends[backend].price
        if price is None or not added:
            return claim.most.usd
        shorter, longer = (
            price.most_usd(input_tokens=tokens, output_tokens=0)
            for tokens in (claim.most.tokens, claim.most.tokens + added)
        )
        return claim.most.usd + longer - shorter

    return expected(plan.tree, dearest_call).most_usd
