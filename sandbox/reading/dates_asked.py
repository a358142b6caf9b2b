"""Reads questions about dates, days between them, and times of day."""

import datetime as dt
from dataclasses import replace
from itertools import pairwise

from sandbox.reading import lexicon, phrases
from sandbox.reading.clocks import take_clocks
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood, Rule, calculation
from sandbox.reading.tokens import MONTHS
from sandbox.spec import Spec

_UNITS = {"day_unit": "days", "week_unit": "weeks", "month": "months", "year": "years"}


def _dates(reader: Reader) -> list[str]:
    dates = []
    for place in reader.free("date"):
        date = reader.at(place).date
        if date is None:
            raise NotUnderstood(reader.tokens[place].unclear)
        begun = _begun(reader, place, date)
        dates += [begun.isoformat()] if begun else []
        dates.append(date.isoformat())
    return dates


def _begun(reader: Reader, place: int, last: dt.date) -> dt.date | None:
    """The first day in `from 3 to 28 March 2025` or `del 3 de marzo al 28 de abril de 2025`."""
    if place < 2 or reader.tokens[place - 1].text.lower() not in _TO:
        return None
    day, month, at = None, last.month, place - 2
    while at >= 0 and (day is None or month == last.month):
        token = reader.tokens[at]
        named = MONTHS.get(lexicon.plain(token.text), 0)
        if token.kind == "number" and day is None and token.unit in ("", "th"):
            day = token.value
        elif named and month == last.month:
            month = named
        elif token.text.lower() not in ("de", "of"):
            break
        at -= 1
    if day is None or day != int(day) or not 1 <= day <= 31:
        return None
    reader.taken.update(range(at + 1, place))
    try:
        first = dt.date(last.year, month, int(day))
    except ValueError:
        raise NotUnderstood(f"there is no day {day:g} in this month") from None
    return first if first < last else None


_TO = frozenset({"al", "to", "a", "-", "until", "through", "till", "hasta", "and", "y"})


def _between(reader: Reader) -> Spec | None:
    working = bool(reader.take_all("working_days"))
    unit = "weeks" if reader.take_all("weeks_between") else "days"
    if not (working or unit == "weeks" or reader.take_all("days_between", "day_unit")):
        return None
    dates = _dates(reader)
    if len(dates) != 2 or dates[0] > dates[1]:
        return None
    named = next((t.text for t in reader.tokens if lexicon.plain(t.text) in _WEEKDAYS), "")
    if named and not working:
        raise NotUnderstood(f"`{named}` is not understood: only working days are counted")
    for before, token in pairwise(reader.tokens):
        if token.means("day_unit", "days_between") and (
            before.means("scene") or before.kind == "word"
        ):
            raise NotUnderstood(f"`{before.text}` before `{token.text}` is not understood")
    inclusive = bool(reader.take_all("inclusive"))
    if not inclusive and any(t.text.lower() == "through" for t in reader.tokens):
        raise NotUnderstood("say whether both days are included: `both included`")
    reader.take_all("between_word", "date_scene", "days_between", "day_unit", "week_unit")
    if working:
        if not inclusive:
            raise NotUnderstood("say whether both days are included: `both included`")
        return calculation("working_days", {"first": dates[0], "last": dates[1]})
    assumed = () if inclusive else ("the first day is not counted",)
    return calculation(
        "days_between",
        {"first": dates[0], "last": dates[1], "inclusive": inclusive, "unit": unit},
        *assumed,
    )


_WEEKDAYS = frozenset(
    """monday mondays tuesday tuesdays wednesday wednesdays thursday thursdays friday fridays saturday
    saturdays sunday sundays weekend weekends lunes martes miercoles jueves viernes sabado sabados
    domingo domingos""".split()
)


def _shifted(reader: Reader) -> Spec | None:
    if len(reader.free("date")) != 1 or not reader.has("later", "earlier"):
        return None
    amounts: dict[str, float] = {}
    for concept, name in _UNITS.items():
        lengths = {match["n"].value for match in phrases.take_every(reader, f"#n. {concept}")}
        if len(lengths) > 1:
            return None
        if lengths:  # perhaps twice: `valid for 90 days; what is 90 days later?`
            amounts[name] = lengths.pop()
    sign = -1 if reader.take_all("earlier") else 1
    if not reader.take_all("later") and sign > 0:
        return None
    if not amounts or (sign < 0 and reader.has("later")):
        return None
    added = reader.has("op_plus") or any(t.stem in _ADDING for t in reader.tokens)
    if not reader.take_all("date_asked", "weekday_asked") and not added:
        return None
    date = _dates(reader)[0]
    reader.take_all("date_scene")
    return calculation(
        "date_shifted", {"date": date, "sign": sign, "spanish": reader.language == "es", **amounts}
    )


_ADDING = frozenset({"+", "plus", "add", "mas", "suma", "sumale", "anade", "agrega"})


def _weekday(reader: Reader) -> Spec | None:
    if not reader.take_all("weekday_asked"):
        return None
    dates = _dates(reader)
    if len(dates) != 1:
        return None
    reader.take_all("date_scene", "date_asked")
    return calculation("weekday_of", {"date": dates[0], "spanish": reader.language == "es"})


def _hours(clock: str) -> int:
    return int(clock.partition(":")[0])


def _span(reader: Reader) -> Spec | None:
    clocks = take_clocks(reader)
    if len(clocks) != 2 or any(_hours(clock) >= 24 for clock in clocks):
        return None
    if len({t.stem for t in reader.tokens if lexicon.plain(t.text) in _WEEKDAYS}) > 1:
        raise NotUnderstood("times on different days are not understood: say the dates")
    half = 30.0 if reader.take("half_hour") else None
    minutes = phrases.value(reader, "#n. unit:minute") if half is None else half
    if minutes is not None and not reader.take_all("break_word"):
        return None
    if not reader.take_all("clock_span"):
        return None
    reader.take_all("date_scene", "between_word", "break_word")
    start, end = clocks
    return calculation("clock_span", {"start": start, "end": end, "pause": minutes or 0.0})


_OF_MINUTES = frozenset(
    {"min", "sec", "seg", "min : sec", "min : seg", "mm : ss", "parkrun", "lap", "vuelta"}
    | {lexicon.stem("minutes") + " and " + lexicon.stem("seconds")}
    | {lexicon.stem("minutos") + " y " + lexicon.stem("segundos")}
)


def _clock_mean(reader: Reader) -> Spec | None:
    clocks = take_clocks(reader)
    if len(clocks) < 2 or not reader.take_all("clock_mean"):
        return None
    scene = reader.take_all("clock_scene")
    hour = all(_hours(clock) <= 24 for clock in clocks)
    if hour and not any(token.stem in _OF_MINUTES for token in scene):
        raise NotUnderstood(
            f"{clocks[0]} may be hours or minutes: add `min:sec`, or write minutes alone"
        )
    return calculation("mean_time", {"times": tuple(clocks)})


_DATES = frozenset(
    {"days_between", "weeks_between", "working_days", "weekday_asked", "date_asked", "day_unit"}
)
_RULES: tuple[Rule, ...] = (
    Rule(
        "the days between two dates", _DATES, _between,
        "two dates such as 3 March 2025, and whether both are included",
    ),
    Rule(
        "a date so many days later", _DATES, _shifted,
        "one date, and how many days, weeks, months or years before or after it",
    ),
    Rule("the day of the week", frozenset({"weekday_asked"}), _weekday, "one date"),
    Rule(
        "the time between two times of day", frozenset({"clock_span"}), _span,
        "two times such as 21:45, and a break",
    ),
    Rule("the mean of times", frozenset({"clock_mean"}), _clock_mean, "times such as 24:31"),
)  # fmt: skip
RULES = tuple(replace(rule, words="dates") for rule in _RULES)
