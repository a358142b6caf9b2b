"""Foretells what `auto` would have cost, and how good it would have been, where nothing was drawn.

Costs are foretold from the learner's estimate for each request, made before its answer, or from the
mean cost of the plan on like requests. Quality is foretold from judged answers to like requests; a
kind of request is like itself. Callers chose which request got which plan, so quality foretold like
this proves nothing: it may only say where a measurement is worth its while.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import duckdb

_ENOUGH = 10  # judged answers of a plan on a kind of request
_MOST_UNTOLD = 0.005
_MOST_NAMES = 3

_COUNTS = """
SELECT count(*), count(*) FILTER (auto_share = 0), coalesce(avg(apart::INT), 0),
       coalesce(sum(cost_usd), 0), count(*) FILTER (cost_usd IS NULL),
       list(DISTINCT named)
FROM shadow_requests WHERE ts >= ? AND ts < ?
"""

# What each plan cost and was worth on each kind of request, whoever chose it.
_SEEN = """
SELECT coalesce(kind, ''), plan, count(cost_usd), avg(cost_usd),
       count(quality), avg(quality), coalesce(var_samp(quality), 0)
FROM requests WHERE ts >= ? AND ts < ? AND plan IS NOT NULL AND gen_ai_operation_name = 'chat'
      AND coalesce(status, 0) < 400 AND strategy <> 'reuse'
GROUP BY ALL
"""

# How much of its traffic `auto` would have moved from one plan to another, by kind.
_MOVED = """
WITH s AS (
  SELECT kind, plan AS served, cost_usd, expected, coalesce(shadow.unpriced, []) AS unpriced,
         unnest(map_entries(shadow.probabilities)) AS e
  FROM requests
  WHERE ts >= ? AND ts < ? AND shadow IS NOT NULL AND plan = shadow.named
        AND coalesce(status, 0) < 400),
x AS (
  SELECT coalesce(kind, '') AS kind, served, e.key AS auto, e.value AS p, cost_usd,
         CASE WHEN NOT list_contains(unpriced, e.key)
              THEN list_filter(expected, lambda x: x.plan = e.key)[1].cost_usd END AS usd,
         list_filter(expected, lambda x: x.plan = served)[1].cost_usd AS own_usd
  FROM s WHERE e.value > 0)
SELECT kind, served, auto, sum(p), coalesce(sum(p * cost_usd), 0), coalesce(sum(p * usd), 0),
       coalesce(sum(p) FILTER (usd IS NULL), 0), coalesce(sum(p) FILTER (cost_usd IS NULL), 0),
       coalesce(sum(p * cost_usd) FILTER (own_usd IS NOT NULL), 0),
       coalesce(sum(p * own_usd) FILTER (cost_usd IS NOT NULL), 0)
FROM x GROUP BY ALL
"""


@dataclass(frozen=True, slots=True)
class ShadowCounts:
    """The requests of a shadow: how many, how many without a draw, and what they cost."""

    noted: int = 0
    undrawn: int = 0
    apart: float = 0.0  # the share for which `auto` would have chosen another plan
    paid_usd: float = 0.0
    unpriced: int = 0
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ForetoldShadow:
    """What `auto` would have saved and lost, foretold. None: there is nothing to foretell from."""

    requests: float = 0.0
    saving_usd: float | None = None
    cost_off_by: float | None = None  # how far such forecasts were off, of answers that were given
    quality: float | None = None  # gained by `auto`
    quality_half: float = 0.0
    judged: int = 0
    unjudged: tuple[str, ...] = ()  # plans without enough judged answers to like requests
    unpriced: int = 0
    untried: tuple[str, ...] = ()  # plans that never answered: only their prices are known


@dataclass(frozen=True, slots=True)
class _Seen:
    priced: int
    usd: float | None
    judged: int
    quality: float | None
    variance: float

    @property
    def squared_error(self) -> float:
        """Of the mean quality. Two more answers, one good and one bad, so that few and equal
        answers never look certain."""
        return (self.variance * self.judged + 0.5) / (self.judged + 2) / self.judged


class _Moved(NamedTuple):
    """Traffic of a kind that `auto` would have moved from one plan to another, in requests."""

    kind: str
    served: str
    auto: str
    weight: float
    paid_usd: float
    foretold_usd: float
    unforetold: float  # requests without a forecast of the learner
    unpaid: float  # requests whose cost nobody knows
    known_usd: float
    known_foretold_usd: float


def shadow_counts(
    con: duckdb.DuckDBPyConnection, since: dt.datetime, until: dt.datetime
) -> ShadowCounts:
    (row,) = con.execute(_COUNTS, [since, until]).fetchall()
    noted, undrawn, apart, paid_usd, unpriced, named = row
    names = tuple(sorted(filter(None, named or ())))
    return ShadowCounts(noted, undrawn, apart, paid_usd, unpriced, names)


def foretold(
    con: duckdb.DuckDBPyConnection, since: dt.datetime, until: dt.datetime
) -> ForetoldShadow:
    """Foretell from the requests that got what their callers named, between two moments."""
    moved = [_Moved(*row) for row in con.execute(_MOVED, [since, until]).fetchall()]
    if not moved:
        return ForetoldShadow()
    seen = {
        (kind, plan): _Seen(*figures)
        for kind, plan, *figures in con.execute(_SEEN, [since, until]).fetchall()
    }
    saving, off_by, unpriced = _saving(moved, seen)
    quality, half, judged, unjudged = _quality(moved, seen)
    tried = {plan for (_, plan), cell in seen.items() if cell.priced}
    untried = sorted({part.auto for part in moved} - tried)
    requests = sum(part.weight for part in moved)
    return ForetoldShadow(
        requests,
        saving,
        off_by,
        quality,
        half,
        judged,
        unjudged,
        unpriced,
        tuple(untried[:_MOST_NAMES]),
    )


def _saving(
    moved: Sequence[_Moved], seen: Mapping[tuple[str, str], _Seen]
) -> tuple[float | None, float | None, int]:
    """The dollars saved; None where the cost of too many requests cannot be foretold."""
    saving, untold = 0.0, 0.0
    for part in moved:
        if part.served == part.auto:
            continue
        mean = seen.get((part.kind, part.auto))
        usual = None if mean is None else mean.usd
        if part.unpaid or (part.unforetold and usual is None):
            untold += max(part.unpaid, part.unforetold)
        else:
            saving += part.paid_usd - part.foretold_usd - part.unforetold * (usual or 0.0)
    paid, as_foretold = sum(p.known_usd for p in moved), sum(p.known_foretold_usd for p in moved)
    off_by = abs(as_foretold / paid - 1) if paid > 0 and as_foretold > 0 else None
    too_many = untold > _MOST_UNTOLD * sum(part.weight for part in moved)
    return None if too_many else saving, off_by, round(untold)


def _quality(
    moved: Sequence[_Moved], seen: Mapping[tuple[str, str], _Seen]
) -> tuple[float | None, float, int, tuple[str, ...]]:
    """The quality gained a request with half of its interval, and the plans that nobody judged."""
    weights: dict[tuple[str, str], float] = {}
    untold: dict[str, float] = {}
    total = sum(part.weight for part in moved)
    for part in moved:
        if part.served == part.auto:
            continue
        missing = [
            plan
            for plan in (part.auto, part.served)
            if (cell := seen.get((part.kind, plan))) is None or cell.judged < _ENOUGH
        ]
        for plan in missing:
            untold[plan] = untold.get(plan, 0.0) + part.weight
        if not missing:
            to, gone = (part.kind, part.auto), (part.kind, part.served)
            weights[to] = weights.get(to, 0.0) + part.weight / total
            weights[gone] = weights.get(gone, 0.0) - part.weight / total
    if sum(untold.values()) > _MOST_UNTOLD * total:
        order = sorted(untold, key=lambda plan: -untold[plan])
        return None, 0.0, 0, tuple(order[:_MOST_NAMES])
    cells = [(share, seen[key]) for key, share in weights.items()]
    gain = sum(share * (cell.quality or 0.0) for share, cell in cells)
    variance = sum(share**2 * cell.squared_error for share, cell in cells)
    return gain, 1.96 * sqrt(variance), sum(cell.judged for _, cell in cells), ()
