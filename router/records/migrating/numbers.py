"""Reads numbers as people write them: decimal marks, thousands, currencies, units. Pure."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from router.records.catalogue.tables import plain
from router.records.migrating.unfit import Unfit
from router.records.migrating.units import CURRENCIES, UNITS

_MARKED = re.compile(r"[0-9.,'\u2019 \u00a0\u202f]+")
_SIGNS = "+-\u2212 "
_LONGEST = 60  # characters of a text that is a number
_COUNTED = frozenset([
    "pcs", "pc", "units", "unit", "uds", "ud", "unidades", "unidad", "items", "item", "pieces",
    "years", "year", "yrs", "años", "anos", "ppl", "people", "personas", "x", "pts", "points",
    "puntos", "stars", "estrellas", "pages", "pag", "págs", "paginas"
])  # fmt: skip  # nouns that say what is counted


def parts(text: str) -> tuple[str, str, bool] | None:
    """The digits of a number with their marks, the words beside, and whether it is negative."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    text = f"{text[:-2]}m\u00b2" if text.endswith(("m2", "M2")) else text
    bracketed = text.startswith("(") and text.endswith(")")
    text = text[1:-1] if bracketed else text
    places = [at for at, letter in enumerate(text) if letter.isascii() and letter.isdigit()]
    if not places:
        return None
    first, last = places[0], places[-1] + 1
    if first and text[first - 1] in ".," and not text[: first - 1].strip("+-\u2212"):
        first -= 1
    digits, before, after = text[first:last], text[:first], text[last:]
    if not _MARKED.fullmatch(digits):
        return None
    minus = any(sign in before for sign in "-\u2212")
    beside = f"{before.strip(_SIGNS)} {after.strip()}".strip(" .").lower()
    beside = beside.replace("\u00ba", "\u00b0").replace("\u00b0 c", "\u00b0c")  # ordinal for degree
    return digits, beside, bracketed or minus


def decimal_marks(text: str) -> frozenset[str]:
    """The decimal marks with which these digits make a number."""
    read = parts(text)
    if read is None:
        return frozenset()
    return frozenset(mark for mark in ".," if _plain_number(read[0], mark) is not None)


def _plain_number(digits: str, mark: str) -> Decimal | None:
    other = "," if mark == "." else "."
    whole, dot, fraction = digits.partition(mark)
    if mark in fraction or (dot and not fraction.isdigit()):
        return None
    groups = re.split(rf"[{other}'\u2019 \u00a0\u202f]", whole)
    if len(groups) > 1 and not (
        1 <= len(groups[0]) <= 3
        and groups[0][0] != "0"
        and all(len(group) == 3 for group in groups[1:])
    ):
        return None
    try:
        return Decimal(("".join(groups) or "0") + ("." + fraction if dot else ""))
    except InvalidOperation:
        return None


_TIMES = {"k": 1000, "mil": 1000, "m": 1_000_000, "million": 1_000_000, "millones": 1_000_000}


_IN_WORDS = {
    word: number
    for number, words in (
        (0, "zero cero"), (1, "one uno una"), (2, "two dos"), (3, "three tres"),
        (4, "four cuatro"), (5, "five cinco"), (6, "six seis"), (7, "seven siete"),
        (8, "eight ocho"), (9, "nine nueve"), (10, "ten diez"), (11, "eleven once"),
        (12, "twelve doce"), (15, "fifteen quince"), (20, "twenty veinte"), (30, "thirty treinta"),
        (40, "forty cuarenta"), (50, "fifty cincuenta"), (60, "sixty sesenta"),
        (70, "seventy setenta"), (80, "eighty ochenta"), (90, "ninety noventa"), (100, "cien"),
    )
    for word in words.split()
}  # fmt: skip
EITHER = "either"  # mark: each number has the only mark with which it is a number
_RATING = re.compile(
    r"(\d{1,3}(?:[.,]\d{1,2})?) ?(?:/|out of|of|de|sobre) ?(\d{1,3})(?: [a-z]{1,12}|)", re.I
)
_STARS = re.compile(r"[\u2605\u2b50]{1,10}[\u2606]{0,10}")


def number(
    value: Any, *, mark: str = ".", unit: str = "", into: str = "", percent: str = "",
    noun: str = "", clock: str = "",
) -> int | float:  # fmt: skip
    """The number that a value holds, in the unit `into`; `Unfit` if that is not certain.

    `noun` may stand beside it; `clock` says whether `3:45` is `h:m` or `m:s`.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unfit(f"{value!r:.60} is no number")
    if isinstance(value, int | float):
        return _converted(Decimal(str(value)), unit, into)
    seconds = seconds_in(value, clock) if into and UNITS.get(into, ("",))[0] == "time" else None
    if seconds is not None:
        return _converted(seconds, "s", into)
    if (in_words := _IN_WORDS.get(plain(value).strip())) is not None:
        return _converted(Decimal(in_words), unit, into)
    read = parts(value)
    amount = marked(read[0], mark) if read else None
    if read is None or amount is None:
        raise Unfit(f"{value!r:.60} is no number")
    beside, amount = read[1], -amount if read[2] else amount
    if beside.endswith("%"):
        if percent == "share":
            return _narrow(amount / 100)
        beside = beside.removesuffix("%").strip()
    beside = re.sub(rf" ?/ ?{re.escape(noun)}\Z", "", beside) if noun else beside
    times, unit = _read_beside(value, beside, noun, unit, into)
    return _converted(amount * times, unit, into)


def _read_beside(value: str, beside: str, noun: str, unit: str, into: str) -> tuple[int, str]:
    """By how much the words beside a number multiply it, and its unit; `Unfit` by any other."""
    times = 1
    for word in beside.split():
        its_unit = word if word in UNITS else word.removesuffix("s")
        if word in CURRENCIES or word in _COUNTED or word in (noun, "/100", "bruto", "net"):
            continue
        if its_unit in UNITS and (UNITS[its_unit][0] == UNITS.get(into or unit, ("",))[0]):
            unit = its_unit
        elif word in _TIMES:
            times *= _TIMES[word]
        else:
            raise Unfit(f"{value!r:.60} is no plain number: `{word}` is beside it")
    return times, unit


def marked(digits: str, mark: str) -> Decimal | None:
    """The number of these digits with this decimal mark; None if there is none, or two."""
    if mark != EITHER:
        return _plain_number(digits, mark)
    amounts = {_plain_number(digits, each) for each in ".,"} - {None}
    return amounts.pop() if len(amounts) == 1 else None


def rated(value: Any) -> tuple[Decimal, int] | None:
    """The points and the most points of `4/5`, `8,5 de 10` or stars; None if it is no rating."""
    text = value.strip() if isinstance(value, str) else ""
    if _STARS.fullmatch(text):
        return Decimal(sum(letter != "\u2606" for letter in text)), len(text)
    match = _RATING.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    points, most = Decimal(match[1].replace(",", ".")), int(match[2])
    return (points, most) if most and points <= most else None


def rating(value: Any, *, out_of: float) -> int | float:
    """The points of a rating, had it been given out of so many."""
    read = rated(value)
    if read is None:
        raise Unfit(f"{value!r:.60} is no rating such as 4/5")
    return _narrow(read[0] * Decimal(str(out_of)) / read[1])


def noun_in(text: str) -> str:
    """The word beside a number that says what is counted: `seats` in `80 seats`."""
    text = text.strip()
    match = re.fullmatch(r"[\d.,']{1,20} ([^\W\d_]{2,20})", text)
    match = match or re.fullmatch(r"([^\W\d_]{2,20}) [\d.,']{1,20}", text)
    match = match or re.fullmatch(r"[^/]{1,30}/ ?([^\W\d_]{1,20})", text)
    word = match[1].lower() if match else ""
    return "" if word in CURRENCIES else word


def _converted(amount: Decimal, unit: str, into: str) -> int | float:
    if not unit or not into or unit == into:
        return _narrow(amount)
    if unit not in UNITS or into not in UNITS or UNITS[unit][0] != UNITS[into][0]:
        raise Unfit(f"the units {unit!r} and {into!r} cannot be converted")
    if UNITS[unit][0] == "temperature":
        return _temperature(amount, unit, into)
    return _narrow(amount * UNITS[unit][1] / UNITS[into][1])


def _temperature(amount: Decimal, unit: str, into: str) -> int | float:
    kind, to = (word.strip("°")[0] for word in (unit, into))
    celsius = {"c": amount, "f": (amount - 32) * 5 / 9, "k": amount - Decimal("273.15")}[kind]
    back = {"c": celsius, "f": celsius * 9 / 5 + 32, "k": celsius + Decimal("273.15")}
    return round(float(back[to]), 4)


def seconds_in(text: str, clock: str = "") -> Decimal | None:
    """Seconds of `1h 30m`, `1:30:00` or `01:30`."""
    match = re.match(r"\A(\d{1,3}):([0-5]\d)(?::([0-5]\d))?\Z", text.strip())
    if match and match[3] is None and clock == "m:s":
        return Decimal(int(match[1]) * 60 + int(match[2]))
    if match:
        return Decimal(int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0))
    match = re.match(
        r"\A(?:(\d{1,3}) ?(?:h|hr|hrs|hours?|horas?))?"
        r" ?(?:(\d{1,3}) ?(?:m|min|mins|minutes?|minutos?|'))?"
        r" ?(?:(\d{1,3}) ?(?:s|sec|secs|seconds?|segundos?))?\Z",
        text.strip().lower(),
    )
    if match and any(match.groups()):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return Decimal(hours * 3600 + minutes * 60 + seconds)
    return None


def _narrow(amount: Decimal) -> int | float:
    """An int where the number is whole, so that no `.0` comes from nowhere."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def currency_in(value: Any) -> str:
    """The code of the currency that a text names; empty if it names none."""
    read = parts(value) if isinstance(value, str) else None
    for word in re.split(r"[ /]", read[1]) if read else ():
        if word in CURRENCIES:
            return CURRENCIES[word]
    return ""


def unit_in(value: Any) -> str:
    """The unit that a text names beside its number; empty if it names none."""
    read = parts(value) if isinstance(value, str) else None
    for word in read[1].split() if read else ():
        for unit in (word, word.removesuffix("s")):
            if unit in UNITS and unit != "k":  # 45k is a count, and hardly ever kelvin
                return unit
    return ""
