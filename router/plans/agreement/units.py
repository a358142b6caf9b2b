"""Amounts with their units: `5 km` is `5 kilometers`, `$2.50` is `2.50 USD`, `90 min` is `1.5 h`.

An amount is a number of a dimension: lengths are in metres, money in units of its own currency.
A unit that stands in no table is a dimension of its own: `12 apples`. Pure.
"""

import re
from collections.abc import Iterator
from fractions import Fraction

from router.plans.agreement.number_words import leading_words, magnitude
from router.plans.agreement.numbers import leading_figures, with_ratios
from router.plans.agreement.text import folded
from router.plans.agreement.unit_table import CURRENCIES, readings_of, units
from router.value import value

_IDLE = frozenset({"ad", "ce", "a.d.", "d.c.", "n. chr.", "uhr"})  # that change no year or hour
_MONEY_MARK = re.compile(r"(?:US\$|AU?\$|CA?\$|[$€£¥₹₩₽]|(?:USD|EUR|GBP|JPY|CHF|INR)(?=\s?\d))\s?")
_SHORT_LARGE = {"k": 10**3, "K": 10**3, "M": 10**6, "m": 10**6, "B": 10**9, "bn": 10**9}
_APPROXIMATELY = re.compile(
    r"(?:about|approximately|approx\.?|roughly|around|circa|ca\.|c\.|~|≈|etwa|ungefähr|rund|"
    r"environ|aproximadamente|alrededor de|unos|unas)\s*+(?=\S)",
    re.I,
)
_MINUS = re.compile(r"(?:minus|negative|menos|moins)\s(?=\w)", re.I)
_PERIODS = {
    **{"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "yearly": "year"},
    **{"annually": "year", "per annum": "year", "p.a.": "year", "p.a": "year"},
}
_EVERY = re.compile(
    r"(?<=\w) (hourly|daily|weekly|monthly|yearly|annually|per annum|p\.a\.?)\Z", re.I
)
_FEET = re.compile(r"\A(\d{1,2})'\s?(\d{1,2})\Z")
_ORDINAL = re.compile(r"(?:st|nd|rd|th|er|re|º|ª)(?!\w)")
_UNIT = re.compile(r"k?m(?:\^?[23]|²|³)|[^\d\s()][^\d()]{0,40}")
_RATE = re.compile(r"\s{0,3}/\s{0,3}|\s{1,3}(?:per|pro|por|par|an|a)\s{1,3}(?=\w)")
_AND = re.compile(r"\b(?:and|y|und|et)\Z")
_MOST_PARTS = 3
# Units that people write of one amount together: 5 feet 10 inches, 2 h 35 min.
_JOINED = frozenset({"length", "mass", "time", "months"})


@value
class Amount:
    """A number of a dimension; `dimension` is empty for a bare number."""

    number: Fraction
    dimension: str


def amounts_of(text: str) -> tuple[Amount, ...]:
    """What amount a text is, in each way to read it; none if it is no amount, or more than one."""
    text = with_ratios(_APPROXIMATELY.sub("", text.strip(), count=1)).strip()
    text = _EVERY.sub(lambda match: f" per {_PERIODS[match[1].lower()]}", text, count=1)
    text = _FEET.sub(r"\1 ft \2 in", _MINUS.sub("-", text, count=1))
    readings: tuple[Amount, ...] = ()
    for n in range(_MOST_PARTS):
        part = _first_amount(text)
        if part is None:
            return ()
        here, text = part
        readings = here if n == 0 else _added(readings, here)
        text = re.sub(r"^(?:,|\s|and\b|y\b|und\b|et\b)+", "", text)
        if not readings or not text:
            return readings
    return ()


def _added(readings: tuple[Amount, ...], more: tuple[Amount, ...]) -> tuple[Amount, ...]:
    return tuple(
        Amount(a.number + b.number, a.dimension)
        for a in readings
        for b in more
        if a.dimension == b.dimension and a.dimension in _JOINED
    )


def _first_amount(text: str) -> tuple[tuple[Amount, ...], str] | None:
    sign = re.match(r"[-+]\s?(?=[\w.$€£¥])", text)
    text = text[sign.end() :] if sign else text
    mark = _MONEY_MARK.match(text)
    if mark and not sign:
        sign = re.match(r"-(?=\d)", text[mark.end() :])
        text = text[: mark.end()] + text[mark.end() + bool(sign) :]
    rest = text[mark.end() :] if mark else text
    begun = leading_figures(rest) or leading_words(rest)
    if begun is None or (mark and not rest[:1].isdigit() and rest[:1] != "."):
        return None
    number, rest = begun
    if _ORDINAL.match(rest):
        return None
    number, rest = _magnified(number, rest, money=bool(mark))
    if sign and sign[0][0] == "-":
        number = -number
    if mark:
        dimension = units()[mark[0].strip()][0][0]
        named = _read_unit(number, rest)
        if named and named[0] and all(a.dimension in CURRENCIES for a in named[0]):
            return tuple(a for a in named[0] if a.dimension == dimension), named[1]
        rate = re.fullmatch(r"\s*(/|per|an?)\s*([^\W\d]+)", rest)
        if rate and (period := readings_of(rate[2])):
            return tuple(Amount(number / f, f"{dimension}/{d}") for d, f in period), ""
        return (Amount(number, dimension),), rest
    return _read_unit(number, rest)


def _magnified(number: Fraction, rest: str, *, money: bool) -> tuple[Fraction, str]:
    for _ in range(2):  # `3 mil millones`
        word = re.match(r"[\s-]?([^\W\d_]+\.?)(?!\w)", rest)
        if word is None:
            break
        times = _SHORT_LARGE.get(word[1]) if money else None
        times = times or magnitude(word[1])
        if times is None or (word[1] in ("k", "K") and word[0] != word[1]):
            break
        number, rest = number * times, rest[word.end() :]
    return number, re.sub(r"^ (?:(?:de|of|d')\s)?(?:an?\s)?(?=\w)", " ", rest)


def _read_unit(number: Fraction, rest: str) -> tuple[tuple[Amount, ...], str] | None:
    if not rest.strip():
        return (Amount(number, ""),), ""
    if not rest[0].isspace() and rest[0] in "-:/,.'_":
        rest = rest[1:] if re.match(r"-[a-z]", rest) else rest  # a 5-minute walk
        if rest[0] in "-:/,.'_" and not re.match(r", [a-z]|,? and\b", rest):
            return None
        if rest[0] == ",":
            return (Amount(number, ""),), rest
    match = _UNIT.match(rest.strip())
    if match is None:
        return None
    unit, after = match[0].strip(), rest.strip()[match.end() :]
    if folded(unit).strip("() ") in _IDLE:
        return (Amount(number, ""),), after
    if after:  # another amount follows: `2 h 35 min`
        unit = _AND.sub("", unit.rstrip()).rstrip(", \t\n")
    readings = tuple(_of_unit(number, unit))
    return (readings, after) if readings else None


def _of_unit(number: Fraction, unit: str) -> Iterator[Amount]:
    readings = readings_of(unit)
    if readings:
        yield from (Amount(number * factor, dimension) for dimension, factor in readings)
        return
    rate = _RATE.search(unit)
    if rate and rate.start():
        above, below = readings_of(unit[: rate.start()]), readings_of(unit[rate.end() :])
        for over, factor in above or ():
            for under, divisor in below or ():
                dimension = "speed" if (over, under) == ("length", "time") else f"{over}/{under}"
                yield Amount(number * factor / divisor, dimension)
        if above and below:
            return
    if re.fullmatch(r"[^\W\d_]+(?:[ -][^\W\d_]+){0,3}", unit):
        plain = folded(unit).replace("-", " ")
        yield Amount(number, f"of {plain[:-1] if len(plain) > 3 and plain[-1] == 's' else plain}")


def currency_or_rate(text: str) -> list[str]:
    """What currency or rate a text names, in each way to read it: `EUR`, `kilometers per hour`."""
    amounts = [*_of_unit(Fraction(1), text)] if text.strip() else []
    rate = _RATE.search(text)
    return [
        f"unit {amount.number} {amount.dimension}"
        for amount in amounts
        if amount.dimension[:3] != "of " and (rate or amount.dimension in CURRENCIES)
    ]


_FROM_TO = re.compile(
    r"(?:(?:from|von|de|desde)\s+)?([^\s-][^-]{0,30}?)\s*(?:-|\s(?:to|bis|a|à|hasta)\s)\s*(.{1,40})"
)
_BETWEEN = re.compile(
    r"(?:between|zwischen|entre)\s{1,3}(\S.{0,29}?)\s{1,3}"
    r"(?:and|und|y|et)\s{1,3}(\S.{0,39})"
)


def range_of(text: str) -> list[tuple[Amount, Amount]]:
    """The two ends of a range, in each way to read them: `10-20 EUR`, `between 10 and 20 euros`."""
    match = _BETWEEN.fullmatch(text.lower()) or _FROM_TO.fullmatch(text)
    if match is None:
        return []
    low, high = match[1], match[2]
    mark, begun, end = _MONEY_MARK.match(low), leading_figures(low), leading_figures(high)
    if begun and end and not begun[1].strip():
        low += end[1]  # the unit stands at the second number only
    elif mark and end:
        high = mark[0] + high
    return [(a, b) for a in amounts_of(low) for b in amounts_of(high) if a.dimension == b.dimension]
