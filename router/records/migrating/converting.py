"""Finds the steps that turn a column of a source into a field of the target, by its values.

What the values leave open (day or month first, kilograms or pounds) becomes a question.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from router.records.catalogue.naming import words_of
from router.records.checking import Wanted, issues_in
from router.records.migrating import moments, numbers
from router.records.migrating.meaning import KeyPath, Nearness
from router.records.migrating.steps import done
from router.records.migrating.unfit import Unfit
from router.records.migrating.value_words import code_table, enum_tables, yes_and_no
from router.records.regexes import BadPattern

Steps = tuple[Mapping[str, Any], ...]
_MOST_TRIED = 300
_SHARES = frozenset(["share", "ratio", "fraction", "rate", "probability", "tasa", "proporcion"])
_PERCENTS = frozenset(["percent", "pct", "percentage", "porcentaje"])
_SPANISH_DATES = frozenset(
    ["fecha", "alta", "nacimiento", "dia", "inicio", "fin", "vencimiento", "entrega"]
)


@dataclass(frozen=True, slots=True)
class Column:
    """A field of the source: its path and its values, as far as there are any."""

    path: KeyPath
    values: tuple[Any, ...]  # of all records that were read; missing ones are left out
    spanish: bool = False

    @property
    def name(self) -> str:
        return ".".join(self.path)

    @property
    def tried(self) -> tuple[Any, ...]:
        """Different values, to try steps on."""
        different = {repr(value): value for value in self.values}
        return tuple(different.values())[:_MOST_TRIED]

    @property
    def texts(self) -> list[str]:
        return [value for value in self.tried if isinstance(value, str)]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field of the target that is no object: its path and its part of the schema."""

    path: KeyPath
    schema: Mapping[str, Any]
    required: bool

    @property
    def name(self) -> str:
        return ".".join(self.path)

    @property
    def kind(self) -> str:
        kind = self.schema.get("type")
        kinds = [k for k in kind if k != "null"] if isinstance(kind, list) else [kind]
        return str(kinds[0] or "any") if kinds else "any"

    @property
    def choosy(self) -> bool:
        """Whether few values fit."""
        keys = ("enum", "const", "pattern", "format")
        return any(key in self.schema for key in keys) or self.kind == "boolean"


@dataclass(frozen=True, slots=True)
class Conversion:
    """Steps, the share of different values that then fit, and what they leave open."""

    steps: Steps = ()
    share: float = 0.0
    warning: str = ""
    question: str = ""
    choices: Mapping[str, Steps] = field(default_factory=dict)


def step(name: str, **settings: Any) -> Mapping[str, Any]:
    return {"step": name, **{k: v for k, v in settings.items() if v not in ("", False, None)}}


def share_of(steps: Steps, column: Column, schema: Mapping[str, Any]) -> float:
    """The share of different values that the steps turn into what the schema allows."""
    if not column.tried:
        return 0.0
    return sum(_fits(steps, value, schema) for value in column.tried) / len(column.tried)


def _fits(steps: Steps, value: Any, schema: Mapping[str, Any]) -> bool:
    try:
        for each in steps:
            value = done(each, value)
    except (Unfit, BadPattern):
        return False
    return not issues_in([value], Wanted(schema), as_list=False)


def conversion(leaf: Leaf, column: Column, near: Nearness | None = None) -> Conversion:
    """The best steps from this column to this field; a share of 0 if there are none."""
    schema = leaf.schema
    if not column.values:
        return Conversion()
    if "enum" in schema or "const" in schema:
        made = _to_enum(leaf, column, near)
    elif leaf.kind == "boolean":
        yes, no, opposite = yes_and_no(column.tried, leaf.path[-1], column.path[-1])
        made = Conversion((step("yes or no", yes=yes, no=no, opposite=opposite),))
    elif leaf.kind in ("number", "integer"):
        made = _to_number(leaf, column)
    elif leaf.kind == "array":
        made = _to_list(leaf, column, near)
    elif leaf.kind == "string":
        made = _to_text(leaf, column)
    else:
        made = Conversion()
    if made.question:
        shares = [share_of(steps, column, schema) for steps in made.choices.values()]
        return replace(made, share=max(shares, default=0.0))
    return replace(made, share=share_of(made.steps, column, schema))


def _to_enum(leaf: Leaf, column: Column, near: Nearness | None) -> Conversion:
    wanted = leaf.schema.get("enum", [leaf.schema.get("const")])
    if all(any(value == w for w in wanted) for value in column.tried):
        return Conversion()
    tables, labels = enum_tables(column.tried, [w for w in wanted if w is not None], near)
    if len(tables) == 1:
        return Conversion((step("words", table=tables[0]),))
    choices = {
        label: (step("words", table=table),) for label, table in zip(labels, tables, strict=True)
    }
    values = ", ".join(sorted({str(v) for v in column.tried}))
    question = f"What do the values {values:.60} of {column.name} mean for {leaf.name}?"
    return Conversion(question=question, choices=choices)


def _to_list(leaf: Leaf, column: Column, near: Nearness | None) -> Conversion:
    items = leaf.schema.get("items", {})
    if all(isinstance(value, list) for value in column.tried):
        by, inner = "", [item for value in column.tried for item in value]
        first: Steps = ()
    else:
        marks = (";", "|", "\n", ",", "/")
        by = next((m for m in marks if sum(m in text for text in column.texts)), "")
        inner = [item for value in column.tried for item in done(step("list", by=by), value)]
        first = (step("list", by=by),)
    if not isinstance(items, dict) or not inner:
        return Conversion(first)
    part = conversion(Leaf(leaf.path, items, True), Column(column.path, tuple(inner)), near)
    each = tuple({**s, "each": True} for s in part.steps)
    if part.question:
        made = {k: (*first, *({**s, "each": True} for s in v)) for k, v in part.choices.items()}
        return Conversion(question=part.question, choices=made)
    return Conversion((*first, *each), warning=part.warning)


def _to_text(leaf: Leaf, column: Column) -> Conversion:
    form, pattern = leaf.schema.get("format", ""), leaf.schema.get("pattern", "")
    if re.fullmatch(r"\^?\\d\{4\}-\\d\{2\}-\\d\{2\}\$?", pattern):
        form = "date"
    if form in ("date", "date-time"):
        return _to_moment(column, form)
    simple: Steps = () if all(v == v.strip() for v in column.texts) else (step("text"),)
    if any(not isinstance(value, str) for value in column.tried):
        lists = any(isinstance(value, list) for value in column.tried)
        simple = (step("join", by=", "),) if lists else (step("text"),)
    options: list[Steps] = [simple]
    if form in ("email", "uuid", "time"):
        options.append((step(form),))
    if form in ("uri", "url"):
        options.append((step("link"),))
    if pattern or form == "phone":
        code = re.match(r"\^?(?:\(\?:)?\\\+(\d{1,3})(?![\d{])", pattern)
        options.append(
            (step("phone", prefix=f"+{code[1]}"),) if code else ({"step": "phone", "prefix": ""},)
        )
    if pattern:
        options.append((step("fit", pattern=pattern),))
        table = code_table(column.tried, pattern)
        if table:
            options.append((step("words", table=table),))
    best = max(options, key=lambda steps: share_of(steps, column, leaf.schema))
    warning = ""
    if best and best[0]["step"] == "link":
        warning = "https:// is put before addresses without a scheme"
    return Conversion(best, warning=warning)


def _to_moment(column: Column, form: str) -> Conversion:
    orders, warning = _orders(column)
    name = column.name
    if form == "date" and _has_times(column, orders[0]):
        warning = "; ".join(filter(None, (warning, "the time of day is left out")))
    if form == "date-time" and not _has_zones(column, orders[0]):
        warning = "; ".join(filter(None, (warning, "times without a zone are taken as UTC")))
    made = {order or "as written": (step(form, order=order),) for order in orders}
    if len(made) == 1:
        return Conversion(next(iter(made.values())), warning=warning)
    example = next(t for t in column.texts if moments.is_parted(t))
    question = f"Is {example} in {name} the day first or the month first? No record decides."
    return Conversion(question=question, choices=made, warning=warning)


def _orders(column: Column) -> tuple[list[str], str]:
    """The orders of day and month that all values allow; a warning where habit decides."""
    if (counted := _counted(column)) is not None:
        return [counted], f"numbers are taken as {counted} (UTC)"
    parted = [text for text in column.texts if moments.is_parted(text)]
    warning = "years of two digits are taken as 1970 to 2069"
    warning = warning if any(map(moments.short_year, parted)) else ""
    readings = [moments.orders(text) for text in parted if moments.orders(text)]
    day = any(r == {moments.DAY_FIRST} for r in readings)
    month = any(r == {moments.MONTH_FIRST} for r in readings)
    if not readings:
        return [""], warning
    if day != month:
        return [moments.DAY_FIRST if day else moments.MONTH_FIRST], warning
    both = [moments.DAY_FIRST, moments.MONTH_FIRST]
    if not day:
        same = all(
            moments.moment(text.split()[0], both[0]) == moments.moment(text.split()[0], both[1])
            for text in parted
            if len(moments.orders(text)) == 2
        )
        if same:
            return both[:1], warning
        spanish = column.spanish or bool(set(words_of(column.path[-1])) & _SPANISH_DATES)
        if spanish or all("." in text.split()[0] for text in parted):
            habit = "the day is taken to stand first, as in Spanish or with dots"
            return both[:1], "; ".join(filter(None, (warning, habit)))
    return both, warning


def _counted(column: Column) -> str | None:
    """Whether all values count seconds or milliseconds since 1970."""
    counts = []
    for value in column.tried:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        if isinstance(value, str) and not re.fullmatch(r"\d{9,13}(?:\.\d{1,9})?|0", value):
            return None
        counts.append(float(value))
    large = [count for count in counts if count]
    if large and all(1e8 <= count < 5e9 for count in large):
        return moments.SECONDS
    if large and all(1e11 <= count < 5e12 for count in large):
        return moments.MILLISECONDS
    return None


def _has_times(column: Column, order: str) -> bool:
    return any(
        time and time.replace(tzinfo=None).isoformat() != "00:00:00"
        for time in _times(column, order)
    )


def _has_zones(column: Column, order: str) -> bool:
    times = _times(column, order)
    return bool(times) and all(time and time.tzinfo for time in times)


def _times(column: Column, order: str) -> list[Any]:
    times = []
    for value in column.tried:
        try:
            times.append(moments.moment(value, order)[1])
        except Unfit:
            continue
    return times


def _to_number(leaf: Leaf, column: Column) -> Conversion:
    whole = (step("whole"),) if leaf.kind == "integer" else ()
    if all(isinstance(v, int) and not isinstance(v, bool) for v in column.tried):
        whole = ()
    if "year" in words_of(leaf.path[-1]) or "ano" in words_of(leaf.path[-1]):
        order = _orders(column)[0][0]
        dates = (step("year", order=order),)
        if column.texts and share_of(dates, column, leaf.schema) >= 0.5:
            return Conversion(dates)
    marks, units, percents = _marks(leaf, column), _units(leaf, column), _percents(leaf, column)
    if marks is None or units is None:
        return Conversion()
    choices: dict[str, Steps] = {}
    questions, warnings = [], []
    for (marks_label, mark), (unit_label, unit), (percent_label, percent) in (
        (m, u, p) for m in marks.options for u in units.options for p in percents.options
    ):
        label = ", ".join(filter(None, (marks_label, unit_label, percent_label)))
        reading = step("number", **mark, **unit, **{k: v for k, v in percent.items() if k != "by"})
        scaled = (step("times", by=percent["by"]),) if "by" in percent else ()
        plain_numbers = not column.texts and len(reading) == 1
        choices[label] = (
            *(() if plain_numbers else (reading,)),
            *scaled,
            *(whole if not scaled else ()),
        )
    for part in (marks, units, percents):
        questions += [part.question] if part.question else []
        warnings += [part.warning] if part.warning else []
    if not questions:
        return Conversion(next(iter(choices.values())), warning="; ".join(warnings))
    return Conversion(question=" ".join(questions), choices=choices, warning="; ".join(warnings))


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of a step that the values allow; several if they leave a question open."""

    options: Sequence[tuple[str, Mapping[str, Any]]]
    question: str = ""
    warning: str = ""


_SURE = Options((("", {}),))


def _marks(leaf: Leaf, column: Column) -> Options | None:
    readings = [(text, numbers.decimal_marks(text)) for text in column.texts]
    read = [(text, marks) for text, marks in readings if marks]
    if not read:
        return _SURE if len(column.texts) < len(column.tried) else None
    dots = sum(marks == {"."} for _, marks in read)
    commas = sum(marks == {","} for _, marks in read)
    if dots or commas:
        mark = "." if dots >= commas else ","
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


def _differs(text: str) -> bool:
    try:
        return numbers.number(text, mark=".") != numbers.number(text, mark=",")
    except Unfit:
        return False


def _units(leaf: Leaf, column: Column) -> Options | None:
    into = numbers.unit_of_name(leaf.path[-1], str(leaf.schema.get("description", "")))
    unit = numbers.unit_of_name(column.path[-1])
    read = [text for text in column.texts if numbers.decimal_marks(text)]
    written = [word for word in map(numbers.unit_in, read) if word]
    beside = set(written) if 2 * len(written) >= len(read) else set()
    if currency := _other_currency(leaf, column):
        return currency
    dimension = numbers.UNITS[into][0] if into else ""
    if not into:
        if beside == {"m"} and unit != "m":
            labels = [("m is metres", {"unit": "m"}), ("m is millions", {})]
            return Options(labels, f"What is m in {column.name}?")
        if unit in numbers.UNITS and numbers.UNITS[unit][0] == "money":
            return Options((("", {"unit": unit, "into": "whole"}),))
        if len(beside) > 1:
            labels = [(f"in {b}", {"unit": b, "into": b}) for b in sorted(beside)]
            return Options(labels, f"{column.name} has several units. Which has {leaf.name}?")
        if unit and beside <= {unit}:
            return Options(
                (("", {"unit": unit} if beside else {}),), warning=f"{leaf.name} stays in {unit}"
            )
        return Options((("", {"unit": next(iter(beside))}),)) if beside else _SURE
    if unit and numbers.UNITS[unit][0] != dimension:
        return None
    if unit or (read and len(written) == len(read)):
        return Options((("", {"unit": unit, "into": into} if unit != into or beside else {}),))
    if dimension == "money" and any(_has_fraction(v) for v in column.tried):
        return Options((("", {"unit": "whole", "into": into}),))
    if dimension == "time" and any(":" in text for text in column.texts):
        return Options((("", {"into": into}),))
    usual = _USUAL[dimension]
    labels = [
        (f"{column.name} is in {u}", {"unit": u, "into": into} if u != into else {}) for u in usual
    ]
    return Options(labels, f"In which unit is {column.name}? {leaf.name} is in {into}.")


_USUAL = {
    "mass": ("g", "kg", "lb", "oz"), "length": ("mm", "cm", "m", "km", "in", "ft", "mi"),
    "time": ("ms", "s", "min", "h"), "volume": ("ml", "l", "gal"), "size": ("b", "kb", "mb", "gb"),
    "speed": ("kmh", "mph"), "temperature": ("c", "f", "k"), "money": ("whole", "cent"),
}  # fmt: skip


def _has_fraction(value: Any) -> bool:
    return (isinstance(value, float) and value != int(value)) or (
        isinstance(value, str) and bool(re.search(r"[.,]\d{2}(?!\d)", value))
    )


def _other_currency(leaf: Leaf, column: Column) -> Options | None:
    """A question where amounts would get another currency, or one that nothing states."""
    wanted = numbers.currency_of_name(leaf.path[-1])
    given = {c for c in map(numbers.currency_in, column.texts) if c}
    given |= {numbers.currency_of_name(column.path[-1])} - {""}
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
    if share and given & _PERCENTS and any(v > 1 for v in raw):
        return Options((("", {"by": 0.01}),))
    percent = bool(words & _PERCENTS)
    if percent and given & _SHARES and raw and all(0 <= v <= 1 for v in raw):
        return Options((("", {"by": 100}),))
    return _SURE
