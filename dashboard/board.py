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
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, cast

import orjson

from dashboard.pages import learning, plans, requests, reuse, system, trials
from dashboard.panel import Asked, Empty, Facts, Ladder, Page, Panel, Shown
from dashboard.parts import empty
from dashboard.source import Failed, Missing, Rows, Source, Told, moment
from dashboard.view import Span, View, span_of
from router.telemetry.rollup import KEYS, SUMS

PAGES: Mapping[str, Page] = {
    one.name: one
    for one in (
        *(learning.PAGE, plans.PAGE, trials.PAGE),
        *(reuse.PAGE, requests.PAGE, system.PAGE),
    )
}
TAIL = 20_000  # requests that are gone through one by one
_FRESH_SECONDS = 0.95
_SAME_SECONDS = 10.0
_SLOW = 3.0  # a view that takes long is worked out again only after so many times as long
_FACTS_SECONDS = 15.0
_FINE_SPAN = dt.timedelta(minutes=31)  # up to which curves are made of the rows, if they are few
_KEPT = 64
_SUMMED = ", ".join(f"sum({name}) as {name}" for name in SUMS)
_KEYS = ", ".join(name for name in KEYS if name != "minute")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the configuration says that telemetry does not."""

    weights: tuple[float, float] = (0.1, 0.05)
    reuse_budget: float | None = None


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
class _Entry:
    drawn: Drawn | None = None
    doing: asyncio.Task[Drawn] | None = None
    used: float = 0.0


@dataclass
class Board:
    """Answers views; asks telemetry in one thread, one page at a time."""

    source: Source
    settings: Settings = field(default_factory=Settings)
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC).replace(tzinfo=None)
    drawn_count: int = 0

    def __post_init__(self) -> None:
        self._entries: dict[View, _Entry] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="board")
        self._facts: tuple[float, Facts] | None = None
        self._counted: tuple[float, dt.datetime | None, bool] = (0.0, None, False)
        self._read: set[str] = set()

    async def page(self, view: View) -> Drawn:
        now = time.monotonic()
        entry = self._entries.setdefault(view, _Entry())
        entry.used = now
        last = entry.drawn
        if last is not None and now - last.at < max(_FRESH_SECONDS, _SLOW * last.seconds):
            return last
        if entry.doing is None or entry.doing.done():
            entry.doing = asyncio.ensure_future(self._work(view, entry))
        return await asyncio.shield(entry.doing)

    async def table(self, view: View, panel: str) -> Told:
        """The rows of one panel. Raises `Missing` or `Failed`."""
        (found,) = (one for one in PAGES[view.page].panels if one.id == panel)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._told, view, found)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
        self.source.close()

    async def _work(self, view: View, entry: _Entry) -> Drawn:
        loop = asyncio.get_running_loop()
        entry.drawn = await loop.run_in_executor(self._thread, self._again, view, entry.drawn)
        if len(self._entries) > _KEPT:
            oldest = sorted(self._entries, key=lambda one: self._entries[one].used)
            for one in oldest[: len(self._entries) - _KEPT]:
                del self._entries[one]
        return entry.drawn

    def draw(self, view: View) -> Drawn:
        """In this thread."""
        begun = time.monotonic()
        state = self.source.state()
        told = packed(self.told(view))
        self.drawn_count += 1
        tag = hashlib.blake2b(told, digest_size=12).hexdigest()
        squeezed = gzip.compress(told, 4)
        now = time.monotonic()
        return Drawn(told, squeezed, tag, now, now, now - begun, (state, self._span(view)))

    def _again(self, view: View, last: Drawn | None) -> Drawn:
        """The last one, if not a row was written since; for a while, for ages are told too."""
        now = time.monotonic()
        young = last is not None and now - last.drawn < _SAME_SECONDS
        if last is not None and young and last.of == (self.source.state(), self._span(view)):
            return replace(last, at=now)
        return self.draw(view)

    def _span(self, view: View) -> Span | None:
        if self._facts is None:
            return None
        return span_of(view, now=self.clock(), first=self._facts[1].first)

    def told(self, view: View) -> dict[str, Any]:
        """A page, panel by panel, as values of JSON."""
        page = PAGES[view.page]
        try:
            asked = self._asked(view)
        except Missing as missing:
            hint = Empty(f"{missing} It begins with the service:", "waggle serve")
            panels = {one.id: _panel(hint, "", 0.0) for one in page.panels}
            return {"state": "missing", "words": str(missing), "newest": None, "panels": panels}
        except Failed as failed:
            panels = {one.id: _panel(Empty(str(failed)), "", 0.0) for one in page.panels}
            return {"state": "failed", "words": str(failed), "newest": None, "panels": panels}
        panels = {}
        answered: dict[str, Told | Empty] = {}
        for one in page.panels:
            panels[one.id] = self._drawn(one, asked, answered)
        newest = asked.facts.newest
        return {
            "state": "live",
            "words": "",
            "newest": newest.isoformat() + "Z" if newest is not None else None,
            "span": [f"{asked.span.since:%Y-%m-%dT%H:%M}", f"{asked.span.until:%Y-%m-%dT%H:%M}"],
            "bucket": asked.span.bucket,
            "kinds": list(asked.facts.kinds),
            "plans": list(asked.facts.plans),
            "panels": panels,
        }

    def _drawn(
        self, panel: Panel, asked: Asked, answered: dict[str, Told | Empty]
    ) -> dict[str, Any]:
        if panel.needs is not None and (why := panel.needs(asked)):
            return _panel(Empty(why), "", 0.0) | {"away": True}
        sql = panel.sql(asked).strip()
        if sql not in answered:
            try:
                answered[sql] = self._ask(sql, asked)
            except (Missing, Failed) as trouble:
                answered[sql] = Empty(str(trouble))
        told = answered[sql]
        if isinstance(told, Empty):
            return _panel(told, sql, 0.0)
        return _panel(panel.show(told.rows, asked), sql, told.seconds)

    def _told(self, view: View, panel: Panel) -> Told:
        asked = self._asked(view)
        if panel.needs is not None and (why := panel.needs(asked)):
            raise Failed(why)
        return self._ask(panel.sql(asked).strip(), asked)

    def _ask(self, sql: str, asked: Asked) -> Told:
        """Of the tables that were read for this view, where it names what they hold."""
        return self.source.ask(self._through(sql, list(_shared(asked).items())))

    def _through(self, sql: str, shared: Sequence[tuple[str, tuple[str, str]]]) -> str:
        for at in reversed(range(len(shared))):
            text, (name, read) = shared[at]
            if text in sql:
                if text not in self._read:
                    made = self._through(read, shared[:at])
                    self.source.ask(f"create or replace temp table {name} as {made}")
                    self._read.add(text)
                sql = sql.replace(text, name)
        return sql

    def _asked(self, view: View) -> Asked:
        """The span of a view, and what is known before its panels ask."""
        now = self.clock()
        facts = replace(self._known(), now=now)
        span = span_of(view, now=now, first=facts.first)
        if facts.first is not None and span.until - span.since <= _FINE_SPAN and self._few(span):
            span = span_of(view, now=now, first=facts.first, fine=True)
        self._read = set()
        asked = Asked(view, span, facts)
        if facts.first is None:
            return asked
        sums = _shared(asked)[asked.sums][0]
        self._ask(f"select 1 from {asked.sums} limit 1", asked)
        counts = self.source.ask(
            f"select minute, sum(n)::bigint as n from {sums} where plan is not null "
            "group by minute order by minute desc"
        ).rows
        rows, tail = 0, None
        for one in counts:
            rows += one["n"]
            if tail is None and rows > TAIL:
                tail = one["minute"]
        newest = self._newest(counts)
        facts = replace(facts, rows=rows, tail=self._tail(tail, asked), newest=newest)
        return replace(asked, facts=facts)

    def _few(self, span: Span) -> bool:
        """Whether rows are few enough for a fine curve; for a while it stays so."""
        at, since, few = self._counted
        if since == span.since and time.monotonic() - at < _FACTS_SECONDS:
            return few
        (one,) = self.source.ask(
            "select coalesce(sum(n), 0)::bigint as n from rollup_parts "
            f"where minute >= {moment(span.since)} and minute < {moment(span.until)}"
        ).rows
        few = bool(one["n"] <= TAIL)
        self._counted = time.monotonic(), span.since, few
        return few

    def _newest(self, counts: Rows) -> dt.datetime | None:
        since = counts[0]["minute"] if counts else None
        where = f"where ts >= {moment(since)}" if since is not None else ""
        (one,) = self.source.ask(f"select max(ts) as newest from all_requests {where}").rows
        return cast("dt.datetime | None", one["newest"])

    def _tail(self, bucket: dt.datetime | None, asked: Asked) -> dt.datetime | None:
        """Since when there are about so many: within the bucket, by the minute."""
        if bucket is None or asked.span.bucket_seconds <= 60:
            return bucket
        end = bucket + dt.timedelta(seconds=asked.span.bucket_seconds)
        minutes = self.source.ask(
            f"select minute, sum(n)::bigint as n from rollup_parts where minute >= {moment(bucket)}"
            f" and minute < {moment(asked.span.until)} group by 1 order by 1 desc"
        ).rows
        rows, since = 0, min(end, asked.span.until)
        for one in minutes:
            rows += one["n"]
            if rows > TAIL and since < asked.span.until:
                break
            since = one["minute"]
        return max(since, asked.span.since)

    def _known(self) -> Facts:
        at = time.monotonic()
        if self._facts is not None and at - self._facts[0] < _FACTS_SECONDS:
            self.source.ask("select 1")  # is it still there?
            return self._facts[1]
        facts = self._found()
        if facts.first is not None:
            self._facts = at, facts
        return facts

    def _found(self) -> Facts:
        (one,) = self.source.ask(
            "select min(minute) as hour, list(distinct plan order by plan) as plans, "
            "list(distinct kind order by kind) as kinds from hours_parts where plan is not null"
        ).rows
        ladder = self.source.ask(
            "select settings->'ladder' as ladder from policies "
            "where (settings->'ladder') is not null order by first_used desc limit 1"
        ).rows
        marks = self.source.ask(
            "select ts, kind, subject, state from events "
            "where kind in ('drift', 'configuration', 'strategy') order by ts"
        ).rows
        first = one["hour"]
        if first is not None:
            until = moment(first + dt.timedelta(hours=1))
            found = self.source.ask(f"select min(ts) as first from all_requests where ts < {until}")
            first = found.rows[0]["first"] or first
        return Facts(
            now=self.clock(),
            first=first,
            plans=tuple(plan for plan in one["plans"] or () if plan),
            kinds=tuple(kind for kind in one["kinds"] or () if kind),
            ladder=_ladder(ladder[0]["ladder"]) if ladder else None,
            weights=self.settings.weights,
            reuse_budget=self.settings.reuse_budget,
            marks=marks,
        )


def _shared(asked: Asked) -> Mapping[str, tuple[str, str]]:
    """What several panels read of telemetry: as it stands in their SQL, and as it is read once.
    Later ones are made of earlier ones."""
    every = asked.span.every
    summed = (
        f"select time_bucket({every}, minute) as minute, {_KEYS}, {_SUMMED} from {asked.sums} "
        "group by all"
    )
    return {
        asked.sums: ("shared_sums", summed),
        asked.rows: ("shared_rows", f"from {asked.rows}"),
        asked.calls: ("shared_calls", f"from {asked.calls}"),
        f"({learning.controlled(asked)})": ("shared_curve", learning.controlled(asked)),
    }


def _ladder(told: str) -> Ladder | None:
    known = orjson.loads(told)
    rungs, cuts = tuple(known["rungs"]), tuple(map(float, known["cuts"]))
    return Ladder(rungs, cuts) if len(rungs) == len(cuts) + 1 else None


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
