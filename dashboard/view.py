"""Reads from the URL what a viewer looks at: a page, a span of time, and filters.

The URL and the rows decide everything that is shown, so a link shows the same to everybody.
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
_LONGEST = 200  # characters of one value in the URL
# Lengths in seconds. From an hour up they are whole hours, because telemetry keeps hourly sums.
_FINE = (5, 10, 20)
_BUCKETS = (60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800)
_MOST_BUCKETS = 96


class UnreadableView(ValueError):
    """The URL describes no view. The message tells the sender of the request why."""


@dataclass(frozen=True, slots=True)
class PageView:
    """One page, with the span of time and the filters that the viewer chose."""

    page: str = "learning"
    last: str = _DEFAULT_LAST
    since: dt.datetime | None = None  # the viewer chose a span by dragging; then `last` is ignored
    until: dt.datetime | None = None
    theme: Theme = "light"
    kind: str = ""
    plan: str = ""
    strategy: str = ""
    tier: str = ""
    outcome: str = ""  # shows only requests that are `failed`, `explored`, `judged` or `unjudged`
    pattern: str = ""
    find: str = ""
    request: str = ""
    trial: str = ""

    @property
    def live(self) -> bool:
        return self.until is None

    @property
    def query(self) -> str:
        """The view as a URL's query, without values that equal the defaults."""
        plain = PageView()
        given = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "page" or value == getattr(plain, field.name):
                continue
            given[_NAMES.get(field.name, field.name)] = (
                f"{value:%Y-%m-%dT%H:%M:%S}" if isinstance(value, dt.datetime) else value
            )
        return urlencode(given)


_NAMES = {"since": "from", "until": "to"}
_OUTCOMES = ("failed", "explored", "judged", "unjudged")


def view_of(page: str, query: Mapping[str, str]) -> PageView:
    """The view that a URL describes. Raises `UnreadableView`."""
    names = {_NAMES.get(field.name, field.name): field.name for field in fields(PageView)}
    given: dict[str, object] = {}
    for name, value in query.items():
        field = names.get(name)
        if field is None or field == "page" or not value:
            continue  # only a later version, or only the browser, knows this name
        if len(value) > _LONGEST:
            raise UnreadableView(f"{name} is longer than {_LONGEST} characters: shorten it.")
        given[field] = _moment(name, value) if field in ("since", "until") else value
    view = replace(PageView(page=page), **given)  # type: ignore[arg-type]
    if view.last != ALL and view.last not in LASTS:
        raise UnreadableView(
            f"last={view.last} is no span of time: use one of {', '.join((*LASTS, ALL))}."
        )
    if view.theme not in get_args(Theme):
        raise UnreadableView(f"theme={view.theme} does not exist: use light or dark.")
    if view.outcome and view.outcome not in _OUTCOMES:
        raise UnreadableView(f"outcome={view.outcome} does not exist: use {', '.join(_OUTCOMES)}.")
    if view.since and view.until and view.since >= view.until:
        raise UnreadableView(f"from={view.since} is not before to={view.until}: swap them.")
    return view


def _moment(name: str, value: str) -> dt.datetime:
    # Plotly writes a dragged span with a blank and up to four decimals of a second.
    match = re.match(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?))?", value)
    try:
        if match is None:
            raise ValueError(value)
        return dt.datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00'}")
    except ValueError:
        hint = "write it as 2026-11-21T16:30:00, in UTC"
        raise UnreadableView(f"{name}={value} is no moment in time: {hint}.") from None


@dataclass(frozen=True, slots=True)
class Span:
    """The start and end of what is shown, and the length of each point of a curve."""

    since: dt.datetime
    until: dt.datetime
    bucket_seconds: int

    @property
    def every(self) -> str:
        return f"interval {self.bucket_seconds} second"


def span_of(
    view: PageView, *, now: dt.datetime, first: dt.datetime | None, fine: bool = False
) -> Span:
    """The span of a view. `last` never reaches back beyond the first row.

    Both ends are rounded, so that a second later the query is the same and shares the answer.
    """
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
