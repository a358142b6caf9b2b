"""A mapping from records to a schema as a program: a JSON file that is read, edited and run again.

`fields` says for each field of the target where its value comes from and the steps that convert it.
A field with a `question` is not run before somebody has chosen one of its `choices`.
"""

from collections.abc import Mapping as Map
from dataclasses import dataclass, field, replace
from typing import Any

from router.records.checking import Wanted, issues_in
from router.records.migrating.meaning import KeyPath
from router.records.migrating.steps import check_step

_VERSION = 1
_KEYS = {
    "field": {
        "to",
        "from",
        "do",
        "value",
        "each",
        "otherwise",
        "because",
        "warning",
        "question",
        "choices",
    },
    "mapping": {"version", "fields", "group_by", "unmapped", "schema"},
}
Step = Map[str, Any]


class BadMapping(ValueError):
    """The file is no mapping; the message names the field, the rule and the mend."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer to a question: where the value then comes from, and its steps."""

    sources: tuple[KeyPath, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Where the value of one field of the target comes from, and the steps that convert it."""

    to: KeyPath
    sources: tuple[KeyPath, ...] = ()
    steps: tuple[Step, ...] = ()
    value: Any = None  # of a field without sources
    each: "tuple[FieldRule, ...]" = ()  # for the objects of a list
    otherwise: Any = None  # where the source holds no value
    unfilled: bool = False  # no field of the source gives it, and nobody has said what does
    because: str = ""
    warning: str = ""
    question: str = ""
    choices: Map[str, Choice] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return ".".join(self.to)

    @property
    def gathers(self) -> bool:
        """Whether the rule makes an object of its list from each record of a group."""
        return bool(self.each) and not self.sources

    def chosen(self, label: str) -> "FieldRule":
        choice = self.choices[label]
        because = f"chosen: {label}"
        return replace(
            self, sources=choice.sources, steps=choice.steps, because=because, question="",
            choices={},
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """All rules, the fields of the source that go nowhere, and the schema of the target."""

    schema: Map[str, Any]
    rules: tuple[FieldRule, ...]
    unmapped: tuple[KeyPath, ...] = ()
    group_by: tuple[KeyPath, ...] = ()  # records that agree on these fields become one

    @property
    def questions(self) -> list[FieldRule]:
        return [rule for rule in self.rules if rule.question]

    @property
    def unfilled(self) -> list[FieldRule]:
        return [rule for rule in self.rules if rule.unfilled]

    def answered(self, answers: Map[str, str]) -> "FieldMapping":
        """The mapping with these choices; `BadMapping` names an answer that is none."""
        rules = {rule.name: rule for rule in self.rules}
        for name, label in answers.items():
            rule = rules.get(name)
            if rule is None or not rule.question:
                open_ones = ", ".join(r.name for r in self.questions) or "none"
                raise BadMapping(f"{name}: no question is open for it; open are: {open_ones}")
            if label not in rule.choices:
                labels = "; ".join(rule.choices) or "none: edit the mapping"
                raise BadMapping(f"{name} = {label!r}: the choices are {labels}")
            rules[name] = rule.chosen(label)
        return replace(self, rules=tuple(rules.values()))


def as_json(mapping: FieldMapping) -> dict[str, Any]:
    grouped = {"group_by": [_path_json(path) for path in mapping.group_by]}
    return {
        "version": _VERSION,
        **(grouped if mapping.group_by else {}),
        "fields": [_rule_json(rule) for rule in mapping.rules],
        "unmapped": [_path_json(path) for path in mapping.unmapped],
        "schema": dict(mapping.schema),
    }


def _path_json(path: KeyPath) -> Any:
    return path[0] if len(path) == 1 else list(path)


def _rule_json(rule: FieldRule) -> dict[str, Any]:
    made: dict[str, Any] = {"to": _path_json(rule.to)}
    if rule.sources:
        made |= _source_json(rule.sources, rule.steps)
    elif rule.gathers:
        pass
    elif rule.unfilled:
        made["from"] = []
    elif not rule.question:
        made["value"] = rule.value
    if rule.otherwise is not None:
        made["otherwise"] = rule.otherwise
    if rule.each:
        made["each"] = [_rule_json(inner) for inner in rule.each]
    for key in ("because", "warning", "question"):
        if text := getattr(rule, key):
            made[key] = text
    if rule.choices:
        made["choices"] = {
            label: _source_json(choice.sources, choice.steps)
            for label, choice in rule.choices.items()
        }
    return made


def _source_json(sources: tuple[KeyPath, ...], steps: tuple[Step, ...]) -> dict[str, Any]:
    return {"from": [_path_json(path) for path in sources], "do": [dict(step) for step in steps]}


def from_json(document: Any) -> FieldMapping:
    """Read a mapping; `BadMapping` says what is wrong with it."""
    if not isinstance(document, dict) or not isinstance(document.get("fields"), list):
        raise BadMapping("a mapping is an object with `fields`, a list, and `schema`")
    _check_keys(document, "mapping", "the mapping")
    if document.get("version") != _VERSION:
        raise BadMapping(f"version = {document.get('version')!r}: this is version {_VERSION}")
    schema = document.get("schema")
    if not isinstance(schema, dict):
        raise BadMapping("`schema` must be the JSON Schema of the target")
    issues_in([None], Wanted(schema), as_list=False)  # refuses a bad schema
    group_by = document.get("group_by", [])
    if not isinstance(group_by, list):
        raise BadMapping("`group_by` must be a list of fields of the source")
    unmapped = document.get("unmapped", [])
    if not isinstance(unmapped, list):
        raise BadMapping("`unmapped` must be a list of fields")
    rules = tuple(_rule(entry) for entry in document["fields"])
    gathering = next((rule for rule in rules if rule.gathers and not rule.question), None)
    if gathering is not None and not group_by:
        raise BadMapping(f"{gathering.name}: `each` without `from` needs `group_by` in the mapping")
    return FieldMapping(
        schema,
        rules,
        tuple(_path(path, "unmapped") for path in unmapped),
        tuple(_path(path, "group_by") for path in group_by),
    )


def _check_keys(entry: Map[str, Any], kind: str, place: str) -> None:
    strange = [key for key in entry if key not in _KEYS[kind]]
    if strange:
        raise BadMapping(f"{place}: `{strange[0]}` is none of {', '.join(sorted(_KEYS[kind]))}")


def _path(written: Any, place: str) -> KeyPath:
    path = [written] if isinstance(written, str) else written
    if not isinstance(path, list) or not path or not all(isinstance(key, str) for key in path):
        raise BadMapping(f"{place} = {written!r:.60}: a field is a name, or a list of names")
    return tuple(path)


def _rule(entry: Any) -> FieldRule:
    if not isinstance(entry, dict) or "to" not in entry:
        raise BadMapping(f"{entry!r:.60}: a field needs `to`, its place in the target")
    to = _path(entry["to"], "to")
    name = ".".join(to)
    _check_keys(entry, "field", name)
    sources, steps = _sources(entry, name)
    choices = entry.get("choices", {})
    question = entry.get("question", "")
    if not isinstance(choices, dict) or not isinstance(question, str):
        raise BadMapping(f"{name}: `question` must be a text and `choices` an object")
    each = entry.get("each", [])
    unfilled = not sources and "value" not in entry and not question and not each
    if unfilled and "from" not in entry:
        raise BadMapping(f"{name}: it needs `from` or `value`")
    if not isinstance(each, list):
        raise BadMapping(f"{name}: `each` must be a list of fields")
    return FieldRule(
        to, sources, steps, entry.get("value"), tuple(_rule(inner) for inner in each),
        entry.get("otherwise"), unfilled, str(entry.get("because", "")),
        str(entry.get("warning", "")), question,
        {label: Choice(*_sources(choice, name)) for label, choice in choices.items()},
    )  # fmt: skip


def _sources(entry: Any, name: str) -> tuple[tuple[KeyPath, ...], tuple[Step, ...]]:
    if not isinstance(entry, dict):
        raise BadMapping(f"{name}: a choice is an object with `from` and `do`")
    written, steps = entry.get("from", []), entry.get("do", [])
    if not isinstance(written, list) or not isinstance(steps, list):
        raise BadMapping(f"{name}: `from` and `do` must be lists")
    for step in steps:
        try:
            check_step(step)
        except ValueError as error:
            raise BadMapping(f"{name}: {error}") from None
    return tuple(_path(path, f"{name}: from") for path in written), tuple(steps)
