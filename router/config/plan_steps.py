"""What a step means: a plan, a plan without one of its stages, or a backend.

Only this module resolves names. Requests are served by compiled plans (`router.plans.compiled`), in
which every name is resolved already.
"""

from collections.abc import Iterator, Mapping

from router.config.plans import SYNTHESIS, Ask, Cascade, Code, Pipeline, Plan, Step

LESS = "~"  # `records~validator`: the plan `records` without its stage `validator`


def resolved(step: Step, plans: Mapping[str, Plan]) -> Plan:
    """The plan that a step means; a name that no plan has is the name of a backend."""
    if isinstance(step, str):
        return plans.get(step) or simpler(step, plans) or Ask(ask=step)
    return step


def whole(name: str) -> str:
    """The name before `~`: the plan from which the simpler plan was made."""
    return name.partition(LESS)[0]


def stages(name: str, plans: Mapping[str, Plan]) -> list[str]:
    """The stages that a plan can do without: each step of a pipeline but the first, each rung of a
    cascade but the last, and the gate."""
    plan = plans[name]
    labels: list[str] = []
    if isinstance(plan, Pipeline) and len(plan.pipeline) > 1:
        labels = [_label(step, n) for n, step in enumerate(plan.pipeline)][1:]
    if isinstance(plan, Cascade) and len(plan.cascade) > 2:
        labels = [_label(step, n) for n, step in enumerate(plan.cascade)][:-1]
    return [*dict.fromkeys(labels), *(["gate"] if plan.gate is not None else [])]


def simpler(name: str, plans: Mapping[str, Plan]) -> Plan | None:
    """The plan that a name with `~` means; None if there is no such plan."""
    base, _, stage = name.partition(LESS)
    plan = plans.get(base)
    if plan is None or not stage or stage not in stages(base, plans):
        return None
    if stage == "gate":
        return plan.model_copy(update={"gate": None})
    first = 1 if isinstance(plan, Pipeline) else 0  # a pipeline keeps its first step
    steps = [step for _, step in plan.places]
    kept = [step for n, step in enumerate(steps) if n < first or _label(step, n) != stage]
    return plan.with_steps(kept)


def backends_of(step: Step, plans: Mapping[str, Plan]) -> Iterator[str]:
    """Every backend that the step may call; a backend may come more than once."""
    plan = resolved(step, plans)
    if isinstance(plan, Ask | Code):
        yield from plan.backends
    if isinstance(plan, Code):
        yield from (
            name
            for name in (*plan.authors, plan.words, plan.reviewer)
            if name and name != SYNTHESIS
        )
    for _, inner in plan.places:
        yield from backends_of(inner, plans)
    yield from (name for _, name in plan.asks)


def lead(step: Step, plans: Mapping[str, Plan]) -> str:
    """The backend whose answer becomes the plan's answer, if nothing fails."""
    plan = resolved(step, plans)
    if isinstance(plan, Ask | Code):
        return str(plan.leading)
    return lead(plan.leading, plans)


def _label(step: Step, number: int) -> str:
    if isinstance(step, str):
        return step
    return step.ask if isinstance(step, Ask) else str(number)
