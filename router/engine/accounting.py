"""Writes into a trace what its answer cost, and what the premium plan would have cost."""

from router.calls.prices import priced
from router.config.plans import Ask
from router.domain import Answered, Trace, Usage
from router.plans.compiled import Plans
from router.plans.costs import Size


def accounted(
    plans: Plans, trace: Trace, usage: Usage, answer: Answered | None, *, settled: bool
) -> Trace:
    """Add to a trace the answering step's tokens and cost, and the premium plan's cost.

    With `settled`, the step has its tokens and cost already.
    """
    answering = trace.answering
    assert answering is not None
    settings = plans.config.backends[answering.backend]
    if not settled:
        cost = priced(settings.price, usage)
        trace.attempts = trace.with_answering(answering.priced(usage, cost, settings.kind))
    trace.answer = answer
    return beside_premium(plans, trace, usage) if trace.operation == "chat" else trace


def beside_premium(plans: Plans, trace: Trace, usage: Usage) -> Trace:
    trace.premium_cost_usd = _premium_usd(plans, trace, usage)
    trace.premium_plan = plans.premium
    return trace


def _premium_usd(plans: Plans, trace: Trace, usage: Usage) -> float | None:
    """What the premium plan would have cost. A plan of several steps counts by its cheapest way, so
    that the claimed saving is never too large. None: unknown."""
    premium = plans[plans.premium]
    if isinstance(plans.config.plans[plans.premium], Ask):
        return priced(plans.config.backends[premium.lead].price, usage)
    if trace.decision.plan == plans.premium:
        return trace.cost_usd
    return premium.cost(Size(usage.input_tokens, usage.output_tokens)).least_usd
