"""Reads decisions and trial units from telemetry as values, and decides nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from learner.policy import Arm, Context, Distribution
from learner.preference import Preference
from router.config.plan_steps import whole
from router.request.context import NAMES, NAMES_OF, context_of
from router.routing.function_contract import looks_at, request_argument
from router.telemetry.store.catalog import CATALOG_FILE

_TAGGED = NAMES.index("tagged")
_LEAST_REQUESTS = 5  # requests of a plan before its mean cost is known
# These strategies decide without a draw, or within a session that another strategy would have led
# elsewhere, so their rows say nothing about another strategy.
_UNDRAWN = (
    "('named', 'compared', 'sticky', 'moved', 'escalate', 'reuse', 'computed', 'specialist', "
    "'last_resort')"
)


@dataclass(frozen=True, slots=True)
class LoggedExposure:
    """The part of a unit in a trial, and the outcome of the unit's request."""

    request_id: str
    ts_micros: int
    trial: str
    unit: str
    side: str
    chance: float
    apart: bool
    plan: str
    other: str
    trouble: str
    key_id: str
    kind: str
    features: Sequence[float | None]
    cost_usd: float  # an unknown cost counts as dear as the dearest known plan
    seconds: float
    failed: bool
    abandoned: bool
    paid_usd: float | None = None  # None: nobody knows the cost
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """A decision that was drawn from odds, and the outcome of its request."""

    request_id: str
    kind: str
    numbers: Sequence[float | None]
    odds: Distribution
    plan: Arm
    propensity: float
    cost_usd: float
    seconds: float
    quality: float
    words: Sequence[str] | None = None  # None: telemetry keeps no words
    pattern: str | None = None  # None: it belongs to none, or patterns were not known yet

    def context(self, lens: int) -> Context:
        return context_of(self.numbers, self.kind, lens=lens)

    @property
    def function_view(self) -> dict[str, Any]:
        """The request as the argument of a routing function."""
        tagged = bool(self.numbers[_TAGGED])
        return request_argument(
            self.numbers,
            kind=self.kind,
            tagged=tagged,
            input_tokens=0,
            words=self.words,
            pattern=self.pattern,
        )

    def lacks(self, source: str) -> tuple[str, ...]:
        """What the function of this source looks at, and the row does not hold."""
        names = looks_at(source)
        view = self.function_view if names else {}
        return tuple(name for name in names if name not in view)

    def utility(self, preference: Preference) -> float:
        return utility_of(self.quality, self.cost_usd, self.seconds, preference)


def utility_of(quality: float, cost_usd: float, seconds: float, preference: Preference) -> float:
    """The utility of an answer, as the macro `utility` computes it in telemetry."""
    return quality - preference.price(cost_usd, seconds)


_EXPOSURES = """
SELECT request_id, epoch_us(ts), e.trial_id, coalesce(e.unit, request_id), e.variant, e.chance,
       e.apart, plan, coalesce(e.other, ''), coalesce(e.trouble, ''), coalesce(key_id, ''),
       coalesce(kind, ''), CASE WHEN features_version = ANY(?) THEN features END,
       coalesce(cost_usd, rate_usd, 0), coalesce(latency_ms, 0) / 1000, coalesce(status, 0) >= 500,
       coalesce(status, 0) = 499, cost_usd, coalesce(pattern, '')
FROM (SELECT *, unnest(exposures) AS e FROM all_requests
      WHERE ts >= make_timestamp(?) AND exposures IS NOT NULL)
WHERE e.trial_id = ANY(?) ORDER BY ts, writer, n
"""

_JUDGED = """
SELECT request_id, quality FROM judged WHERE request_id = ANY(?) AND quality IS NOT NULL
       AND request_ts BETWEEN make_timestamp(?) AND make_timestamp(?)
"""

_DECISIONS = f"""
SELECT r.request_id, coalesce(r.kind, ''), r.features, r.eligible, r.probabilities, r.plan,
       r.propensity, coalesce(r.cost_usd, r.rate_usd, 0), coalesce(r.latency_ms, 0) / 1000,
       j.quality, r.words, r.pattern
FROM all_requests r JOIN judged j ON j.request_id = r.request_id AND j.request_ts = r.ts
WHERE r.ts >= make_timestamp(?) AND r.features_version = ANY(?) AND j.quality IS NOT NULL
      AND r.propensity > 0
      AND len(r.eligible) = len(r.probabilities) AND r.plan IS NOT NULL
      AND r.strategy NOT IN {_UNDRAWN}
ORDER BY r.ts DESC LIMIT ?
"""

_COSTS = f"""
SELECT plan, sum(cost_usd), sum(n - unpriced) FROM rollup WHERE strategy NOT IN {_UNDRAWN}
GROUP BY plan HAVING sum(n - unpriced) >= {_LEAST_REQUESTS}
"""


class LoggedTelemetry:
    """Reads the catalog. Each call opens the catalog anew, because the keeper replaces it, unless
    there is a connection to read through."""

    def __init__(self, folder: Path, con: duckdb.DuckDBPyConnection | None = None) -> None:
        self._path, self._con = folder / CATALOG_FILE, con

    def exposures(self, trials: Iterable[str], since_micros: int) -> list[LoggedExposure]:
        rows = self.rows(_EXPOSURES, list(NAMES_OF), since_micros, list(trials))
        return [LoggedExposure(*row) for row in rows]

    def judged(self, begun: Mapping[str, int]) -> dict[str, float]:
        """The qualities of the judged requests among these; `begun` maps ids to starting times."""
        if not begun:
            return {}
        low, high = min(begun.values()), max(begun.values())
        return dict(self.rows(_JUDGED, list(begun), low, high))

    def decisions(self, since_micros: int, most: int) -> list[LoggedDecision]:
        """The latest decisions with a judged answer, oldest first."""
        rows = self.rows(_DECISIONS, since_micros, list(NAMES_OF), most)
        decisions = []
        for id_, kind, numbers, eligible, odds, plan, *outcome in reversed(rows):
            named_odds = dict(zip(map(_arm, eligible), odds, strict=True))
            decisions.append(LoggedDecision(id_, kind, numbers, named_odds, _arm(plan), *outcome))
        return decisions

    def costs(self) -> tuple[dict[str, float], float]:
        """The mean cost of a request in dollars, for each plan and over all plans."""
        rows = self.rows(_COSTS)
        total = sum(n for _, _, n in rows)
        spent = sum(usd for _, usd, _ in rows) / total if total else 0.0
        return {str(plan): usd / n for plan, usd, n in rows}, spent

    def rows(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        return self._fetched(sql, list(arguments))

    def named_rows(self, sql: str, arguments: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of a query whose arguments have names."""
        return self._fetched(sql, dict(arguments))

    def _fetched(self, sql: str, arguments: list[Any] | dict[str, Any]) -> list[tuple[Any, ...]]:
        if self._con is not None:
            return self._con.execute(sql, arguments).fetchall()
        # One thread: this machine also answers requests, and this query can wait.
        config: dict[str, Any] = {"threads": 1}
        with duckdb.connect(str(self._path), read_only=True, config=config) as connection:
            return connection.execute(sql, arguments).fetchall()


def _arm(plan: str) -> Arm:
    """The arm of a plan; a simpler form of a plan belongs to the arm of the whole plan."""
    return Arm(whole(plan))
