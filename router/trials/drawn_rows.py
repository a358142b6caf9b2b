"""Reads the requests whose plan was drawn with known chances, and how many others there were.

What says nothing about another policy is left out by the macro `left_out` of telemetry: forced,
remembered and abandoned requests, for example. Shadows of trials decided nothing and have no rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from learner.policy import Arm, Context, Distribution
from router.request.context import NAMES, NAMES_OF, context_of
from router.routing.function_contract import request_argument

_TAGGED = NAMES.index("tagged")
MOST_ROWS = 100_000  # the latest requests that are read


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """A request whose plan was drawn, and what came of it."""

    ts_micros: int
    kind: str
    numbers: Sequence[float | None] | None  # the features; None if they are of another version
    odds: Distribution
    plan: Arm
    propensity: float
    ineligible: frozenset[str]
    decided_by: str  # the kind of the strategy that decided alone; empty if a trial drew its side
    expected: Sequence[Mapping[str, Any]]  # what the bandit expected of each plan at that time
    input_tokens: int
    quality: float | None
    cost_usd: float | None
    seconds: float
    words: Sequence[str] | None = None  # None: telemetry keeps no words
    pattern: str | None = None  # None: it belongs to none, or patterns were not known yet

    @property
    def context(self) -> Context | None:
        return None if self.numbers is None else context_of(self.numbers, self.kind, lens=0)

    @property
    def function_arguments(self) -> tuple[dict[str, Any], dict[str, dict[str, float]], list[Any]]:
        """The arguments of a routing function, with the scores that were known at that time."""
        numbers = self.numbers or ()
        tagged = bool(numbers and numbers[_TAGGED])
        request = request_argument(
            numbers,
            kind=self.kind,
            tagged=tagged,
            input_tokens=self.input_tokens,
            words=self.words,
            pattern=self.pattern,
        )
        scores: dict[str, dict[str, float]] = {str(arm): {} for arm in self.odds}
        for row in self.expected:
            scores[row["plan"]] = {
                "usd": row["cost_usd"],
                "quality": row["quality"],
                "seconds": row["latency_ms"] / 1000,
            }
        return request, scores, []


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Requests that say nothing about another policy, and what they cost."""

    why: str
    n: int
    cost_usd: float


_WHY = """left_out(plan, strategy, gen_ai_operation_name, reuse_tier, reuse_checked, status,
       propensity, CASE WHEN len(eligible) = len(probabilities)
                        THEN map(eligible, probabilities) END)"""

_ROWS = f"""
SELECT epoch_us(ts), coalesce(r.kind, ''), CASE WHEN features_version = ANY(?) THEN features END,
       eligible, probabilities, r.plan, propensity, map_keys(ineligible), r.strategy,
       list_filter([e.variant FOR e IN exposures], lambda v: v <> 'shadow'), expected,
       coalesce(gen_ai_usage_input_tokens, 0),
       CASE WHEN j.quality IS NULL AND status >= 500 THEN 0.0 ELSE j.quality END,
       cost_usd, coalesce(latency_ms, 0) / 1000, r.words, r.pattern
FROM (SELECT * FROM all_requests WHERE ts >= ? AND ts < ? AND {_WHY} IS NULL
      ORDER BY ts DESC, request_id DESC LIMIT {MOST_ROWS}) r
LEFT JOIN judged j ON j.request_id = r.request_id AND j.request_ts = r.ts
ORDER BY r.ts, r.request_id
"""

_LEFT_OUT = f"""
SELECT {_WHY} AS why, count(*), coalesce(sum(cost_usd), 0) FROM all_requests
WHERE ts >= ? AND ts < ? AND why IS NOT NULL GROUP BY why ORDER BY 2 DESC
"""


def drawn_rows(con: duckdb.DuckDBPyConnection, since: Any, until: Any) -> list[DrawnRow]:
    """The latest drawn requests between two moments, oldest first."""
    rows = []
    for row in con.execute(_ROWS, [list(NAMES_OF), since, until]).fetchall():
        micros, kind, numbers, eligible, odds, plan, propensity, ineligible, *rest = row
        strategy, sides, expected, *outcome = rest
        rows.append(
            DrawnRow(
                micros,
                kind,
                numbers,
                dict(zip(map(Arm, eligible), odds, strict=True)),
                Arm(plan),
                propensity,
                frozenset(ineligible or ()),
                "" if sides else strategy or "",
                expected or (),
                *outcome,
            )
        )
    return rows


def left_out(con: duckdb.DuckDBPyConnection, since: Any, until: Any) -> list[LeftOut]:
    return [LeftOut(*row) for row in con.execute(_LEFT_OUT, [since, until]).fetchall()]
