"""Reads the words about a time series: its step and length, trend, season and noise."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from sandbox.reading import lexicon
from sandbox.reading.records_dates import span
from sandbox.reading.records_scan import Scan
from sandbox.reading.rules import NotUnderstood

Step = Literal["hour", "day", "week", "month"]


STEPS: dict[str, Step] = {
    "hour_step": "hour", "day_step": "day", "week_step": "week", "month_step": "month",
}  # fmt: skip


_SPANS = {
    "hour_step": "hour", "day_step": "day", "week_step": "week", "month_step": "month",
    "quarter_step": "quarter", "year_step": "year",
}  # fmt: skip


_UNITS = {"hours": "hour", "days": "day", "weeks": "week", "months": "month", "years": "year"}


TIMES = frozenset(
    {"date", "time", "month", "day", "week", "hour", "fecha", "mes", "dia", "día", "hora"}
)


@dataclass(slots=True)
class Parts:
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


def _season(scan: Scan, i: int, parts: Parts) -> int:
    """Read `weekly seasonality with amplitude 10`, `a season of period 12`."""
    adjective = next((span for concept, span in _SPANS.items() if scan.means(i, concept)), "")
    if adjective and scan.means(i + 1, "season"):
        return _put_season(parts, adjective, i + 2)
    if scan.means(i, "season"):
        words = [*scan.low(i).split(), lexicon.plain(scan.low(i + 1))]
        if re.search(r"\bsin(?:e|us)|seno", scan.low(i)) and parts.level is None:
            parts.level = 0.0
        named = next((_ADJECTIVES[word] for word in words if word in _ADJECTIVES), "")
        end = i + 1 + (words[-1] in _ADJECTIVES)
        return _put_season(parts, named or parts.season or "?", end)
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
    "diaria": "day", "semanal": "week", "mensual": "month", "anual": "year", "annual": "year",
}  # fmt: skip


def _put_season(parts: Parts, season: str, end: int) -> int:
    if parts.season not in ("", "?", season):
        raise NotUnderstood("it describes two seasons")
    parts.season = season
    return end


def _step_at(scan: Scan, i: int) -> Step | None:
    return next((step for concept, step in STEPS.items() if scan.means(i, concept)), None)


def _step(scan: Scan, i: int, parts: Parts) -> int:
    step = _step_at(scan, i)
    if step is None or parts.step not in (None, step):
        return 0
    parts.step = step
    return i + 1


def _trend(scan: Scan, i: int, parts: Parts) -> int:
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
        scan.idle(k) or scan.stem(k) in ("=", ":", "(", "+") or scan.low(k) in ("by", "por")
    ):
        k += 1
    value = scan.number(k)
    if value is None or (scan.means(k + 1, *_UNITS) and not scan.means(k + 1, "per_step")):
        parts.rises = parts.rises or sign
        return j
    after = scan.after_unit(k + 1)
    if scan.low(k - 1) in ("from", "desde") or (
        scan.low(after) in ("to", "a", "hasta", "until") and scan.number(after + 1) is not None
    ):
        raise NotUnderstood("how much a series rises or falls at each step is not said")
    if parts.trend is not None:
        raise NotUnderstood("it describes two trends")
    parts.trend = sign * value if scan.tokens[k].unit != "%" else 0.0
    parts.growth = sign * value if scan.tokens[k].unit == "%" else 0.0
    return _per(scan, k + 1, parts)


def _per(scan: Scan, i: int, parts: Parts) -> int:
    """Read `per day` after a figure, and a unit before it."""
    i = scan.after_unit(i) if not scan.means(i, "per_step") else i
    if scan.means(i, "per_step"):
        parts.per = scan.low(i)
        i += 1
    return i


def _level(scan: Scan, i: int, parts: Parts) -> int:
    if not scan.means(i, "level", "mean"):
        return 0
    j = scan.after_glue(i + 1)
    value = scan.number(j)
    if value is None or parts.level is not None or scan.tokens[j].unit == "%":
        return 0
    parts.level = value
    return _per(scan, j + 1, parts)


def _noise(scan: Scan, i: int, parts: Parts) -> int:
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


def _extent(scan: Scan, i: int, parts: Parts) -> int:
    """Read `for 2024`, `100 days`, `240 points`, `3 years`, `starting 2023-03-01`."""
    j = i
    while j < i + 4 and (
        scan.means(j, "range", "level") or scan.low(j) in _DURING or (j > i and scan.idle(j))
    ):
        j += 1
    days = span(scan, j)
    if days is not None and parts.start is None:
        parts.start, parts.end = days[0], days[1]
        return _after_midnight(scan, days[2])
    token = scan.tokens[j] if j < len(scan.tokens) else None
    if (
        token is not None
        and token.kind == "date"
        and parts.start is None
        and token.date is not None
    ):
        parts.start = token.date
        return _after_midnight(scan, j + 1)
    value = scan.number(i)
    whole_span = re.fullmatch(r"an? (hour|day|week|month|year)", scan.low(i))
    if whole_span and parts.lasts is None and parts.count is None:
        parts.lasts = 1.0, whole_span[1]
        return i + 1
    if value is None and scan.low(i) in ("a", "an", "one", "un", "una"):
        value = 1.0
    if value is None or value != int(value) or value < 1:
        return 0
    k = i + 1 + (scan.stem(i + 1) == "-")
    unit = next((unit for concept, unit in _UNITS.items() if scan.means(k, concept)), "")
    if unit and parts.lasts is None and parts.count is None:
        parts.lasts = value, unit
        return k + 1
    if unit and parts.lasts in ((1.0, "week"), (7.0, "day")) and (value, unit) in (
        (1.0, "week"), (7.0, "day")
    ):  # fmt: skip
        return k + 1  # `a week (7 days)`
    points = scan.means(k, "record", *STEPS) or scan.labelable(k, first=True)
    if not points or value == 1 or parts.count is not None:
        return 0
    parts.count = int(value)
    return k + scan.means(k, "record")


_DURING = frozenset(
    "for in during over of all all-of from since starting beginning on start starts begin begins para en"
    " durante de todo desde inicio comienza empieza empezando comenzando".split()
) | {"start date", "first day", "fecha de inicio", "primer día"}


def _after_midnight(scan: Scan, i: int) -> int:
    """The place after `00:00`, with which a day begins anyway."""
    midnight = scan.number(i) == 0 and scan.stem(i + 1) == ":" and scan.number(i + 2) == 0
    return i + 3 if midnight else i


def _name(scan: Scan, i: int, parts: Parts) -> int:
    end, words = scan.label_run(i)
    if not words:
        return 0
    if scan.stem(end) == ":" and not scan.wanted and scan.means(end + 1, "make"):
        return end  # a heading: `Greenhouse project: make up ...`
    nouns = not scan.nameless(i, end) or (
        scan.low(i - 1) in ("of", "de") and scan.means(i, "entity") and not scan.means(i, "record")
    )
    if nouns and not scan.aside(i, end):
        stepped = [j for j in range(i, end) if scan.means(j, *STEPS)]
        if stepped and stepped[-1] + 1 < end:  # `lecturas horarias de temperatura`
            parts.step = parts.step or _step_at(scan, stepped[-1])
            i = stepped[-1] + 1 + (scan.low(stepped[-1] + 1) in ("de", "of"))
        last = end
        while last - 1 > i and (
            scan.means(last - 1, *STEPS, "record") or scan.low(last - 1) in _DURING
        ):
            last -= 1
        parts.names.append(scan.name_at(i, last))
        end = last
    return end


READERS: tuple[Callable[[Scan, int, Parts], int], ...] = (
    _season, _trend, _noise, _extent, _level, _step, _name,
)  # fmt: skip
