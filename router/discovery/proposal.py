"""What `waggle init` proposes: backends, plans from cheap to strong, one cascade, efforts. Pure.

A cascade is proposed only with a check that can say no: the cheap model's own probabilities, or a
judge that is another model. With a single model there is nothing to choose, and no cascade.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from router.discovery.choosing import Candidate

DOLLARS_A_DAY = 5.0
PROBABILITY, LEAST = 0.8, 0.7
_RESERVED = frozenset(("auto", "cascade"))


@dataclass(frozen=True, slots=True)
class Backend:
    name: str
    plan: str  # the name of the plan that asks it
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class AskPlan:
    """A plan that asks one backend, and another if that one cannot answer."""

    name: str
    ask: str
    fallback: str = ""
    effort: str = ""


@dataclass(frozen=True, slots=True)
class CascadePlan:
    """A plan that asks the cheap backend, and the strong one if the check says no."""

    name: str
    cheap: str
    strong: str
    check: Literal["probability", "judge"]
    judge: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    backends: tuple[Backend, ...]  # in the order of their servers
    plans: tuple[AskPlan | CascadePlan, ...]  # from cheap to strong
    dollars_per_day: float | None  # None: nothing costs anything
    port: int = 8000

    def backend(self, name: str) -> Candidate:
        return next(each.candidate for each in self.backends if each.name == name)


def propose(models: Sequence[Candidate], *, dollars_per_day: float, port: int) -> Proposal:
    """The proposal for at least one model."""
    backends = tuple(
        Backend(f"{name}-at-{model.provider.name}", name, model)
        for name, model in zip(_names(models), models, strict=True)
    )
    ordered = sorted(backends, key=lambda each: each.candidate.strength)
    plans: list[AskPlan | CascadePlan] = []
    thinker = _thinker(ordered)
    for each in ordered:
        label = each.plan
        fallback = _fallback(each, ordered)
        efforts = _efforts(each.candidate) if each is thinker else ()
        low, high = efforts if efforts else ("", "")
        if low:
            plans.append(AskPlan(f"{label}-{low}", each.name, fallback, low))
        plans.append(AskPlan(label, each.name, fallback))
        if high:
            plans.append(AskPlan(f"{label}-{high}", each.name, fallback, high))
    cascade = _cascade(ordered)
    if cascade is not None:
        plans.insert(_after(plans, cascade.cheap), cascade)
    paid = any(each.candidate.blended for each in backends)
    return Proposal(backends, tuple(plans), dollars_per_day if paid else None, port)


def _names(models: Sequence[Candidate]) -> list[str]:
    """A name of its own for each model: its label, without a date where that is clear."""
    short = Counter(model.short_label for model in models)
    taken = set(_RESERVED)
    return [
        _free(model.short_label if short[model.short_label] == 1 else model.label, taken)
        for model in models
    ]


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number if it is taken; from now on it is."""
    number = 1
    while (free := name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    taken.add(free)
    return free


def _fallback(each: Backend, ordered: Sequence[Backend]) -> str:
    """The nearest in price at other servers: the next dearer, or else the next cheaper."""
    at = ordered.index(each)
    others = [*ordered[at + 1 :], *reversed(ordered[:at])]
    elsewhere = [other for other in others if other.candidate.place != each.candidate.place]
    return elsewhere[0].name if elsewhere else ""


def _thinker(ordered: Sequence[Backend]) -> Backend | None:
    """The model whose efforts become plans: in the middle by price, of those that have efforts."""
    able = [each for each in ordered if _efforts(each.candidate)]
    return able[len(able) // 2] if able else None


def _efforts(model: Candidate) -> tuple[str, str] | tuple[()]:
    """A small and a great effort, below and above the usual one."""
    return ("low", "high") if {"low", "high"} <= set(model.efforts) else ()


def _cascade(ordered: Sequence[Backend]) -> CascadePlan | None:
    if len(ordered) < 2:
        return None
    strong = ordered[-1]
    cheaper = [each for each in ordered[:-1] if _clearly_cheaper(each, strong)]
    if not cheaper:
        return None
    sure = next((each for each in cheaper if each.candidate.logprobs), None)
    cheap = cheaper[0]
    if sure is not None:
        return CascadePlan("cascade", sure.name, strong.name, "probability")
    if len(ordered) > 2:
        between = ordered[1:-1]
        others = [each for each in between if each.candidate.place != cheap.candidate.place]
        judge = (others or list(between))[0]
    else:
        judge = strong
    return CascadePlan("cascade", cheap.name, strong.name, "judge", judge.name)


def _clearly_cheaper(each: Backend, strong: Backend) -> bool:
    price, most = each.candidate.blended, strong.candidate.blended
    return price * 2 <= most if most else each.candidate.size * 2 <= strong.candidate.size


def _after(plans: Sequence[AskPlan | CascadePlan], backend: str) -> int:
    places = [
        at for at, plan in enumerate(plans) if isinstance(plan, AskPlan) and plan.ask == backend
    ]
    return max(places) + 1
