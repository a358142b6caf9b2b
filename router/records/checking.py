"""What is wrong with records: each issue by path, with the rule it breaks and how to mend it.

Nothing is fetched, whatever a schema refers to, and no pattern runs for long.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import orjson
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.exceptions import SchemaError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from router.records.regexes import BadPattern, found
from router.records.rules import CannotTell, Rule, parsed

Path = tuple[str | int, ...]
_MOST_ISSUES = 1000


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong, where it is, and what would mend it."""

    path: str
    rule: str
    value: str
    mend: str
    at: Path = ()
    keyword: str = ""
    wanted: Any = None

    def told(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key in _TOLD}

    def __str__(self) -> str:
        return f"{self.path}: {self.rule} (it is {self.value})"


_TOLD = ("path", "rule", "value", "mend")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What each record must hold."""

    schema: Mapping[str, Any] | None = None
    rules: tuple[str, ...] = ()
    formats: bool = True


class BadSchema(ValueError):
    """The schema itself cannot be used."""


def issues_in(records: Sequence[Any], wanted: Wanted, *, as_list: bool = True) -> list[Issue]:
    """Of all records, in their order; at most a thousand."""
    validator = _validator(orjson.dumps(wanted.schema), wanted.formats) if wanted.schema else None
    rules = [parsed(rule) for rule in wanted.rules]
    issues: list[Issue] = []
    for number, record in enumerate(records):
        at: Path = (number,) if as_list else ()
        issues += _issues(record, at, validator, rules)
        if len(issues) >= _MOST_ISSUES:
            return issues[:_MOST_ISSUES]
    return issues


def _issues(record: Any, at: Path, validator: Any, rules: Sequence[Rule]) -> Iterator[Issue]:
    if validator is not None:
        try:
            errors = sorted(validator.iter_errors(record), key=lambda e: str(e.absolute_path))
        except RecursionError:
            errors = []
            yield Issue(shown_path(at), "is nested too deeply", "…", "Flatten it.", at, "depth")
        except Unresolvable as missing:
            raise BadSchema(f"the schema refers to {missing.ref!r}, which is not in it") from None
        except BadPattern as bad:
            raise BadSchema(str(bad)) from None
        for error in errors:
            yield _of_error(error, at)
    if not isinstance(record, Mapping):
        if rules:
            rule = "rules speak of the fields of an object"
            yield Issue(shown_path(at), rule, _shown(record), "Give an object.", at, "rules")
        return
    for one in rules:
        yield from _broken(one, record, at)


def _broken(rule: Rule, record: Mapping[str, Any], at: Path) -> Iterator[Issue]:
    try:
        holds = rule.holds(record)
    except CannotTell as why:
        yield _of_rule(rule, record, at, f"{rule.text} cannot be asked: {why}")
        return
    if holds is False:
        yield _of_rule(rule, record, at, f"{rule.text} does not hold")


def _of_rule(rule: Rule, record: Mapping[str, Any], at: Path, said: str) -> Issue:
    values = {name: record[name] for name in rule.fields if name in record}
    mend = f"Change {' or '.join(values)}." if values else "Change the rule."
    return Issue(shown_path(at), said, _shown(values), mend, at, "rules", rule.text)


def _of_error(error: ValidationError, at: Path) -> Issue:
    place = (*at, *error.absolute_path)
    keyword, wanted = str(error.validator), error.validator_value
    rule, mend = _explained(keyword, wanted, error)
    return Issue(shown_path(place), rule, _shown(error.instance), mend, place, keyword, wanted)


def _explained(keyword: str, wanted: Any, error: ValidationError) -> tuple[str, str]:
    match keyword:
        case "required":
            name = re.match(r"'(.*)' is a required property", error.message)
            missing = name[1] if name else "a field"
            return f"{missing} is missing", f"Add {missing}."
        case "type":
            kinds = wanted if isinstance(wanted, str) else " or ".join(wanted)
            return f"must be of type {kinds}", f"Give a value of type {kinds}."
        case "enum":
            known = ", ".join(map(_shown, wanted[:10]))
            return f"must be one of {known}", "Give one of them."
        case "format":
            return (
                f"must be a valid {wanted}",
                f"Give a {wanted}, e.g. {_EXAMPLES.get(wanted, '…')}.",
            )
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            return f"{keyword} is {wanted}", "Give a number within the bounds."
        case "additionalProperties":
            return error.message, "Leave it out."
        case _:
            return error.message[:200], f"See `{keyword}` of the schema."


def shown_path(path: Path) -> str:
    """As JSONPath: $[3].email"""
    parts = (f"[{p}]" if isinstance(p, int) or not _PLAIN.fullmatch(p) else f".{p}" for p in path)
    return "$" + "".join(parts)


_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _shown(value: Any) -> str:
    try:
        text = orjson.dumps(value).decode()
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


@lru_cache(maxsize=64)
def _validator(schema: bytes, formats: bool) -> Any:
    read = orjson.loads(schema)
    if b'"patternProperties"' in schema:
        raise BadSchema("`patternProperties` is not supported here: name the properties")
    try:
        _Validator.check_schema(read)
    except SchemaError as error:
        where = shown_path(tuple(error.absolute_path))
        raise BadSchema(f"the schema is not one: at {where}, {error.message:.200}") from None
    checker = FORMATS if formats else None
    return _Validator(read, format_checker=checker, registry=Registry())


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not found(pattern, instance):
        yield ValidationError(f"does not match {pattern!r}")


_Validator: Any = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]

FORMATS = FormatChecker(formats=())
_EXAMPLES = {
    "email": "ann@example.org", "uri": "https://example.org", "date": "2026-01-31",
    "date-time": "2026-01-31T10:00:00Z", "time": "10:00:00", "phone": "+1 212 555 0100",
    "uuid": "123e4567-e89b-12d3-a456-426614174000", "ipv4": "192.0.2.1", "hostname": "example.org",
}  # fmt: skip
_TEXT_FORMATS = {
    "email": r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+",
    "uri": r"[A-Za-z][A-Za-z0-9+.-]*://[^\s]+|(?:mailto|tel|urn|data):[^\s]+",
    "uri-reference": r"[^\s]*",
    "phone": r"\+?[0-9](?:[\s().x-]{0,3}[0-9]){5,17}",
    "uuid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "hostname": r"(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*",
    "ipv4": r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)",
    "time": r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?",
    "currency": r"[A-Z]{3}",
}


def _register() -> None:
    for name, pattern in _TEXT_FORMATS.items():
        compiled = re.compile(pattern)
        FORMATS.checks(name)(
            lambda value, c=compiled: not isinstance(value, str) or c.fullmatch(value) is not None
        )
    for name, read in (("date", _is_date), ("date-time", _is_moment), ("ipv6", _is_ipv6)):
        FORMATS.checks(name)(read)


def _is_date(value: Any) -> bool:
    if not isinstance(value, str):
        return True
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        return False
    return len(value) == 10


def _is_moment(value: Any) -> bool:
    if not isinstance(value, str):
        return True
    try:
        dt.datetime.fromisoformat(value)
    except ValueError:
        return False
    return len(value) > 10


def _is_ipv6(value: Any) -> bool:
    from ipaddress import AddressValueError, IPv6Address

    try:
        return not isinstance(value, str) or bool(IPv6Address(value))
    except AddressValueError:
        return False


_register()
