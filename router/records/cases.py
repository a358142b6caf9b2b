"""Cases for a JSON Schema: valid ones, ones at its edges, and invalid ones, each proven.

A case is kept only after the validator agreed with its label. An invalid case names the rule that
it breaks. A schema that nothing breaks is said to allow everything, and gets no invalid case.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from router.domain import Fault
from router.records.checking import Issue, Path, Wanted, issues_in
from router.records.effort import spend
from router.records.size import canonical

LABELS = ("valid", "edge", "invalid")
_TRIES = 80
ANNOTATIONS = frozenset(
    {"title", "description", "examples", "default", "$schema", "$id", "$comment", "$defs"}
)
_OTHERS: tuple[Any, ...] = (
    "",
    "x",
    0,
    -1,
    1.5,
    True,
    None,
    [],
    {},
)  # a value of another type is among these


_KEYWORDS = frozenset(
    {
        *("type", "properties", "items", "required", "additionalProperties", "enum", "const"),
        *("anyOf", "oneOf", "allOf", "not", "if", "$ref", "propertyNames", "minProperties"),
    }
)


def schema_in(stated: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is a JSON Schema, marked as such; None for a shape."""
    kinds = ("object", "array", "string", "number", "integer", "boolean", "null")
    kind = stated.get("type")
    typed = kind in kinds if isinstance(kind, str) else isinstance(kind, list)
    if set(stated) <= ANNOTATIONS or typed or (set(stated) - {"type"}) & _KEYWORDS:
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **stated}
    return None


@dataclass(frozen=True, slots=True)
class Case:
    label: str
    record: Any
    reason: str = ""  # which edge it is at, or which rule it breaks

    def report(self) -> dict[str, Any]:
        beside = {"edge": "edge", "invalid": "breaks"}.get(self.label)
        return {"label": self.label, "record": self.record} | (
            {beside: self.reason} if beside else {}
        )


@dataclass(frozen=True, slots=True)
class Cases:
    cases: tuple[Case, ...]
    notes: tuple[str, ...] = ()

    def report(self) -> dict[str, Any]:
        return {"cases": [case.report() for case in self.cases], "notes": list(self.notes)}


def cases_of(
    schema: Mapping[str, Any], counts: Mapping[str, int], make: Callable[[int], Any]
) -> Cases:
    """Cases of each label; `make` gives a record that may be valid, by its number."""
    wanted = Wanted(schema)
    enough = max(counts.get("valid", 0), 1)
    valid = list(_distinct(_valid(wanted, make, enough), enough))
    if not valid:
        (issue, *_) = issues_in([make(0)], wanted, as_list=False)
        detail = f"no valid record was made for this schema in {_TRIES} tries: {issue}"
        raise Fault("bad_request", f"{detail}. Say it with other keywords, or give `examples`")
    cases = [Case("valid", record) for record in valid[: counts.get("valid", 0)]]
    notes = []
    for label in ("edge", "invalid"):
        count = counts.get(label, 0)
        made = list(_distinct(_changed(label, schema, valid, wanted), count * 4))
        kept = _varied(made, count)
        cases += kept
        if len(kept) < count:
            notes.append(_few(label, len(kept), schema))
    return Cases(tuple(cases), tuple(notes))


def _few(label: str, count: int, schema: Mapping[str, Any]) -> str:
    if label == "invalid" and not count:
        if not set(schema) - ANNOTATIONS:
            return "no invalid case exists: this schema allows every value"
        return "no invalid case was found: every change that was tried is allowed by this schema"
    return f"only {count} different {label} cases were found for this schema"


def _valid(wanted: Wanted, make: Callable[[int], Any], enough: int) -> Iterator[Any]:
    for number in range(_TRIES + enough):
        spend()
        record = make(number)
        if not issues_in([record], wanted, as_list=False):
            yield record


def _distinct(items: Iterator[Any], most: int) -> Iterator[Any]:
    seen: set[bytes] = set()
    for item in items:
        if len(seen) >= most:
            return
        key = canonical(item.record if isinstance(item, Case) else item)
        if key not in seen:
            seen.add(key)
            yield item


def _varied(cases: list[Case], count: int) -> list[Case]:
    """So many cases, of as many different reasons as there are."""
    ranked: dict[str, int] = {}
    order = []
    for number, case in enumerate(cases):
        kind = case.reason.partition(": ")[2].partition(" ")[0]
        ranked[kind] = ranked.get(kind, 0) + 1
        order.append((ranked[kind], number))
    return [cases[number] for _, number in sorted(order)[:count]]


def _changed(
    label: str, schema: Mapping[str, Any], valid: list[Any], wanted: Wanted
) -> Iterator[Case]:
    for record in valid[:3]:
        for path, value, what in _changes(schema, record, (), schema):
            spend()
            other = _with(record, path, value)
            issues = issues_in([other], wanted, as_list=False)
            if label == "edge" and not issues and what:
                yield Case("edge", other, f"{_shown_path(path)}: {what}")
            if label == "invalid" and issues:
                yield Case("invalid", other, _rule_of(issues[0]))


def _rule_of(issue: Issue) -> str:
    return f"{issue.path}: {issue.keyword} ({issue.rule})"


_DROPPED = object()


def _changes(
    schema: Any, value: Any, path: Path, root: Mapping[str, Any]
) -> Iterator[tuple[Path, Any, str]]:
    """Changes of a record at each place: the place, the new value, and which edge it is at."""
    schema = _resolved(schema, root)
    if not isinstance(schema, Mapping):
        return
    yield from ((path, new, what) for new, what in _edges(schema, value))
    yield from ((path, other, "") for other in _OTHERS if type(other) is not type(value))
    if isinstance(value, dict):
        required = schema.get("required") or ()
        yield path, {**value, "unexpected": 1}, ""
        for name, inner in (schema.get("properties") or {}).items():
            if name in value:
                yield (*path, name), _DROPPED, "" if name in required else "left out"
                yield from _changes(inner, value[name], (*path, name), root)
    if isinstance(value, list) and value:
        yield from _changes(schema.get("items", {}), value[0], (*path, 0), root)
        yield path, [*value, value[0]], ""


def _edges(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[Any, str]]:
    """Values at the bounds of a schema, and just beyond them."""
    for new in schema.get("enum") or ():
        yield new, f"enum has {new!r}"
    step = schema.get("multipleOf") or (1 if schema.get("type") == "integer" else 0.01)
    for key, sign in (("minimum", -1), ("maximum", 1)):
        bound = schema.get(key)
        if isinstance(bound, int | float):
            yield bound, f"{key} {bound}"
            yield bound + sign * step, ""
    for key, sign in (("exclusiveMinimum", 1), ("exclusiveMaximum", -1)):
        bound = schema.get(key)
        if isinstance(bound, int | float) and not isinstance(bound, bool):
            yield bound + sign * step, f"{key} {bound}"
            yield bound, ""
    if isinstance(value, int | float) and not isinstance(value, bool) and "multipleOf" in schema:
        yield value + step / 2 if isinstance(value, float) else value + 1, ""
    if isinstance(value, str):
        yield from _texts(schema, value)
    if isinstance(value, list):
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        yield value[:least], f"minItems {least}"
        yield value[: max(least - 1, 0)], ""
        if isinstance(most, int) and value and most <= 100:
            grown = [*value, *(value[-1:] * most)]
            yield grown[:most], f"maxItems {most}"
            yield grown[: most + 1], ""
    kinds = schema.get("type")
    if isinstance(kinds, list) and "null" in kinds:
        yield None, "null"


def _texts(schema: Mapping[str, Any], value: str) -> Iterator[tuple[str, str]]:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if "pattern" not in schema and "format" not in schema:
        yield (value or "x")[:least].ljust(least, "x"), f"minLength {least}"
    yield "x" * max(least - 1, 0), ""
    if isinstance(most, int) and most <= 10_000:
        yield "x" * most, f"maxLength {most}"
        yield "x" * (most + 1), ""
    if schema.get("format") == "date":
        yield "2024-02-29", "format date, a leap day"
        yield "2023-02-29", ""
    if "format" in schema or "pattern" in schema:
        yield f"{value} ?", ""
        yield value[:-1], ""


def _resolved(schema: Any, root: Mapping[str, Any]) -> Any:
    for _ in range(20):
        if not isinstance(schema, Mapping) or not str(schema.get("$ref", "")).startswith("#/"):
            return schema
        target: Any = root
        for part in str(schema["$ref"])[2:].split("/"):
            target = target.get(part) if isinstance(target, Mapping) else None
        schema = target
    return schema


def _with(record: Any, path: Path, value: Any) -> Any:
    """The record with another value at a place, or without the field there."""
    if not path:
        return value
    other = copy.deepcopy(record)
    holder = other
    for part in path[:-1]:
        holder = holder[part]
    if value is _DROPPED:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return other


def _shown_path(path: Path) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
