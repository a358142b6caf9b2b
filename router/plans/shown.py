"""A plan as people see it: a tree of its steps, with what each may cost. Pure but for the tree."""

from rich.markup import escape
from rich.tree import Tree

from router.config.config import Config
from router.config.plans import (
    Ask,
    Cascade,
    Check,
    Code,
    FanOut,
    Hedge,
    Pipeline,
    Plan,
    Refine,
    Review,
    Step,
)
from router.plans.costs import INPUT_TOKENS, OUTPUT_TOKENS, ExpectedCost, expected

ASSUMED = f"for {INPUT_TOKENS} tokens in and {OUTPUT_TOKENS} out of each call"


def add_plan(tree: Tree, config: Config, name: str, step: Step) -> None:
    plan = config.plan(step)
    title = f"[bold]{escape(name)}[/] {escape(said(plan))}"
    branch = tree.add(f"{title}  [dim]{escape(cost_told(expected(config, step)))}[/]")
    for place, inner in plan.places:
        add_plan(branch, config, place, inner)
    for purpose, backend in plan.asks:
        branch.add(f"{escape(purpose)}: {escape(backend)}")


def said(plan: Plan) -> str:
    """One line for a plan, without its steps."""
    bounds = []
    if plan.max_cost is not None:
        bounds.append(f"at most ${plan.max_cost:g}")
    if plan.max_latency_ms is not None:
        bounds.append(f"at most {plan.max_latency_ms:g} ms")
    if plan.gate is not None:
        bounds.append(f"gate: {check_told(plan.gate)}, sent back {_times(plan.gate.repair)}")
    return "; ".join([_pattern(plan), *bounds])


def _pattern(plan: Plan) -> str:
    match plan:
        case Ask():
            told = "ask " + " → ".join(plan.backends)
            if plan.fields is not None:
                fields = (plan.fields,) if isinstance(plan.fields, str) else plan.fields
                told += f" for {', '.join(fields)}"
            return told
        case Code():
            told = f"code in {' → '.join(plan.backends)}; authors {', '.join(plan.all_authors)}"
            return told + (f"; words from {plan.words}" if plan.words else "")
        case Cascade():
            return f"cascade, until {check_told(plan.accept)}"
        case Pipeline():
            return "pipeline"
        case FanOut():
            told = f"fan out, merge: {plan.merge}" + (f" by {plan.by}" if plan.by else "")
            told += f"; {plan.quorum} of {len(plan.fan_out)} are enough" if plan.deadline_ms else ""
            return told + (f" after {plan.deadline_ms:g} ms" if plan.deadline_ms else "")
        case Refine():
            told = f"refine until {plan.refine.critic} gives {plan.refine.until:g}"
            return f"{told}, mended {_times(plan.refine.max)}"
        case Review():
            return f"review by {plan.review.reviewer}"
        case Hedge():
            return "hedge"
    raise TypeError(f"no such pattern: {plan!r}")


def check_told(check: Check) -> str:
    told = []
    if check.schema_:
        told.append("its schema holds")
    told += [f"{rule}" for rule in check.rules]
    if check.regex:
        told.append(f"it matches {check.regex}")
    if check.probability is not None:
        told.append(f"its tokens are {check.probability:g} likely")
    if check.entropy is not None:
        told.append(f"it has at most {check.entropy:g} bits a token")
    if check.agreement is not None:
        told.append(f"it agrees {check.agreement:g} with the one before")
    if check.validator:
        told.append(f"{check.validator} finds it valid")
    if check.judge:
        told.append(f"{check.judge} gives {check.least:g}")
    return " and ".join(told)


def _times(most: int) -> str:
    return {0: "never", 1: "once at most"}.get(most, f"{most} times at most")


def cost_told(cost: ExpectedCost) -> str:
    calls = _between(str(cost.least_calls), str(cost.most_calls))
    dollars = _between(f"${1000 * cost.least_usd:.4g}", f"${1000 * cost.most_usd:.4g}")
    return f"{calls} call{'' if calls == '1' else 's'}, {dollars} per 1000"


def _between(least: str, most: str) -> str:
    return least if least == most else f"{least} to {most}"
