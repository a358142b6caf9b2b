"""Validators of JSON Schemas, whose work is counted and whose memory is bounded.

A schema is checked before it is used: its form, its size and its patterns. No reference of a
schema is fetched.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

import orjson
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from router.domain import Fault
from router.records.bounds import check_bounds
from router.records.effort import spend
from router.records.formats import FORMATS
from router.records.regexes import matches
from router.records.size import canonical

_MOST_PARTS = 20_000  # objects in a schema
_CACHED_BYTES = 16_384  # a larger schema is read again for each request
_STEPS = 3  # a keyword takes as long as three steps of a rule
_LONGEST_MESSAGE = 500  # a message quotes the whole value
_MOST_SCHEMA_ERRORS = 20  # the best of these is shown
_DATA = ("enum", "const", "default", "examples")  # keywords whose values are no schemas
_NAMED = ("properties", "$defs", "definitions", "dependentSchemas")  # maps of names to schemas


class BadSchema(ValueError):
    """The schema itself is invalid or not supported."""


def validator_of(schema: Mapping[str, Any], *, formats: bool) -> Any:
    """A validator of this schema; `BadSchema` says what is wrong with the schema."""
    text = orjson.dumps(schema)
    return (_cached if len(text) <= _CACHED_BYTES else _validator)(text, formats)


def _validator(text: bytes, formats: bool) -> Any:
    if b'"patternProperties"' in text:
        raise BadSchema("`patternProperties` is not supported here: name the properties")
    schema = orjson.loads(text)
    try:
        _check_parts(schema)
        error = best_match(islice(_META.iter_errors(schema), _MOST_SCHEMA_ERRORS))
    except RecursionError:
        raise BadSchema("the schema is nested too deeply: flatten it") from None
    except Fault as fault:
        raise BadSchema(fault.detail) from None
    if error is not None:
        where = "$" + "".join(f"[{part!r}]" for part in error.absolute_path)
        raise BadSchema(f"this is not a JSON Schema: at {where:.200}, {error.message:.200}")
    checker = FORMATS if formats else None
    return _Validator(
        schema, format_checker=checker, registry=Registry(), _resolver=_resolver(schema)
    )


def _resolver(schema: Any) -> Any:
    """Resolves references inside the schema, whose anchors are looked for only once."""
    resource = DRAFT202012.create_resource(schema)
    uri = resource.id() or ""
    return Registry().with_resource(uri, resource).crawl().resolver(base_uri=uri)


_cached = lru_cache(maxsize=64)(_validator)


def _check_parts(schema: Any) -> None:
    """Check the number of a schema's parts and the bounds in each, before the slow full check."""
    parts, count = [schema], 0
    while parts:
        part = parts.pop()
        spend()
        if isinstance(part, list):
            parts += part
        elif isinstance(part, dict):
            count += 1
            if count > _MOST_PARTS:
                raise BadSchema(f"the schema has more than {_MOST_PARTS:,} parts: make it smaller")
            check_bounds(part)
            for key, inner in part.items():
                named = key in _NAMED and isinstance(inner, dict)
                parts += inner.values() if named else [] if key in _DATA else [inner]


Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not matches(pattern, instance):
        yield ValidationError(f"does not match {pattern!r}")


def _required(_: Any, names: Sequence[str], instance: Any, __: Any) -> Iterator[ValidationError]:
    """One error for each missing field, with the field's name in `validator_value`."""
    for name in names if isinstance(instance, dict) else ():
        if name not in instance:
            yield ValidationError(f"{name!r} is a required property", validator_value=name)


def _unique(_: Any, wanted: bool, instance: Any, __: Any) -> Iterator[ValidationError]:
    if wanted and isinstance(instance, list):
        spend(len(instance))
        if len({canonical(item) for item in instance}) < len(instance):
            yield ValidationError("has items that are not unique")


def _counted(keyword: Keyword) -> Keyword:
    """The keyword, with its work counted and its messages cut."""

    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        spend(_STEPS + (len(value) // 100 if isinstance(value, list | dict) else 0))
        for error in keyword(validator, value, instance, schema) or ():
            spend(len(error.message) // 100)
            error.message = error.message[:_LONGEST_MESSAGE]
            error.args = (error.message,)  # these hold the whole message as well
            yield error

    return check


_OURS: Mapping[str, Keyword] = {
    "pattern": _pattern, "required": _required, "uniqueItems": _unique,
}  # fmt: skip
_Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {name: _counted(check) for name, check in {**Draft202012Validator.VALIDATORS, **_OURS}.items()},
)
_META: Any = _Validator(Draft202012Validator.META_SCHEMA)
