"""Shows a plan as a tree of steps, each with its expected cost."""

import json
from collections.abc import Iterator

from rich.markup import escape
from rich.tree import Tree

from router.config.plan_checks import Check, Gate
from router.config.plans import (
    SEATS,
    AnyPlan,
    Ask,
    AskMember,
    Cascade,
    Code,
    Committee,
    FanOut,
    Hedge,
    Pipeline,
    Plan,
    Refine,
    Review,
)
from router.plans.compiled import Plans
from router.plans.costs import INPUT_TOKENS, OUTPUT_TOKENS, ExpectedCost, Size, expected

ASSUMED = f"for {INPUT_TOKENS} tokens in and {OUTPUT_TOKENS} out of each call"


def add_plan(tree: Tree, plans: Plans, name: str) -> Tree:
    """Add a plan to a tree of many, and return the plan's branch."""
    return _add(tree, plans, name, plans[name].tree)


def _add(tree: Tree, plans: Plans, label: str, plan: AnyPlan) -> Tree:
    cost = expected(plan, plans.call_cost(Size()))
    branch = tree.add(
        f"[bold]{escape(label)}[/] {escape(plan_line(plan))}  [dim]{escape(cost_line(cost))}[/]"
    )
    designed = isinstance(plan, Committee) and plan.committee.design is not None
    for place, step in () if designed else plan.places:
        assert not isinstance(step, str)
        _add(branch, plans, place, step)
    for purpose, backend in plan.asks:
        branch.add(f"{escape(purpose)}: {escape(backend)}")
    return branch


def plan_line(plan: Plan) -> str:
    """The pattern, bounds and gate of a plan in one line."""
    bounds = []
    if plan.max_cost is not None:
        bounds.append(f"at most ${plan.max_cost:g}")
    if plan.max_latency_ms is not None:
        bounds.append(f"at most {plan.max_latency_ms:g} ms")
    if plan.gate is not None:
        bounds.append(f"gate: {check_line(plan.gate)}, sent back {_times(plan.gate.repair)}")
    return "; ".join([_pattern(plan), *bounds])


def _pattern(plan: Plan) -> str:
    match plan:
        case Ask():
            rest = [name for name in plan.fallback if name not in plan.alike]
            line = "ask " + " → ".join([" or ".join(plan.alike), *rest])
            if plan.fields is not None:
                fields = (plan.fields,) if isinstance(plan.fields, str) else plan.fields
                line += f" for {', '.join(fields)}"
            return line + "".join(f"; {part}" for part in changes_line(plan))
        case Code():
            line = f"code in {' → '.join(plan.backends)}; authors {', '.join(plan.all_authors)}"
            line += f"; words from {plan.words}" if plan.words else ""
            return line + (f"; reviewed by {plan.reviewer}" if plan.reviewer else "")
        case Cascade():
            return f"cascade, until {check_line(plan.accept)}"
        case Pipeline():
            return "pipeline"
        case FanOut():
            line = f"fan out, merge: {plan.merge}" + (f" by {plan.by}" if plan.by else "")
            line += f"; {plan.quorum} of {len(plan.fan_out)} are enough" if plan.deadline_ms else ""
            return line + (f" after {plan.deadline_ms:g} ms" if plan.deadline_ms else "")
        case Refine():
            critics = " and ".join(map(_critic, plan.refine.critics))
            give = "gives" if len(plan.refine.critics) == 1 else "give"
            line = f"refine until {critics} {give} {plan.refine.until:g}"
            return f"{line}, mended {_times(plan.refine.max)}"
        case Review():
            return f"review by {plan.review.reviewer}"
        case Hedge():
            return "hedge"
        case Committee():
            return "; ".join(_committee(plan))
    raise TypeError(f"no such pattern: {plan!r}")


def _critic(critic: str | Plan) -> str:
    return critic if isinstance(critic, str) else f"a program in {critic.leading}"


def _committee(plan: Committee) -> Iterator[str]:
    parts = plan.committee
    rounds = "1 round" if parts.rounds == 1 else f"{parts.rounds} rounds"
    most = "at most " if parts.stop or parts.design else ""
    stop = f", until they agree {parts.stop.agreement:g}" if parts.stop else ""
    yield f"committee of {most}{rounds}{stop}"
    if parts.design is not None:
        names = ", ".join(dict.fromkeys(str(step.leading) for _, step in plan.places))  # type: ignore[union-attr]
        yield f"{parts.design} chooses {SEATS[0]} to {SEATS[1]} members, once a kind, of {names}"
    chair = f"{parts.chair} writes the answer" if parts.chair else "what most say is the answer"
    yield chair
    if parts.gate is not None:
        yield f"gate: {check_line(parts.gate)}, sent back {_times(parts.revisions)}"


def changes_line(plan: Ask) -> Iterator[str]:
    """What a plan changes in the body of a request; without the words of its prompts."""
    if plan.model is not None:
        yield f"model {plan.model}"
    if plan.set_:
        yield ", ".join(f"{name} = {json.dumps(value)}" for name, value in plan.set_.items())
    if plan.system is not None:
        yield "its own system message"
    if plan.instruct is not None:
        yield "an instruction"
    if plan.examples:
        yield f"{len(plan.examples)} examples"
    if isinstance(plan, AskMember) and plan.role:
        yield f"as {plan.role if len(plan.role) <= 60 else plan.role[:57] + '...'}"


def check_line(check: Check) -> str:
    parts = []
    if check.schema_:
        parts.append("its schema holds")
    parts += [f"{rule}" for rule in check.rules]
    if check.regex:
        parts.append(f"it matches {check.regex}")
    if check.probability is not None:
        parts.append(f"its tokens are {check.probability:g} likely")
    if check.entropy is not None:
        parts.append(f"it has at most {check.entropy:g} bits a token")
    if check.agreement is not None:
        parts.append(f"it agrees {check.agreement:g} with the one before")
    if check.validator:
        parts.append(f"{check.validator} finds it valid")
    if check.judge:
        parts.append(f"{check.judge} gives {check.least:g}")
    if isinstance(check, Gate) and check.function:
        parts.append(f"the written validator {check.function} lets it pass")
    return " and ".join(parts)


def _times(most: int) -> str:
    return {0: "never", 1: "once at most"}.get(most, f"{most} times at most")


def cost_line(cost: ExpectedCost) -> str:
    calls = _between(str(cost.least_calls), str(cost.most_calls))
    dollars = _between(_per_1k(cost.least_usd), _per_1k(cost.most_usd))
    return f"{calls} call{'' if calls == '1' else 's'}, {dollars} per 1000"


def _per_1k(usd: float | None) -> str:
    return "unknown cost" if usd is None else f"${1000 * usd:.4g}"


def _between(least: str, most: str) -> str:
    return least if least == most else f"{least} to {most}"
