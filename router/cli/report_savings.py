"""What routing saved, compared with the premium plan and with a random choice of the same cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from router.cli.report_document import ReportSection
from router.cli.report_telemetry import ReportedTelemetry

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RESAMPLES = 400
_LEAST_HOURS = 5
_LEAST_JUDGED = 5  # judged answers of a plan before its quality counts
_ROUTED = "strategy not in ('named', 'compared', 'shadow', 'sticky', 'reuse')"


def saved(telemetry: ReportedTelemetry) -> ReportSection:
    premium = f"""
select count(*) as n, sum(premium_cost_usd - cost_usd) as saved_usd,
       1.96 * stddev(premium_cost_usd - cost_usd) * sqrt(count(*)) as half,
       sum(premium_cost_usd) as premium_usd, any_value(premium_plan) as plan
from requests where {telemetry.in_time} and premium_cost_usd is not null and cost_usd is not null
  and {_ROUTED}"""
    unknown = f"""
select count(*) as n, any_value(premium_plan) as plan
from requests where {telemetry.in_time} and premium_plan is not null
  and (premium_cost_usd is null or cost_usd is null) and {_ROUTED}"""
    hourly = f"""
select date_trunc('hour', ts) as hour, plan, count(*) as n, sum(cost_usd) as usd,
       coalesce(sum(quality), 0) as quality, count(quality) as judged
from requests where {telemetry.in_time} and {_ROUTED} and plan is not null
  and cost_usd is not null group by all"""
    total = telemetry.rows(premium)[0]
    words = []
    if total["n"]:
        share = total["saved_usd"] / total["premium_usd"] if total["premium_usd"] else 0.0
        words.append(
            f"Against always {total['plan']}: ${total['saved_usd']:.4f} ± "
            f"${total['half'] or 0:.4f} saved over {total['n']:,} requests, {share:.1%} of what "
            "that would have cost."
        )
    left_out = telemetry.rows(unknown)[0]
    if left_out["n"]:
        words.append(
            f"{left_out['n']:,} requests are left out: what they cost, or what {left_out['plan']} "
            "would have cost, is unknown. Give each backend a `price`; `waggle check` names them."
        )
    words.append(_against_coin_toss(telemetry.rows(hourly)))
    return ReportSection("What it saved", words, sql=(premium, unknown, hourly))


@dataclass(frozen=True, slots=True)
class _TossComparison:
    """The real quality, and that of a random choice between the cheapest and dearest plan."""

    own: float
    toss: float

    @property
    def gain(self) -> float:
        return self.own - self.toss


def _against_coin_toss(rows: Sequence[Mapping[str, Any]]) -> str:
    """The comparison in words; its interval comes from resampling whole hours."""
    import numpy as np

    hours = sorted({row["hour"] for row in rows})
    plans = sorted({row["plan"] for row in rows})
    if len(plans) < 2 or len(hours) < _LEAST_HOURS:
        return "Against a random mix: too little was tried to say."
    sums = np.zeros((len(hours), len(plans), 4))
    for row in rows:
        at = hours.index(row["hour"]), plans.index(row["plan"])
        sums[at] += (row["n"], row["usd"], row["quality"], row["judged"])
    actual = _compared(sums.sum(axis=0))
    chance = np.random.default_rng(0)
    resampled = (
        _compared(sums[chance.integers(len(hours), size=len(hours))].sum(axis=0))
        for _ in range(_RESAMPLES)
    )
    gains = [comparison.gain for comparison in (actual, *resampled) if comparison is not None]
    if actual is None or len(gains) < _RESAMPLES / 2:
        return "Against a random mix: the cheapest and the dearest plan were tried too little."
    low, high = np.percentile(gains, [2.5, 97.5])
    verdict = (
        "it is better" if low > 0 else "it is worse" if high < 0 else "neither is shown better"
    )
    return (
        f"Against a coin toss between the cheapest and the dearest plan, as costly: quality "
        f"{actual.own:.4f} beside {actual.toss:.4f}, {actual.gain:+.4f} [{low:+.4f}, {high:+.4f}]: "
        f"{verdict}."
    )


def _compared(sums: "NDArray[Any]") -> _TossComparison | None:
    """Compare by the sums of each plan: requests, dollars, quality and judged answers."""
    n, usd, quality, judged = sums.T
    tried = judged >= _LEAST_JUDGED
    if tried.sum() < 2:
        return None
    cost = usd[tried] / n[tried]
    mean = quality[tried] / judged[tried]
    low, high = int(cost.argmin()), int(cost.argmax())
    if cost[high] <= cost[low]:
        return None
    share = min(max((usd.sum() / n.sum() - cost[low]) / (cost[high] - cost[low]), 0.0), 1.0)
    toss = float(mean[low] + (mean[high] - mean[low]) * share)
    return _TossComparison(float(quality.sum() / judged.sum()), toss)
