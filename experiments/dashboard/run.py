"""Measures what the dashboard costs, and whether everybody can use it. `make bench-dashboard`

The program measures the first plot in a browser, the CPU of a refresh and the time of each panel
over ten million rows. The checker axe looks for accessibility problems on each page.

python -m experiments.dashboard.run [--rows 10000000] [--seconds 20]
"""

import argparse
import asyncio
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from rich.progress import Progress

from dashboard.board import PAGES
from experiments.dashboard.panels import panel_times
from experiments.dashboard.report import readme_table
from experiments.readme import put
from experiments.telemetry import big
from router.config.dashboard_options import DashboardOptions
from router.deployment.ray_environment import free_ports
from tests.dashboard.browser import Watched, chromium
from tests.dashboard.story import write_story
from tests.telemetry.stored import MINUTE, Stored, request, signal

HERE = Path(__file__).parent
SPREADS = {"a day": 28 * 3600.0, "a month": 30 * 86400.0}


@contextmanager
def dashboard_over(folder: Path) -> Iterator[tuple[str, int]]:
    """Start the dashboard as a service does, and yield its address and the id of its process."""
    options = DashboardOptions(telemetry=str(folder), port=free_ports(1)[0], reuse_budget=0.01)
    process = subprocess.Popen([sys.executable, "-m", "dashboard", options.written()])
    try:
        deadline = time.monotonic() + 60
        while not asyncio.run(_answers(options.url)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the dashboard did not answer within 60 seconds")
            time.sleep(0.1)
        yield options.url, process.pid
    finally:
        process.terminate()
        process.wait(10)


async def _answers(url: str) -> bool:
    try:
        async with aiohttp.ClientSession() as http, http.get(f"{url}/health") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class _Writing:
    """Writes ten requests and ten judgements a second, so that every refresh has new rows."""

    def __init__(self, folder: Path) -> None:
        self._stored = Stored(folder)
        self._stored.seal()
        self._turn = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> "_Writing":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _write(self) -> None:
        sealed = time.monotonic()
        while not self._stop.wait(0.1):
            row = request(time.time_ns() // 1000, kind="text", strategy="bandit")
            self._stored.write("requests", [row], f"live{self._turn}")
            self._stored.write("signals", [signal(row, 0.9)], f"live{self._turn}")
            if time.monotonic() - sealed > 5:  # A service also seals every five seconds.
                self._stored.seal()
                sealed, self._turn = time.monotonic(), self._turn + 1


async def _viewers(url: str, pid: int, views: list[str], seconds: float) -> dict[str, float]:
    """The dashboard's CPU time per refresh; a viewer refreshes once a second, as a page does."""
    count = 0

    async def look(http: aiohttp.ClientSession, path: str, phase: float) -> None:
        nonlocal count
        tag = ""
        await asyncio.sleep(phase)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            begun = time.monotonic()
            async with http.get(url + path, headers={"if-none-match": tag}) as answer:
                await answer.read()
                tag = answer.headers.get("etag", "")
                count += 1
            await asyncio.sleep(max(0.0, 1.0 - (time.monotonic() - begun)))

    async with aiohttp.ClientSession() as http:
        for path in views:  # The first view costs more than a refresh: do not count it.
            async with http.get(url + path) as answer:
                await answer.read()
        begun = _cpu_seconds(pid)
        await asyncio.gather(*(look(http, path, n / len(views)) for n, path in enumerate(views)))
        spent = _cpu_seconds(pid) - begun
    return {
        "viewers": len(views),
        "refreshes": count,
        "cpu_ms_per_refresh": round(1000 * spent / count, 2),
        "core_share": round(spent / seconds, 3),
    }


def _refreshing(folder: Path, seconds: float) -> dict[str, Any]:
    with dashboard_over(folder) as (url, pid), _Writing(folder):
        same = ["/data/learning?last=1h"]
        pages = [f"/data/{name}?last=1h" for name in PAGES]
        return {
            name: asyncio.run(_viewers(url, pid, views, seconds))
            for name, views in (
                ("one viewer", same),
                ("twenty of one view", same * 20),
                ("twenty over all pages", (pages * 4)[:20]),
            )
        }


def _in_a_browser(folder: Path, times: int) -> dict[str, Any]:
    """Load time and size of the first plot without a cache, and the errors of every page."""
    with dashboard_over(folder) as (url, _), chromium() as browser:
        first, weights, requests = [], [], []
        for _ in range(times):
            seen = Watched(browser, url)
            wire = seen.context.new_cdp_session(seen.page)
            wire.send("Network.enable")
            sizes: list[float] = []
            wire.on("Network.loadingFinished", lambda e, s=sizes: s.append(e["encodedDataLength"]))
            begun = time.perf_counter()
            seen.page.goto(f"{url}/learning?last=all")
            seen.page.wait_for_selector("#g-curve .main-svg .scatterlayer .trace", timeout=30_000)
            first.append(time.perf_counter() - begun)
            seen.settle()
            weights.append(sum(sizes))
            requests.append(len(sizes))
            seen.close()
        trouble: list[str] = []
        foreign: list[str] = []
        violations: dict[str, list[str]] = {}
        for theme in ("light", "dark"):
            seen = Watched(browser, url)
            violations[theme] = []
            for name in PAGES:
                seen.open(f"/{name}?last=all&theme={theme}")
                violations[theme] += [f"{name}: {violation}" for violation in seen.violations()]
            trouble += seen.trouble
            foreign += seen.foreign
            seen.close()
    return {
        "first_plot_seconds": round(statistics.median(first), 2),
        "first_plot_worst_seconds": round(max(first), 2),
        "page_weight_mib": round(statistics.median(weights) / 2**20, 2),
        "page_requests": int(statistics.median(requests)),
        "console_errors": trouble,
        "foreign_requests": foreign,
        "axe_serious": violations,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of each large store")
    parser.add_argument("--seconds", type=float, default=20.0, help="time that viewers look")
    options = parser.parse_args()
    result: dict[str, Any] = {"machine": f"{os.cpu_count()} cores, {platform.machine()}"}
    with tempfile.TemporaryDirectory() as base, Progress() as progress:
        bar = progress.add_task("An hour of traffic", total=2 + len(SPREADS) * (options.rows + 1))
        hour = Path(base) / "hour"
        begin = (time.time_ns() // 1000 - 61 * MINUTE) // MINUTE * MINUTE
        write_story(hour, begin=begin, requests=3000)
        result["in a browser"] = _in_a_browser(hour, 5)
        progress.advance(bar)
        result["refreshing"] = _refreshing(hour, options.seconds)
        progress.advance(bar)
        for name, spread in SPREADS.items():
            folder = Path(base) / name.replace(" ", "-")
            end = time.time()
            done = 0
            progress.update(bar, description=f"{options.rows:,} rows in {name}")
            for rows in big.build(folder, options.rows, end=int(end * 1e6), spread_seconds=spread):
                progress.advance(bar, rows - done)
                done = rows
            result[name] = {"rows": options.rows, "pages": panel_times(folder, end)}
            progress.advance(bar)
    result["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    put("dashboard", readme_table(result))


if __name__ == "__main__":
    main()
