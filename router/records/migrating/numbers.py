"""Reads numbers as people write them: decimal marks, thousands, currencies, units. Pure."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from router.records.catalogue.naming import words_of
from router.records.migrating.unfit import Unfit

_MARKED = re.compile(r"[0-9.,'\u2019 \u00a0\u202f]+")
_SIGNS = "+-\u2212 "
_LONGEST = 60  # characters of a text that is a number
CURRENCIES = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "$": "USD", "usd": "USD", "us$": "USD",
    "dollars": "USD", "dollar": "USD", "£": "GBP", "gbp": "GBP", "¥": "JPY", "jpy": "JPY",
    "yen": "JPY", "mxn": "MXN", "chf": "CHF", "cad": "CAD", "aud": "AUD", "sek": "SEK",
    "brl": "BRL", "r$": "BRL", "inr": "INR", "₹": "INR", "cny": "CNY", "pln": "PLN", "zł": "PLN",
}  # fmt: skip
# Each unit: its dimension, and how many of the dimension's base it is.
UNITS: dict[str, tuple[str, Decimal]] = {}
for _dimension, _listed in {
    "mass": "mg 0.001 milligram 0.001 g 1 gr 1 gram 1 gramo 1 kg 1000 kilo 1000 "
    "kilogram 1000 kilogramo 1000 lb 453.59237 pound 453.59237 oz 28.349523125 "
    "ounce 28.349523125 ton 1000000 tonne 1000000 tonelada 1000000",
    "length": "mm 0.001 cm 0.01 m 1 metre 1 meter 1 metro 1 mt 1 km 1000 kilometre 1000 "
    "kilometer 1000 kilometro 1000 in 0.0254 inch 0.0254 ft 0.3048 foot 0.3048 feet 0.3048 "
    "yd 0.9144 mi 1609.344 mile 1609.344 milla 1609.344",
    "time": "ms 0.001 millisecond 0.001 s 1 sec 1 second 1 seg 1 segundo 1 min 60 minute 60 "
    "minuto 60 h 3600 hr 3600 hour 3600 hora 3600 d 86400 day 86400 dia 86400",
    "volume": "ml 0.001 cl 0.01 l 1 lt 1 litre 1 liter 1 litro 1 gal 3.785411784",
    "size": "b 1 byte 1 kb 1000 mb 1000000 gb 1000000000 tb 1000000000000",
    "speed": "kmh 1 kph 1 km/h 1 mph 1.609344",
    "temperature": "c 0 °c 0 celsius 0 f 0 °f 0 fahrenheit 0 k 0 kelvin 0",
    "money": "whole 1 cent 0.01 céntimo 0.01 centimo 0.01 pence 0.01 penny 0.01",
}.items():
    _pairs = _listed.split()
    UNITS |= {
        word: (_dimension, Decimal(base))
        for word, base in zip(_pairs[::2], _pairs[1::2], strict=True)
    }
_COUNTED = frozenset(
    [
        "pcs",
        "pc",
        "units",
        "unit",
        "uds",
        "ud",
        "unidades",
        "unidad",
        "items",
        "item",
        "pieces",
        "years",
        "year",
        "yrs",
        "años",
        "anos",
        "ppl",
        "people",
        "personas",
        "x",
        "pts",
        "points",
        "puntos",
        "stars",
        "estrellas",
        "pages",
        "pag",
        "págs",
        "paginas",
    ]
)  # nouns that say what is counted
_NAMED_UNITS = frozenset(UNITS) - {"in", "whole", "d", "b", "l", "h", "s", "k", "day", "dia"}


_ALONE = frozenset(["min", "sec", "hr", "kg", "km", "cm", "ms", "kb", "mb", "gb"])


def unit_of_name(name: str, description: str = "") -> str:
    """The unit in a field's name or description: `temp_f`, `price_cents`, `in grams`."""
    words = words_of(name)
    if len(words) > 1:
        for word in (words[-1], words[-1].removesuffix("s"), words[0].removesuffix("s")):
            plain_unit = word in _NAMED_UNITS or (word in UNITS and word == words[-1])
            if plain_unit and word not in ("in", "day", "dia", "b", "time"):
                return word
    elif (
        words
        and (word := words[0].removesuffix("s")) in UNITS
        and (len(word) > 3 or word in _ALONE)
    ):
        return word
    match = re.search(r"\bin (°?[a-z]{1,12}?)s?\b", description.lower())
    return match[1] if match and match[1] in UNITS else ""


def currency_of_name(name: str) -> str:
    words = words_of(name)
    return CURRENCIES.get(words[-1], "") if len(words) > 1 else ""


def parts(text: str) -> tuple[str, str, bool] | None:
    """The digits of a number with their marks, the words beside, and whether it is negative."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
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


def number(
    value: Any, *, mark: str = ".", unit: str = "", into: str = "", percent: str = ""
) -> int | float:
    """The number that a value holds, in the unit `into`; `Unfit` if that is not certain."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unfit(f"{value!r:.60} is no number")
    if isinstance(value, int | float):
        return _converted(Decimal(str(value)), unit, into)
    clock = _clock(value) if into and UNITS.get(into, ("",))[0] == "time" else None
    if clock is not None:
        return _converted(clock, "s", into)
    read = parts(value)
    amount = _plain_number(read[0], mark) if read else None
    if read is None or amount is None:
        raise Unfit(f"{value!r:.60} is no number")
    beside, amount = read[1], -amount if read[2] else amount
    if beside.endswith("%"):
        if percent == "share":
            return _narrow(amount / 100)
        beside = beside.removesuffix("%").strip()
    for word in beside.split():
        its_unit = word if word in UNITS else word.removesuffix("s")
        if word in CURRENCIES or word in _COUNTED or word in ("/100", "bruto", "net"):
            continue
        if its_unit in UNITS and (UNITS[its_unit][0] == UNITS.get(into or unit, ("",))[0]):
            unit = its_unit
        elif word in _TIMES:
            amount *= _TIMES[word]
        else:
            raise Unfit(f"{value!r:.60} is no plain number: `{word}` is beside it")
    return _converted(amount, unit, into)


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


def _clock(text: str) -> Decimal | None:
    """Seconds of `1h 30m`, `1:30:00` or `01:30`, the last as hours and minutes."""
    match = re.match(r"\A(\d{1,3}):([0-5]\d)(?::([0-5]\d))?\Z", text.strip())
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
    for word in read[1].split() if read else ():
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
