"""Foretells what `auto` would have cost, and how good it would have been, where nothing was drawn.

Costs are foretold from the learner's estimate for each request, made before its answer, or from the
mean cost of the plan on like requests. Quality is foretold from judged answers to like requests; a
kind of request is like itself. Callers chose which request got which plan, so quality foretold like
this proves nothing: it may only say where a measurement is worth its while.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

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
  SELECT kind, served, cost_usd, expected, unnest(map_entries(auto_probabilities)) AS e
  FROM (SELECT r.kind, r.plan AS served, r.cost_usd, r.expected,
               r.shadow.probabilities AS auto_probabilities
        FROM requests r
        WHERE ts >= ? AND ts < ? AND shadow IS NOT NULL AND plan = shadow.named
              AND coalesce(status, 0) < 400)),
x AS (
  SELECT coalesce(kind, '') AS kind, served, e.key AS auto, e.value AS p, cost_usd,
         list_filter(expected, lambda x: x.plan = e.key)[1].cost_usd AS usd,
         list_filter(expected, lambda x: x.plan = served)[1].cost_usd AS own_usd
  FROM s WHERE e.value > 0)
SELECT kind, served, auto, sum(p), sum(p * cost_usd), sum(p * usd),
       sum(p) FILTER (usd IS NULL), sum(p) FILTER (cost_usd IS NULL),
       sum(p * cost_usd) FILTER (own_usd IS NOT NULL),
       sum(p * own_usd) FILTER (cost_usd IS NOT NULL)
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
    moved = con.execute(_MOVED, [since, until]).fetchall()
    if not moved:
        return ForetoldShadow()
    seen = {
        (kind, plan): _Seen(*figures)
        for kind, plan, *figures in con.execute(_SEEN, [since, until]).fetchall()
    }
    saving, off_by, unpriced = _saving(moved, seen)
    quality, half, judged, unjudged = _quality(moved, seen)
    tried = {plan for (_, plan), cell in seen.items() if cell.priced}
    untried = sorted({row[2] for row in moved} - tried)
    requests = sum(row[3] for row in moved)
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
    moved: Sequence[Sequence[Any]], seen: dict[tuple[str, str], _Seen]
) -> tuple[float | None, float | None, int]:
    """The dollars saved; None where the cost of too many requests cannot be foretold."""
    saving, untold, total, own, own_foretold = 0.0, 0.0, 0.0, 0.0, 0.0
    for (
        kind,
        served,
        auto,
        weight,
        paid,
        usd,
        without,
        unpriced,
        known_usd,
        known_foretold,
    ) in moved:
        total += weight
        own, own_foretold = own + (known_usd or 0.0), own_foretold + (known_foretold or 0.0)
        if served == auto:
            continue
        mean = seen.get((kind, auto))
        gap = without or 0.0
        if unpriced or (gap and (mean is None or mean.usd is None)):
            untold += max(unpriced or 0.0, gap)
            continue
        saving += paid - (usd or 0.0) - (gap * (mean.usd or 0.0) if mean is not None else 0.0)
    off_by = abs(own_foretold / own - 1) if own > 0 and own_foretold > 0 else None
    if untold > _MOST_UNTOLD * total:
        return None, off_by, round(untold)
    return saving, off_by, round(untold)


def _quality(
    moved: Sequence[Sequence[Any]], seen: dict[tuple[str, str], _Seen]
) -> tuple[float | None, float, int, tuple[str, ...]]:
    """The quality gained a request with half of its interval, and the plans that nobody judged."""
    weights: dict[tuple[str, str], float] = {}
    total = sum(row[3] for row in moved)
    untold: dict[str, float] = {}
    for kind, served, auto, weight, *_ in moved:
        if served == auto:
            continue
        missing = [
            plan
            for plan in (auto, served)
            if (cell := seen.get((kind, plan))) is None or cell.judged < _ENOUGH
        ]
        for plan in missing:
            untold[plan] = untold.get(plan, 0.0) + weight
        if not missing:
            weights[kind, auto] = weights.get((kind, auto), 0.0) + weight / total
            weights[kind, served] = weights.get((kind, served), 0.0) - weight / total
    if sum(untold.values()) > _MOST_UNTOLD * total:
        order = sorted(untold, key=lambda plan: -untold[plan])
        return None, 0.0, 0, tuple(order[:_MOST_NAMES])
    gain, variance, judged = 0.0, 0.0, 0
    for key, share in weights.items():
        cell = seen[key]
        gain += share * (cell.quality or 0.0)
        # Two more answers, one good and one bad, so that few and equal ones never look certain.
        variance += share**2 * (cell.variance * cell.judged + 0.5) / (cell.judged + 2) / cell.judged
        judged += cell.judged
    return gain, 1.96 * sqrt(variance), judged, ()
