"""Each view worked out once a second, for however many look at it; and only while somebody does.

What a page needs of telemetry is read once into tables of this connection, and its panels are asked
of those: the same queries that are shown for copying, with the same answers, in a fraction of the
time.
"""

import asyncio
import datetime as dt
import gzip
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from dashboard.knowing import BoardSettings, Knowing
from dashboard.pages import learning, plans, requests, reuse, system, trials
from dashboard.panel import Empty, Page, Panel, Shown
from dashboard.parts import empty
from dashboard.reading import PageReading
from dashboard.source import Missing, QueryAnswer, QueryFailed, Source
from dashboard.view import PageView, Span

PAGES: Mapping[str, Page] = {
    one.name: one
    for one in (
        *(learning.PAGE, plans.PAGE, trials.PAGE),
        *(reuse.PAGE, requests.PAGE, system.PAGE),
    )
}
_FRESH_SECONDS = 0.95
_SAME_SECONDS = 10.0
_TIMES_AS_LONG = 16.0  # as a view took, until it is worked out again: so much of a core is enough
_KEPT = 64


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page as it is sent, and what it was made of."""

    content: bytes
    packed: bytes
    tag: str
    at: float  # when it was known to be right
    drawn: float
    seconds: float
    of: tuple[str, Span | None]  # the state of telemetry, and the span


@dataclass
class _BoardEntry:
    drawn: Drawn | None = None
    doing: asyncio.Task[Drawn] | None = None
    used: float = 0.0


@dataclass
class Board:
    """Answers views; asks telemetry in one thread, one page at a time."""

    source: Source
    settings: BoardSettings = field(default_factory=BoardSettings)
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC).replace(tzinfo=None)
    drawn_count: int = 0

    def __post_init__(self) -> None:
        self._entries: dict[PageView, _BoardEntry] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="board")
        self._knowing = Knowing(self.source, self.settings, self.clock)

    async def page(self, view: PageView) -> Drawn:
        now = time.monotonic()
        entry = self._entries.setdefault(view, _BoardEntry())
        entry.used = now
        last = entry.drawn
        if last is not None and now - last.at < max(_FRESH_SECONDS, _TIMES_AS_LONG * last.seconds):
            return last
        if entry.doing is None or entry.doing.done():
            entry.doing = asyncio.ensure_future(self._work(view, entry))
        return await asyncio.shield(entry.doing)

    async def table(self, view: PageView, panel: str) -> QueryAnswer:
        """The rows of one panel. Raises `Missing` or `Failed`."""
        (found,) = (one for one in PAGES[view.page].panels if one.id == panel)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._told, view, found)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
        self.source.close()

    async def _work(self, view: PageView, entry: _BoardEntry) -> Drawn:
        loop = asyncio.get_running_loop()
        entry.drawn = await loop.run_in_executor(self._thread, self._again, view, entry.drawn)
        if len(self._entries) > _KEPT:
            oldest = sorted(self._entries, key=lambda one: self._entries[one].used)
            for one in oldest[: len(self._entries) - _KEPT]:
                del self._entries[one]
        return entry.drawn

    def draw(self, view: PageView) -> Drawn:
        """In this thread."""
        begun = time.monotonic()
        state = self.source.state()
        told = packed(self.told(view))
        self.drawn_count += 1
        tag = hashlib.blake2b(told, digest_size=12).hexdigest()
        squeezed = gzip.compress(told, 4)
        seconds = time.monotonic() - begun
        of = state, self._knowing.span(view)
        return Drawn(told, squeezed, tag, begun, begun, seconds, of)

    def _again(self, view: PageView, last: Drawn | None) -> Drawn:
        """The last one, if not a row was written since; for a while, for ages are told too."""
        now = time.monotonic()
        young = last is not None and now - last.drawn < _SAME_SECONDS
        if (
            last is not None
            and young
            and last.of == (self.source.state(), self._knowing.span(view))
        ):
            return replace(last, at=now)
        return self.draw(view)

    def told(self, view: PageView) -> dict[str, Any]:
        """A page, panel by panel, as values of JSON."""
        page = PAGES[view.page]
        try:
            reading = self._knowing.reading(view)
        except Missing as missing:
            return _without(page, "missing", Empty(f"{missing} It begins with:", "waggle serve"))
        except QueryFailed as failed:
            return _without(page, "failed", Empty(str(failed)))
        answered: dict[str, QueryAnswer | Empty] = {}
        facts, span = reading.asked.facts, reading.asked.span
        return {
            "panels": {one.id: _drawn(one, reading, answered) for one in page.panels},
            "state": "live",
            "words": "",
            "newest": facts.newest.isoformat() + "Z" if facts.newest is not None else None,
            "span": [f"{span.since:%Y-%m-%dT%H:%M}", f"{span.until:%Y-%m-%dT%H:%M}"],
            "kinds": facts.kinds,
            "plans": facts.plans,
        }

    def _told(self, view: PageView, panel: Panel) -> QueryAnswer:
        reading = self._knowing.reading(view)
        if panel.needs is not None and (why := panel.needs(reading.asked)):
            raise QueryFailed(why)
        return reading.ask(panel.sql(reading.asked).strip())


def _without(page: Page, state: str, why: Empty) -> dict[str, Any]:
    """A page of which nothing can be read."""
    panels = {one.id: _panel(why, "", 0.0) for one in page.panels}
    return {"state": state, "words": why.words, "newest": None, "panels": panels}


def _drawn(
    panel: Panel, reading: PageReading, answered: dict[str, QueryAnswer | Empty]
) -> dict[str, Any]:
    """Panels that ask the same share the answer."""
    asked = reading.asked
    if panel.needs is not None and (why := panel.needs(asked)):
        return _panel(Empty(why), "", 0.0) | {"away": True}
    sql = panel.sql(asked).strip()
    if sql not in answered:
        try:
            answered[sql] = reading.ask(sql)
        except (Missing, QueryFailed) as trouble:
            answered[sql] = Empty(str(trouble))
    told = answered[sql]
    if isinstance(told, Empty):
        return _panel(told, sql, 0.0)
    return _panel(panel.show(told.rows, asked), sql, told.seconds)


def _panel(shown: Shown, sql: str, seconds: float) -> dict[str, Any]:
    told: dict[str, Any] = {"sql": sql, "ms": round(1000 * seconds, 1)}
    match shown:
        case Empty():
            told["empty"] = empty(shown)
        case Mapping():
            told["figure"] = shown
        case _:
            told["parts"] = shown
    content = packed({name: value for name, value in told.items() if name != "ms"})
    return told | {"v": hashlib.blake2b(content, digest_size=8).hexdigest()}


def packed(told: Any) -> bytes:
    """JSON of values, and of Dash's components among them."""
    return orjson.dumps(told, default=_component, option=orjson.OPT_NON_STR_KEYS)


def _component(value: Any) -> Any:
    if hasattr(value, "to_plotly_json"):
        return value.to_plotly_json()
    raise TypeError(f"{type(value).__name__} is no value of JSON: {value!r}")


def every_panel() -> Iterator[tuple[Page, Panel]]:
    for page in PAGES.values():
        for panel in page.panels:
            yield page, panel
