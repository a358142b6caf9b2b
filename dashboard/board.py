"""Draws each view at most once a second for all its viewers, and only while somebody looks at it.

Rows that several panels need are read once into temporary tables. Panels query these tables and get
the same answers as from the queries shown for copying, but faster.
"""

import asyncio
import datetime as dt
import gzip
import hashlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from dashboard.components import empty
from dashboard.facts_reader import BoardSettings, FactsReader
from dashboard.page_reading import PageReading
from dashboard.pages import (
    growth,
    knowledge,
    learning,
    models,
    plans,
    requests,
    reuse,
    system,
    trials,
)
from dashboard.panel import Empty, Page, Panel, Shown
from dashboard.source import Missing, QueryAnswer, QueryFailed, Source
from dashboard.view import PageView, Span

PAGES: Mapping[str, Page] = {
    page.name: page
    for page in (
        *(learning.PAGE, plans.PAGE, trials.PAGE, growth.PAGE, models.PAGE),
        *(reuse.PAGE, knowledge.PAGE, requests.PAGE, system.PAGE),
    )
}
_FRESH_SECONDS = 0.95
_UNCHANGED_SECONDS = 10.0  # then a page is drawn again even without new rows, because it shows ages
_PAUSE_FACTOR = 16.0  # after drawing, a page rests this many times as long, to spare the CPU
_MOST_ENTRIES = 64


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """A page as bytes, and the state of telemetry from which the page was drawn."""

    content: bytes
    gzipped: bytes
    tag: str
    checked_at: float  # the last moment at which the page was known to be right
    drawn_at: float
    seconds: float  # how long the drawing took
    drawn_from: tuple[str, Span | None]  # telemetry's state and the view's span at the drawing


@dataclass
class _BoardEntry:
    page: DrawnPage | None = None
    drawing: asyncio.Task[DrawnPage] | None = None
    used_at: float = 0.0


@dataclass
class Board:
    """Draws pages. One thread queries telemetry for all pages, one page after another."""

    source: Source
    settings: BoardSettings = field(default_factory=BoardSettings)
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC).replace(tzinfo=None)
    drawn_count: int = 0

    def __post_init__(self) -> None:
        self._entries: dict[PageView, _BoardEntry] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="board")
        self._renewed_at = 0.0
        self._facts = FactsReader(self.source, self.settings, self.clock)

    async def page(self, view: PageView) -> DrawnPage:
        """The page of a view. The page is drawn again if the last drawing is too old."""
        now = time.monotonic()
        entry = self._entries.setdefault(view, _BoardEntry())
        entry.used_at = now
        last = entry.page
        rest = 0.0 if last is None else max(_FRESH_SECONDS, _PAUSE_FACTOR * last.seconds)
        if last is not None and self._shows_acts(last) and now - last.checked_at < rest:
            return last
        if entry.drawing is None or entry.drawing.done():
            entry.drawing = asyncio.ensure_future(self._update(view, entry))
        return await asyncio.shield(entry.drawing)

    def renew(self) -> None:
        """Draw every page anew when it is looked at next: an operator changed something."""
        self._renewed_at = time.monotonic()

    def _shows_acts(self, page: DrawnPage) -> bool:
        return page.drawn_at >= self._renewed_at

    async def panel_rows(self, view: PageView, panel_id: str) -> QueryAnswer:
        """The rows of one panel. Raises `Missing` or `QueryFailed`."""
        (panel,) = (panel for panel in PAGES[view.page].panels if panel.id == panel_id)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._read_rows, view, panel)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
        self.source.close()

    async def _update(self, view: PageView, entry: _BoardEntry) -> DrawnPage:
        loop = asyncio.get_running_loop()
        entry.page = await loop.run_in_executor(self._thread, self.redraw, view, entry.page)
        if len(self._entries) > _MOST_ENTRIES:
            by_age = sorted(self._entries, key=lambda other: self._entries[other].used_at)
            for old in by_age[: len(self._entries) - _MOST_ENTRIES]:
                del self._entries[old]
        return entry.page

    def redraw(self, view: PageView, last: DrawnPage | None) -> DrawnPage:
        """The last drawing if it is recent and no row was written since; otherwise a new one."""
        now = time.monotonic()
        if (
            last is not None
            and self._shows_acts(last)
            and now - last.drawn_at < _UNCHANGED_SECONDS
            and last.drawn_from == (self.source.state(), self._facts.span(view))
        ):
            return replace(last, checked_at=now)
        return self._draw(view)

    def _draw(self, view: PageView) -> DrawnPage:
        """Draw a page in the calling thread, and measure how long the drawing takes."""
        begun = time.monotonic()
        state = self.source.state()
        content = to_json(self.page_values(view))
        self.drawn_count += 1
        tag = hashlib.blake2b(content, digest_size=12).hexdigest()
        gzipped = gzip.compress(content, 4)
        seconds = time.monotonic() - begun
        drawn_from = state, self._facts.span(view)
        return DrawnPage(content, gzipped, tag, begun, begun, seconds, drawn_from)

    def page_values(self, view: PageView) -> dict[str, Any]:
        """A page's panels, and the facts that all panels share, as values for JSON."""
        page = PAGES[view.page]
        try:
            reading = self._facts.open(view)
        except Missing as missing:
            hint = Empty(f"{missing} Telemetry is written by:", "waggle serve")
            return _page_without_rows(page, "missing", hint)
        except QueryFailed as failed:
            return _page_without_rows(page, "failed", Empty(str(failed)))
        answers: dict[str, QueryAnswer | Empty] = {}
        facts, span = reading.query.facts, reading.query.span
        return {
            "panels": {panel.id: _drawn(panel, reading, answers) for panel in page.panels},
            "state": "live",
            "words": "",
            "newest": facts.newest.isoformat() + "Z" if facts.newest is not None else None,
            "span": [f"{span.since:%Y-%m-%dT%H:%M}", f"{span.until:%Y-%m-%dT%H:%M}"],
            "kinds": facts.kinds,
            "plans": facts.plans,
        }

    def _read_rows(self, view: PageView, panel: Panel) -> QueryAnswer:
        reading = self._facts.open(view)
        if panel.needs is not None and (why := panel.needs(reading.query)):
            raise QueryFailed(why)
        return reading.ask(panel.sql(reading.query).strip())


def _page_without_rows(page: Page, state: str, why: Empty) -> dict[str, Any]:
    """A page whose telemetry cannot be read. Every panel says why."""
    panels = {panel.id: _panel_values(why, "", 0.0) for panel in page.panels}
    return {"state": state, "words": why.words, "newest": None, "panels": panels}


def _drawn(
    panel: Panel, reading: PageReading, answers: dict[str, QueryAnswer | Empty]
) -> dict[str, Any]:
    """The values of one panel. Panels with the same query share one answer."""
    query = reading.query
    if panel.needs is not None and (why := panel.needs(query)):
        return _panel_values(Empty(why), "", 0.0) | {"away": True}
    sql = panel.sql(query).strip()
    if sql not in answers:
        try:
            answers[sql] = reading.ask(sql)
        except (Missing, QueryFailed) as trouble:
            answers[sql] = Empty(str(trouble))
    answer = answers[sql]
    if isinstance(answer, Empty):
        return _panel_values(answer, sql, 0.0)
    return _panel_values(panel.show(answer.rows, query), sql, answer.seconds)


def _panel_values(shown: Shown, sql: str, seconds: float) -> dict[str, Any]:
    values: dict[str, Any] = {"sql": sql}
    match shown:
        case Empty():
            values["empty"] = empty(shown)
        case Mapping():
            values["figure"] = shown
        case _:
            values["parts"] = shown
    version = hashlib.blake2b(to_json(values), digest_size=8).hexdigest()
    return values | {"ms": round(1000 * seconds, 1), "v": version}


def to_json(values: Any) -> bytes:
    """Write values as JSON. The values may contain Dash components."""
    return orjson.dumps(values, default=_component, option=orjson.OPT_NON_STR_KEYS)


def _component(value: Any) -> Any:
    if hasattr(value, "to_plotly_json"):
        return value.to_plotly_json()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON: {value!r}")
