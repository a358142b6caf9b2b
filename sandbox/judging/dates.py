"""Works dates out again by walking over days, with the weekday by Zeller's rule."""

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

Figures = Mapping[str, Any]
_NAMES = ("Saturday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_NOMBRES = ("sábado", "domingo", "lunes", "martes", "miércoles", "jueves", "viernes")
_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MOST_DAYS = 1_000_000


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _length(year: int, month: int) -> int:
    return 29 if month == 2 and _leap(year) else _LENGTHS[month - 1]


def _parts(date: str) -> tuple[int, int, int]:
    year, month, day = map(int, date.split("-"))
    return year, month, day


def _number(date: str) -> int:
    """The days since a day long ago, counted month by month."""
    year, month, day = _parts(date)
    years = 365 * (year - 1) + (year - 1) // 4 - (year - 1) // 100 + (year - 1) // 400
    return years + sum(_length(year, m) for m in range(1, month)) + day


def _weekday(date: str, *, spanish: bool = False) -> str:
    """The weekday by Zeller's congruence."""
    year, month, day = _parts(date)
    if month < 3:
        year, month = year - 1, month + 12
    of_century, century = year % 100, year // 100
    h = day + 13 * (month + 1) // 5 + of_century + of_century // 4 + century // 4 + 5 * century
    return (_NOMBRES if spanish else _NAMES)[h % 7]


def _next(date: tuple[int, int, int], step: int) -> tuple[int, int, int]:
    year, month, day = date
    day += step
    if day < 1:
        month -= 1
        year, month = (year - 1, 12) if month < 1 else (year, month)
        return year, month, _length(year, month)
    if day > _length(year, month):
        return (year + 1, 1, 1) if month == 12 else (year, month + 1, 1)
    return year, month, day


def _between(first: str, last: str, inclusive: bool, unit: str) -> Figures:
    days = _number(last) - _number(first) + (1 if inclusive else 0)
    return {"weeks": days / 7, "days": days} if unit == "weeks" else {"days": days}


def _working(first: str, last: str) -> Figures:
    begun = _number(first)
    count = 0
    for n in range(_number(last) - begun + 1):
        # Day 1 of the count, 1 January of the year 1, is a Monday.
        count += (begun + n - 1) % 7 < 5
    return {"days": count}


def _shifted(
    date: str,
    sign: int,
    days: float = 0,
    weeks: float = 0,
    months: float = 0,
    years: float = 0,
    spanish: bool = False,
) -> Figures:
    year, month, day = _parts(date)
    for _ in range(int(months + 12 * years)):
        month += sign
        year, month = (
            (year + 1, 1) if month > 12 else (year - 1, 12) if month < 1 else (year, month)
        )
    current = (year, month, min(day, _length(year, month)))
    for _ in range(int(days + 7 * weeks)):
        current = _next(current, sign)
    text = f"{current[0]:04}-{current[1]:02}-{current[2]:02}"
    return {"date": text, "weekday": _weekday(text, spanish=spanish)}


def _seconds(clock: str) -> int:
    """A time such as 21:45 in its smaller unit."""
    return sum(int(part) * 60**n for n, part in enumerate(reversed(clock.split(":"))))


def _span(start: str, end: str, pause: float) -> Figures:
    begun, ended = _seconds(start), _seconds(end)
    minutes = ended - begun + (1440 if ended < begun else 0) - pause
    hours, rest = divmod(Fraction(minutes), 60)
    text = f"{hours}:{math.floor(rest):02d}"
    return {"hours": float(Fraction(minutes) / 60), "minutes": minutes, "duration": text}


def _mean_time(times: Sequence[str]) -> Figures:
    mean = Fraction(sum(map(_seconds, times)), len(times))
    minutes, rest = divmod(mean, 60)
    return {
        "seconds": float(mean),
        "time": f"{minutes}:{math.floor(rest):02d}",
        "minutes": float(mean / 60),
    }


def _total(hours: Sequence[float], signs: Sequence[float]) -> Figures:
    """Whole seconds, each duration rounded by itself."""
    rounded = [math.floor(3600 * part + 0.5) for part in hours]
    seconds = sum(n if sign > 0 else -n for n, sign in zip(rounded, signs, strict=True))
    minutes, rest = divmod(seconds, 60)
    text = f"{minutes // 60}:{minutes % 60:02d}" + (f":{rest:02d}" if rest else "")
    return {"hours": seconds / 3600, "minutes": seconds / 60, "duration": text}


def _clock_end(start: str, hours: float) -> Figures:
    """Minute by minute from the start on."""
    clock, days = _seconds(start), 0
    for _ in range(math.floor(60 * abs(hours) + 0.5)):
        clock += 1 if hours > 0 else -1
        if not 0 <= clock < 1440:
            days, clock = days + (1 if hours > 0 else -1), clock % 1440
    hour, minute = divmod(clock, 60)
    twelve = 12 if hour % 12 == 0 else hour % 12
    half = "pm" if hour >= 12 else "am"
    return {
        "time": f"{hour:02}:{minute:02}",
        "days_later": days,
        "time_12_hours": f"{twelve}:{minute:02} {half}",
    }


def _age(birth: str, day: str) -> Figures:
    """The months that can be added to the birth without passing the day, and the days left."""
    (year, month, born), now = _parts(birth), _parts(day)
    months = 0
    while True:
        ahead = (month + months) % 12 + 1, year + (month + months) // 12
        if (ahead[1], ahead[0], born) > now:
            break
        months += 1
    at, of = (month - 1 + months) % 12 + 1, year + (month - 1 + months) // 12
    begun = f"{of:04}-{at:02}-{min(born, _length(of, at)):02}"
    years, rest = divmod(months, 12)
    return {"years": years, "months": rest, "days": _number(day) - _number(begun)}


EXPECTED: Mapping[str, Callable[..., Figures]] = {
    "days_between": _between,
    "working_days": _working,
    "date_shifted": _shifted,
    "weekday_of": lambda date, spanish=False: {"weekday": _weekday(date, spanish=spanish)},
    "clock_span": _span,
    "mean_time": _mean_time,
    "duration_total": _total,
    "clock_end": _clock_end,
    "age": _age,
    "leap_year": lambda year: {"leap_year": _leap(int(year))},
    "month_length": lambda year, month: {"days": _length(int(year), int(month))},
}


def _no_shift(date: str, sign: int, spanish: bool = False, **amounts: float) -> str:
    whole = all(amount == int(amount) >= 0 for amount in amounts.values())
    days = sum(
        amount * {"days": 1, "weeks": 7, "months": 30, "years": 366}[unit]
        for unit, amount in amounts.items()
    )
    if not whole or days > _MOST_DAYS:
        return "days, weeks, months and years are whole numbers, at most a million days in all"
    earliest, latest = dt.date.min.toordinal() + days, dt.date.max.toordinal() - days
    inside = earliest < dt.date.fromisoformat(date).toordinal() < latest
    del sign, spanish
    return "" if inside else "this lies outside the calendar, which has the years 1 to 9999"


IMPOSSIBLE: Mapping[str, Callable[..., str]] = {
    "date_shifted": _no_shift,
    "duration_total": lambda hours, signs: (
        ""
        if 0 <= sum(a * b for a, b in zip(hours, signs, strict=True)) < 1e5
        else "the sum of these durations is below 0, or too long"
    ),
    "clock_end": lambda start, hours: (
        "" if _seconds(start) < 1440 and abs(hours) < 1000 else "there is no such time of day"
    ),
    "clock_span": lambda start, end, pause: (
        ""
        if (_seconds(end) - _seconds(start)) % 1440 > pause
        else "the break is longer than the time"
    ),
}
