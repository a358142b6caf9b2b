"""Reads the rows of a report from telemetry's catalog, for the time that the report covers."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import duckdb


@dataclass(frozen=True, slots=True)
class ReportedTelemetry:
    con: duckdb.DuckDBPyConnection
    begin: dt.datetime
    end: dt.datetime

    def rows(self, sql: str) -> list[dict[str, Any]]:
        cursor = self.con.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    @property
    def in_time(self) -> str:
        """The SQL condition that a row is from the time that the report covers."""
        begin, end = (
            f"timestamp '{moment:%Y-%m-%d %H:%M:%S}'" for moment in (self.begin, self.end)
        )
        return f"ts >= {begin} and ts < {end}"


def with_interval(mean: float | None, half: float | None) -> str:
    """A mean with half the width of its 95 % interval, as text for the report."""
    if mean is None:
        return "unknown"
    return f"{mean:.4f}" + (f" ± {half:.4f}" if half is not None else "")
