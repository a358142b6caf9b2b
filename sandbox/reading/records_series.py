"""Reads requests for a time series: its length and step, and its level, trend, season and noise.

What the request leaves open gets a usual size, which `assumed` tells.
"""

import datetime as dt

from sandbox.reading.budget import spend
from sandbox.reading.records_marks import whole
from sandbox.reading.records_scan import Scan
from sandbox.reading.records_series_words import READERS, STEPS, TIMES, Parts, Step
from sandbox.reading.records_usual import usual_of
from sandbox.reading.rules import NotUnderstood
from sandbox.spec import Series, Spec

_LENGTHS = {  # steps in a span
    ("hour", "day"): 24, ("hour", "week"): 168, ("hour", "month"): 730, ("hour", "year"): 8760,
    ("day", "week"): 7, ("day", "month"): 30, ("day", "quarter"): 91, ("day", "year"): 365,
    ("week", "month"): 4, ("week", "quarter"): 13, ("week", "year"): 52,
    ("month", "quarter"): 3, ("month", "year"): 12,
}  # fmt: skip
_USUAL_SEASON = {"hour": 24, "day": 7, "week": 52, "month": 12}
_MOST = 100_000
_MARKS = frozenset(".,;:?!()[]\n\"'¿¡-*=")


def read_series(scan: Scan) -> Spec:
    parts = Parts()
    i = 0
    while i < len(scan.tokens):
        spend()
        token = scan.tokens[i]
        scan.wanted = scan.wanted or token.means("make")
        end = whole(scan, i) or next((end for read in READERS if (end := read(scan, i, parts))), 0)
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


def is_series(scan: Scan) -> bool:
    """Whether the words are about values in time: a trend, or daily figures of some weeks."""
    tokens = scan.tokens
    if any(token.means("series") for token in tokens):
        return True
    stepped = any(token.means(*STEPS, *_SPANS) for token in tokens)
    shaped = any(
        token.means("level", "noise", "amplitude", "rising", "falling") for token in tokens
    )
    return stepped and (shaped or any(token.means("hour_step") for token in tokens))


_SPANS = ("hours", "days", "weeks", "months", "years")


def _spec(scan: Scan, parts: Parts) -> Spec:
    step = parts.step or _step_of(parts)
    assumed: list[str] = []
    if step is None and parts.count is not None:
        step = "day"
        assumed.append("points that are a day apart")
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
    names = [name for name in dict.fromkeys(parts.names) if name not in TIMES]
    if len(names) > 1:
        raise NotUnderstood(
            f"a time series has one value: {' and '.join(names)} are not understood", tuple(names)
        )
    if scan.order:
        raise NotUnderstood("a time series is in the order of time", ("sorted",))
    times = [name for name in parts.names if name in TIMES]
    usual = usual_of(names[0]) if names and parts.level is None else None
    if usual is not None:
        parts.level = float(usual.mean)
        parts.noise = float(usual.sd) if parts.noise is None else parts.noise
        assumed.append(f"{names[0]}: a usual level of {usual.mean:g}, noise {parts.noise:g}")
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
    parts: Parts, step: Step, count: int, assumed: list[str]
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


def _cycle(parts: Parts, step: Step, level: float, assumed: list[str]) -> tuple[int, float]:
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


def _step_of(parts: Parts) -> Step | None:
    if parts.lasts is not None and parts.lasts[1] in ("hour", "day", "week", "month"):
        return parts.lasts[1]  # type: ignore[return-value]
    return "day" if parts.end is not None else None


def _count(parts: Parts, step: Step) -> int | None:
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
