"""The steps of a mapping: each converts one value, or raises `Unfit`. Pure.

A step is an object: `step` names it, its other keys are its settings.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from router.records.migrating import moments, texts
from router.records.migrating.meaning import folded
from router.records.migrating.numbers import currency_in, noun_in, number, rating
from router.records.migrating.unfit import Unfit
from router.records.regexes import checked

YES = frozenset([
    "yes", "y", "true", "t", "1", "si", "s", "on", "x", "ok", "verdadero", "v", "cierto", "ja",
    "oui"
])  # fmt: skip
NO = frozenset(["no", "n", "false", "f", "0", "off", "falso", "non", "nein"])
_MISSING = frozenset(
    (
        "",
        "-",
        "--",
        "—",
        "\u2013",
        "n/a",
        "na",
        "n.a.",
        "#n/a",
        "null",
        "none",
        "nil",
        "nan",
        "?",
        "s/d",
    )
)


def is_missing(value: Any) -> bool:
    """Whether a value says that there is none: null, an empty text, `n/a`."""
    return value is None or (isinstance(value, str) and value.strip().lower() in _MISSING)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        raise Unfit(f"{value!r:.60} is no text")
    return str(value).strip()


def _number(
    value: Any, *, decimal: str = ".", unit: str = "", into: str = "", percent: str = "",
    noun: str = "", clock: str = "",
) -> Any:  # fmt: skip
    return number(
        value, mark=decimal, unit=unit, into=into, percent=percent, noun=noun, clock=clock
    )


def _times(value: Any, *, by: float) -> Any:
    product = round(value * by, 10)
    return int(product) if product == int(product) else product


def _whole(value: Any) -> int:
    if value != int(value):
        raise Unfit(f"{value!r} is no whole number")
    return int(value)


def _date(value: Any, *, order: str = "") -> str:
    return moments.moment(value, order)[0].isoformat()


def _moment(value: Any, *, order: str = "", zone: str = "Z") -> str:
    return moments.written(*moments.moment(value, order), zone=zone)


def _time(value: Any) -> str:
    time = moments.time_of(str(value))
    if time is None:
        raise Unfit(f"{value!r:.60} is no time of day")
    return time.isoformat()


def _date_part(value: Any, *, part: str, order: str = "") -> int | str:
    return moments.part_of(value, part, order)


def _month(value: Any) -> str:
    return "{:04d}-{:02d}".format(*moments.year_and_month(value))


def _days_after(value: Any, *, order: str = "") -> str:
    """A date so many days after another: of a list of the date and the number of days."""
    if not isinstance(value, list) or len(value) != 2 or any(map(is_missing, value)):
        raise Unfit(f"{value!r:.60} is no date with a number of days")
    days = number(value[1], noun=noun_in(str(value[1])))
    return (moments.moment(value[0], order)[0] + timedelta(days=days)).isoformat()


def _bool(value: Any, *, yes: str = "", no: str = "", opposite: bool = False) -> bool:
    if isinstance(value, bool):
        return value != opposite
    word = folded(int(value) if isinstance(value, float) and value == int(value) else value)
    own_yes, own_no = yes.split("|") if yes else [], no.split("|") if no else []
    if word in own_yes or (word in YES and word not in own_no):
        return not opposite
    if word in own_no or word in NO:
        return opposite
    raise Unfit(f"{value!r:.60} is neither yes nor no")


def _words(value: Any, *, table: Mapping[str, Any]) -> Any:
    key = folded(value)
    if key not in table:
        wanted = ", ".join(dict.fromkeys(str(word) for word in table.values()))
        raise Unfit(f"{value!r:.60} is none of {wanted:.120}")
    return table[key]


def _first_name(value: Any, *, spanish: bool = False, surname_first: bool = False) -> str:
    return texts.name_parts(value, spanish=spanish, surname_first=surname_first)[0]


def _last_name(value: Any, *, spanish: bool = False, surname_first: bool = False) -> str:
    return texts.name_parts(value, spanish=spanish, surname_first=surname_first)[1]


def _part(value: Any, *, by: str, number: int, of: int) -> str:
    pieces = [piece.strip() for piece in str(value).split(by)]
    if len(pieces) != of:
        raise Unfit(f"{value!r:.60} does not have {of} parts between {by!r}")
    return pieces[number - 1]


def _list(value: Any, *, by: str = "") -> list[Any]:
    if isinstance(value, list):
        return value
    if not isinstance(value, str) or not by:
        return [] if is_missing(value) else [value]
    return [piece.strip() for piece in value.split(by) if piece.strip()]


def _join(value: Any, *, by: str = " ") -> str:
    pieces = value if isinstance(value, list) else [value]
    if any(isinstance(piece, dict | list) for piece in pieces):
        raise Unfit(f"{value!r:.60} cannot be joined into a text")
    return by.join(_text(piece) for piece in pieces if not is_missing(piece))


def _currency(value: Any, *, otherwise: str = "") -> str:
    code = currency_in(str(value)) or otherwise
    if not code:
        raise Unfit(f"{value!r:.60} names no currency")
    return code


def _email(value: Any) -> str:
    text = _text(value)
    inner = re.search(r"<([^<>\s]{3,254})>\Z", text)
    return (inner[1] if inner else text).removeprefix("mailto:")


def _link(value: Any) -> str:
    text = _text(value)
    return text if ":" in text else f"https://{text}"


def _uuid(value: Any) -> str:
    try:
        return str(UUID(_text(value)))
    except ValueError:
        raise Unfit(f"{value!r:.60} is no uuid") from None


def _is(value: Any) -> Any:
    return value


_OF_NUMBER = ("decimal", "unit", "into", "percent", "noun", "clock")
_STEPS: Mapping[str, tuple[Callable[..., Any], Mapping[str, type | tuple[type, ...]]]] = {
    "same": (_is, {}),
    "text": (_text, {}),
    "number": (_number, dict.fromkeys(_OF_NUMBER, str)),
    "rating": (rating, {"out_of": (int, float)}),
    "times": (_times, {"by": (int, float)}),
    "whole": (_whole, {}),
    "date": (_date, {"order": str}),
    "date-time": (_moment, {"order": str, "zone": str}),
    "time": (_time, {}),
    "date part": (_date_part, {"part": str, "order": str}),
    "month": (_month, {}),
    "days after": (_days_after, {"order": str}),
    "yes or no": (_bool, {"yes": str, "no": str, "opposite": bool}),
    "words": (_words, {"table": dict}),
    "first name": (_first_name, {"spanish": bool, "surname_first": bool}),
    "last name": (_last_name, {"spanish": bool, "surname_first": bool}),
    "address": (texts.address_part, {"part": str}),
    "part": (_part, {"by": str, "number": int, "of": int}),
    "list": (_list, {"by": str}),
    "join": (_join, {"by": str}),
    "phone": (texts.phone_of, {"prefix": str}),
    "fit": (texts.fitted, {"pattern": str}),
    "currency": (_currency, {"otherwise": str}),
    "email": (_email, {}),
    "link": (_link, {}),
    "uuid": (_uuid, {}),
}
_NEEDED = {
    "times": ("by",), "words": ("table",), "address": ("part",), "part": ("by", "number", "of"),
    "phone": ("prefix",), "fit": ("pattern",), "rating": ("out_of",), "date part": ("part",),
}  # fmt: skip


def check_step(step: Any) -> None:
    """`ValueError` if this is no step, or has other settings than its own."""
    if not isinstance(step, dict) or not isinstance(step.get("step"), str):
        raise ValueError(f"{step!r:.60}: a step is an object with `step`")
    name = step["step"]
    inner = step.get("each", False)
    if name not in _STEPS:
        raise ValueError(f"step = {name!r:.40}: the steps are {', '.join(_STEPS)}")
    if not isinstance(inner, bool):
        raise ValueError(f"{name}: each = {inner!r:.40} must be true or false")
    settings = _STEPS[name][1]
    for key, value in step.items():
        if key in ("step", "each"):
            continue
        if key not in settings or not isinstance(value, settings[key]):
            ours = ", ".join(settings) or "none"
            raise ValueError(f"{name}: {key} = {value!r:.40}; its settings are {ours}")
    for key in _NEEDED.get(name, ()):
        if key not in step:
            raise ValueError(f"{name}: it needs `{key}`")
    _check_values(name, step)


def _check_values(name: str, step: Mapping[str, Any]) -> None:
    if name == "part" and (not step["by"] or not 1 <= step["number"] <= step["of"]):
        raise ValueError("part: `by` is a text and `number` is between 1 and `of`")
    if name == "date part" and step["part"] not in moments.PARTS:
        raise ValueError(f"date part: part = {step['part']!r}; it is {', '.join(moments.PARTS)}")
    if name == "rating" and step["out_of"] <= 0:
        raise ValueError(f"rating: out_of = {step['out_of']!r} must be above 0")
    if name == "fit":
        checked(step["pattern"])


def done(step: Mapping[str, Any], value: Any) -> Any:
    """The value after one step; with `each`, every item of a list goes through it."""
    act = _STEPS[step["step"]][0]
    settings = {key: setting for key, setting in step.items() if key not in ("step", "each")}
    try:
        if step.get("each") and isinstance(value, list):
            return [act(item, **settings) for item in value]
        return act(value, **settings)
    except (TypeError, ArithmeticError, AttributeError):
        raise Unfit(f"{value!r:.60} cannot go through the step `{step['step']}`") from None
