"""Rules across the sections of a configuration: each name must exist and be of the right kind.

The checks read the raw values of the file. They skip a value of the wrong type, because pydantic
reports it.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from router.config.backends import SpecialistSettings
from router.config.committee_checks import AUTHORS, committee_checks
from router.config.llama import NoSuchModel, model_file
from router.config.plan_names import cycle, names_in
from router.config.problems import Mistake, unknown
from router.config.references import Location
from router.config.setting_checks import logprob_checks, setting_checks
from router.config.training import lacking
from router.config.values import CLAIMING

_KINDS_OF_SIGNALS = {"tests": "sandbox", "specialist": "specialist"}
_STEPS = ("cascade", "pipeline", "fan_out", "hedge")
Raw = Mapping[str, Any]


def cross_checks(raw: Raw) -> Iterator[Mistake]:
    backends, plans = _names(raw.get("backends")), _names(raw.get("plans"))
    if "auto" in backends:
        yield Mistake(("backends", "auto"), "auto", "`auto` means routing", "Give it another name.")
    for name, settings in _items(raw.get("backends")):
        if isinstance(settings, dict) and settings.get("kind") == "specialist":
            yield from _specialist_checks(name, settings, backends)
        if isinstance(settings, dict) and settings.get("kind") == "knowledge":
            yield from _knowledge_checks(name, settings, backends, raw)
        if isinstance(settings, dict) and settings.get("kind") == "llama":
            yield from _llama_checks(name, settings)
        if isinstance(settings, dict) and settings.get("kind") == "twin":
            writer = settings.get("writer")
            if isinstance(writer, dict) and writer.get("kind") == "llama":
                yield from _llama_checks(name, writer)
    yield from _store_checks(raw)
    yield from _plan_checks(raw, backends)
    yield from _signal_checks(raw, plans)
    yield from _guard_checks(raw)
    for section, key in (
        ("reuse", "adapter"),
        ("reuse", "author"),
        ("trials", "writer"),
        ("growth", "author"),
    ):
        yield from _name_check((section, key), _section(raw, section).get(key), "backend", backends)
    yield from _verifier_checks(raw, plans)
    yield from _team_checks(_section(raw, "keys"))
    yield from _summarizer_checks(raw, backends)
    yield from _lesson_checks(raw, plans)
    objective = _section(raw, "objective")
    yield from _objective_checks(objective, plans)
    yield from _ladder_checks(_section(objective, "ladder"), _laddered(raw))


def _specialist_checks(name: str, settings: Raw, backends: set[str]) -> Iterator[Mistake]:
    at = ("backends", name)
    yield from _name_check((*at, "writer"), settings.get("writer"), "backend", backends - {name})
    folder = settings.get("folder")
    if not isinstance(folder, str):
        return
    if not SpecialistSettings(kind="specialist", folder=folder or ".").documents.is_dir():
        rule = "there is no such folder of documents"
        mend = "Give an existing folder, or `shipped:ethereum` or `shipped:football`."
        yield Mistake((*at, "folder"), folder, rule, mend)


def _knowledge_checks(name: str, settings: Raw, backends: set[str], raw: Raw) -> Iterator[Mistake]:
    at = ("backends", name)
    yield from _name_check((*at, "writer"), settings.get("writer"), "backend", backends - {name})
    stores = _names(raw.get("knowledge"))
    named = settings.get("stores")
    for index, store in enumerate(named if isinstance(named, list) else ()):
        yield from _name_check((*at, "stores", index), store, "store", stores)
    encoders = {
        str(store.get("encoder") or "the packaged one")
        for key, store in _items(raw.get("knowledge"))
        if isinstance(store, dict) and isinstance(named, list) and key in named
    }
    if settings.get("encoder"):
        encoders.add(str(settings["encoder"]))
    if len(encoders) > 1:
        rule = f"the stores of one backend have one encoder; here: {', '.join(sorted(encoders))}"
        mend = "Give the stores the same `encoder`, or each its own backend."
        yield Mistake((*at, "stores"), named, rule, mend)


def _store_checks(raw: Raw) -> Iterator[Mistake]:
    """Check that each store's folder exists, since a store of a mistyped folder stays empty."""
    for name, settings in _items(raw.get("knowledge")):
        folder = settings.get("folder") if isinstance(settings, dict) else None
        if isinstance(folder, str) and not Path(folder).is_dir():
            rule, mend = "there is no such folder", "Make it, or write the folder to watch."
            yield Mistake(("knowledge", name, "folder"), folder, rule, mend)


def _llama_checks(name: str, settings: Raw) -> Iterator[Mistake]:
    model = settings.get("model")
    if not isinstance(model, str):
        return
    try:
        model_file(model)
    except NoSuchModel as missing:
        rule, _, mend = str(missing).partition(": ")
        yield Mistake(("backends", name, "model"), model, rule, f"{mend[:1].upper()}{mend[1:]}.")


def _plan_checks(raw: Raw, backends: set[str]) -> Iterator[Mistake]:
    plans, kinds = dict(_items(raw.get("plans"))), _kinds(raw)
    for name, plan in plans.items():
        if name == "auto":
            rule, mend = "`auto` means routing", "Give the plan another name."
            yield Mistake(("plans", name), name, rule, mend)
        elif name in backends and plan != {"ask": name}:
            mend = f"Give the plan another name, or let it be {{ask: {name}}} and nothing more."
            yield Mistake(("plans", name), name, "a backend has this name already", mend)
        for key in ("when", "every"):
            if isinstance(plan, dict) and plan.get(key) is not None:
                rule = f"`{key}` belongs to a step of a pipeline after its first"
                yield Mistake(("plans", name, key), plan[key], rule, "Write it into that step.")
        if not isinstance(plan, str):
            yield from _step_checks(name, plan, kinds, set(plans))
            yield from setting_checks(name, plan, kinds)
            yield from logprob_checks(name, plan, plans, kinds)
            yield from committee_checks(("plans", name), plan, kinds)
    path = cycle(plans)
    if path:
        rule = f"the plan leads back to itself: {' → '.join(path)}"
        yield Mistake(("plans", path[0]), path[0], rule, "Take one of these names out.")


def _step_checks(
    name: str, plan: Any, kinds: Mapping[str, Any], plans: set[str]
) -> Iterator[Mistake]:
    """Check that each name in a plan exists, and can do what the plan needs."""
    for at, named, role in names_in(plan, ("plans", name)):
        names = {*kinds, *plans} if role == "step" else set(kinds)
        kind = kinds.get(named)
        if named not in names:
            wanted = "backend or plan" if role == "step" else "backend"
            yield from _name_check(at, named, wanted, names)
        elif role == "code" and kind != "sandbox":
            rule = f"programs run in a backend of kind sandbox, and this is of kind {kind}"
            yield Mistake(at, named, rule, "Name a backend of kind sandbox.")
        elif role == "validator" and kind != "validator":
            rule = f"only a backend of kind validator validates, and this is of kind {kind}"
            mend = "Name a backend of kind validator, or use `judge`."
            yield Mistake(at, named, rule, mend)
        elif role == "author" and kind not in AUTHORS:
            rule = f"a model writes programs, and this backend is of kind {kind}"
            yield Mistake(at, named, rule, f"Name a backend of kind {' or '.join(AUTHORS)}.")
        elif role in ("step", "backend") and kind == "sandbox":
            yield Mistake(at, named, "a sandbox answers no chat", "Use it as `code:` of a plan.")


def _signal_checks(raw: Raw, plans: set[str]) -> Iterator[Mistake]:
    kinds = _kinds(raw)
    signals = raw.get("signals")
    for index, source in enumerate(signals if isinstance(signals, list) else ()):
        if not isinstance(source, dict):
            continue
        at = ("signals", index)
        for key in ("by", "against"):
            yield from _name_check((*at, key), source.get(key), "backend", kinds)
        wanted = _KINDS_OF_SIGNALS.get(str(source.get("kind")))
        kind = kinds.get(source["by"]) if isinstance(source.get("by"), str) else None
        if wanted and kind and kind != wanted:
            rule, mend = f"this backend is of kind {kind}", f"Name a backend of kind {wanted}."
            yield Mistake((*at, "by"), source["by"], rule, mend)
        yield from _list_checks((*at, "plans"), source.get("plans"), plans)


def _lesson_checks(raw: Raw, plans: set[str]) -> Iterator[Mistake]:
    lessons = list(_items(raw.get("training")))
    for name, lesson in lessons:
        teacher = lesson.get("teacher") if isinstance(lesson, dict) else None
        yield from _name_check(("training", name, "teacher"), teacher, "plan", plans)
    for setting in lacking(raw) if lessons else ():
        rule = f"a lesson is made of judged answers, and `{setting}` is not true"
        yield Mistake(("training",), lessons[0][0], rule, f"Set `{setting}: true`.")


def _guard_checks(raw: Raw) -> Iterator[Mistake]:
    """Check that each classifying guard names a model, and that each file of a function exists."""
    kinds, guards = _kinds(raw), raw.get("guardrails")
    for index, guard in enumerate(guards if isinstance(guards, list) else ()):
        if not isinstance(guard, dict):
            continue
        name, file = guard.get("ask"), guard.get("file")
        at = ("guardrails", index, "ask")
        yield from _name_check(at, name, "backend", kinds)
        kind = kinds.get(name) if isinstance(name, str) else None
        if kind is not None and kind not in AUTHORS:
            rule = f"only a model can classify, and {name} is of kind {kind}"
            yield Mistake(at, name, rule, f"Name a backend of kind {' or '.join(AUTHORS)}.")
        if isinstance(file, str) and not Path(file).is_file():
            rule = "there is no such file"
            yield Mistake(("guardrails", index, "file"), file, rule, "Write the path of the file.")


def _verifier_checks(raw: Raw, plans: set[str]) -> Iterator[Mistake]:
    """Check that `reuse.verifier` names models that can answer a question with one call."""
    at, name, kinds = ("reuse", "verifier"), _section(raw, "reuse").get("verifier"), _kinds(raw)
    if not isinstance(name, str):
        return
    models = _models(raw)
    if name not in {*kinds, *plans, *models}:
        yield Mistake(at, name, *unknown("backend, model or plan", name, {*kinds, *plans, *models}))
        return
    plan = _section(raw, "plans").get(name)
    if name in plans and not (isinstance(plan, dict) and "ask" in plan):
        rule = "the verifier answers with one call, and this plan makes several"
        yield Mistake(at, name, rule, "Name a backend, a model, or a plan that asks one backend.")
        return
    fallback = plan.get("fallback") if isinstance(plan, dict) else None
    asks = [plan["ask"], *(fallback or ())] if isinstance(plan, dict) else [models.get(name, name)]
    for backend in asks:
        kind = kinds.get(backend) if isinstance(backend, str) else None
        if kind is not None and kind not in AUTHORS:
            rule = f"only a model can answer a question, and {backend} is of kind {kind}"
            yield Mistake(at, name, rule, f"Name a backend of kind {' or '.join(AUTHORS)}.")


def _team_checks(keys: Raw) -> Iterator[Mistake]:
    """Check that each team that is named exists, and that no team is part of itself."""
    teams = dict(_items(keys.get("teams")))
    for name, team in teams.items():
        at, line = ("keys", "teams", name, "parent"), [name]
        parent = _section(teams, name).get("parent")
        yield from _name_check(at, parent, "team", teams)
        while isinstance(parent, str) and parent in teams and parent not in line:
            line.append(parent)
            parent = _section(teams, parent).get("parent")
        if parent == name:
            rule = f"the team is part of itself: {' → '.join([*line, name])}"
            yield Mistake(at, team.get("parent"), rule, "Take one of these parents out.")
    for tag, settings in _items(keys.get("tags")):
        named = settings.get("teams") if isinstance(settings, dict) else None
        for index, name in enumerate(named if isinstance(named, list) else ()):
            yield from _name_check(("keys", "tags", tag, "teams", index), name, "team", teams)


def _summarizer_checks(raw: Raw, backends: set[str]) -> Iterator[Mistake]:
    """Check that `conversations.summarizer` names a backend that is a model."""
    at, name = ("conversations", "summarizer"), _section(raw, "conversations").get("summarizer")
    yield from _name_check(at, name, "backend", backends)
    kind = _kinds(raw).get(name) if isinstance(name, str) else None
    if kind is not None and kind not in AUTHORS:
        rule = f"only a model can summarise a conversation, and {name} is of kind {kind}"
        yield Mistake(at, name, rule, f"Name a backend of kind {' or '.join(AUTHORS)}.")


def _models(raw: Raw) -> dict[str, str]:
    """Every name of a model that a backend has, with the name of the backend."""
    models: dict[str, str] = {}
    for name, settings in _items(raw.get("backends")):
        if isinstance(settings, dict):
            models |= dict.fromkeys(_names(settings.get("models")), name)
            if isinstance(settings.get("model"), str):
                models[settings["model"]] = name
    return models


def _objective_checks(objective: Raw, plans: set[str]) -> Iterator[Mistake]:
    for key in ("plan", "premium"):
        yield from _name_check(("objective", key), objective.get(key), "plan", plans)
    for name in _names(objective.get("cards")):
        yield from _name_check(("objective", "cards", name), name, "plan", plans)
    if objective.get("strategy") == "fixed" and objective.get("plan") is None:
        rule = "the strategy `fixed` needs to know its plan"
        mend = "Add `plan: NAME` below objective."
        yield Mistake(("objective", "strategy"), "fixed", rule, mend)
    at = ("objective", "ladder", "rungs")
    yield from _list_checks(at, _section(objective, "ladder").get("rungs"), plans)


def _ladder_checks(ladder: Raw, plans: set[str]) -> Iterator[Mistake]:
    at = ("objective", "ladder", "cuts")
    rungs, cuts = ladder.get("rungs"), ladder.get("cuts")
    if not isinstance(cuts, list):
        return
    if all(isinstance(cut, int | float) for cut in cuts) and cuts != sorted(cuts):
        yield Mistake(at, cuts, "cuts must rise", f"Write {sorted(cuts)}.")
    steps = len(rungs) if isinstance(rungs, list) else len(plans)
    if len(cuts) != steps - 1:
        rule = f"{steps} rungs need {steps - 1} cuts, and there are {len(cuts)}"
        yield Mistake(at, cuts, rule, "Add or remove a cut.")


def _laddered(raw: Raw) -> set[str]:
    """The plans that a ladder uses by default: `Config.asking`, computed from raw values."""
    plans, kinds = dict(_items(raw.get("plans"))), _kinds(raw)
    if cycle(plans):
        return set(plans)

    def by_specialist(step: Any) -> bool:
        """Whether a specialist gives the answer of a step."""
        if isinstance(step, str):
            return by_specialist(plans[step]) if step in plans else kinds.get(step) in CLAIMING
        if not isinstance(step, dict):
            return False
        steps: list[Any] = next(
            (step[key] for key in _STEPS if isinstance(step.get(key), list)), []
        )
        if steps:
            return by_specialist(steps[-1 if "pipeline" in step else 0])
        committee = _section(step, "committee")
        members = committee.get("members")
        if isinstance(members, list) and members and committee.get("chair") is None:
            return by_specialist(members[0])
        draft = {**_section(step, "refine"), **_section(step, "review")}.get("draft")
        return kinds.get(str(step.get("ask"))) in CLAIMING or by_specialist(draft)

    computed = {name for name, plan in plans.items() if isinstance(plan, dict) and "code" in plan}
    ruled = computed | {name for name, plan in plans.items() if by_specialist(plan)}
    return set(plans) - ruled or set(plans)


def _name_check(at: Location, name: Any, kind: str, names: Iterable[str]) -> Iterator[Mistake]:
    if isinstance(name, str) and name not in set(names):
        yield Mistake(at, name, *unknown(kind, name, names))


def _list_checks(at: Location, names: Any, plans: set[str]) -> Iterator[Mistake]:
    for index, name in enumerate(names if isinstance(names, list) else ()):
        yield from _name_check((*at, index), name, "plan", plans)


def _kinds(raw: Raw) -> dict[str, Any]:
    settings = _items(raw.get("backends"))
    return {name: values.get("kind") for name, values in settings if isinstance(values, dict)}


def _section(raw: Raw, key: str) -> Raw:
    section = raw.get(key)
    return section if isinstance(section, dict) else {}


def _names(section: Any) -> set[str]:
    return set(section) if isinstance(section, dict) else set()


def _items(section: Any) -> Iterable[tuple[str, Any]]:
    return section.items() if isinstance(section, dict) else ()
