"""The names in a plan as the file writes them, before the plan is validated. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

Place = tuple[str | int, ...]
Role = Literal["step", "backend", "code", "author", "validator"]
Named = tuple[Place, str, Role]

_STEPS = ("cascade", "pipeline", "fan_out", "hedge")
_BACKENDS = ("ask", "words", "by", "judge", "critic", "fixer", "reviewer", "chair", "design")


def names_in(raw: Any, at: Place = ()) -> Iterator[Named]:
    """Every name in a plan, with its place in the file and the kind of thing that it must name."""
    if isinstance(raw, str):
        yield at, raw, "step"
    if not isinstance(raw, Mapping):
        return
    for key in _BACKENDS:
        if isinstance(raw.get(key), str):
            yield (*at, key), raw[key], "backend"
    for key, role in (("code", "code"), ("validator", "validator")):
        if isinstance(raw.get(key), str):
            yield (*at, key), raw[key], role  # type: ignore[misc]
    yield from _listed(raw, at)
    weights = raw.get("weights")
    for name in weights if isinstance(weights, Mapping) else ():
        yield (*at, "weights", name), name, "backend"
    for place, inner in nested(raw, at):
        yield from names_in(inner, place)


def _listed(raw: Mapping[str, Any], at: Place) -> Iterator[Named]:
    """The names in the lists of a plan that hold no steps."""
    for key in ("ask", "equals", "fallback", "authors", "critic"):
        listed = raw.get(key)
        for index, name in enumerate(listed if isinstance(listed, list) else ()):
            if not isinstance(name, str):
                yield from names_in(name, (*at, key, index))
            elif (key, name) != ("authors", "synthesis"):
                yield (*at, key, index), name, "author" if key == "authors" else "backend"


def asks_in(raw: Any, at: Place = ()) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Every plan within a plan that asks one backend, with its place in the file; once for each
    of several equals."""
    if not isinstance(raw, Mapping):
        return
    names = raw.get("ask")
    equals = raw.get("equals")
    alike = [*(names if isinstance(names, list) else [names])]
    alike += equals if isinstance(equals, list) else []
    for name in alike:
        if isinstance(name, str):
            yield at, {**raw, "ask": name}
    for place, inner in nested(raw, at):
        yield from asks_in(inner, place)


def nested(raw: Mapping[str, Any], at: Place) -> Iterator[tuple[Place, Any]]:
    """The steps and checks directly within a plan, each with its place in the file."""
    for key in (*_STEPS, "members"):
        steps = raw.get(key)
        for index, step in enumerate(steps if isinstance(steps, list) else ()):
            yield (*at, key, index), step
    for key in ("accept", "gate", "refine", "review", "committee"):
        if isinstance(raw.get(key), Mapping):
            yield (*at, key), raw[key]
    for key in ("draft", "finally"):
        if key in raw:
            yield (*at, key), raw[key]


def cycle(plans: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of plans that lead back to the first of them; empty if no plan leads to itself."""
    leads = {
        name: [step for _, step, role in names_in(plan) if role == "step" and step in plans]
        for name, plan in plans.items()
    }
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> tuple[str, ...]:
        if name in path:
            return (*path[path.index(name) :], name)
        if name not in done:
            for step in leads[name]:
                circle = walk(step, (*path, name))
                if circle:
                    return circle
            done.add(name)
        return ()

    return next((circle for name in plans if (circle := walk(name, ()))), ())
