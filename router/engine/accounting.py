"""TODO: what this module promises."""

from dataclasses import replace

from router.calls.prices import priced
from router.config.config import Config
from router.config.plans import Ask
from router.domain import Answered, Attempt, Trace, Usage
from router.plans.costs import Size, expected


def accounted(
    config: Config, trace: Trace, usage: Usage, answer: Answered | None, *, settled: bool
) -> Trace:
    """The answering step with its tokens and its price, and what the premium plan would have cost.
    A step that is settled has them already."""
    answering = trace.answering
    assert answering is not None
    settings = config.backends[answering.backend]
    if not settled:
        cost = priced(settings.price, usage)
        told = replace(answering, usage=usage, cost_usd=cost, provider=settings.kind)
        trace = with_answering(trace, told)
    if trace.operation != "chat":
        return replace(trace, answer=answer)
    return beside_premium(config, replace(trace, answer=answer), usage)


def beside_premium(config: Config, trace: Trace, usage: Usage) -> Trace:
    plan = premium(config)
    return replace(
        trace, premium_plan=plan, premium_cost_usd=_premium_usd(config, plan, trace, usage)
    )


def _premium_usd(config: Config, plan: str, trace: Trace, usage: Usage) -> float:
    """Of several steps the shortest way: what was saved is rather told too small than too large."""
    if isinstance(config.plans[plan], Ask):
        return priced(config.backends[config.lead_of(plan)].price, usage)
    if trace.decision.plan == plan:
        return trace.cost_usd
    return expected(config, plan, Size(usage.input_tokens, usage.output_tokens)).least_usd


def with_answering(trace: Trace, attempt: Attempt) -> Trace:
    attempts = list(trace.attempts)
    attempts[trace.answered_by - 1] = attempt
    return replace(trace, attempts=tuple(attempts))


def premium(config: Config) -> str:
    """The plan that savings are counted against: the one named, else the one that costs most."""
    if config.objective.premium is not None:
        return config.objective.premium

    def dearness(plan: str) -> float:
        price = config.backends[config.lead_of(plan)].price
        return price.input + price.output

    return max(config.plans, key=dearness)
