"""Reads requests for a time series: its length and step, and its level, trend, season and noise.

What the request leaves open gets a usual size, which `assumed` tells.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from sandbox.reading.budget import spend
from sandbox.reading.records_marks import span, whole
from sandbox.reading.records_scan import Scan
from sandbox.reading.rules import NotUnderstood
from sandbox.spec import Series, Spec

Step = Literal["hour", "day", "week", "month"]
_STEPS: dict[str, Step] = {
    "hour_step": "hour", "day_step": "day", "week_step": "week", "month_step": "month",
}  # fmt: skip
_SPANS = {
    "hour_step": "hour", "day_step": "day", "week_step": "week", "month_step": "month",
    "quarter_step": "quarter", "year_step": "year",
}  # fmt: skip
_UNITS = {"hours": "hour", "days": "day", "weeks": "week", "months": "month", "years": "year"}
_LENGTHS = {  # steps in a span
    ("hour", "day"): 24, ("hour", "week"): 168, ("hour", "month"): 730, ("hour", "year"): 8760,
    ("day", "week"): 7, ("day", "month"): 30, ("day", "quarter"): 91, ("day", "year"): 365,
    ("week", "month"): 4, ("week", "quarter"): 13, ("week", "year"): 52,
    ("month", "quarter"): 3, ("month", "year"): 12,
}  # fmt: skip
_USUAL_SEASON = {"hour": 24, "day": 7, "week": 52, "month": 12}
_TIMES = frozenset(
    {"date", "time", "month", "day", "week", "hour", "fecha", "mes", "dia", "día", "hora"}
)
_MOST = 100_000
_MARKS = frozenset(".,;:?!()[]\n\"'¿¡-*=")


@dataclass(slots=True)
class _Parts:
    """What a request says about the series."""

    step: Step | None = None
    count: int | None = None
    lasts: tuple[float, str] | None = None  # such as 3 years
    start: dt.date | None = None
    end: dt.date | None = None
    level: float | None = None
    trend: float | None = None  # None: the request says nothing about a trend
    rises: int = 0  # the direction of a trend without a size
    growth: float = 0.0
    per: str = ""
    season: str = ""  # its span; "?": the request does not say
    period: int | None = None
    amplitude: float | None = None
    noise: float | None = None
    noisy: bool | None = None
    names: list[str] = field(default_factory=list)


def read_series(scan: Scan) -> Spec:
    parts = _Parts()
    i = 0
    while i < len(scan.tokens):
        spend()
        token = scan.tokens[i]
        scan.wanted = scan.wanted or token.means("make")
        end = whole(scan, i) or next((end for read in _READERS if (end := read(scan, i, parts))), 0)
        if not end and not (
            not token.means("beyond")
            and (
                scan.idle(i) or token.means("make", "record", "series_noun") or token.stem in _MARKS
            )
        ):
            scan.unknown.append(token)
        i = end or i + 1
    if scan.unknown:
        unknown = tuple(dict.fromkeys(token.text for token in scan.unknown))
        listed = ", ".join(f"`{word}`" for word in unknown[:5])
        raise NotUnderstood(f"{listed} is not understood in a request for a time series", unknown)
    return _spec(scan, parts)


def _season(scan: Scan, i: int, parts: _Parts) -> int:
    """Read `weekly seasonality with amplitude 10`, `a season of period 12`."""
    adjective = next((span for concept, span in _SPANS.items() if scan.means(i, concept)), "")
    if adjective and scan.means(i + 1, "season"):
        return _put_season(parts, adjective, i + 2)
    if scan.means(i, "season"):
        named = next((_ADJECTIVES[word] for word in scan.low(i).split() if word in _ADJECTIVES), "")
        return _put_season(parts, named or parts.season or "?", i + 1)
    for concept in ("amplitude", "season_length"):
        value = scan.number(scan.after_glue(i + 1)) if scan.means(i, concept) else None
        if value is not None:
            if concept == "amplitude":
                parts.amplitude = value
            elif value == int(value):
                parts.period = int(value)
            parts.season = parts.season or "?"
            return scan.after_glue(i + 1) + 1
    return 0


_ADJECTIVES = {
    "daily": "day", "weekly": "week", "monthly": "month", "yearly": "year", "diario": "day",
    "semanal": "week", "mensual": "month", "anual": "year",
}  # fmt: skip


def _put_season(parts: _Parts, season: str, end: int) -> int:
    if parts.season not in ("", "?", season):
        raise NotUnderstood("it describes two seasons")
    parts.season = season
    return end


def _step(scan: Scan, i: int, parts: _Parts) -> int:
    step = next((step for concept, step in _STEPS.items() if scan.means(i, concept)), None)
    if step is None or parts.step not in (None, step):
        return 0
    parts.step = step
    return i + 1


def _trend(scan: Scan, i: int, parts: _Parts) -> int:
    """Read `an upward trend of 0.5 per day`, `growing 2% per month`, `no trend`."""
    if scan.means(i, "no_trend"):
        parts.trend = 0.0
        return i + 1
    if not scan.means(i, "trend", "rising", "falling"):
        return 0
    sign = 1
    j = i
    while scan.means(j, "trend", "rising", "falling"):
        sign = -1 if scan.means(j, "falling") else sign
        j += 1
    k = j
    while k < j + 4 and (
        scan.idle(k) or scan.stem(k) in ("=", ":", "(") or scan.low(k) in ("by", "por")
    ):
        k += 1
    value = scan.number(k)
    if value is None or (scan.means(k + 1, *_UNITS) and not scan.means(k + 1, "per_step")):
        parts.rises = parts.rises or sign
        return j
    if parts.trend is not None:
        raise NotUnderstood("it describes two trends")
    parts.trend = sign * value if scan.tokens[k].unit != "%" else 0.0
    parts.growth = sign * value if scan.tokens[k].unit == "%" else 0.0
    k += 1
    if scan.means(k, "per_step"):
        parts.per = scan.low(k)
        k += 1
    return k


def _level(scan: Scan, i: int, parts: _Parts) -> int:
    if not scan.means(i, "level", "mean"):
        return 0
    j = scan.after_glue(i + 1)
    value = scan.number(j)
    if value is None or parts.level is not None or scan.tokens[j].unit == "%":
        return 0
    parts.level = value
    return j + 1


def _noise(scan: Scan, i: int, parts: _Parts) -> int:
    """Read `noise sd 2`, `noise with standard deviation 1`, `noise N(0, 2)`, `no noise`."""
    if scan.means(i, "no_noise"):
        parts.noisy, parts.noise = True, 0.0
        return i + 1
    if not scan.means(i, "noise"):
        return 0
    j = i + 1
    while scan.means(j, "sd") or scan.idle(j) or scan.stem(j) in ("=", ":", "(", "~"):
        j += 1
    if scan.means(j, "normal") and scan.number(j + 2) == 0 and scan.number(j + 4) is not None:
        j += 4
    value = scan.number(j)
    parts.noisy = True
    if value is None or scan.tokens[j].unit == "%":
        return i + 1
    parts.noise = value
    return j + 1 + (scan.stem(j + 1) == ")")


def _extent(scan: Scan, i: int, parts: _Parts) -> int:
    """Read `for 2024`, `100 days`, `240 points`, `3 years`, `starting 2023-03-01`."""
    j = i
    while j < i + 4 and (
        scan.means(j, "range", "level") or scan.low(j) in _DURING or (j > i and scan.idle(j))
    ):
        j += 1
    days = span(scan, j)
    if days is not None and parts.start is None:
        parts.start, parts.end = days[0], days[1]
        return days[2]
    token = scan.tokens[j] if j < len(scan.tokens) else None
    if (
        token is not None
        and token.kind == "date"
        and parts.start is None
        and token.date is not None
    ):
        parts.start = token.date
        return j + 1
    value = scan.number(i)
    if value is None and scan.low(i) in ("a", "an", "one", "un", "una"):
        value = 1.0
    if value is None or value != int(value) or value < 1:
        return 0
    k = i + 1 + (scan.stem(i + 1) == "-")
    unit = next((unit for concept, unit in _UNITS.items() if scan.means(k, concept)), "")
    if unit and parts.lasts is None and parts.count is None:
        parts.lasts = value, unit
        return k + 1
    points = scan.means(k, "record", "day_step", "hour_step") or scan.labelable(k, first=True)
    if not points or value == 1 or parts.count is not None:
        return 0
    parts.count = int(value)
    return k + scan.means(k, "record")


_DURING = frozenset(
    "for in during over of all all-of from since starting beginning on para en durante de todo".split()
)


def _name(scan: Scan, i: int, parts: _Parts) -> int:
    end, words = scan.label_run(i)
    if not words:
        return 0
    if not scan.nameless(i, end) and not scan.aside(i, end):
        last = end - 1 if end - 1 > i and scan.means(end - 1, *_STEPS) else end
        parts.names.append(scan.name_at(i, last))
        end = last
    return end


_READERS: tuple[Callable[[Scan, int, _Parts], int], ...] = (
    _season, _trend, _noise, _extent, _level, _step, _name,
)  # fmt: skip


def _spec(scan: Scan, parts: _Parts) -> Spec:
    step = parts.step or _step_of(parts)
    if step is None:
        raise NotUnderstood("it does not say how far apart the points are")
    count = parts.count or _count(parts, step)
    if count is None:
        raise NotUnderstood("it does not say how many points")
    if not 2 <= count <= _MOST:
        raise NotUnderstood(f"{count} points: ask for 2 to {_MOST} points")
    if parts.per and not parts.per.endswith(_STEP_WORDS[step]):
        raise NotUnderstood(
            f"the trend is given {parts.per}, and the points are a {step} apart", (parts.per,)
        )
    names = [name for name in dict.fromkeys(parts.names) if name not in _TIMES]
    if len(names) > 1:
        raise NotUnderstood(
            f"a time series has one value: {' and '.join(names)} are not understood", tuple(names)
        )
    if scan.order:
        raise NotUnderstood("a time series is in the order of time", ("sorted",))
    times = [name for name in parts.names if name in _TIMES]
    assumed: list[str] = []
    series = Series(
        names[0] if names else "value", step, (parts.start or dt.date(2024, 1, 1)).isoformat(),
        *_shape(parts, step, count, assumed), times[0] if times else "",
    )  # fmt: skip
    return Spec(
        count=count, series=series, seed=scan.seed, format="csv" if scan.csv else "json",
        assumed=tuple(assumed),
    )  # fmt: skip


_STEP_WORDS: dict[Step, tuple[str, ...]] = {
    "hour": ("hour", "hora", "step"), "day": ("day", "dia", "diario", "step"),
    "week": ("week", "semana", "step"), "month": ("month", "mes", "mensual", "step"),
}  # fmt: skip


def _shape(
    parts: _Parts, step: Step, count: int, assumed: list[str]
) -> tuple[float, float, float, int, float, float]:
    """The level, trend, growth, season and noise, with what is left open in its usual size."""
    level = 100.0 if parts.level is None else parts.level
    if parts.level is None:
        assumed.append("a level of 100")
    trend = parts.trend or 0.0
    if parts.trend is None and parts.rises:
        trend = parts.rises * 0.5 * abs(level or 100.0) / count
        assumed.append(f"a trend of {trend:.4g} per {step}")
    period, amplitude = _cycle(parts, step, level, assumed)
    if period > count:
        raise NotUnderstood(f"a season of {period} {step}s is longer than the series")
    noise = parts.noise
    if noise is None:
        noise = round(0.1 * amplitude or 0.02 * abs(level or 100.0), 6)
        assumed.append(f"noise with a standard deviation of {noise:g}")
    return level, trend, parts.growth, period, amplitude, noise


def _cycle(parts: _Parts, step: Step, level: float, assumed: list[str]) -> tuple[int, float]:
    if not parts.season:
        return 0, 0.0
    length = parts.period
    if length is None and parts.season != "?":
        length = _LENGTHS.get((step, parts.season))
        if length is None:
            raise NotUnderstood(
                f"points that are a {step} apart have no season of a {parts.season}"
            )
    if length is None:
        length = _USUAL_SEASON[step]
        assumed.append(f"a season of {length} {step}s")
    amplitude = parts.amplitude
    if amplitude is None:
        amplitude = 0.1 * abs(level or 100.0)
        assumed.append(f"a seasonal amplitude of {amplitude:g}")
    return length, amplitude


def _step_of(parts: _Parts) -> Step | None:
    if parts.lasts is not None and parts.lasts[1] in ("hour", "day", "week", "month"):
        return parts.lasts[1]  # type: ignore[return-value]
    return "day" if parts.end is not None else None


def _count(parts: _Parts, step: Step) -> int | None:
    if parts.start is not None and parts.end is not None:
        days = (parts.end - parts.start).days + 1
        months = (parts.end.year - parts.start.year) * 12 + parts.end.month - parts.start.month + 1
        return {"hour": days * 24, "day": days, "week": -(-days // 7), "month": months}[step]
    if parts.lasts is None:
        return None
    amount, unit = parts.lasts
    if unit == step:
        return int(amount)
    length = _LENGTHS.get((step, unit))
    return round(amount * length) if length else None
