"""What `auto` would have saved while callers got what they named (`objective.start: shadow`)."""

from router.cli.report_document import ReportSection
from router.cli.report_telemetry import ReportedTelemetry
from router.config.config import Config
from router.trials.book import Book
from router.trials.shadow_period import summary_of_period

_HEAD = ("named", "auto would choose", "requests", "paid $", "$ foretold for auto")


def shadow_of_auto(telemetry: ReportedTelemetry, config: Config, book: Book) -> list[ReportSection]:
    """A section, or none if nothing is or was in the shadow."""
    by_choice = f"""
select named, auto_plan, count(*) as n, sum(cost_usd) as usd, sum(expected_usd) as auto_usd
from shadow_requests where {telemetry.in_time} group by all order by n desc limit 12"""
    estimates = (
        "from shadow_value("
        f"since := timestamp '{telemetry.begin:%Y-%m-%d %H:%M:%S}', "
        f"until := timestamp '{telemetry.end:%Y-%m-%d %H:%M:%S}')"
    )
    choices = telemetry.rows(by_choice)
    if config.objective.start != "shadow" and not choices:
        return []
    summary = summary_of_period(telemetry.con, config, book, telemetry.begin, telemetry.end)
    rows = [
        (row["named"], row["auto_plan"], f"{row['n']:,}", _usd(row["usd"]), _usd(row["auto_usd"]))
        for row in choices
    ]
    sql = (by_choice, estimates)
    return [ReportSection("What auto would have saved", summary.sentences, _HEAD, rows, sql=sql)]


def _usd(dollars: float | None) -> str:
    return "unknown" if dollars is None else f"{dollars:.4g}"
