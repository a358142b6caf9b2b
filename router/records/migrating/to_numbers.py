"""Finds how a column becomes a number: its marks, its unit, its percents. Pure.

What the values leave open (thousands or decimals, kilograms or pounds) becomes a question.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.records.catalogue.naming import words_of
from router.records.migrating import numbers, units
from router.records.migrating.fields import Column, Conversion, Leaf, Steps, share_of, step
from router.records.migrating.to_moments import orders_of

_SHARES = frozenset(["share", "ratio", "fraction", "rate", "probability", "tasa", "proporcion"])
_PERIODS = {
    word: period
    for period, words in {
        "hour": "hour h hora hourly", "day": "day dia daily diario diaria",
        "week": "week semana weekly semanal", "month": "month mes mo monthly mensual",
        "year": "year ano yr yearly annual anual annum",
    }.items()
    for word in words.split()
}  # fmt: skip
_PERCENTS = frozenset(["percent", "pct", "percentage", "porcentaje"])


def to_number(leaf: Leaf, column: Column) -> Conversion:
    whole = (step("whole"),) if leaf.kind == "integer" else ()
    if all(isinstance(v, int) and not isinstance(v, bool) for v in column.tried):
        whole = ()
    for moment in _parts_of_dates(leaf):
        steps = (step("date part", part=moment, order=orders_of(column)[0][0]),)
        if column.texts and share_of(steps, column, leaf.schema) >= 0.5:
            return Conversion(steps)
    if (rating := _rating(leaf, column)) is not None:
        return rating
    marks, scales, percents = _marks(leaf, column), _units(leaf, column), _percents(leaf, column)
    if marks is None or scales is None:
        return Conversion()
    noun = _noun(column)
    periods = {_PERIODS[word] for word in words_of(leaf.path[-1]) if word in _PERIODS}
    if noun in _PERIODS and periods and _PERIODS[noun] not in periods:
        return Conversion()
    choices: dict[str, Steps] = {}
    questions, warnings = [], []
    for (marks_label, mark), (unit_label, unit), (percent_label, percent) in (
        (m, u, p) for m in marks.options for u in scales.options for p in percents.options
    ):
        label = ", ".join(filter(None, (marks_label, unit_label, percent_label)))
        rest = {k: v for k, v in percent.items() if k != "by"}
        reading = step("number", **mark, **unit, **rest, noun=noun)
        scaled = (step("times", by=percent["by"]),) if "by" in percent else ()
        plain_numbers = not column.texts and len(reading) == 1
        choices[label] = (
            *(() if plain_numbers else (reading,)),
            *scaled,
            *(whole if not scaled else ()),
        )
    for part in (marks, scales, percents):
        questions += [part.question] if part.question else []
        warnings += [part.warning] if part.warning else []
    if not questions:
        return Conversion(next(iter(choices.values())), warning="; ".join(warnings))
    return Conversion(question=" ".join(questions), choices=choices, warning="; ".join(warnings))


def _parts_of_dates(leaf: Leaf) -> list[str]:
    """Whether the field is the year or the month of a date, by its name."""
    words = words_of(leaf.path[-1])
    names = {"year": "year", "ano": "year", "anio": "year", "month": "month", "mes": "month"}
    return [names[words[-1]]] if words and words[-1] in names else []


def _rating(leaf: Leaf, column: Column) -> Conversion | None:
    """`4/5` out of what the schema allows at most, or else out of what the values say."""
    ratings = [read for text in column.texts if (read := numbers.rated(text))]
    if 2 * len(ratings) < len(column.tried) or not ratings:
        return None
    given = sorted({most for _, most in ratings})
    words = set(words_of(leaf.path[-1]))
    most = leaf.schema.get("maximum")
    most = 100 if words & _PERCENTS else 1 if words & _SHARES and most is None else most
    whole = (step("whole"),) if leaf.kind == "integer" else ()
    if isinstance(most, int | float) and most > 0:
        scaled = f"ratings are brought from {given} to {most}" if given != [most] else ""
        return Conversion((step("rating", out_of=most), *whole), warning=scaled)
    if len(given) == 1:
        return Conversion((step("rating", out_of=given[0]), *whole))
    choices = {f"out of {n}": (step("rating", out_of=n), *whole) for n in given}
    return Conversion(question=f"Out of how many is {leaf.name}?", choices=choices)


def _noun(column: Column) -> str:
    """The word that stands behind most numbers, or that the field is named after."""
    nouns = [noun for text in column.texts if (noun := numbers.noun_in(text))]
    noun = max(sorted(set(nouns)), key=nouns.count, default="")
    named = noun.removesuffix("s") in (w.removesuffix("s") for w in words_of(column.path[-1]))
    plain = noun in units.UNITS or noun.removesuffix("s") in units.UNITS
    often = nouns.count(noun) > 1 and 2 * nouns.count(noun) >= len(column.texts)
    return noun if noun and not plain and (named or often) else ""


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of a step that the values allow; several if they leave a question open."""

    options: Sequence[tuple[str, Mapping[str, Any]]]
    question: str = ""
    warning: str = ""


_SURE = Options((("", {}),))


def _marks(leaf: Leaf, column: Column) -> Options | None:
    lasting = any(numbers.seconds_in(text) is not None for text in column.texts)
    if lasting and units.UNITS.get(_into(leaf), ("",))[0] == "time":
        return _SURE
    readings = [(text, numbers.decimal_marks(text)) for text in column.texts]
    read = [(text, marks) for text, marks in readings if marks]
    if not read:
        return _SURE if len(column.texts) < len(column.tried) else None
    dots = sum(marks == {"."} for _, marks in read)
    commas = sum(marks == {","} for _, marks in read)
    if dots or commas:
        mark = numbers.EITHER if dots and commas else "." if dots else ","
        mixed = (
            "numbers with decimal comma and with decimal point are mixed" if dots and commas else ""
        )
        return Options((("", {"decimal": mark}),), warning=mixed)
    unsure = next((text for text, _ in read if _differs(text)), "")
    if not unsure:
        return _SURE
    digits = (numbers.parts(unsure) or ("", "", False))[0]
    mark = "," if "." in digits else "."  # with which the other mark parts thousands
    money = any(map(numbers.currency_in, column.texts))
    if leaf.kind == "integer" or money:
        return Options((("", {"decimal": mark}),), warning=f"{digits} is read with thousands")
    labels = [
        (f"{unsure} has {'thousands' if m == mark else 'decimals'}", {"decimal": m})
        for m in (mark, "." if mark == "," else ",")
    ]
    return Options(labels, f"Does {unsure} in {column.name} have thousands or decimals?")


def _lasts(text: str) -> bool:
    """Whether a text such as `2h 15m` says its own units."""
    return ":" not in text and numbers.seconds_in(text) is not None


def _into(leaf: Leaf) -> str:
    return units.unit_of_name(leaf.path[-1], str(leaf.schema.get("description", "")))


def _differs(text: str) -> bool:
    read = numbers.parts(text)
    return read is not None and numbers.marked(read[0], ".") != numbers.marked(read[0], ",")


def _units(leaf: Leaf, column: Column) -> Options | None:
    into = _into(leaf)
    unit = units.unit_of_name(column.path[-1])
    read = [text for text in column.texts if numbers.decimal_marks(text)]
    written = [word for word in map(numbers.unit_in, read) if word]
    beside = set(written) if 2 * len(written) >= len(read) else set()
    if currency := _other_currency(leaf, column):
        return currency
    dimension = units.UNITS[into][0] if into else ""
    if not into:
        if beside == {"m"} and unit != "m":
            labels = [("m is metres", {"unit": "m"}), ("m is millions", {})]
            return Options(labels, f"What is m in {column.name}?")
        if unit in units.UNITS and units.UNITS[unit][0] == "money":
            return Options((("", {"unit": unit, "into": "whole"}),))
        if len(beside) > 1:
            labels = [(f"in {b}", {"unit": b, "into": b}) for b in sorted(beside)]
            return Options(labels, f"{column.name} has several units. Which has {leaf.name}?")
        if unit and beside <= {unit}:
            return Options(
                (("", {"unit": unit} if beside else {}),), warning=f"{leaf.name} stays in {unit}"
            )
        return Options((("", {"unit": next(iter(beside))}),)) if beside else _SURE
    if unit and units.UNITS[unit][0] != dimension:
        return None
    lasting = dimension == "time" and column.all_texts(_lasts)
    if unit or lasting or (read and len(written) == len(read)):
        return Options((("", {"unit": unit, "into": into} if unit != into or beside else {}),))
    if dimension == "money" and any(_has_fraction(v) for v in column.tried):
        return Options((("", {"unit": "whole", "into": into}),))
    clocks = [text.count(":") for text in column.texts if ":" in text]
    if dimension == "time" and clocks:
        short = into in _SHORT_TIMES or 2 in clocks
        taken = f"{column.name}: 3:45 is taken as {'minutes' if short else 'hours'} first"
        setting = {"into": into, "clock": "m:s"} if short else {"into": into}
        return Options((("", setting),), warning=taken if 1 in clocks else "")
    usual = _USUAL[dimension]
    labels = [
        (f"{column.name} is in {u}", {"unit": u, "into": into} if u != into else {}) for u in usual
    ]
    return Options(labels, f"In which unit is {column.name}? {leaf.name} is in {into}.")


_SHORT_TIMES = ("s", "sec", "second", "seg", "segundo", "ms", "millisecond")
_USUAL = {
    "mass": ("g", "kg", "lb", "oz"), "length": ("mm", "cm", "m", "km", "in", "ft", "mi"),
    "time": ("ms", "s", "min", "h"), "volume": ("ml", "l", "gal"), "size": ("b", "kb", "mb", "gb"),
    "speed": ("kmh", "mph"), "voltage": ("mv", "v"), "power": ("w", "kw"), "energy": ("wh", "kwh"),
    "area": ("m\u00b2", "ha", "acre", "sqft"),
    "pressure": ("hpa", "kpa", "bar", "psi"), "frequency": ("hz", "khz", "mhz"),
    "temperature": ("c", "f", "k"), "money": ("whole", "cent"),
}  # fmt: skip


def _has_fraction(value: Any) -> bool:
    return (isinstance(value, float) and value != int(value)) or (
        isinstance(value, str) and bool(re.search(r"[.,]\d{2}(?!\d)", value))
    )


def _other_currency(leaf: Leaf, column: Column) -> Options | None:
    """A question where amounts would get another currency, or one that nothing states."""
    wanted = units.currency_of_name(leaf.path[-1])
    given = {c for c in map(numbers.currency_in, column.texts) if c}
    given |= {units.currency_of_name(column.path[-1])} - {""}
    if wanted and given != {wanted}:
        label = f"{column.name} is in {wanted}"
        what = " and ".join(sorted(given)) or "no stated currency"
        return Options(((label, {}),), f"{column.name} is in {what}, and {leaf.name} in {wanted}.")
    return None


def _percents(leaf: Leaf, column: Column) -> Options:
    signs = any(text.strip().endswith("%") for text in column.texts)
    most = leaf.schema.get("maximum", leaf.schema.get("exclusiveMaximum"))
    words, given = set(words_of(leaf.path[-1])), set(words_of(column.path[-1]))
    share = (most is not None and most <= 1) or bool(words & _SHARES and most is None)
    if signs:
        if share:
            return Options((("", {"percent": "share"}),))
        if most is not None or words & _PERCENTS:
            return _SURE
        labels: Sequence[tuple[str, Mapping[str, Any]]] = (
            ("5% is 5", {}),
            ("5% is 0.05", {"percent": "share"}),
        )
        return Options(labels, f"Is 5% of {column.name} 5 or 0.05 in {leaf.name}?")
    raw = [v for v in column.tried if isinstance(v, int | float) and not isinstance(v, bool)]
    raw += [float(t) for t in column.texts if re.fullmatch(r"\d{1,3}(?:\.\d{1,4})?", t)]
    if share and given & _PERCENTS and any(v > 1 for v in raw):
        return Options((("", {"by": 0.01}),))
    percent = bool(words & _PERCENTS)
    if percent and given & _SHARES and raw and all(0 <= v <= 1 for v in raw):
        return Options((("", {"by": 100}),))
    return _SURE
