"""TODO: what this module promises."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from router.config.backends import SpecialistSettings
from router.config.plan_names import cycle, names_in
from router.config.yaml_tree import Found, unknown


def _cross_checks(raw: Mapping[str, Any]) -> Iterator[Found]:
    """What a single value cannot know: whether the names it gives exist."""
    backends, plans = _names(raw.get("backends")), _names(raw.get("plans"))
    kinds = {b: s.get("kind") for b, s in _items(raw.get("backends")) if isinstance(s, dict)}
    for name, plan in _items(raw.get("plans")):
        yield from _name_checks(raw, name, plan)
        if name == "auto" or name in backends:
            rule = "a plan may not be called `auto`, nor as a backend is"
            yield ("plans", name), name, rule, "Give it another name."
    for name, told in _items(raw.get("backends")):
        if isinstance(told, dict) and told.get("kind") == "specialist":
            yield from _specialist_checks(name, told, backends)
    for where, name, wanted in _signal_names(raw):
        known = kinds if wanted == "backend" else plans
        if name not in known:
            yield ("signals", *where), name, *unknown(wanted, name, known)
        elif where[1] == "by" and kinds[name] != _JUDGES.get(_kind_at(raw, where), kinds[name]):
            rule = f"this is of kind {kinds[name]}"
            mend = f"Name a backend of kind {_JUDGES[_kind_at(raw, where)]}."
            yield ("signals", *where), name, rule, mend
    if "auto" in backends:
        yield ("backends", "auto"), "auto", "`auto` means routing", "Give it another name."
    round_ = cycle(dict(_items(raw.get("plans"))))
    if round_:
        rule = f"it leads back to itself: {' → '.join(round_)}"
        yield ("plans", round_[0]), round_[0], rule, "Take one of these names out."
    yield from _helpers(raw, backends)
    objective = raw.get("objective")
    if isinstance(objective, dict):
        yield from _objective_checks(objective, plans)
        yield from _ladder_length(objective, _asking(raw))


def _helpers(raw: Mapping[str, Any], backends: Iterable[str]) -> Iterator[Found]:
    """Backends that do something for us beside answering."""
    for section, key in (("reuse", "adapter"), ("trials", "writer")):
        told = raw.get(section)
        name = told.get(key) if isinstance(told, dict) else None
        if isinstance(name, str) and name not in set(backends):
            yield (section, key), name, *unknown("backend", name, backends)


_JUDGES = {"tests": "sandbox", "specialist": "specialist"}


def _signal_names(raw: Mapping[str, Any]) -> Iterator[tuple[tuple[int | str, ...], str, str]]:
    """Every name that a source of signals gives, where it stands, and what it must be that of."""
    signals = raw.get("signals")
    for index, source in enumerate(signals if isinstance(signals, list) else ()):
        if not isinstance(source, dict):
            continue
        for key in ("by", "against"):
            if isinstance(source.get(key), str):
                yield (index, key), source[key], "backend"
        plans = source.get("plans")
        for n, plan in enumerate(plans if isinstance(plans, list) else ()):
            if isinstance(plan, str):
                yield (index, "plans", n), plan, "plan"


def _kind_at(raw: Mapping[str, Any], where: tuple[int | str, ...]) -> str:
    return str(raw["signals"][where[0]].get("kind"))


def _specialist_checks(name: str, told: Mapping[str, Any], backends: set[str]) -> Iterator[Found]:
    writer, folder = told.get("writer"), told.get("folder")
    if isinstance(writer, str) and (writer not in backends or writer == name):
        yield ("backends", name, "writer"), writer, *unknown("backend", writer, backends - {name})
    if not isinstance(folder, str):
        return
    documents = SpecialistSettings(kind="specialist", folder=folder or ".").documents
    if not documents.is_dir():
        rule = "there is no such folder of documents"
        mend = "Give an existing folder, or `shipped:ethereum` or `shipped:football`."
        yield ("backends", name, "folder"), folder, rule, mend


def _name_checks(raw: Mapping[str, Any], plan: str, told: Any) -> Iterator[Found]:
    """Whether each name in a plan is that of something that can do what it is named for."""
    kinds = {b: s.get("kind") for b, s in _items(raw.get("backends")) if isinstance(s, dict)}
    plans = _names(raw.get("plans"))
    if isinstance(told, str):
        return  # a plan is a mapping: its own rule says so
    for where, name, role in names_in(told, ("plans", plan)):
        known = {*kinds, *plans} if role == "step" else set(kinds)
        if name not in known:
            what = "backend or plan" if role == "step" else "backend"
            yield where, name, *unknown(what, name, known)
        elif role == "code" and kinds[name] != "sandbox":
            rule = f"programs run in a backend of kind sandbox, and this is of kind {kinds[name]}"
            yield where, name, rule, "Name a backend of kind sandbox."
        elif role == "validator" and kinds[name] != "validator":
            rule = f"what validates is of kind validator, and this is of kind {kinds[name]}"
            yield where, name, rule, "Name a backend of kind validator, or use `judge`."
        elif role in ("step", "backend") and kinds.get(name) == "sandbox":
            yield where, name, "a sandbox answers no chat", "Use it as `code:` of a plan."


def _objective_checks(objective: Mapping[str, Any], plans: set[str]) -> Iterator[Found]:
    for key in ("plan", "premium"):
        name = objective.get(key)
        if isinstance(name, str) and name not in plans:
            yield ("objective", key), name, *unknown("plan", name, plans)
    for name in _names(objective.get("cards")) - plans:
        yield ("objective", "cards", name), name, *unknown("plan", name, plans)
    if objective.get("strategy") == "fixed" and objective.get("plan") is None:
        rule = "the strategy `fixed` needs to know its plan"
        yield ("objective", "strategy"), "fixed", rule, "Add `plan: NAME` below objective."
    ladder = objective.get("ladder")
    rungs = ladder.get("rungs") if isinstance(ladder, dict) else None
    for index, rung in enumerate(rungs if isinstance(rungs, list) else ()):
        if isinstance(rung, str) and rung not in plans:
            yield ("objective", "ladder", "rungs", index), rung, *unknown("plan", rung, plans)


def _ladder_length(objective: Mapping[str, Any], plans: set[str]) -> Iterator[Found]:
    settings = objective.get("ladder")
    settings = settings if isinstance(settings, dict) else {}
    rungs, cuts = settings.get("rungs"), settings.get("cuts")
    if isinstance(cuts, list):
        if all(isinstance(cut, int | float) for cut in cuts) and cuts != sorted(cuts):
            yield ("objective", "ladder", "cuts"), cuts, "cuts must rise", f"Write {sorted(cuts)}."
        steps = len(rungs) if isinstance(rungs, list) else len(plans)
        if len(cuts) != steps - 1:
            rule = f"{steps} rungs need {steps - 1} cuts, and there are {len(cuts)}"
            yield ("objective", "ladder", "cuts"), cuts, rule, "Add or remove a cut."


def _asking(raw: Mapping[str, Any]) -> set[str]:
    plans = dict(_items(raw.get("plans")))
    kinds = {b: s.get("kind") for b, s in _items(raw.get("backends")) if isinstance(s, dict)}
    ruled = {
        n
        for n, p in plans.items()
        if isinstance(p, dict) and ("code" in p or kinds.get(str(p.get("ask"))) == "specialist")
    }
    return set(plans) - ruled or set(plans)


def _names(section: Any) -> set[str]:
    return set(section) if isinstance(section, dict) else set()


def _items(section: Any) -> Iterable[tuple[str, Any]]:
    return section.items() if isinstance(section, dict) else ()
