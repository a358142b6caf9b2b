"""`where`: which documents are searched at all, by their metadata. Pure.

    where: {team: law, after: 2025, tags: [tax, fees]}

All conditions must hold. A value must be equal, whatever its case and accents; of a list, at least
one value; `after` and `before` compare the document's `date` (after <= date < before), and a year
or a month means its first day. A document without the key fails the condition: what is not known to
be inside the filter is outside.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from router.documents.front_matter import Value
from router.documents.spanish import folded

DATE = "date"
_MOST_CONDITIONS = 16
_MOST_VALUES = 64
_KEY = re.compile(r"[^\W\d][\w. -]{0,63}")
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:[T ].*)?")


class UnclearFilter(ValueError):
    """The filter cannot be read; the message names the value, the rule and the mend."""


@dataclass(frozen=True, slots=True)
class Where:
    """Conditions on metadata; without any, every document passes."""

    equal: tuple[tuple[str, tuple[str, ...]], ...] = ()  # key, and the values of which one must be
    after: str | None = None  # the document's date is this or later
    before: str | None = None  # the document's date is earlier than this

    @property
    def open(self) -> bool:
        return not self.equal and self.after is None and self.before is None

    def admits(self, metadata: Mapping[str, Value | Sequence[str]]) -> bool:
        for key, wanted in self.equal:
            if not set(wanted) & set(comparable(metadata.get(key))):
                return False
        if self.after is None and self.before is None:
            return True
        date = str(metadata.get(DATE, ""))
        if not _DATE.fullmatch(date):
            return False
        day = _day(date)
        return (self.after is None or day >= self.after) and (
            self.before is None or day < self.before
        )


EVERYTHING = Where()


def where_of(given: object) -> Where:
    """Read a filter as a request or a configuration states it; None is no filter."""
    if given is None:
        return EVERYTHING
    if not isinstance(given, Mapping):
        raise UnclearFilter(f"where is {given!r}: write conditions, as in {{team: law}}")
    if len(given) > _MOST_CONDITIONS:
        raise UnclearFilter(f"where has {len(given)} conditions: at most {_MOST_CONDITIONS}")
    equal, dates = [], {}
    for name, value in given.items():
        key = str(name).strip().lower()
        if not _KEY.fullmatch(key):
            raise UnclearFilter(f"where has the key {name!r}: a key is a word, such as team")
        if key in ("after", "before"):
            dates[key] = _date(key, value)
        else:
            equal.append((key, _wanted(key, value)))
    return Where(tuple(sorted(equal)), dates.get("after"), dates.get("before"))


def _wanted(key: str, value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    if not values or len(values) > _MOST_VALUES:
        raise UnclearFilter(f"where.{key} is {value!r}: write 1 to {_MOST_VALUES} values")
    for each in values:
        if not isinstance(each, str | int | float | bool):
            raise UnclearFilter(
                f"where.{key} is {each!r}: a value is text, a number, or a list of them"
            )
    return tuple(sorted({text for each in values for text in comparable(each)}))


def _date(key: str, value: object) -> str:
    if isinstance(value, bool) or not _DATE.fullmatch(str(value)):
        raise UnclearFilter(
            f"where.{key} is {value!r}: write a date as 2025, 2025-03 or 2025-03-01"
        )
    return _day(str(value))


def _day(date: str) -> str:
    """The first day of a year or a month, and the day of a date."""
    match = _DATE.fullmatch(date)
    assert match is not None
    year, month, day = match.groups()
    return f"{year}-{month or '01'}-{day or '01'}"


def comparable(value: object) -> list[str]:
    """The values of one key as they are compared: folded text."""
    match value:
        case None:
            return []
        case bool():
            return [str(value).lower()]
        case float() if value.is_integer():
            return [str(int(value))]
        case list() | tuple():
            return [text for each in value for text in comparable(each)]
        case _:
            return [folded(str(value)).strip()]
