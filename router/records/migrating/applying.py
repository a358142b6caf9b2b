"""Runs a mapping on one record, and has the schema's validator prove what comes out. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.records.checking import Issue, Wanted, issues_in
from router.records.migrating.mapping import FieldMapping, FieldRule
from router.records.migrating.meaning import KeyPath, folded
from router.records.migrating.steps import done, is_missing
from router.records.migrating.unfit import Unfit

_ABSENT: Any = object()
_MOST_REASONS = 10


@dataclass(frozen=True, slots=True)
class Migrated:
    """What became of one record: the new record, or the reasons why there is none."""

    record: dict[str, Any] | None
    warnings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


def at_path(record: Any, path: KeyPath) -> Any:
    """The value at a path; `_ABSENT` if there is none."""
    for key in path:
        if not isinstance(record, Mapping) or key not in record:
            return _ABSENT
        record = record[key]
    return record


def value_for(rule: FieldRule, record: Mapping[str, Any], group: Sequence[Any] = ()) -> Any:
    """The value that a rule makes; `_ABSENT` if the record holds none, `Unfit` if it is unsure."""
    if rule.unfilled:
        return _ABSENT
    if rule.gathers:
        return [_object(rule.each, row) for row in group or [record]]
    if not rule.sources:
        return rule.value
    given = [at_path(record, path) for path in rule.sources]
    keeps_empty = any(step["step"] == "list" for step in rule.steps)
    if all(
        v is _ABSENT or (is_missing(v) and not _listed(v, rule) and not (keeps_empty and v == ""))
        for v in given
    ):
        if keeps_empty and given[0] not in (None, _ABSENT):
            return []
        plain = all(step["step"] in ("same", "text", "join") for step in rule.steps)
        return given[0] if plain and given[0] in (None, "") else _ABSENT
    if rule.each:
        return [_object(rule.each, item) for item in _items(given[0])]
    if len(given) > 1:
        value: Any = [None if v is _ABSENT else v for v in given]
    else:
        value = given[0]
    for step in rule.steps:
        value = done(step, value)
    return value


def _listed(value: Any, rule: FieldRule) -> bool:
    """Whether a word such as `none` is a word of the rule's table."""
    return any(folded(value) in step["table"] for step in rule.steps if step["step"] == "words")


def _items(value: Any) -> Sequence[Any]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Unfit(f"{value!r:.60} is no list of objects")
    return value


def _object(rules: Sequence[FieldRule], item: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for rule in rules:
        try:
            value = value_for(rule, item)
        except Unfit as why:
            raise Unfit(f"{rule.name}: {why}") from None
        if value is not _ABSENT:
            _put(made, rule.to, value)
    return made


def _put(record: dict[str, Any], path: KeyPath, value: Any) -> None:
    for key in path[:-1]:
        record = record.setdefault(key, {})
    record[path[-1]] = value


def _remove(record: dict[str, Any], path: KeyPath) -> None:
    """Take a value out, and the objects above it that are then empty."""
    if len(path) > 1 and isinstance(inner := record.get(path[0]), dict):
        _remove(inner, path[1:])
        if inner:
            return
    record.pop(path[0], None)


def migrated(mapping: FieldMapping, record: Any, group: Sequence[Any] = ()) -> Migrated:
    """The record in the target's form, proven by its schema; or why it has none.

    `group` holds the records whose fields are gathered into a list.
    """
    if not isinstance(record, dict):
        return Migrated(None, reasons=(f"{record!r:.60} is no object",))
    made: dict[str, Any] = {}
    unread: dict[KeyPath, str] = {}
    empty: dict[KeyPath, Any] = {}
    notes: list[str] = []
    for rule in mapping.rules:
        try:
            value = value_for(rule, record, group)
        except Unfit as why:
            unread[rule.to] = f"{rule.name}: {why}"
            continue
        if rule.sources and (value is _ABSENT or value is None or value == ""):
            if rule.otherwise is None:
                empty[rule.to] = value
                continue
            value = rule.otherwise
            notes.append(f"{rule.name}: the source holds no value; {value!r:.40} is put there")
        if value is not _ABSENT:
            _put(made, rule.to, value)
    issues = _settled(made, empty, mapping.schema)
    if not issues:
        left_out = (f"{why}; the field is left out" for why in unread.values())
        return Migrated(made, warnings=(*left_out, *notes))
    reasons = list(unread.values())
    for issue in issues:
        path = _place(issue)
        if path in empty:
            names = (".".join(s) for r in mapping.rules if r.to == path for s in r.sources)
            reasons.append(f"{'.'.join(path)}: {', '.join(names)} holds no value")
        elif issue.keyword == "required" and not any(its[: len(path)] == path for its in unread):
            reasons.append(f"{'.'.join(path)}: it must be there, and no field gives it")
        elif not any(issue.keyword == "required" and its[: len(path)] == path for its in unread):
            reasons.append(str(issue).removeprefix("$.").removeprefix("$: "))
    return Migrated(None, reasons=tuple(dict.fromkeys(reasons))[:_MOST_REASONS])


def _settled(
    made: dict[str, Any], empty: Mapping[KeyPath, Any], schema: Mapping[str, Any]
) -> list[Issue]:
    """The issues that are left once fields without a value hold null, an empty text, or nothing.

    A null stays null and an empty text is null or stays one, where the schema allows that.
    """
    left = {}
    for path, value in empty.items():
        choices = [_ABSENT, None] if value is _ABSENT else [None, value, _ABSENT]
        left[path] = list(dict.fromkeys(choices))
        _place_choice(made, path, left[path])
    while issues := issues_in([made], Wanted(schema), as_list=False):
        places = [_place(issue) for issue in issues]
        blamed = [p for p in left if left[p] and any(p[: len(at)] == at for at in places)]
        if not blamed:
            break
        for path in blamed:
            _place_choice(made, path, left[path])
    return issues


def _place_choice(made: dict[str, Any], path: KeyPath, left: list[Any]) -> None:
    choice = left.pop(0)
    if choice is _ABSENT:
        _remove(made, path)
    else:
        _put(made, path, choice)


def _place(issue: Issue) -> KeyPath:
    """The field that an issue is about; for a missing field, that field."""
    at = tuple(map(str, issue.at))
    return (*at, str(issue.wanted)) if issue.keyword == "required" else at
