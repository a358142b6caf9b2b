"""How efficient routing is, what could be better, and what the changes so far brought."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from router.cli.report_document import ReportSection
from router.cli.report_telemetry import ReportedTelemetry
from router.config.config import Config
from router.telemetry.self_analysis import AnalysedTime, issue_of, newest_of, score_words

_POINTS = 12  # of the curve
_FEW = 0.05  # of the requests of its largest point: a point with fewer says little by itself
_KNOWN = 50_000  # of the newest requests, which show what plans are worth
_APPLIED = """
kind in ('growth', 'trial')
  and state in ('adopted', 'rolled back', 'removed', 'forbidden', 'superseded')
or kind = 'strategy' and state = 'serves'"""


def efficiency(telemetry: ReportedTelemetry, config: Config) -> list[ReportSection]:
    """The score and its course; then what could be better."""
    (extent,) = telemetry.rows(_extent(telemetry))
    if not extent["n"]:
        return [ReportSection("How efficient it is", ("No request was answered in this time.",))]
    weights = config.objective.preference
    time = AnalysedTime(
        extent["since"],
        telemetry.end,
        newest_of(extent["n"]),
        (weights.cost, weights.latency),
    )
    return [_score(telemetry, time), _issues(telemetry, time, config.trials.epsilon)]


def _extent(telemetry: ReportedTelemetry) -> str:
    """SQL for the number of requests, and the moment since which there are not too many."""
    return f"""
with r as (
  select ts, row_number() over (order by ts desc) as nth from all_requests
  where {telemetry.in_time} and plan is not null)
select count(*) as n, min(ts) filter (nth <= {_KNOWN}) as since from r"""


def _score(telemetry: ReportedTelemetry, time: AnalysedTime) -> ReportSection:
    seconds = (telemetry.end - time.since).total_seconds()
    score, curve = time.efficiency(), time.curve(seconds / _POINTS)
    applied = f"""
select ts, subject, state from events where {telemetry.in_time} and ({_APPLIED}) order by ts"""
    (row,) = telemetry.rows(score)
    points, changes = telemetry.rows(curve), telemetry.rows(applied)
    lines = [
        (
            f"{point['bucket']:%m-%d %H:%M}",
            f"{point['n']:,}",
            f"{point['score']:.0f}",
            f"{point['utility_now']:.4f}",
            _applied(changes, point["bucket"], dt.timedelta(seconds=seconds / _POINTS)),
        )
        for point in points
    ]
    words = [*score_words(row)]
    least = _FEW * max((point["n"] for point in points), default=0)
    weighty = [point for point in points if point["n"] >= least]
    if len(weighty) > 1:
        words.append(
            f"By what is known now, it was {weighty[0]['score']:.0f} at first and is "
            f"{weighty[-1]['score']:.0f}: each line is measured on the same requests and "
            "estimates, so that only the way of answering moves it."
        )
    head = ("from", "requests", "efficiency", "utility", "what was applied")
    return ReportSection("How efficient it is", words, head, lines, sql=(score, curve, applied))


def _applied(changes: list[dict[str, Any]], begin: dt.datetime, every: dt.timedelta) -> str:
    """What was applied within a point of the curve."""
    here = [
        f"{row['subject']} {row['state']}" for row in changes if begin <= row["ts"] < begin + every
    ]
    more = f" and {len(here) - 4} more" if len(here) > 4 else ""
    return "; ".join(here[:4]) + more


def _issues(telemetry: ReportedTelemetry, time: AnalysedTime, epsilon: float) -> ReportSection:
    sql = time.issues(epsilon)
    rows = [_line(row) for row in telemetry.rows(sql)]
    head = ("what", "utility", "ms", "$ per 1,000", "one command away")
    words = [
        "Expected effects on the mean of all requests, with 95 % intervals where rows give them.",
        "Rows do not tell whether a step of a pipeline changes anything: `waggle simplify` tries.",
    ]
    if not rows:
        words.insert(0, "Nothing was found.")
    return ReportSection("What could be better", words, head, rows, sql=(sql,))


def _line(row: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    issue = issue_of(row)
    return issue.what, issue.utility, issue.ms, issue.usd, issue.command
