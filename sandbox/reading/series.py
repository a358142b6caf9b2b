"""Reads requests for a time series: its length, its step, and its level, trend, season and noise."""

import datetime as dt
import re
from typing import Literal

from sandbox.reading import dates, naming, patterns
from sandbox.reading.numbers import NUMBER, WHOLE, number
from sandbox.reading.outcome import ReadOutcome
from sandbox.reading.plain_text import Words, column_name
from sandbox.spec import Series, Spec

Step = Literal["hour", "day", "week", "month"]

_IS_SERIES = re.compile(
    r"\btime[- ]?series\b|\b(?:trend|seasonal(?:ity)?|season(?:al)? (?:cycle|pattern)|seasonal component)\b",
    re.I,
)
_STEPS: dict[str, Step] = {
    "hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month",
    "hour": "hour", "day": "day", "week": "week", "month": "month",
}  # fmt: skip
_PERIODS = {
    ("day", "week"): 7, ("day", "month"): 30, ("day", "quarter"): 91, ("day", "year"): 365,
    ("hour", "day"): 24, ("hour", "week"): 168, ("week", "month"): 4, ("week", "quarter"): 13,
    ("week", "year"): 52, ("month", "quarter"): 3, ("month", "year"): 12, ("hour", "hour"): 0,
}  # fmt: skip
_SPANS = {"weekly": "week", "yearly": "year", "annual": "year", "monthly": "month", "daily": "day",
          "quarterly": "quarter", "day-of-week": "week", "annually": "year"}  # fmt: skip
_DAYS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30.4375, "year": 365.25}


def is_series(text: str) -> bool:
    return bool(_IS_SERIES.search(text))


def read(text: str) -> ReadOutcome:
    words = Words(naming.without_units(text))
    seed = words.take(r"\b(?:random[ _])?seed(?:ed)?\s*+(?:of|=|:|with|is)*\s*+(\d{1,18})")
    csv = words.take(r"(?:\bas|\bin|\bto)?\s*+(?:a\s)?\bcsv\b(?: format| file)?")
    season = _season(words)
    step = _step(words)
    if step is None:
        return ReadOutcome(problem="it does not say how far apart the points are")
    start, count = _extent(words, step)
    if count is None:
        return ReadOutcome(problem="it does not say how many points")
    if not 2 <= count <= 100_000:
        return ReadOutcome(problem=f"{count} points: ask for 2 to 100000 points")
    level = _of(
        words,
        r"(?:starting (?:value )?(?:at|from|of|level of|level)|start(?:s|ing)? (?:at|from)|base(?:line)?(?: level| value)?|initial (?:value|level)|level|around|average|mean|cent(?:er|re)d (?:at|around|on)|intercept)",
    )
    level = 100.0 if level is None else level
    trend, growth = _trend(words, level, count)
    period, amplitude = _cycle(season, words, step, level)
    if period and count < period:
        period, amplitude = 0, 0.0
    noise = _noise(words, level, amplitude)
    name = _name(words.text)
    series = Series(name, step, start.isoformat(), level, trend, growth, period, amplitude, noise)
    spec = Spec(
        count=count,
        series=series,
        seed=int(seed[1]) if seed else None,
        format="csv" if csv else "json",
    )
    return ReadOutcome(spec, reasons=[f"a series of {count} {step}s"])


def _season(words: Words) -> str:
    """Take out the text about the season, so that `weekly seasonality` sets no weekly step."""
    pattern = r"(?:(?:with|and|a|an|plus)\s++)*(?P<span>weekly|yearly|annual|monthly|daily|quarterly|day-of-week)?[ -]?(?:seasonality|seasonal (?:pattern|component|cycle|effects?|variation|swings?)|season(?:al)?\b(?: cycle| pattern)?|cycles?|periodicity|pattern)(?P<more>[^.;\n]*?)(?=,?\s(?:and |plus |with )?(?:some |random |gaussian |white |normal |a |an )*(?:noise|trend|linear|upward|downward|starting|level|base)|[.;\n]|$)"
    match = words.take(pattern)
    return match[0] if match else ""


def _step(words: Words) -> Step | None:
    match = words.take(r"\b(hourly|daily|weekly|monthly)\b")
    if match:
        return _STEPS[match[1].lower()]
    counted = patterns.search(rf"({WHOLE})\s++(hour|day|week|month)s?\b", words.text, re.I)
    if counted:
        return _STEPS[counted[2].lower()]
    each = patterns.search(r"\b(?:every|each|per)\s++(hour|day|week|month)\b", words.text, re.I)
    return (
        _STEPS[each[1].lower()]
        if each
        else "day"
        if patterns.search(dates.DATE, words.text, re.I)
        else None
    )


def _extent(words: Words, step: Step) -> tuple[dt.date, int | None]:
    start = dt.date(2024, 1, 1)
    span = dates.period(words.text)
    if span is not None:
        words.take(rf"{dates.DATE}(?:\s*+(?:and|to|-|through|until)\s*+{dates.DATE})?")
        if span[0] != span[1]:
            return span[0], _steps_between(*span, step)
    begins = words.take(
        rf"\b(?:start(?:ing|s)?|beginning|from|since)\s*+(?:on|from|in|at|with|date)?\s*+({dates.DATE})"
    )
    if begins and (days := dates.first_and_last(begins[1])):
        start = days[0]
    points = words.take(
        rf"({WHOLE})\s++(?:\w+ )?(?:points?|observations?|values?|samples?|data ?points?|records?|rows?|steps?|readings?|measurements?|entries)\b"
    )
    if points:
        return start, int(number(points[1]))
    lasting = words.take(
        rf"({WHOLE}|\ba\b|\bone\b)\s*+-?(?:full |consecutive )?(hour|day|week|month|quarter|year)s?\b"
    )
    if lasting:
        amount = 1 if lasting[1].lower() in ("a", "one") else number(lasting[1])
        unit = lasting[2].lower()
        if unit == step:
            return start, int(amount)
        if unit == "quarter":
            amount, unit = amount * 3, "month"
        if step == "month":
            return start, round(amount * {"year": 12, "month": 1}.get(unit, 0)) or None
        if unit == "year" and step == "week":
            return start, round(amount * 52)
        return start, round(
            amount * {"year": 365, "month": 30}.get(unit, _DAYS[unit]) / _DAYS[step]
        )
    length = words.take(rf"\b(?:length|n|size)\s*+(?:of|=|:)?\s*+({WHOLE})")
    return start, int(number(length[1])) if length else None


def _steps_between(first: dt.date, last: dt.date, step: Step) -> int:
    if step == "month":
        return (last.year - first.year) * 12 + last.month - first.month + 1
    days = (last - first).days + 1
    return {"hour": days * 24, "day": days, "week": -(-days // 7)}[step]


def _of(words: Words, name: str) -> float | None:
    match = words.take(
        rf"\b{name}\s*+(?:value|of|is|=|:|at|about|around|roughly|level|the|a)*\s*+({NUMBER})(?!\s*+(?:%|per|points|days|months|weeks|hours))"
    )
    return number(match[1]) if match else None


def _trend(words: Words, level: float, count: int) -> tuple[float, float]:
    """The amount added at each step, and the share by which the series grows at each step."""
    down = bool(
        patterns.search(
            r"\b(?:downward|decreas|declin|falling|negative trend|dropping|decay)", words.text, re.I
        )
    )
    sign = -1 if down else 1
    share = patterns.search(
        rf"\b(?:grow(?:s|th|ing)?|increas\w+|ris\w+|declin\w+|decreas\w+|trend)\b[^.;\n]{{0,30}}?({NUMBER}(?<=%))",
        words.text,
        re.I,
    )
    if share:
        return 0.0, sign * abs(number(share[1]))
    match = patterns.search(
        rf"\b(?:trend|slope|increas\w+|ris(?:es|ing)|grow\w*|decreas\w+|declin\w+|drift)\b[^.;\n\d]{{0,40}}?({NUMBER})",
        words.text,
        re.I,
    )
    if match:
        value = number(match[1])
        words.blank(match.start(1), match.end(1))
        return (sign * abs(value) if down else value), 0.0
    match = patterns.search(
        rf"({NUMBER})\s*+(?:\w+ )?(?:per|each|a|every)\s++(?:hour|day|week|month|step)\b",
        words.text,
        re.I,
    )
    if match:
        return sign * abs(number(match[1])), 0.0
    if patterns.search(r"\b(?:no|without(?: a| any)?) trend\b", words.text, re.I):
        return 0.0, 0.0
    if patterns.search(
        r"\btrend|increasing|growing|rising|decreasing|declining\b", words.text, re.I
    ):
        return sign * 0.5 * abs(level or 100.0) / count, 0.0
    return 0.0, 0.0


def _cycle(season: str, words: Words, step: Step, level: float) -> tuple[int, float]:
    text = season + " ; " + words.text
    if not season and not patterns.search(r"\bperiod|\bsinusoid|\bsine\b", text, re.I):
        return 0, 0.0
    amplitude = patterns.search(
        rf"\bamplitude\s*+(?:of|=|:|is|about|around)*\s*+({NUMBER})|({NUMBER})\s++amplitude",
        text,
        re.I,
    )
    period = patterns.search(
        rf"\b(?:period|season length|cycle length|length)\s*+(?:of|=|:|is)*\s*+({WHOLE})|({WHOLE})[- ](?:hour|day|week|month|step)s?[- ](?:season|cycle|period)",
        text,
        re.I,
    )
    spans = patterns.search(
        r"\b(weekly|yearly|annual|monthly|daily|quarterly|day-of-week)\b", season, re.I
    )
    if period:
        length = int(number(period[1] or period[2]))
    elif spans:
        length = _PERIODS.get((step, _SPANS[spans[1].lower()]), 0)
    else:
        length = {"hour": 24, "day": 7, "week": 52, "month": 12}[step]
    size = number(amplitude[1] or amplitude[2]) if amplitude else 0.1 * abs(level or 100.0)
    return length, size if length > 1 else 0.0


def _noise(words: Words, level: float, amplitude: float) -> float:
    if patterns.search(
        r"\b(?:no|without(?: any)?|zero) noise\b|\bnoise[- ]free\b|\bnoiseless\b", words.text, re.I
    ):
        return 0.0
    match = patterns.search(
        rf"\bnoise\b[^.;\n\d]{{0,40}}?({NUMBER})|({NUMBER})\s++(?:\w+ )?noise|N\(0,\s*+({NUMBER})\)",
        words.text,
        re.I,
    )
    if match:
        return number(match[1] or match[2] or match[3])
    return round(0.1 * amplitude or 0.02 * abs(level or 100.0), 6)


def _name(text: str) -> str:
    match = patterns.search(
        r"\b(?:of|for)\s++(?:the\s++)?((?:[a-z_]\w*\s++){0,2}[a-z_]\w*)\s++(?:for|over|with|in|during|from|starting|data|values|,)",
        text,
        re.I,
    )
    tries = [match[1]] if match else []
    counted = patterns.search(
        r"(?:generate|create|simulate|produce|make|give me|need)\s++(?:a\s++|an\s++|some\s++|me\s++)*((?:[a-z_]\w*\s++){1,3}?)(?:data|values|figures|readings|numbers|series|for|over|with|in|from|starting)\b",
        patterns.sub(r"\s++", " ", text),
        re.I,
    )
    if counted:
        tries.append(counted[1])
    for words in tries:
        kept = [w for w in words.split() if naming.may_be_name(w) and w.lower() not in _FILLER]
        name = naming.cleaned(kept)
        if name:
            return name
    return column_name("value")


_FILLER = frozenset(
    {"time", "series", "data", "synthetic", "days", "day", "months", "month", "weeks", "week", "hours", "hour", "year", "years", "trend", "seasonality", "seasonal", "points", "linear", "upward", "worth", "random", "noise", "realistic"}
)  # fmt: skip
