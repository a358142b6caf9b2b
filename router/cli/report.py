"""`waggle report`: what was learned, what changed and why, what routing saved, what did not help.

Each section shows the queries behind its figures; analysts can run them on the same views. The
report says so where routing did not pay.
"""

import datetime as dt
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.markdown import Markdown

from router.cli.context import CommandContext, in_context, stored_keys, telemetry_catalog
from router.cli.report_document import LearningReport
from router.cli.report_efficiency import efficiency
from router.cli.report_policies import other_policies
from router.cli.report_savings import saved
from router.cli.report_sections import (
    changes,
    headline,
    learned,
    proposals,
    strategies_served,
    tried_in_vain,
)
from router.cli.report_shadow import shadow_of_auto
from router.cli.report_spend import key_names, spent
from router.cli.report_telemetry import ReportedTelemetry
from router.cli.terminal import InputRefused, out
from router.config.config import Config
from router.trials.ledger import Ledger


@in_context
def report(
    here: CommandContext,
    days: Annotated[float, typer.Option(min=0.01, help="Number of days in the report.")] = 7.0,
    to: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write to this file: .md or .html.")
    ] = None,
) -> None:
    """Show what was learned, what changed and why, what routing saved, and what did not help.

    Example: waggle report --days 30 --out month.html
    """
    learning = learning_report(here.config, days=days)
    if to is None:
        out.print(Markdown(learning.markdown))
        return
    if to.suffix not in (".md", ".html"):
        raise InputRefused(f"--out {to}: a report is written as .md or .html")
    try:
        to.write_text(learning.markdown if to.suffix == ".md" else learning.page)
    except OSError as error:
        raise InputRefused(f"--out {to} cannot be written", str(error.strerror)) from None
    out.print(f"Written: {to}")


def learning_report(
    config: Config, *, days: float, until: dt.datetime | None = None
) -> LearningReport:
    """The report of the last days, from telemetry and the book of trials."""
    path = telemetry_catalog(config)
    end = until or dt.datetime.now(dt.UTC).replace(tzinfo=None)
    begin = end - dt.timedelta(days=days)
    ledger = Ledger(config.trials_folder, config)
    ledger.follow()
    book = ledger.book
    with duckdb.connect(str(path), read_only=True) as con:
        telemetry = ReportedTelemetry(con, begin, end)
        sections = (
            headline(telemetry),
            *efficiency(telemetry, config),
            *shadow_of_auto(telemetry, config, book),
            saved(telemetry),
            spent(telemetry, key_names(stored_keys(config))),
            other_policies(telemetry, book),
            learned(telemetry),
            changes(telemetry),
            strategies_served(telemetry, book),
            tried_in_vain(telemetry),
            proposals(book),
        )
    return LearningReport(f"What Waggle learned, {begin:%Y-%m-%d} to {end:%Y-%m-%d}", sections)


def write_report(learning: LearningReport, folder: Path) -> Path:
    """Write a report as Markdown and as HTML; return the path of the HTML page."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(learning.markdown)
    page = folder / "report.html"
    page.write_text(learning.page)
    return page
