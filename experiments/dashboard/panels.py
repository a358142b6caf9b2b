"""Measures the time of each page, panel and query of the dashboard over a large store."""

import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from dashboard.board import PAGES, Board
from dashboard.source import Source
from dashboard.view import PageView

LASTS = ("all", "24h", "1h")


def panel_times(folder: Path, end: float) -> dict[str, Any]:
    """Milliseconds of each page: of the whole page, of each panel, and of each query run alone."""
    now = datetime.fromtimestamp(end, UTC).replace(tzinfo=None) + timedelta(seconds=5)
    board = Board(Source(folder), clock=lambda: now)
    measured: dict[str, Any] = {}
    for last in LASTS:
        for name in PAGES:
            view = PageView(page=name, last=last)
            if name == "requests":
                table = board.page_values(view)["panels"]["found"]["parts"][0]
                view = PageView(page=name, last=last, request=_first_request(table))
            board.page_values(view)
            drawn: list[float] = []
            panels: dict[str, list[float]] = {}
            for _ in range(3):
                begun = time.perf_counter()
                page = board.page_values(view)
                drawn.append(time.perf_counter() - begun)
                for panel, shown in page["panels"].items():
                    panels.setdefault(panel, []).append(shown["ms"])
            measured[f"{name}, {last}"] = {
                "page_ms": round(1000 * statistics.median(drawn), 1),
                "panels_ms": {panel: statistics.median(ms) for panel, ms in panels.items()},
                "copied_ms": _copied(folder, page["panels"]),
            }
    board.close()
    return measured


def _first_request(table: Any) -> str:
    body = table.children.children[1]
    link = body.children[0].children[1].children
    return str(link.to_plotly_json()["props"]["data-go"].removeprefix("request="))


def _copied(folder: Path, panels: Any) -> dict[str, float]:
    """Milliseconds of each panel's query, run alone on one thread over its own connection."""
    times = {}
    database = folder / "copied.duckdb"
    database.write_bytes((folder / "telemetry.duckdb").read_bytes())
    with duckdb.connect(str(database), read_only=True, config={"threads": 1}) as con:
        con.execute("SET parquet_metadata_cache = true")
        for name, panel in panels.items():
            if panel["sql"]:
                seconds = []
                for _ in range(3):
                    begun = time.perf_counter()
                    con.execute(panel["sql"]).fetchall()
                    seconds.append(time.perf_counter() - begun)
                times[name] = round(1000 * statistics.median(seconds), 1)
    database.unlink()
    return times
