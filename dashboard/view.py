"""What a viewer looks at, as the URL says it: a page, a span of time, and what it is narrowed to.

Everything that is shown follows from a view and the rows, so a link shows the same to everybody.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal, get_args
from urllib.parse import urlencode

Theme = Literal["light", "dark"]
LASTS = {
    "15m": dt.timedelta(minutes=15),
    "1h": dt.timedelta(hours=1),
    "6h": dt.timedelta(hours=6),
    "24h": dt.timedelta(days=1),
    "7d": dt.timedelta(days=7),
    "30d": dt.timedelta(days=30),
}
ALL = "all"
_DEFAULT_LAST = "7d"
_LONGEST = 200  # characters of a value in the URL
# Seconds; from an hour up whole hours, which telemetry keeps as sums of their own.
_FINE = (5, 10, 20)
_BUCKETS = (60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800)
_MOST_BUCKETS = 96


class UnreadableView(ValueError):
    """The URL says something that is no view; the message is for who sent it."""


@dataclass(frozen=True, slots=True)
class PageView:
    page: str = "learning"
    last: str = _DEFAULT_LAST
    since: dt.datetime | None = None  # a brushed span; then `last` says nothing
    until: dt.datetime | None = None
    theme: Theme = "light"
    kind: str = ""
    plan: str = ""
    strategy: str = ""
    tier: str = ""
    outcome: str = ""  # of requests: `failed`, `explored`, `judged`, `unjudged`
    find: str = ""
    request: str = ""
    trial: str = ""

    @property
    def live(self) -> bool:
        return self.until is None

    @property
    def query(self) -> str:
        """As it stands in the URL, without what is so anyway."""
        plain = PageView()
        told = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name == "page" or value == getattr(plain, one.name):
                continue
            told[_NAMES.get(one.name, one.name)] = (
                f"{value:%Y-%m-%dT%H:%M:%S}" if isinstance(value, dt.datetime) else value
            )
        return urlencode(told)


_NAMES = {"since": "from", "until": "to"}
_OUTCOMES = ("failed", "explored", "judged", "unjudged")


def view_of(page: str, query: Mapping[str, str]) -> PageView:
    """The view that a URL stands for. Raises `Unreadable`."""
    names = {_NAMES.get(one.name, one.name): one.name for one in fields(PageView)}
    given: dict[str, object] = {}
    for name, value in query.items():
        field = names.get(name)
        if field is None or field == "page" or not value:
            continue  # of a later edition, or of the browser alone
        if len(value) > _LONGEST:
            raise UnreadableView(f"{name} is longer than {_LONGEST} characters: shorten it.")
        given[field] = _moment(name, value) if field in ("since", "until") else value
    view = replace(PageView(page=page), **given)  # type: ignore[arg-type]
    if view.last != ALL and view.last not in LASTS:
        known = ", ".join((*LASTS, ALL))
        raise UnreadableView(f"last={view.last} is no span of time: use one of {known}.")
    if view.theme not in get_args(Theme):
        raise UnreadableView(f"theme={view.theme} is not known: use light or dark.")
    if view.outcome and view.outcome not in _OUTCOMES:
        raise UnreadableView(f"outcome={view.outcome} is not known: use {', '.join(_OUTCOMES)}.")
    if view.since and view.until and view.since >= view.until:
        raise UnreadableView(f"from={view.since} is not before to={view.until}: swap them.")
    return view


def _moment(name: str, value: str) -> dt.datetime:
    # Plotly tells what was brushed with a blank and up to four places behind the second.
    match = re.match(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?))?", value)
    try:
        if match is None:
            raise ValueError(value)
        return dt.datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00'}")
    except ValueError:
        hint = "write it as 2026-11-21T16:30:00, in UTC"
        raise UnreadableView(f"{name}={value} is no moment: {hint}.") from None


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, and how long a point of a curve is."""

    since: dt.datetime
    until: dt.datetime
    bucket_seconds: int

    @property
    def every(self) -> str:
        return f"interval {self.bucket_seconds} second"


def span_of(
    view: PageView, *, now: dt.datetime, first: dt.datetime | None, fine: bool = False
) -> Span:
    """What a view spans, no earlier than the first row. Ends are whole buckets, so that a second
    later the same query is asked, and its answer can be shared."""
    until = view.until or now
    if view.since is not None:
        since = view.since
    elif view.last == ALL:
        since = first or until - LASTS[_DEFAULT_LAST]
    else:
        since = until - LASTS[view.last]
    if first is not None and view.since is None:
        since = max(since, first)
    since = min(since, until - dt.timedelta(minutes=1))
    seconds = (until - since).total_seconds()
    buckets = (*_FINE, *_BUCKETS) if fine else _BUCKETS
    bucket = next((b for b in buckets if seconds / b <= _MOST_BUCKETS), None)
    bucket = bucket or 604800 * -(-int(seconds) // (604800 * _MOST_BUCKETS))
    step = min(bucket, 3600) if view.since is None else min(bucket, 60)
    return Span(_down(since, step), _up(until, step), bucket)


def _down(moment: dt.datetime, seconds: int) -> dt.datetime:
    start = dt.datetime.fromisoformat("0001-01-01")
    return start + (moment - start) // dt.timedelta(seconds=seconds) * dt.timedelta(seconds=seconds)


def _up(moment: dt.datetime, seconds: int) -> dt.datetime:
    down = _down(moment, seconds)
    return down if down == moment else down + dt.timedelta(seconds=seconds)
