"""Queries and words about how efficient routing is, for `waggle report` and for the dashboard.

All figures come from the macros of `efficiency.sql`. Where rows do not suffice, the words say so.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NOT_KNOWN = "not known"
_ROUGH = 20  # half the width of an interval from which on its middle says nothing


@dataclass(frozen=True, slots=True)
class AnalysedTime:
    """What is judged: the newest answers of a time, by all that the requests of the time show."""

    since: dt.datetime
    until: dt.datetime
    newest: int  # requests whose answers are judged
    weights: tuple[float, float] = (0.1, 0.05)  # of cost and latency in utility

    def efficiency(self) -> str:
        return f"with {self._newest_worth} from efficiency_of('newest_worth')"

    def issues(self, epsilon: float = 0.01) -> str:
        """The thirty that matter most."""
        return (
            f"with {self._newest_rows}, {self._newest_worth} from self_issues_of('newest_worth', "
            f"'newest_rows', since := {self._newest}, until := {_moment(self.until)}, "
            f"epsilon := {epsilon:g}) limit 30"
        )

    def groups(self) -> str:
        """What each pattern and kind is worth now and at best."""
        return f"with {self._newest_worth} from group_worth_of('newest_worth')"

    def curve(self, every_seconds: float) -> str:
        every = f"every := interval {max(1, round(every_seconds))} second"
        return (
            f"with known_rows as (from ({self.known_rows})), known_worth as materialized (from "
            f"plan_worth_of('known_rows', 'known_rows', {self._weights})) "
            f"from efficiency_curve_of('known_worth', 'known_rows', {every})"
        )

    @property
    def known_rows(self) -> str:
        """The rows of the whole time, which all figures are made from."""
        return f"from worth_rows(since := {_moment(self.since)}, until := {_moment(self.until)})"

    @property
    def worth(self) -> str:
        """What each plan is worth, and how often it served the newest requests."""
        return (
            f"with known_rows as (from ({self.known_rows})), {self._newest_rows} "
            f"from plan_worth_of('known_rows', 'newest_rows', {self._weights})"
        )

    @property
    def _newest_worth(self) -> str:
        return f"newest_worth as materialized (from ({self.worth}))"

    @property
    def _newest_rows(self) -> str:
        return f"newest_rows as (from ({self.known_rows}) where ts >= {self._newest})"

    @property
    def _newest(self) -> str:
        since, until = _moment(self.since), _moment(self.until)
        begin = (
            f"select ts from all_requests where ts >= {since} and ts < {until} "
            "and tells_worth(plan, status, strategy, reuse_tier) "
            f"order by ts desc limit 1 offset {max(self.newest - 1, 0)}"
        )
        return f"coalesce(({begin}), {since})"

    @property
    def _weights(self) -> str:
        cost, latency = self.weights
        return f"cost_weight := {cost:g}, latency_weight := {latency:g}"


def newest_of(requests: int) -> int:
    """How many of so many requests are the newest: a quarter, within bounds."""
    return min(max(requests // 4, 100), 2000)


@dataclass(frozen=True, slots=True)
class SelfIssue:
    """What could be better, its expected effect, and the command that mends it."""

    what: str
    utility: str
    ms: str
    usd: str
    command: str


def score_of(row: Mapping[str, Any]) -> str:
    """The score with its interval; where the interval is wide, only where the score lies."""
    score, half = row["score"], row["half"]
    if half is None:
        return f"{score:.0f} of 100"
    if half <= _ROUGH:
        return f"{score:.0f} ± {half:.0f} of 100"
    return f"{max(score - half, 0):.0f} to {min(score + half, 100):.0f} of 100"


def score_words(row: Mapping[str, Any]) -> Sequence[str]:
    """The efficiency in sentences."""
    if row["score"] is None:
        return (f"Efficiency: {NOT_KNOWN}, because {row['why']}.", *_worth(row))
    idle = row["idle"]
    words = [
        f"Efficiency: {score_of(row)}. 0 is {row['cheapest']}, the cheapest plan, "
        "for everything; 100 is the best known plan for each pattern, and for each kind of request "
        "outside of patterns.",
        *_worth(row),
    ]
    if idle >= 0.0005:
        words.append(
            f"Requests that went to plans which are best nowhere lose {idle:.4f} of this; some of "
            "them are what it costs to learn."
        )
    return words


def _worth(row: Mapping[str, Any]) -> Sequence[str]:
    if row["utility_now"] is None:
        return ()
    return (
        f"Utility of a request: {row['utility_now']:.4f}; by the cheapest plan it would be "
        f"{row['utility_cheapest']:.4f}, by the best known plans {row['utility_best']:.4f}. "
        f"Known for {row['known']:.0%} of requests.",
    )


def issue_of(row: Mapping[str, Any]) -> SelfIssue:
    """A row of `self_issues` in words."""
    subject, other = row["subject"], row["other"]
    match row["issue"]:
        case "double":
            what = f"{subject} and {other} are doubles, as far as rows tell, and {other} costs less"
            command = "waggle simplify"
        case "specialist":
            what = f"{subject}: {other} is worth more than what answers there"
            made = other.startswith(f"{subject}-")  # a plan made for the pattern
            command = f"waggle growth approve {other}" if made else "waggle routes distill"
        case "untried pattern":
            what = f"{subject}: no plan was made for this pattern, and its answers leave room"
            command = f"waggle patterns {subject}"
        case "idle check":
            what = f"{other} of {subject} refused none of {row['judged']:,} answers"
            command = "waggle simplify"
        case _:
            what = f"the committee {subject} is worth less than {other}, and slower"
            command = "waggle simplify"
    return SelfIssue(
        what,
        _between(row["gain"], row["half"]) if row["issue"] != "idle check" else "none is lost",
        _signed(row["ms"], ",.1f", " ms"),
        _signed(row["usd_per_1k"], ",.4g", ""),
        command,
    )


def _between(gain: float | None, half: float | None) -> str:
    if gain is None:
        return NOT_KNOWN
    return f"{gain:+.4f}" + (f" [{gain - half:+.4f}, {gain + half:+.4f}]" if half else "")


def _signed(value: float | None, places: str, unit: str) -> str:
    return NOT_KNOWN if value is None else f"{value:+{places}}{unit}"


def _moment(value: dt.datetime) -> str:
    return f"timestamp '{value:%Y-%m-%d %H:%M:%S}'"
