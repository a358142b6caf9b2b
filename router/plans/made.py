"""Plans that growth made, as an overlay of the configuration.

A made plan is a plan as it would stand in waggle.yaml, for the requests of one pattern, or of one
task that callers name. Callers cannot name a made plan, no strategy chooses it by itself, and it is
no plan of the configuration: only a trial of its own, and later its adoption, give it requests.

Examples hold what callers wrote, so the words of a plan's examples stand in a file of their own,
which goes when the plan goes; the book of trials holds their number. `scope` is the owner of these
words, as reuse knows owners: nobody else's requests are answered with them.
"""

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import TypeAdapter, ValidationError

from router.config.config import Config
from router.config.cross_checks import cross_checks
from router.config.plan_steps import backends_of
from router.config.plans import AnyPlan, Ask, Plan
from router.files import write_durably
from router.plans.bodies import NATIVE

MadeKind = Literal["spawn", "route", "merge", "stage", "model"]
_TASK = "task "  # what the places of tasks begin with; no pattern that was found has such a name
_PLAN: TypeAdapter[AnyPlan] = TypeAdapter(AnyPlan)


@dataclass(frozen=True, slots=True)
class MadePlan:
    """A version of a plan that growth made for a pattern, with its lineage and its evidence."""

    name: str
    pattern: str
    parent: str  # the plan that it was made from
    plan: Mapping[str, Any]  # as in waggle.yaml
    kind: MadeKind = "spawn"
    author: str = ""  # the name of a template, or the backend that wrote its instruction
    evidence: str = ""
    version: int = 1
    scope: str = ""  # the owner of the words that it was made from; empty: no words of callers
    part: float = 1.0  # of the pattern's requests that may be part of its trial
    alike: int = 0  # judged answers of the pattern when it was made
    at: float = 0.0
    stands_for: str = ""  # it answers what would go to this plan; empty: all of the pattern
    others: tuple[str, ...] = ()  # more patterns that it answers, once it is adopted
    merges: tuple[str, ...] = ()  # the made plans in whose place it is

    @property
    def patterns(self) -> tuple[str, ...]:
        """All patterns that it answers."""
        return (self.pattern, *self.others)

    @property
    def answers(self) -> str:
        """The plan that answers its requests: itself, or for a route the configured plan."""
        return self.parent if self.kind == "route" else self.name

    @property
    def mixes(self) -> bool:
        """Whether it is new in all its patterns: it has examples of each."""
        return self.kind == "merge" and "examples" in self.plan

    @property
    def may_be_chosen(self) -> bool:
        """Whether the bandit may choose request by request between it and others."""
        return self.kind in ("spawn", "merge") and not self.stands_for

    @property
    def holds_words(self) -> bool:
        """Whether a file of its own holds words that it was made from."""
        return bool(self.scope) and self.kind != "model"

    def written(self) -> dict[str, Any]:
        """The plan as a line of the book holds it: without the words of its examples."""
        fields = asdict(self)
        if self.scope and "examples" in self.plan:
            examples = self.plan["examples"]  # their number, if the words were not read
            count = examples if isinstance(examples, int) else len(examples)
            fields["plan"] = {**self.plan, "examples": count}
        return fields

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> "MadePlan":
        lists = {name: tuple(fields.get(name, ())) for name in ("others", "merges")}
        # A book may hold fields that plans have no more.
        kept = {name: value for name, value in fields.items() if name in cls.__slots__}
        return cls(**{**kept, **lists})


def place_of_task(task: str) -> str:
    """What stands in place of a pattern in a plan that was made for a task."""
    return f"{_TASK}{task}"


def task_of_place(place: str) -> str:
    """The task that a place means; empty if the place is a pattern."""
    return place.removeprefix(_TASK) if place.startswith(_TASK) else ""


def as_written(plan: Plan) -> dict[str, Any]:
    """The plan as it would stand in waggle.yaml."""
    return plan.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def compiled_from(config: Config, made: MadePlan) -> AnyPlan:
    """The plan of a made plan, validated as if it stood in waggle.yaml. Raises `ValueError`."""
    where = f"made plan {made.name}"
    if made.name in config.plans or made.name in config.backends:
        raise ValueError(f"{where}: a plan or a backend of the configuration has this name")
    if made.parent not in config.plans:
        raise ValueError(f"{where}: its parent {made.parent} is no plan of the configuration")
    raw = dict(made.plan)
    if isinstance(raw.get("examples"), int):
        del raw["examples"]  # their words stand in a file of their own
    kinds = {name: {"kind": settings.kind} for name, settings in config.backends.items()}
    plans = {made.name: raw}
    if made.kind in ("route", "stage", "model"):  # its steps may be plans of the configuration
        plans |= {name: as_written(plan) for name, plan in config.plans.items()}
    mistakes = list(cross_checks({"backends": kinds, "plans": plans}))
    if mistakes:
        raise ValueError(f"{where}: {mistakes[0].rule}. {mistakes[0].mend}")
    try:
        plan = _PLAN.validate_python(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{where}: {place}: {first['msg']}") from None
    backends = backends_of(plan, config.plans)
    native = [name for name in backends if config.backends[name].kind in NATIVE]
    if isinstance(plan, Ask) and plan.changes and native:
        raise ValueError(f"{where}: {native[0]} reads no instructions and no examples")
    return plan


def overlaid(config: Config, made: Iterable[MadePlan]) -> Config:
    """The configuration with the made plans as plans of it. Raises `ValueError`."""
    plans = {each.name: compiled_from(config, each) for each in made}
    return config.model_copy(update={"plans": {**config.plans, **plans}})


def usable(config: Config, made: Iterable[MadePlan]) -> tuple[MadePlan, ...]:
    """The made plans that the configuration can carry out."""
    can = []
    for each in made:
        with contextlib.suppress(ValueError):
            compiled_from(config, each)
            can.append(each)
    return tuple(can)


def keep_words(folder: Path, made: MadePlan, requests: Sequence[str] = ()) -> None:
    """Write a plan's examples, and the ids of the requests whose words it was made from. They are
    durable before the book names the plan."""
    if made.holds_words:
        words = {"examples": made.plan.get("examples", []), "requests": list(requests)}
        write_durably(_words(folder, made.name), orjson.dumps(words))


def mix_words(folder: Path, of: Sequence[str], to: str, most: int) -> int | None:
    """Give a plan the first examples of each of these plans in turn, before the book names it.
    Returns their number; None if the words of any plan were removed."""
    try:
        words = [orjson.loads(_words(folder, name).read_bytes()) for name in of]
    except (OSError, orjson.JSONDecodeError):
        return None
    rounds = zip_longest(*(each["examples"] for each in words))
    examples = [example for each in rounds for example in each if example is not None]
    requests = sorted({id_ for each in words for id_ in each["requests"]})
    mixed = {"examples": examples[:most], "requests": requests}
    write_durably(_words(folder, to), orjson.dumps(mixed))
    return len(mixed["examples"])


def with_words(folder: Path, made: MadePlan) -> MadePlan | None:
    """A plan of the book with its examples; None if their words were removed."""
    if not made.holds_words:
        return made
    try:
        examples = orjson.loads(_words(folder, made.name).read_bytes())["examples"]
    except (OSError, orjson.JSONDecodeError):
        return None
    return replace(made, plan={**made.plan, "examples": examples}) if examples else made


def made_from_requests(folder: Path, requests: Collection[str]) -> list[str]:
    """The names of the plans that were made from the words of any of these requests."""
    names, wanted = [], set(requests)
    for path in sorted(_words(folder, "x").parent.glob("*.json")):
        with contextlib.suppress(OSError, orjson.JSONDecodeError):
            if not wanted.isdisjoint(orjson.loads(path.read_bytes())["requests"]):
                names.append(path.stem)
    return names


def remove_words(folder: Path, name: str) -> None:
    _words(folder, name).unlink(missing_ok=True)


def forget_words(folder: Path, kept: Iterable[str]) -> None:
    """Remove the words of all plans but these."""
    names = {_words(folder, name) for name in kept}
    for path in _words(folder, "x").parent.glob("*.json"):
        if path not in names:
            path.unlink(missing_ok=True)


def _words(folder: Path, name: str) -> Path:
    return folder / "examples" / f"{name}.json"
