"""Reads the facts that a page needs before its panels run their queries.

The facts: how far back the rows reach, which plans and events there are, and how many rows lie in
the view's span. Facts that change slowly are kept for some seconds.
"""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import orjson

from dashboard.page_reading import KeptTables, PageReading
from dashboard.panel import PanelQuery, RuleLadder, TelemetryFacts
from dashboard.source import Rows, Source, moment
from dashboard.view import PageView, Span, span_of

TAIL = 20_000  # the most requests that a panel reads row by row
_KEPT_SECONDS = 15.0
_NEWEST_SECONDS = 3.0
_FINE_SPAN = dt.timedelta(minutes=31)  # up to this span, few rows make a curve with fine points


@dataclass(frozen=True, slots=True)
class BoardSettings:
    """The values that a board takes from the configuration, because telemetry has none."""

    weights: tuple[float, float] = (0.1, 0.05)
    reuse_budget: float | None = None


class FactsReader:
    """Reads facts about one source, in one thread. Methods may raise `Missing` or `QueryFailed`."""

    def __init__(
        self, source: Source, settings: BoardSettings, clock: Callable[[], dt.datetime]
    ) -> None:
        self._source, self._settings, self._clock = source, settings, clock
        self._facts: tuple[float, TelemetryFacts] | None = None
        self._kept = KeptTables()
        self._last: tuple[float, dt.datetime | None] = (0.0, None)
        self._counted: tuple[float, dt.datetime | None, bool] = (0.0, None, False)

    def span(self, view: PageView) -> Span | None:
        """The span of a view at this moment; None if no fact was read yet."""
        if self._facts is None:
            return None
        return span_of(view, now=self._clock(), first=self._facts[1].first)

    def open(self, view: PageView) -> PageReading:
        """Begin to read telemetry for a view, with all facts about the view."""
        self._source.renew()
        facts = replace(self._recent_facts(), now=self._clock())
        span = span_of(view, now=facts.now, first=facts.first)
        if facts.first is None:
            return PageReading(self._source, PanelQuery(view, span, facts), self._kept)
        if span.until - span.since <= _FINE_SPAN and self._has_few_rows(span):
            span = span_of(view, now=facts.now, first=facts.first, fine=True)
        reading = PageReading(self._source, PanelQuery(view, span, facts), self._kept)
        counts = reading.ask(
            f"select minute, sum(n)::bigint as n from {reading.query.sums} where plan is not null "
            "group by minute order by minute desc"
        ).rows
        reading.query = replace(
            reading.query,
            facts=replace(
                facts,
                rows=sum(row["n"] for row in counts),
                tail=self._tail(counts, span),
                newest=self._newest(counts),
            ),
        )
        return reading

    def _recent_facts(self) -> TelemetryFacts:
        now = time.monotonic()
        if self._facts is not None and now - self._facts[0] < _KEPT_SECONDS:
            return self._facts[1]
        facts = self._read_facts()
        if facts.first is not None:
            self._facts = now, facts
        return facts

    def _read_facts(self) -> TelemetryFacts:
        (names,) = self._source.ask(
            "select min(minute) as hour, list(distinct plan order by plan) as plans, "
            "list(distinct kind order by kind) as kinds from hours_parts where plan is not null"
        ).rows
        ladder = self._source.ask(
            "select settings->'ladder' as ladder from policies "
            "where (settings->'ladder') is not null order by first_used desc limit 1"
        ).rows
        marks = self._source.ask(
            "select ts, kind, subject, state from events "
            "where kind in ('drift', 'configuration', 'strategy', 'switch') "
            "or kind = 'growth' and state in ('adopted', 'rolled back', 'removed', 'forbidden') "
            "order by ts"
        ).rows
        return TelemetryFacts(
            now=self._clock(),
            first=self._first(names["hour"]),
            plans=tuple(filter(None, names["plans"] or ())),
            kinds=tuple(filter(None, names["kinds"] or ())),
            ladder=_ladder(ladder[0]["ladder"]) if ladder else None,
            weights=self._settings.weights,
            reuse_budget=self._settings.reuse_budget,
            marks=marks,
        )

    def _first(self, hour: dt.datetime | None) -> dt.datetime | None:
        """The moment of the oldest row, which lies in the oldest hour that has sums."""
        if hour is None:
            return None
        until = moment(hour + dt.timedelta(hours=1))
        (row,) = self._source.ask(
            f"select min(ts) as first from all_requests where ts < {until}"
        ).rows
        return cast("dt.datetime", row["first"] or hour)

    def _newest(self, counts: Rows) -> dt.datetime | None:
        """The moment of the newest row. The answer may be some seconds old."""
        at, last = self._last
        if last is not None and time.monotonic() - at < _NEWEST_SECONDS:
            return last
        where = f"where ts >= {moment(counts[0]['minute'])}" if counts else ""
        (row,) = self._source.ask(f"select max(ts) as newest from all_requests {where}").rows
        self._last = time.monotonic(), cast("dt.datetime | None", row["newest"])
        return self._last[1]

    def _has_few_rows(self, span: Span) -> bool:
        """Whether the span has few rows, as a fine curve needs. An answer is kept for a while."""
        at, since, few = self._counted
        if since == span.since and time.monotonic() - at < _KEPT_SECONDS:
            return few
        (row,) = self._source.ask(
            "select coalesce(sum(n), 0)::bigint as n from rollup_parts "
            f"where minute >= {moment(span.since)} and minute < {moment(span.until)}"
        ).rows
        few = bool(row["n"] <= TAIL)
        self._counted = time.monotonic(), span.since, few
        return few

    def _tail(self, counts: Rows, span: Span) -> dt.datetime | None:
        """The moment after which there are about `TAIL` rows; None if the span has fewer rows.

        If a point of the curve is longer than a minute, the rows of each minute are counted.
        """
        start = _tail_start(counts)
        if start is None or span.bucket_seconds <= 60:
            return start
        minutes = self._source.ask(
            "select minute, sum(n)::bigint as n from rollup_parts "
            f"where minute >= {moment(start)} and minute < {moment(span.until)} "
            "group by 1 order by 1 desc"
        ).rows
        return max(_tail_start(minutes) or start, span.since)


def _tail_start(counts: Rows) -> dt.datetime | None:
    """The newest moment from which on there are more than `TAIL` rows."""
    rows = 0
    for count in counts:
        rows += count["n"]
        if rows > TAIL:
            return cast("dt.datetime", count["minute"])
    return None


def _ladder(text: str) -> RuleLadder | None:
    settings = orjson.loads(text)
    rungs, cuts = tuple(settings["rungs"]), tuple(map(float, settings["cuts"]))
    return RuleLadder(rungs, cuts) if len(rungs) == len(cuts) + 1 else None
