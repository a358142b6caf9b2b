"""Reads flows of payments, their net present value, and their internal rate of return.

Flows are a list that begins with what is paid (`-1000, 400, 700`), or what is paid today and what
comes back: a list, so much a year for so many years, or an amount for each numbered year.
"""

from sandbox.reading import phrases
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood, Rule, calculation
from sandbox.reading.tokens import Token
from sandbox.spec import Analysis, Spec

Flows = tuple[float, ...]


def _numbered(reader: Reader) -> Flows | None:
    """Flows by their years: `year 0: -100, year 1: 60`, or `60 in year 1`, without a gap."""
    pairs = phrases.take_every(reader, "year #k. #f$.", "#f$. at_end_of? year #k.")
    by_year = {pair["k"].value: pair["f"].value for pair in pairs}
    if len(pairs) < 2 or len(by_year) != len(pairs):
        return None
    first = min(by_year)
    if first not in (0.0, 1.0) or sorted(by_year) != [first + n for n in range(len(by_year))]:
        raise NotUnderstood("the flows need an amount for each year, from year 0 or 1 on")
    values = tuple(by_year[year] for year in sorted(by_year))
    if first == 0.0:
        return values
    paid = _paid_today(reader)
    return (paid, *values) if paid is not None else None


def _paid_today(reader: Reader) -> float | None:
    """What is paid at the beginning, as a number below 0."""
    free = [reader.tokens[i] for i in reader.free("number")]
    negative = [token for token in free if token.value < 0 and token.unit in ("", "$")]
    if len(negative) == 1:
        reader.taken.add(next(i for i, t in enumerate(reader.tokens) if t is negative[0]))
        return negative[0].value
    already = set(reader.taken)
    paid = phrases.take(reader, "outlay * #x$.", "#x$. outlay", "#x$. today_word")
    if paid is not None:
        reader.label(min(reader.taken - already))
    if paid is None or paid["x"].value < 0:
        return None
    reader.take_all("outlay", "today_word")
    return -paid["x"].value


def _received(reader: Reader) -> Flows | None:
    """What comes back, from the end of the first year on."""
    lists = [i for i in reader.free("list") if reader.tokens[i].unit in ("", "$")]
    if len(lists) == 1:
        values = reader.at(lists[0]).values
        span = phrases.take(reader, "year #a. 'to|'through|'a|'al|- #b.", "#a. 'to|- #b. year")
        years = phrases.take(reader, "#n. year") if span is None else None
        count = years["n"].value if years else None
        if span is not None:
            count = span["b"].value if span["a"].value == 1 else -1
        if count is not None and count != len(values):
            raise NotUnderstood(f"{count:g} years do not fit to {len(values)} flows")
        return values
    same = phrases.take(
        reader, "#c$. each_year at_end_of? #n. year", "each_year inflow? #c$. at_end_of? #n. year",
        "#c$. at_end_of? #n. year each_year?", "#n. year inflow? #c$. each_year",
        "each_year * #c$. at_end_of? #n. year", "#n. each_year inflow #c$.", "#n. each_year #c$.",
        "inflow * #c$. * at_end_of? #n. year",
    )  # fmt: skip
    if same and same["n"].value == int(same["n"].value) and 1 <= same["n"].value <= 500:
        return (same["c"].value,) * int(same["n"].value)
    pair = phrases.take(reader, "#a$. 'and|'y #b$.")
    return (pair["a"].value, pair["b"].value) if pair else None


def take_flows(reader: Reader) -> Flows | None:
    lists = reader.free("list")
    if len(lists) == 1 and reader.tokens[lists[0]].values[0] < 0:
        reader.label(lists[0])
        return reader.at(lists[0]).values
    numbered = _numbered(reader)
    if numbered:
        return numbered
    paid = _paid_today(reader)
    received = _received(reader) if paid is not None else None
    if paid is None or received is None:
        return None
    last = phrases.take(reader, "salvage #s$.", "#s$. salvage")
    reader.take_all("salvage")
    if last:
        received = (*received[:-1], received[-1] + last["s"].value)
    return (paid, *received)


def _rate(reader: Reader) -> Token | None:
    """The rate in percent, or as a share, such as `rate = 0.07`."""
    match = phrases.take(reader, "rate_word #r.") if not _percents(reader) else None
    return match["r"] if match and match["r"].value < 1 else reader.only_number("%")


def _percents(reader: Reader) -> bool:
    return any(reader.tokens[i].unit == "%" for i in reader.free("number"))


def _values(reader: Reader) -> Spec | None:
    """The net present value and the internal rate of return, whichever are asked for."""
    wants = [concept for concept in ("npv", "irr") if reader.take_all(concept)]
    if not wants:
        return None
    rate = _rate(reader)
    flows = take_flows(reader)
    if flows is None:
        raise NotUnderstood("the flows are missing: what is paid today, and what comes each year")
    if "npv" in wants and rate is None:
        raise NotUnderstood("a net present value needs a rate in percent")
    if "npv" not in wants and rate is not None:
        return None
    reader.take_all("in_percent", "as_percent")
    reader.take_all("flow_words", "yearly", "rate_word", "each_year", "inflow", "outlay", "at_end_of", "discounting", "today_word", "year")  # fmt: skip
    if "npv" not in wants:
        return calculation("irr", {"flows": flows})
    assert rate is not None  # refused above
    value = Analysis("npv", parameters={"rate": rate.value, "flows": flows})
    assumed = ("the first flow is today",)
    if "irr" not in wants:
        return Spec("calculate", analyses=(value,), assumed=assumed)
    return Spec(
        "calculate", analyses=(value, Analysis("irr", parameters={"flows": flows})), assumed=assumed
    )


RULES = (
    Rule(
        "a net present value or an internal rate of return", frozenset({"irr", "npv"}), _values,
        "what is paid today, and what comes back each year: a list, or so much a year",
    ),
)  # fmt: skip
