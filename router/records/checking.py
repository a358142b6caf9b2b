"""Finds every mistake in records: its path, the broken rule, and how to mend it.

The records must fit a JSON Schema and rules between fields. Checking fetches no reference of a
schema and runs no pattern for long.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson
from referencing.exceptions import Unresolvable

from router.records.effort import spend
from router.records.formats import EXAMPLES
from router.records.regexes import BadPattern
from router.records.rule_functions import CannotTell
from router.records.rules import Rule, parsed
from router.records.validating import BadSchema, validator_of

Path = tuple[str | int, ...]
_MOST_ISSUES = 1000
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Issue:
    """One mistake in a record: where it is, which rule it breaks, and how to mend it."""

    path: str
    rule: str
    value: str
    mend: str
    at: Path = ()
    keyword: str = ""  # the keyword of JSON Schema, or `rules`
    wanted: Any = None  # the value of the keyword; for `required`, the missing field

    def report(self) -> dict[str, str]:
        return {"path": self.path, "rule": self.rule, "value": self.value, "mend": self.mend}

    def __str__(self) -> str:
        return f"{self.path}: {self.rule} (it is {self.value})"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What each record must satisfy: a schema, rules and formats."""

    schema: Mapping[str, Any] | None = None
    rules: tuple[str, ...] = ()
    formats: bool = True


def issues_in(records: Sequence[Any], wanted: Wanted, *, as_list: bool = True) -> list[Issue]:
    """The issues of all records in order, at most a thousand."""
    validator = validator_of(wanted.schema, formats=wanted.formats) if wanted.schema else None
    rules = [parsed(rule) for rule in wanted.rules]
    issues: list[Issue] = []
    for number, record in enumerate(records):
        spend()
        at: Path = (number,) if as_list else ()
        if validator is not None:
            issues += _schema_issues(record, at, validator)
        if isinstance(record, Mapping):
            issues += (issue for rule in rules for issue in _rule_issues(rule, record, at))
        elif rules:
            text = "only an object has the fields that rules speak of"
            issues.append(
                Issue(_json_path(at), text, _shown(record), "Give an object.", at, "rules")
            )
        if len(issues) >= _MOST_ISSUES:
            return issues[:_MOST_ISSUES]
    return issues


def _schema_issues(record: Any, at: Path, validator: Any) -> Iterator[Issue]:
    try:
        some = islice(validator.iter_errors(record), _MOST_ISSUES)
        errors = sorted(some, key=lambda e: str(e.absolute_path))
    except RecursionError:
        yield Issue(_json_path(at), "is nested too deeply", "…", "Flatten it.", at, "depth")
        return
    except Unresolvable as missing:
        raise BadSchema(f"the schema refers to {missing.ref!r}, which is not in it") from None
    except BadPattern as bad:
        raise BadSchema(str(bad)) from None
    for error in errors:
        place = (*at, *error.absolute_path)
        keyword, wanted = str(error.validator), error.validator_value
        rule, mend = _rule_and_mend(keyword, wanted, error.message)
        yield Issue(_json_path(place), rule, _shown(error.instance), mend, place, keyword, wanted)


def _rule_issues(rule: Rule, record: Mapping[str, Any], at: Path) -> Iterator[Issue]:
    try:
        if rule.holds(record) is not False:
            return
        text = f"{rule.text} does not hold"
    except CannotTell as why:
        text = f"{rule.text} cannot be applied: {why}"
    values = {name: record[name] for name in rule.fields if name in record}
    mend = f"Change {' or '.join(values)}." if values else "Change the rule."
    yield Issue(_json_path(at), text, _shown(values), mend, at, "rules", rule.text)


def _rule_and_mend(keyword: str, wanted: Any, message: str) -> tuple[str, str]:
    match keyword:
        case "required":
            return f"{wanted} is missing", f"Add {wanted}."
        case "type":
            kinds = wanted if isinstance(wanted, str) else " or ".join(wanted)
            return f"must be of type {kinds}", f"Give a value of type {kinds}."
        case "enum":
            values = ", ".join(map(_shown, wanted[:10]))
            return f"must be one of {values}", "Give one of these values."
        case "format":
            example = EXAMPLES.get(wanted, "…")
            return f"must be a valid {wanted}", f"Give a {wanted}, e.g. {example}."
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            return f"{keyword} is {wanted}", "Give a number within the bounds."
        case "additionalProperties":
            return message, "Leave it out."
        case _:
            return message[:200], f"See `{keyword}` of the schema."


def _json_path(path: Path) -> str:
    """Write a path as JSONPath, e.g. `$[3].email`."""
    parts = (
        f"[{part}]" if isinstance(part, int) or not _PLAIN_KEY.fullmatch(part) else f".{part}"
        for part in path
    )
    return "$" + "".join(parts)


def _shown(value: Any) -> str:
    try:
        text = orjson.dumps(value).decode()
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
