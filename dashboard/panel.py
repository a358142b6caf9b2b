"""What a page is made of: a query, and how its rows are shown.

The query that is shown for copying is the one that was asked: nothing is worked out behind it but
words, units and colours.
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
# Of the sums of a rollup: the mean quality, and half of its 95% interval.
QUALITY = "sum(quality) / nullif(sum(quality_n), 0)"
QUALITY_HALF = (
    "1.96 * sqrt(greatest(sum(quality_squared) - pow(sum(quality), 2) / nullif(sum(quality_n), 0), "
    "0) / nullif(sum(quality_n) - 1, 0) / nullif(sum(quality_n), 0))"
)


def quantile(q: float) -> str:
    """Of the latency in them, to within a few percent."""
    return f"binned_quantile([{SUMMED_BINS}], {q})"


@dataclass(frozen=True, slots=True)
class LadderBound:
    """The rule ladder that was configured: plans from the cheapest, and where the next begins."""

    rungs: tuple[str, ...]
    cuts: tuple[float, ...]

    @property
    def sql(self) -> str:
        steps = zip(reversed(self.cuts), reversed(self.rungs[1:]), strict=True)
        cases = " ".join(f"when complexity >= {cut:g} then {quoted(rung)}" for cut, rung in steps)
        first = quoted(self.rungs[0])
        return f"case {cases} else {first} end" if cases else first


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known before a page asks its own queries."""

    now: dt.datetime
    first: dt.datetime | None = None  # of the rows there are
    newest: dt.datetime | None = None
    plans: tuple[str, ...] = ()  # all there ever were, for colours that stay
    kinds: tuple[str, ...] = ()
    ladder: LadderBound | None = None
    weights: tuple[float, float] = (0.1, 0.05)  # of utility: cost, latency
    reuse_budget: float | None = None
    rows: int = 0  # requests in the span
    tail: dt.datetime | None = None  # since when there are few enough to go through one by one
    marks: Rows = ()  # what happened meanwhile


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """A view, the span it comes to, and what is known."""

    view: PageView
    span: Span
    facts: Facts

    @property
    def sums(self) -> str:
        """The rollup of the span, as telemetry's own macros read it."""
        span = self.span
        name = "row_sums" if span.bucket_seconds < 60 else "sums"
        return f"{name}({span.every}, {moment(span.since)}, {moment(span.until)})"

    @property
    def here(self) -> str:
        """Rows of the span."""
        return f"ts >= {moment(self.span.since)} and ts < {moment(self.span.until)}"

    @property
    def tail(self) -> str:
        """Rows of the span, the newest of them where there are too many."""
        since = max(self.span.since, self.facts.tail or self.span.since)
        return f"ts >= {moment(since)} and ts < {moment(self.span.until)}"

    @property
    def rows(self) -> str:
        """Requests one by one, with how good they were."""
        return f"(select * from requests where {self.tail} and {self.narrowed})"

    @property
    def calls(self) -> str:
        """Their calls to backends."""
        return f"(select * from attempts where {self.tail} and {self.narrowed})"

    @property
    def narrowed(self) -> str:
        """What the view leaves of the rollup: callers who named the plan never count."""
        kind = f" and kind = {quoted(self.view.kind)}" if self.view.kind else ""
        return f"plan is not null and strategy <> 'named'{kind}"

    def utility(self, quality: str, cost: str, latency: str) -> str:
        cost_weight, latency_weight = self.facts.weights
        weights = f"cost_weight := {cost_weight:g}, latency_weight := {latency_weight:g}"
        return f"utility({quality}, {cost}, {latency}, {weights})"

    @property
    def mean_utility(self) -> str:
        """Of the sums of a rollup."""
        return self.utility(QUALITY, "sum(cost_usd) / sum(n)", "sum(latency_ms) / sum(n)")


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing to show, and what to do about it."""

    words: str
    command: str = ""


Shown = Figure | Empty | Sequence[Any]  # a figure, nothing, or Dash components


@dataclass(frozen=True, slots=True)
class Panel:
    id: str
    title: str
    sql: Callable[[PanelQuery], str]
    show: Callable[[Rows, PanelQuery], Shown]
    note: str = ""  # how to read it
    form: Literal["graph", "parts"] = "graph"
    size: Literal["half", "whole"] = "half"
    tall: bool = False
    broad: bool = False  # scrolls sideways in itself, where it would be too narrow to read
    needs: Callable[[PanelQuery], str] | None = None  # why there is nothing to ask, if so


@dataclass(frozen=True, slots=True)
class Page:
    name: str
    title: str
    says: str  # one sentence
    panels: Sequence[Panel]
    filters: Sequence[str] = field(default=("kind",))


def nothing_yet(asked: PanelQuery) -> Empty:
    """Of a span without requests: what would fill it."""
    facts = asked.facts
    if facts.newest is None:
        return Empty(
            "No request was answered yet. Ask something, and it is here a second later:",
            'waggle ask \'Three customers: {"name": "string", "age": "int 18..90"}\'',
        )
    if facts.rows:
        return Empty("Requests there are, but none that this counts.")
    return Empty(
        f"Nothing happened in this time. The newest request is of {facts.newest:%Y-%m-%d %H:%M} "
        "UTC: choose “All”, or a longer time."
    )


def total(rows: Rows, name: str) -> float:
    return float(sum(one[name] or 0 for one in rows))


def known(row: Row, *names: str) -> bool:
    return all(row[name] is not None for name in names)
