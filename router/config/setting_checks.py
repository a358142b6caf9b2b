"""Checks what plans set, against what their backends can take. Pure, on the raw values of a file.

Only the first backend of a plan must take everything. A fallback gets what it can take.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from router.config.backends import KINDS
from router.config.config import Config
from router.config.efforts import effort_refusal
from router.config.network import WITHOUT_LOGPROBS, ForeignSettings
from router.config.parameters import PARAMETERS, PROTECTED, broken_rule, effort_in
from router.config.plan_names import Place, asks_in
from router.config.problems import Mistake, unknown

_ANY_MESSAGES = [{"role": "user", "content": "hi"}]


def setting_checks(name: str, plan: Any, kinds: Mapping[str, Any]) -> Iterator[Mistake]:
    """The mistakes in `set`, `system` and `examples` of a plan, and of every plan within it."""
    for at, ask in asks_in(plan, ("plans", name)):
        kind = str(kinds.get(ask["ask"]))
        settings = KINDS.get(kind)
        if settings is None:
            continue
        for key in ("system", "examples"):
            if ask.get(key) not in (None, []) and not settings.is_model:
                rule = f"no model reads it: {ask['ask']} is of kind {kind}"
                yield Mistake((*at, key), ask[key], rule, "Leave it out.")
        given = ask.get("set")
        for key, value in given.items() if isinstance(given, dict) else ():
            place = (*at, "set", key)
            yield from _parameter_checks(place, str(key), value, kind, settings.parameters)


def logprob_checks(
    name: str, plan: Any, plans: Mapping[str, Any], kinds: Mapping[str, Any]
) -> Iterator[Mistake]:
    """The steps of a cascade that could never be sure enough: their server has no logprobs."""
    accept = plan.get("accept") if isinstance(plan, Mapping) else None
    steps = plan.get("cascade") if isinstance(plan, Mapping) else None
    if not isinstance(accept, Mapping) or not isinstance(steps, list):
        return
    wanted = next((key for key in ("probability", "entropy") if accept.get(key) is not None), "")
    for index, step in enumerate(steps[:-1] if wanted else ()):
        tree = plans.get(step, step) if isinstance(step, str) else step
        backend = tree.get("ask") if isinstance(tree, Mapping) else tree
        kind = kinds.get(backend) if isinstance(backend, str) else None
        if kind in WITHOUT_LOGPROBS:
            rule = f"`accept.{wanted}` needs logprobs, and a server of kind {kind} has none"
            mend = "Accept by `judge`, `agreement` or `schema`, or begin with another backend."
            yield Mistake(("plans", name, "cascade", index), backend, rule, mend)


def effort_checks(raw: Mapping[str, Any], config: Config) -> Iterator[Mistake]:
    """The efforts in the plans of a sound file that their models do not take, by the tables."""
    for name, plan in raw["plans"].items():
        for at, ask in asks_in(plan, ("plans", name)):
            given = ask.get("set", {})
            settings, effort = config.backends[ask["ask"]], effort_in(given)
            rule = effort_refusal(settings, ask.get("model"), effort)
            if rule:
                key = "reasoning_effort" if "reasoning_effort" in given else "reasoning"
                mend = "Take one of them." if "takes the" in rule else "Leave it out."
                yield Mistake((*at, "set", key), effort, rule, mend)
            elif given and isinstance(settings, ForeignSettings):
                yield from _translation_checks((*at, "set"), given, settings)


def _translation_checks(
    at: Place, given: Mapping[str, Any], settings: ForeignSettings
) -> Iterator[Mistake]:
    """What no request of this plan could carry to its server."""
    reason = settings.untranslatable({"messages": _ANY_MESSAGES, **given})
    if reason is not None:
        value = given.get(reason.field, given)
        yield Mistake((*at, reason.field), value, reason.rule, "Change it, or leave it out.")


def _parameter_checks(
    at: Place, name: str, value: Any, kind: str, takes: frozenset[str]
) -> Iterator[Mistake]:
    if name in PROTECTED:
        yield Mistake(at, value, *PROTECTED[name])
    elif name not in PARAMETERS:
        yield Mistake(at, name, *unknown("parameter", name, takes))
    elif name not in takes:
        listed = ", ".join(sorted(takes)) or "nothing"
        rule = f"a backend of kind {kind} does not take it"
        yield Mistake(at, value, rule, f"Leave it out. A plan may set here: {listed}.")
    elif rule := broken_rule(name, value):
        yield Mistake(at, value, f"it must be {rule}", "Change it, or leave it out.")
