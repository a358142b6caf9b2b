"""The functions that a rule may call; their arguments are plain values."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from router.records.regexes import matches

_MOST_DIGITS = 30


class CannotTell(ValueError):
    """The rule cannot be applied to these values; the message says why."""


def shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _date(value: Any) -> dt.date:
    if isinstance(value, dt.date):
        return value
    return dt.datetime.fromisoformat(str(value).replace("Z", "+00:00")).date()


def _years(earlier: Any, later: Any) -> int:
    first, second = _date(earlier), _date(later)
    birthday_ahead = (second.month, second.day) < (first.month, first.day)
    return second.year - first.year - birthday_ahead


def _unique(items: list[Any]) -> bool:
    texts = [repr(item) for item in items]
    return len(set(texts)) == len(texts)


def _present(items: Any) -> list[Any]:
    if not isinstance(items, list):
        raise CannotTell(f"{shown(items)} is not a list")
    return [item for item in items if item is not None]


def _rounded(value: Any, digits: Any) -> Any:
    if not abs(digits) <= _MOST_DIGITS:
        raise CannotTell(f"a number is rounded to at most {_MOST_DIGITS} digits")
    return round(value, int(digits))


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "len": len,
    "sum": lambda items: sum(_present(items)),
    "min": lambda items: min(_present(items), default=None),
    "max": lambda items: max(_present(items), default=None),
    "abs": abs,
    "round": _rounded,
    "lower": lambda text: str(text).lower(),
    "upper": lambda text: str(text).upper(),
    "number": float,
    "matches": lambda text, pattern: matches(str(pattern), str(text)),
    "starts": lambda text, beginning: str(text).startswith(str(beginning)),
    "ends": lambda text, end: str(text).endswith(str(end)),
    "unique": _unique,
    "date": _date,
    "days": lambda earlier, later: (_date(later) - _date(earlier)).days,
    "years": _years,
    "today": lambda: dt.datetime.now(dt.UTC).date(),
}
# `rule_values` implements these, because their arguments may be unknown or differ for each item.
SPECIAL_FORMS = ("present", "when", "every", "some", "count")
_TWO = ("round", "matches", "starts", "ends", "days", "years", "when", "every", "some", "count")
ARGUMENTS: Mapping[str, int] = {
    name: 0 if name == "today" else 2 if name in _TWO else 1
    for name in (*FUNCTIONS, *SPECIAL_FORMS)
}
