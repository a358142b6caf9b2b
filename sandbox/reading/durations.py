"""Reads durations that are added, times of day at which something ends, ages and leap years."""

from dataclasses import replace
from itertools import pairwise

from sandbox.reading import lexicon
from sandbox.reading.clocks import take_clocks
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood, Rule, calculation
from sandbox.reading.tokens import MONTHS
from sandbox.reading.units import Quantity, take_quantities
from sandbox.spec import Spec

_HOURS = {"hour": 1.0, "minute": 1 / 60, "second": 1 / 3600}


def _durations(reader: Reader) -> list[Quantity]:
    """Durations in hours, minutes and seconds; none if another quantity is among them."""
    quantities = take_quantities(reader)
    return quantities if all(q.unit in _HOURS for q in quantities) else []


def _sum(reader: Reader) -> Spec | None:
    if reader.free("date"):
        return None
    parts = _durations(reader)
    if len(parts) < 2:
        return None
    signs, all_written = [1.0], True
    for before, part in pairwise(parts):
        between = reader.tokens[before.last + 1 : part.first]
        minus = any(token.means("sum_minus") for token in between)
        plus = any(token.means("sum_plus") and token.stem not in ("and", "y") for token in between)
        all_written = all_written and (minus or plus)
        signs.append(-1.0 if minus else 1.0)
    if not reader.take_all("sum_asked") and not all_written:
        return None
    reader.take_all("sum_plus", "sum_minus")
    reader.label(parts[0].first)
    hours = tuple(part.value * _HOURS[part.unit] for part in parts)
    return calculation("duration_total", {"hours": hours, "signs": tuple(signs)})


def _end(reader: Reader) -> Spec | None:
    """The time of day so long after, or before, a time of day."""
    clocks = take_clocks(reader)
    if len(clocks) == 1 and _asks_the_start(reader):
        raise NotUnderstood("when something starts is not worked out: ask when it ends")
    lasting = _durations(reader)
    if len(clocks) != 1 or len(lasting) != 1 or not reader.take_all("end_asked"):
        return None
    sign = -1.0 if reader.take_all("back_word") else 1.0
    reader.take_all("lasts_word", "date_scene", "clock_span")
    hours = sign * lasting[0].value * _HOURS[lasting[0].unit]
    return calculation("clock_end", {"start": clocks[0], "hours": hours})


_STARTS = frozenset(
    """leave start starts started begin begins began depart departs left salir salgo sale empezar
    empieza empezo comienza comenzar sali salimos starting go set""".split()
)


def _asks_the_start(reader: Reader) -> bool:
    """Whether the time is an end, or a start is asked for: `be there at 9:00, when do I leave?`"""
    clock = min(reader.taken)
    before = range(max(0, clock - 3), clock)
    if any(
        reader.tokens[i].means("end_asked") and " " not in reader.tokens[i].text for i in before
    ):
        return True
    question = False
    for i, token in enumerate(reader.tokens):
        question = question or token.means("end_asked")
        words = {lexicon.plain(word) for word in token.text.split()}
        if question and i not in before and words & _STARTS:
            return True
    return False


def _age(reader: Reader) -> Spec | None:
    if not reader.take_all("age_asked"):
        return None
    dates = [reader.tokens[i].date for i in reader.free("date")]
    if len(dates) == 1 and dates[0] is not None:
        raise NotUnderstood("say the day on which the age is asked, such as 1 June 2025")
    if len(dates) != 2 or None in dates:
        return None
    for place in reader.free("date"):
        reader.at(place)
    reader.take_all("birth_word", "date_scene", "between_word")
    first, last = sorted(str(date) for date in dates)
    return calculation("age", {"birth": first, "day": last})


def _year(reader: Reader) -> Spec | None:
    """Whether a year is a leap year, and how many days a month has."""
    leap = bool(reader.take_all("leap_word"))
    months = [i for i in range(len(reader.tokens)) if _month(reader, i)]
    if len(months) > 1:
        raise NotUnderstood("the days of several months are not added: ask for each month")
    month = next(iter(months), None)
    if not leap and (month is None or not reader.take_all("month_length")):
        return None
    year = reader.only_number("")
    if year is None or not 1 <= year.value <= 9999 or year.value != int(year.value):
        return None
    if leap:
        return calculation("leap_year", {"year": year.value})
    assert month is not None  # one of the two was asked for
    reader.taken.add(month)
    return calculation("month_length", {"year": year.value, "month": _month(reader, month)})


def _month(reader: Reader, place: int) -> int:
    return MONTHS.get(lexicon.plain(reader.tokens[place].text), 0)


_RULES = (
    Rule(
        "a sum of durations", frozenset({"sum_asked", "sum_plus", "sum_minus"}), _sum,
        "durations such as 1 h 45 min, with plus or minus between them",
    ),
    Rule(
        "the time at which something ends", frozenset({"end_asked"}), _end,
        "one time such as 19:40, and one duration",
    ),
    Rule("an age", frozenset({"age_asked"}), _age, "the date of birth, and another date"),
    Rule("days of a year", frozenset({"leap_word", "month_length"}), _year, "a year, a month"),
)  # fmt: skip
RULES = tuple(replace(rule, words="dates") for rule in _RULES)
