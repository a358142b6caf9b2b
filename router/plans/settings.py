"""What a plan that asks one backend sends: its prompt, its model and its parameters. Pure.

What a plan sets wins over the caller's value, because the plan is what is compared and learned
about. Only the bound of an answer is never more than the caller's. A fallback gets the parameters
that it can take.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import orjson

from router.config.backends import AnyBackend
from router.config.capabilities import able
from router.config.efforts import effort_refusal
from router.config.parameters import BOUNDS, effort_in
from router.config.plans import Ask, AskMember, Step
from router.config.values import BackendSettings
from router.domain import Fields, Request
from router.plans.bodies import Work, body_of
from router.wire.splice import replaced

Set = Mapping[str, Any]  # parameters of a plan, by the name that they have in a request


def bodies_of(
    plan: Ask,
    request: Request,
    work: Work,
    chain: Sequence[str],
    backends: Mapping[str, AnyBackend],
) -> dict[str, bytes]:
    """The request body for each backend of a chain."""
    if plan.system is not None:
        work = replace(work, system=plan.system)
    if plan.examples:
        work = replace(work, examples=plan.examples)
    return {name: _body(plan, request, work, backends[name]) for name in chain}


def _body(plan: Ask, request: Request, work: Work, settings: AnyBackend) -> bytes:
    changes: dict[bytes, bytes] = {}
    if plan.model is not None:
        changes[b'"model"'] = orjson.dumps(plan.model)
    if request.operation != "chat":
        return replaced(request.body, changes) if changes else request.body
    body = body_of(request, work, settings.kind)
    for name, value in changed_by(plan.set_, request.fields, settings, plan.model).items():
        changes[orjson.dumps(name)] = orjson.dumps(value)
    return replaced(body, changes) if changes else body


def changed_by(
    given: Set, fields: Fields, settings: BackendSettings, model: str | None = None
) -> dict[str, Any]:
    """The fields that a plan's parameters change in a request for this backend. `model` is the
    plan's own name of the model."""
    changes = {name: value for name, value in given.items() if name in settings.parameters}
    if effort_refusal(settings, model, effort_in(changes)):
        changes.pop("reasoning_effort", None)
        changes.pop("reasoning", None)
    bounds = [name for name in BOUNDS if name in changes]
    if bounds:
        callers = {name: fields[name] for name in BOUNDS if type(fields.get(name)) is int}
        changes |= {name: min(changes[name], *callers.values()) for name in bounds if callers}
        # A server refuses two bounds, and may know only the name that the plan gives.
        changes |= {name: None for name in callers if name not in bounds}
    return changes


def refusals_as_set(
    sets: Mapping[str, Sequence[Set]],
    request: Request,
    refusals: Mapping[str, str],
    backends: Mapping[str, AnyBackend],
) -> Mapping[str, str]:
    """The refusals, where what a plan sets decides whether a backend can express the request.

    `sets` holds for each backend the sets of parameters with which the plan asks it."""
    changed = {
        name: next(filter(None, (_refusal(backends[name], request, each) for each in given)), "")
        for name, given in sets.items()
        if backends[name].translates and any(given)
    }
    return {**refusals, **changed} if changed else refusals


def _refusal(settings: AnyBackend, request: Request, given: Set) -> str:
    changes = changed_by(given, request.fields, settings)
    return able(settings, replace(request, fields={**request.fields, **changes}))


def asks_in(tree: Step) -> Iterator[Ask]:
    """Every plan within a compiled plan that asks one backend."""
    if isinstance(tree, Ask):
        yield tree
    elif not isinstance(tree, str):
        for _, inner in tree.places:
            yield from asks_in(inner)


def sets_of(tree: Step) -> dict[str, tuple[Set, ...]]:
    """For each backend, the different sets of parameters with which a compiled plan asks it."""
    sets: dict[str, tuple[Set, ...]] = {}
    for ask in asks_in(tree):
        for name in ask.backends:
            if ask.set_ not in sets.get(name, ()):
                sets[name] = (*sets.get(name, ()), ask.set_)
    return sets


def shown_settings(tree: Step) -> tuple[Mapping[str, Any], ...]:
    """What a compiled plan changes in the bodies of its calls, for people who ask why. Prompts are
    the operator's: that there is one is shown, not its words."""
    return tuple(
        {
            "ask": ask.ask,
            **({"model": ask.model} if ask.model else {}),
            **({"set": ask.set_} if ask.set_ else {}),
            **({"system": True} if ask.system else {}),
            **({"instruct": True} if ask.instruct else {}),
            **({"examples": len(ask.examples)} if ask.examples else {}),
            **({"role": True} if _role(ask) else {}),
        }
        for ask in asks_in(tree)
        if ask.changes
    )


def form_of(tree: Step) -> str:
    """A hash of the prompts, models and parameters that a compiled plan sets; empty if it sets
    none. An answer of another form must not be given again as an answer of this plan."""
    changed = [
        [ask.ask, ask.model, ask.system, ask.instruct, ask.set_, *_role(ask), *_shown(ask)]
        for ask in asks_in(tree)
        if ask.changes
    ]
    if not changed:
        return ""
    return blake2b(orjson.dumps(changed, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()


def _shown(ask: Ask) -> list[list[str]]:
    return [[example.prompt, example.answer] for example in ask.examples]


def _role(ask: Ask) -> tuple[str, ...]:
    """The part of a committee's member, if it has one."""
    return (ask.role,) if isinstance(ask, AskMember) and ask.role else ()
