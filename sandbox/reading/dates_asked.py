"""Reads questions about dates, days between them, and times of day."""

from dataclasses import dataclass
from itertools import pairwise

from sandbox.reading import lexicon, phrases
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood, Rule, calculation
from sandbox.spec import Spec

_UNITS = {"day_unit": "days", "week_unit": "weeks", "month": "months", "year": "years"}


def _dates(reader: Reader) -> list[str]:
    dates = []
    for place in reader.free("date"):
        date = reader.at(place).date
        if date is None:
            raise NotUnderstood(reader.tokens[place].unclear)
        dates.append(date.isoformat())
    return dates


def _between(reader: Reader) -> Spec | None:
    working = bool(reader.take_all("working_days"))
    unit = "weeks" if reader.take_all("weeks_between") else "days"
    if not (working or unit == "weeks" or reader.take_all("days_between", "day_unit")):
        return None
    dates = _dates(reader)
    if len(dates) != 2 or dates[0] > dates[1]:
        return None
    for before, token in pairwise(reader.tokens):
        if token.means("day_unit", "days_between") and (
            before.means("scene") or before.kind == "word"
        ):
            raise NotUnderstood(f"`{before.text}` before `{token.text}` is not understood")
    inclusive = bool(reader.take_all("inclusive"))
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


def _shifted(reader: Reader) -> Spec | None:
    if len(reader.free("date")) != 1 or not reader.has("later", "earlier"):
        return None
    amounts: dict[str, float] = {}
    for concept, name in _UNITS.items():
        amount = phrases.value(reader, f"#n. {concept}")
        if amount is not None:
            amounts[name] = amount
    sign = -1 if reader.take_all("earlier") else 1
    if not reader.take_all("later") and sign > 0:
        return None
    if not amounts or (sign < 0 and reader.has("later")):
        return None
    if not reader.take_all("date_asked", "weekday_asked"):
        return None
    date = _dates(reader)[0]
    reader.take_all("date_scene")
    return calculation(
        "date_shifted", {"date": date, "sign": sign, "spanish": reader.language == "es", **amounts}
    )


def _weekday(reader: Reader) -> Spec | None:
    if not reader.take_all("weekday_asked"):
        return None
    dates = _dates(reader)
    if len(dates) != 1:
        return None
    reader.take_all("date_scene", "date_asked")
    return calculation("weekday_of", {"date": dates[0], "spanish": reader.language == "es"})


@dataclass(frozen=True, slots=True)
class _Clock:
    """Two numbers with a colon: 21:45, or 24 minutes and 31 seconds."""

    first: float
    second: float

    @property
    def text(self) -> str:
        return f"{self.first:g}:{self.second:02g}"


def _clocks(reader: Reader) -> list[_Clock]:
    clocks = []
    for place in reader.free("number"):
        if place + 2 >= len(reader.tokens) or place in reader.taken:
            continue
        first, colon, second = reader.tokens[place : place + 3]
        joined = first.end == colon.start and colon.end == second.start
        if colon.stem == ":" and second.kind == "number" and joined and 0 <= second.value < 60:
            reader.taken.update((place, place + 1, place + 2))
            clocks.append(_of_the_half_day(reader, place + 3, _Clock(first.value, second.value)))
    if any(token.text.lower().rstrip(".") in _HALVES for token in reader.left()):
        raise NotUnderstood("write every time with its minutes, such as 9:00 am or 17:30")
    return clocks


_HALVES = frozenset({"am", "pm", "a.m", "p.m"})


def _of_the_half_day(reader: Reader, place: int, clock: _Clock) -> _Clock:
    """The time of a whole day: 5:30 pm is 17:30."""
    half = reader.tokens[place].text.lower() if place < len(reader.tokens) else ""
    if half not in ("am", "pm"):
        return clock
    reader.taken.add(place)
    if not 1 <= clock.first <= 12:
        raise NotUnderstood(f"there is no {clock.text} {half}: write 1:00 to 12:59, or 17:30 alone")
    return _Clock(clock.first % 12 + (12 if half == "pm" else 0), clock.second)


def _span(reader: Reader) -> Spec | None:
    clocks = _clocks(reader)
    if len(clocks) != 2 or any(clock.first >= 24 for clock in clocks):
        return None
    half = 30.0 if reader.take("half_hour") else None
    minutes = phrases.value(reader, "#n. unit:minute") if half is None else half
    if minutes is not None and not reader.take_all("break_word"):
        return None
    if not reader.take_all("clock_span"):
        return None
    reader.take_all("date_scene", "between_word", "break_word")
    start, end = (clock.text for clock in clocks)
    return calculation("clock_span", {"start": start, "end": end, "pause": minutes or 0.0})


_OF_MINUTES = frozenset(
    {"min", "sec", "seg", "min : sec", "min : seg", "mm : ss", "parkrun", "lap", "vuelta"}
    | {lexicon.stem("minutes") + " and " + lexicon.stem("seconds")}
    | {lexicon.stem("minutos") + " y " + lexicon.stem("segundos")}
)


def _clock_mean(reader: Reader) -> Spec | None:
    clocks = _clocks(reader)
    if len(clocks) < 2 or not reader.take_all("clock_mean"):
        return None
    scene = reader.take_all("clock_scene")
    hour = all(int(clock.text.split(":")[0]) <= 24 for clock in clocks)
    if hour and not any(token.stem in _OF_MINUTES for token in scene):
        raise NotUnderstood(
            f"{clocks[0].text} may be hours or minutes: add `min:sec`, or write minutes alone"
        )
    return calculation("mean_time", {"times": tuple(clock.text for clock in clocks)})


_DATES = frozenset(
    {"days_between", "weeks_between", "working_days", "weekday_asked", "date_asked", "day_unit"}
)
RULES: tuple[Rule, ...] = (
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
