"""What a page has to know before it asks: how far rows reach, which plans there are, what happened,
how many rows the view spans. Some of it is asked again only now and then.
"""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import orjson

from dashboard.panel import Facts, LadderBound, PanelQuery
from dashboard.reading import Kept, PageReading
from dashboard.source import Rows, Source, moment
from dashboard.view import PageView, Span, span_of

TAIL = 20_000  # requests that are gone through one by one
_KEPT_SECONDS = 15.0
_NEWEST_SECONDS = 3.0
_FINE_SPAN = dt.timedelta(minutes=31)  # up to which curves are made of the rows, if they are few


@dataclass(frozen=True, slots=True)
class BoardSettings:
    """What the configuration says that telemetry does not."""

    weights: tuple[float, float] = (0.1, 0.05)
    reuse_budget: float | None = None


class Knowing:
    """Of one source, for one thread. Whatever it asks may raise `Missing` or `Failed`."""

    def __init__(
        self, source: Source, settings: BoardSettings, clock: Callable[[], dt.datetime]
    ) -> None:
        self._source, self._settings, self._clock = source, settings, clock
        self._facts: tuple[float, Facts] | None = None
        self._kept = Kept()
        self._last: tuple[float, dt.datetime | None] = (0.0, None)
        self._counted: tuple[float, dt.datetime | None, bool] = (0.0, None, False)

    def span(self, view: PageView) -> Span | None:
        """What a view comes to by now; unknown before anything was asked."""
        if self._facts is None:
            return None
        return span_of(view, now=self._clock(), first=self._facts[1].first)

    def reading(self, view: PageView) -> PageReading:
        """All that is known, and the tables of the view to ask."""
        self._source.renew()
        facts = replace(self._known(), now=self._clock())
        span = span_of(view, now=facts.now, first=facts.first)
        if facts.first is None:
            return PageReading(self._source, PanelQuery(view, span, facts), self._kept)
        if span.until - span.since <= _FINE_SPAN and self._few(span):
            span = span_of(view, now=facts.now, first=facts.first, fine=True)
        reading = PageReading(self._source, PanelQuery(view, span, facts), self._kept)
        counts = reading.ask(
            f"select minute, sum(n)::bigint as n from {reading.asked.sums} where plan is not null "
            "group by minute order by minute desc"
        ).rows
        reading.asked = replace(
            reading.asked,
            facts=replace(
                facts,
                rows=sum(one["n"] for one in counts),
                tail=self._tail(counts, span),
                newest=self._newest(counts),
            ),
        )
        return reading

    def _known(self) -> Facts:
        now = time.monotonic()
        if self._facts is not None and now - self._facts[0] < _KEPT_SECONDS:
            return self._facts[1]
        facts = self._found()
        if facts.first is not None:
            self._facts = now, facts
        return facts

    def _found(self) -> Facts:
        (one,) = self._source.ask(
            "select min(minute) as hour, list(distinct plan order by plan) as plans, "
            "list(distinct kind order by kind) as kinds from hours_parts where plan is not null"
        ).rows
        ladder = self._source.ask(
            "select settings->'ladder' as ladder from policies "
            "where (settings->'ladder') is not null order by first_used desc limit 1"
        ).rows
        marks = self._source.ask(
            "select ts, kind, subject, state from events "
            "where kind in ('drift', 'configuration', 'strategy') order by ts"
        ).rows
        return Facts(
            now=self._clock(),
            first=self._first(one["hour"]),
            plans=tuple(filter(None, one["plans"] or ())),
            kinds=tuple(filter(None, one["kinds"] or ())),
            ladder=_ladder(ladder[0]["ladder"]) if ladder else None,
            weights=self._settings.weights,
            reuse_budget=self._settings.reuse_budget,
            marks=marks,
        )

    def _first(self, hour: dt.datetime | None) -> dt.datetime | None:
        """The first row, of which the sums tell the hour."""
        if hour is None:
            return None
        until = moment(hour + dt.timedelta(hours=1))
        (one,) = self._source.ask(
            f"select min(ts) as first from all_requests where ts < {until}"
        ).rows
        return cast("dt.datetime", one["first"] or hour)

    def _newest(self, counts: Rows) -> dt.datetime | None:
        """Of all rows; for a moment it may be a newer one."""
        at, last = self._last
        if last is not None and time.monotonic() - at < _NEWEST_SECONDS:
            return last
        where = f"where ts >= {moment(counts[0]['minute'])}" if counts else ""
        (one,) = self._source.ask(f"select max(ts) as newest from all_requests {where}").rows
        self._last = time.monotonic(), cast("dt.datetime | None", one["newest"])
        return self._last[1]

    def _few(self, span: Span) -> bool:
        """Whether rows are few enough for a fine curve; for a while it stays so."""
        at, since, few = self._counted
        if since == span.since and time.monotonic() - at < _KEPT_SECONDS:
            return few
        (one,) = self._source.ask(
            "select coalesce(sum(n), 0)::bigint as n from rollup_parts "
            f"where minute >= {moment(span.since)} and minute < {moment(span.until)}"
        ).rows
        few = bool(one["n"] <= TAIL)
        self._counted = time.monotonic(), span.since, few
        return few

    def _tail(self, counts: Rows, span: Span) -> dt.datetime | None:
        """Since when there are about as many rows as are gone through one by one; by the minute,
        where a point of the curve is longer. None: they are few."""
        crossed = _crossed(counts)
        if crossed is None or span.bucket_seconds <= 60:
            return crossed
        minutes = self._source.ask(
            "select minute, sum(n)::bigint as n from rollup_parts "
            f"where minute >= {moment(crossed)} and minute < {moment(span.until)} "
            "group by 1 order by 1 desc"
        ).rows
        return max(_crossed(minutes) or crossed, span.since)


def _crossed(counts: Rows) -> dt.datetime | None:
    """From the newest back, where there are as many as that."""
    rows = 0
    for one in counts:
        rows += one["n"]
        if rows > TAIL:
            return cast("dt.datetime", one["minute"])
    return None


def _ladder(told: str) -> LadderBound | None:
    known = orjson.loads(told)
    rungs, cuts = tuple(known["rungs"]), tuple(map(float, known["cuts"]))
    return LadderBound(rungs, cuts) if len(rungs) == len(cuts) + 1 else None
