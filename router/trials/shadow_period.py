"""What is known of `auto` in the shadow, from the telemetry of one period."""

import datetime as dt

import duckdb

from router.config.config import Config
from router.routing.shadow import AUTO_TRIAL
from router.trials.book import Book
from router.trials.logged import LoggedTelemetry
from router.trials.shadow_course import ShadowCourse, share_in_force
from router.trials.shadow_foretelling import foretold, shadow_counts
from router.trials.shadow_summary import MeasuredShadow, ShadowSummary


def summary_of_period(
    con: duckdb.DuckDBPyConnection,
    config: Config,
    book: Book,
    since: dt.datetime,
    until: dt.datetime,
) -> ShadowSummary:
    """The summary of a period, or of its part after the last switch."""
    switched = book.switches[-1] if book.switches else None
    if switched is not None:
        since = max(since, _moment(switched.at))
    begun, end = _micros(since), _micros(until)
    course = ShadowCourse(config, share_in_force(config, switched=book.switched), begun / 1e6)
    telemetry = LoggedTelemetry(config.telemetry_folder, con)
    rows = telemetry.exposures([AUTO_TRIAL], begun)
    course.take([row for row in rows if row.ts_micros < end])
    course.judge(telemetry.judged(course.waiting()))
    return ShadowSummary(
        book.switched,
        config.objective.switch,
        course.share,
        shadow_counts(con, since, until),
        MeasuredShadow.of(course),
        foretold(con, since, until),
        switched,
    )


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).replace(tzinfo=None)


def _micros(moment: dt.datetime) -> int:
    return int(moment.replace(tzinfo=dt.UTC).timestamp() * 1e6)
