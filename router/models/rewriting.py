"""How a value of a request is written in an answer: in capitals, as another form of date, as
another form of number. Pure functions.

Not covered: sums, conversions of units or money, and dates in words, such as `next Friday`.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

SAME = "same"
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
    "diciembre",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}
_YEAR = "{y}"
_NAMES = {language: names.split() for language, names in _MONTHS.items()}
# A form of dates: parts are year, month, day, and the month's name in a language, whole or short.
_FORMS = (
    "{y}-{m:02}-{d:02}",
    "{d:02}/{m:02}/{y}",
    "{d}/{m}/{y}",
    "{m:02}/{d:02}/{y}",
    "{m}/{d}/{y}",
    "{d:02}.{m:02}.{y}",
    "{d}.{m}.{y}",
    "{d:02}-{m:02}-{y}",
    "{y}/{m:02}/{d:02}",
    "{d} {en} {y}",
    "{d:02} {en} {y}",
    "{en} {d}, {y}",
    "{en} {d} {y}",
    "{d} {en3} {y}",
    "{d:02} {en3} {y}",
    "{en3} {d}, {y}",
    "{d} {en}",
    "{en} {d}",
    "{d} {en3}",
    "{en3} {d}",
    "{d} de {es} de {y}",
    "{d} de {es}",
    "{d}. {de} {y}",
    "{d}. {de}",
    "{d} {fr} {y}",
    "{d} {fr}",
)
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:[.,]\d{1,9})*\Z")
_CASES: Mapping[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "title": str.title,
    "capital": lambda text: text[:1].upper() + text[1:],
    "small": lambda text: text[:1].lower() + text[1:],
}


def rewritten(value: str, way: str) -> str | None:
    """A value in the form that a way names; None if the value is not what that way needs."""
    if way == SAME:
        return value
    if way in _CASES:
        return _CASES[way](value)
    sort, _, rest = way.partition(":")
    if sort == "number":
        return _written_number(value, rest)
    rest, _, year = rest.partition(" in ")
    before, _, after = rest.partition(" > ")
    date = _date(value, before)
    if date is None or (year and year != str(date.year)):
        return None
    return _written_date(date, after)


def ways(value: str, answer: str) -> Iterator[str]:
    """The ways in which a request's value becomes an answer's, the plainest first."""
    if value == answer:
        yield SAME
        return
    yield from (way for way in _CASES if _CASES[way](value) == answer)
    if _NUMBER.match(answer) and _NUMBER.match(value):
        places = len(answer.rpartition(".")[2]) if "." in answer else 0
        for comma in ("", ","):
            if _written_number(value, f"{comma}{places}") == answer:
                yield f"number:{comma}{places}"
                break
    for after, wanted in _dates(answer):
        for before, date in _dates(value):
            if (date.month, date.day) != (wanted.month, wanted.day):
                continue
            if _YEAR in after and _YEAR in before and date.year == wanted.year:
                yield f"date:{before} > {after}"
            elif _YEAR not in after:  # the words around it may hold the year of these dates
                year = f" in {date.year}" if _YEAR in before else ""
                yield f"date:{before} > {after}{year}"


def _written_number(value: str, form: str) -> str | None:
    if not _NUMBER.match(value):
        return None
    places = int(form.lstrip(","))
    plain = value.replace(",", "")
    if plain.count(".") > 1:
        return None
    number = float(plain)
    if abs(number * 10**places - round(number * 10**places)) > 1e-6:
        return None  # nothing is rounded away
    return f"{number:{',' if form.startswith(',') else ''}.{places}f}"


@lru_cache(maxsize=8192)
def _dates(text: str) -> tuple[tuple[str, dt.date], ...]:
    """The forms by which a text is a date, and the date that it then is."""
    read = ((form, _date(text, form)) for form in _FORMS)
    return tuple((form, date) for form, date in read if date is not None)


def _date(value: str, form: str) -> dt.date | None:
    """The date that a text has by a form; a form without a year has that of a leap year."""
    pattern, names = _pattern(form)
    match = pattern.fullmatch(value.strip()) if len(value) < 40 else None
    if match is None:
        return None
    parts = match.groupdict()
    try:
        month = int(parts["m"]) if parts.get("m") else names[parts["name"].casefold()]
        return dt.date(int(parts.get("y") or 2024), month, int(parts["d"]))
    except (ValueError, KeyError):
        return None


@lru_cache(maxsize=len(_FORMS))
def _pattern(form: str) -> tuple[re.Pattern[str], dict[str, int]]:
    names: dict[str, int] = {}
    pattern = re.escape(form).replace(r"\{", "{").replace(r"\}", "}").replace(r"\ ", " ")
    pattern = pattern.replace("{y}", r"(?P<y>\d{4})")
    for part in ("d", "m"):
        pattern = pattern.replace(f"{{{part}:02}}", rf"(?P<{part}>\d\d)")
        pattern = pattern.replace(f"{{{part}}}", rf"(?P<{part}>[1-9]\d?)")
    for language, listed in _NAMES.items():
        for key, cut in ((f"{{{language}}}", None), (f"{{{language}3}}", 3)):
            if key in pattern:
                pattern = pattern.replace(key, r"(?P<name>[^\W\d_]+)")
                names = {name[:cut].casefold(): n for n, name in enumerate(listed, 1)}
    return re.compile(pattern), names


def _written_date(date: dt.date, form: str) -> str:
    parts: dict[str, object] = {"y": date.year, "m": date.month, "d": date.day}
    for language, names in _NAMES.items():
        name = names[date.month - 1]
        parts |= {language: name, f"{language}3": name[:3]}
    return form.format(**parts)
