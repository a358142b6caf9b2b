"""Pages and panels: each panel is one SQL query and a function that shows the query's rows.

The query that an operator can copy is the query that was run. Python adds words, units and colours
to the rows, and computes nothing else.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from dashboard.source import Row, Rows, moment
from dashboard.view import PageView, Span
from router.telemetry.rollup import SUMMED_BINS
from router.telemetry.sql import quoted

Figure = Mapping[str, Any]
# SQL over a rollup's sums: the mean quality, and half the width of its 95% interval.
QUALITY = "sum(quality) / nullif(sum(quality_n), 0)"
MEAN_USD = "mean_usd(sum(cost_usd), sum(n), sum(unpriced))"  # null: unknown
QUALITY_HALF = (
    "1.96 * sqrt(greatest(sum(quality_squared) - pow(sum(quality), 2) / nullif(sum(quality_n), 0), "
    "0) / nullif(sum(quality_n) - 1, 0) / nullif(sum(quality_n), 0))"
)


def quantile(q: float) -> str:
    """SQL for a quantile of the latency. The error is a few percent."""
    return f"binned_quantile([{SUMMED_BINS}], {q})"


@dataclass(frozen=True, slots=True)
class RuleLadder:
    """The configured rule ladder: plans from the cheapest up, and the complexity at each step."""

    rungs: tuple[str, ...]
    cuts: tuple[float, ...]

    @property
    def sql(self) -> str:
        steps = zip(reversed(self.cuts), reversed(self.rungs[1:]), strict=True)
        cases = " ".join(f"when complexity >= {cut:g} then {quoted(rung)}" for cut, rung in steps)
        first = quoted(self.rungs[0])
        return f"case {cases} else {first} end" if cases else first


@dataclass(frozen=True, slots=True)
class TelemetryFacts:
    """Facts about telemetry that a page reads before its panels run their own queries."""

    now: dt.datetime
    first: dt.datetime | None = None  # moment of the oldest row
    newest: dt.datetime | None = None  # moment of the newest row
    plans: tuple[str, ...] = ()  # every plan that ever answered, so that plans keep their colours
    kinds: tuple[str, ...] = ()
    ladder: RuleLadder | None = None
    weights: tuple[float, float] = (0.1, 0.05)  # the weights of cost and latency in utility
    reuse_budget: float | None = None
    rows: int = 0  # requests in the span
    tail: dt.datetime | None = None  # rows after this moment are few enough to read one by one
    marks: Rows = ()  # events that are marked on every time axis


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """The values from which a panel writes its SQL: a view, its span, and facts."""

    view: PageView
    span: Span
    facts: TelemetryFacts

    @property
    def sums(self) -> str:
        """SQL for the sums of the span's rows, through telemetry's own macros."""
        span = self.span
        name = "row_sums" if span.bucket_seconds < 60 else "sums"
        return f"{name}({span.every}, {moment(span.since)}, {moment(span.until)})"

    @property
    def here(self) -> str:
        """An SQL condition for the rows of the span."""
        return f"ts >= {moment(self.span.since)} and ts < {moment(self.span.until)}"

    @property
    def tail(self) -> str:
        """An SQL condition for the rows of the span, or for the newest if there are too many."""
        since = max(self.span.since, self.facts.tail or self.span.since)
        return f"ts >= {moment(since)} and ts < {moment(self.span.until)}"

    @property
    def rows(self) -> str:
        """SQL for the single requests of the view, with their quality."""
        return f"(select * from requests where {self.tail} and {self.narrowed})"

    @property
    def calls(self) -> str:
        """SQL for the single calls to backends that these requests caused."""
        return f"(select * from attempts where {self.tail} and {self.narrowed})"

    @property
    def narrowed(self) -> str:
        """The view's filters in SQL. Requests whose caller named the plan are always left out."""
        kind = f" and kind = {quoted(self.view.kind)}" if self.view.kind else ""
        return f"plan is not null and strategy not in ('named', 'compared', 'shadow'){kind}"

    def utility(self, quality: str, cost: str, latency: str) -> str:
        cost_weight, latency_weight = self.facts.weights
        weights = f"cost_weight := {cost_weight:g}, latency_weight := {latency_weight:g}"
        return f"utility({quality}, {cost}, {latency}, {weights})"

    @property
    def mean_utility(self) -> str:
        """SQL for the mean utility, over the sums of a rollup."""
        return self.utility(QUALITY, MEAN_USD, "sum(latency_ms) / sum(n)")


@dataclass(frozen=True, slots=True)
class Empty:
    """Shown if a panel has no rows: words that say what to do about it."""

    words: str
    command: str = ""


Shown = Figure | Empty | Sequence[Any]  # a figure, a hint, or Dash components


@dataclass(frozen=True, slots=True)
class Panel:
    """One query, and the function that shows its rows."""

    id: str
    title: str
    sql: Callable[[PanelQuery], str]
    show: Callable[[Rows, PanelQuery], Shown]
    note: str = ""  # tells the viewer how to read the panel
    form: Literal["graph", "parts"] = "graph"
    size: Literal["half", "whole"] = "half"
    tall: bool = False
    broad: bool = False  # the viewer can scroll it sideways on a narrow screen
    needs: Callable[[PanelQuery], str] | None = None  # the reason not to run the query, or ""


@dataclass(frozen=True, slots=True)
class Page:
    """Panels under a title, and one sentence that says what the panels show."""

    name: str
    title: str
    summary: str
    panels: Sequence[Panel]
    filters: Sequence[str] = field(default=("kind",))


def nothing_yet(query: PanelQuery) -> Empty:
    """A hint that says why a span has no requests, and how to get some."""
    facts = query.facts
    if facts.newest is None:
        return Empty(
            "No request was answered yet. Send a request, and it appears here a second later:",
            'waggle ask \'Three customers: {"name": "string", "age": "int 18..90"}\'',
        )
    if facts.rows:
        return Empty("There are requests in this time, but this panel counts none of them.")
    return Empty(
        "There are no requests in this time. The newest request came at "
        f"{facts.newest:%Y-%m-%d %H:%M} UTC: choose “All”, or a longer time."
    )


def total(rows: Rows, name: str) -> float:
    return float(sum(row[name] or 0 for row in rows))


def has_values(row: Row, *names: str) -> bool:
    return all(row[name] is not None for name in names)
