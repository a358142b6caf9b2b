"""What telemetry holds of trials and decisions, as values. Reads, and decides nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log10
from pathlib import Path
from typing import Any

import duckdb

from learner.policy import Arm, Context, Distribution
from learner.preference import Preference
from router.config.plan_steps import whole
from router.request.context import NAMES, VERSION, context_of
from router.routing.function_contract import request_argument
from router.telemetry.store.catalog import CATALOG_FILE

_TAGGED = NAMES.index("tagged")
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class LoggedExposure:
    """A unit's part in a trial, and what came of it as far as is known."""

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
    cost_usd: float
    seconds: float
    failed: bool
    abandoned: bool


@dataclass(frozen=True, slots=True)
class Logged:
    """A decision that was drawn, and what came of it."""

    request_id: str
    kind: str
    numbers: Sequence[float | None]
    odds: Distribution
    plan: Arm
    propensity: float
    cost_usd: float
    seconds: float
    quality: float

    @property
    def tagged(self) -> bool:
        return bool(self.numbers[_TAGGED])

    def context(self, lens: int) -> Context:
        return context_of(self.numbers, self.kind, lens=lens)

    @property
    def told(self) -> dict[str, Any]:
        return request_argument(self.numbers, kind=self.kind, tagged=self.tagged, input_tokens=0)

    def utility(self, preference: Preference) -> float:
        return utility_of(self.quality, self.cost_usd, self.seconds, preference)


def utility_of(quality: float, cost_usd: float, seconds: float, told: Preference) -> float:
    """As the view `utility` has it."""
    return quality - told.cost * log10(1 + 1000 * cost_usd) - told.latency * log10(1 + 10 * seconds)


_EXPOSURES = """
SELECT request_id, epoch_us(ts), e.trial_id, coalesce(e.unit, request_id), e.variant, e.chance,
       e.apart, plan, coalesce(e.other, ''), coalesce(e.trouble, ''), coalesce(key_id, ''),
       coalesce(kind, ''), CASE WHEN features_version = ? THEN features END,
       coalesce(cost_usd, 0), coalesce(latency_ms, 0) / 1000, coalesce(status, 0) >= 500,
       coalesce(status, 0) = 499
FROM (SELECT *, unnest(exposures) AS e FROM all_requests
      WHERE ts >= make_timestamp(?) AND exposures IS NOT NULL)
WHERE e.trial_id = ANY(?) ORDER BY ts, writer, n
"""

_LOGGED = """
SELECT r.request_id, coalesce(r.kind, ''), r.features, r.eligible, r.probabilities, r.plan,
       r.propensity, coalesce(r.cost_usd, 0), coalesce(r.latency_ms, 0) / 1000, j.quality
FROM all_requests r JOIN judged j ON j.request_id = r.request_id AND j.request_ts = r.ts
WHERE r.ts >= make_timestamp(?) AND r.features_version = ? AND j.quality IS NOT NULL
      AND r.propensity > 0
      AND len(r.eligible) = len(r.probabilities) AND r.plan IS NOT NULL
      AND r.strategy NOT IN ('named', 'sticky', 'moved', 'reuse', 'computed', 'specialist')
ORDER BY r.ts DESC LIMIT ?
"""


def _arm(plan: str) -> Arm:
    """A simpler plan that stood for another is what that one now is."""
    return Arm(whole(plan))


class LoggedTelemetry:
    """One look at a time; opened anew for each, since catalogs are replaced."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / CATALOG_FILE

    def exposures(self, trials: Iterable[str], since_micros: int) -> list[LoggedExposure]:
        with self._open() as con:
            rows = con.execute(_EXPOSURES, [VERSION, since_micros, list(trials)]).fetchall()
        return [LoggedExposure(*row) for row in rows]

    def judged(self, ids: Mapping[str, int]) -> dict[str, float]:
        """The quality of those requests that anybody judged; `ids` tells when each began."""
        if not ids:
            return {}
        low, high = min(ids.values()), max(ids.values())
        with self._open() as con:
            rows = con.execute(
                "SELECT request_id, quality FROM judged WHERE request_id = ANY(?) AND quality IS "
                "NOT NULL AND request_ts BETWEEN make_timestamp(?) AND make_timestamp(?)",
                [list(ids), low, high],
            ).fetchall()
        return dict(rows)

    def logged(self, since_micros: int, most: int) -> list[Logged]:
        """The latest judged decisions, oldest first."""
        with self._open() as con:
            rows = con.execute(_LOGGED, [since_micros, VERSION, most]).fetchall()
        told = []
        for id_, kind, numbers, eligible, odds, plan, *rest in reversed(rows):
            named = dict(zip(map(_arm, eligible), odds, strict=True))
            told.append(Logged(id_, kind, numbers, named, _arm(plan), *rest))
        return told

    def costs(self) -> tuple[dict[str, float], float]:
        """Dollars a request of each plan that was tried, and of all that was decided."""
        told = self.rows(
            "SELECT plan, sum(cost_usd) AS usd, sum(n) AS n FROM rollup WHERE strategy NOT IN "
            "('named', 'sticky', 'moved', 'reuse', 'computed', 'specialist') GROUP BY plan "
            "HAVING sum(n) >= 5"
        )
        total = sum(one["n"] for one in told)
        spent = sum(one["usd"] for one in told) / total if total else 0.0
        return {str(one["plan"]): one["usd"] / one["n"] for one in told}, spent

    def rows(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        with self._open() as con:
            found = con.execute(sql, list(arguments))
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def _open(self) -> duckdb.DuckDBPyConnection:
        # One thread: requests are answered on this machine, too, and this can wait.
        return duckdb.connect(str(self._path), read_only=True, config={"threads": 1})
