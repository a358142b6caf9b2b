"""Runs a mapping on one record, and has the schema's validator prove what comes out. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.records.checking import Wanted, issues_in
from router.records.migrating.mapping import FieldMapping, FieldRule
from router.records.migrating.meaning import KeyPath
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


def value_for(rule: FieldRule, record: Mapping[str, Any]) -> Any:
    """The value that a rule makes; `_ABSENT` if the record holds none, `Unfit` if it is unsure."""
    if not rule.sources:
        return rule.value
    given = [at_path(record, path) for path in rule.sources]
    keeps_empty = any(step["step"] == "list" for step in rule.steps)
    if all(v is _ABSENT or (is_missing(v) and not (keeps_empty and v == "")) for v in given):
        return None if any(v is None for v in given) and not rule.steps else _ABSENT
    if rule.each:
        return [_object(rule.each, item) for item in _items(given[0])]
    if len(given) > 1:
        value: Any = [None if v is _ABSENT else v for v in given]
    else:
        value = given[0]
    for step in rule.steps:
        value = done(step, value)
    return value


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


def migrated(mapping: FieldMapping, record: Any) -> Migrated:
    """The record in the target's form, proven by its schema; or why it has none."""
    if not isinstance(record, dict):
        return Migrated(None, reasons=(f"{record!r:.60} is no object",))
    made: dict[str, Any] = {}
    unread: dict[KeyPath, str] = {}
    nulls: list[KeyPath] = []
    for rule in mapping.rules:
        try:
            value = value_for(rule, record)
        except Unfit as why:
            unread[rule.to] = f"{rule.name}: {why}"
            continue
        if value is _ABSENT:
            nulls.append(rule.to)
        else:
            _put(made, rule.to, value)
    issues = issues_in([made], Wanted(mapping.schema), as_list=False)
    missing = [
        _missing_path(issue.at, issue.wanted) for issue in issues if issue.keyword == "required"
    ]
    if issues:
        # A field that must be there and may be null holds null where the source holds nothing.
        for path in nulls:
            if any(path[: len(lost)] == lost for lost in missing):
                _put(made, path, None)
        issues = issues_in([made], Wanted(mapping.schema), as_list=False)
    if not issues:
        notes = (f"{why}; the field is left out" for why in unread.values())
        return Migrated(made, warnings=tuple(notes))
    reasons = list(unread.values())
    empty = {path for path in nulls if at_path(made, path) is None}
    for issue in issues:
        if any(issue.at[: len(path)] == path for path in empty):
            names = ", ".join(
                ".".join(s) for r in mapping.rules if r.to == issue.at for s in r.sources
            )
            reasons.append(
                f"{'.'.join(map(str, issue.at))}: {names or 'the source'} holds no value"
            )
        elif not any(_covers(path, issue.at, issue.wanted, issue.keyword) for path in unread):
            reasons.append(str(issue).removeprefix("$.").removeprefix("$: "))
    return Migrated(None, reasons=tuple(dict.fromkeys(reasons))[:_MOST_REASONS])


def _missing_path(at: Sequence[str | int], wanted: Any) -> KeyPath:
    return (*(str(part) for part in at), str(wanted))


def _covers(path: KeyPath, at: Sequence[str | int], wanted: Any, keyword: str) -> bool:
    """Whether an issue is only the consequence of a value that could not be read."""
    return keyword == "required" and path[: len(at) + 1] == _missing_path(at, wanted)
