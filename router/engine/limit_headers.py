"""The headers that show a caller what its budgets leave. Pure.

Several budgets may bind a request. For each of requests, tokens and dollars the headers show the
budget with the least left: what it leaves is what the caller can still use. The names are those
that the clients of OpenAI and Anthropic know; they know none for dollars, so those are Waggle's.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from router.wire.asgi import HeaderList

_DOLLARS = ("dollars_per_day", "dollars_per_month")


class Room(NamedTuple):
    """What one limit of one budget leaves. `reset_seconds`: until all of it is there again."""

    owner: str
    rule: str
    limit: float
    remaining: float
    reset_seconds: float


def limit_headers(rooms: Sequence[Room], *, wall: float, anthropic: bool = False) -> HeaderList:
    """The headers for the tightest limits; `anthropic` adds the names of Anthropic's clients."""
    headers: list[tuple[str, str]] = []
    for measure in ("requests", "tokens"):
        room = _tightest(rooms, (f"{measure}_per_minute",))
        if room is not None:
            limit, remaining = str(int(room.limit)), str(int(room.remaining))
            reset = f"{room.reset_seconds:.0f}s"
            headers += [
                (f"x-ratelimit-limit-{measure}", limit),
                (f"x-ratelimit-remaining-{measure}", remaining),
                (f"x-ratelimit-reset-{measure}", reset),
            ]
            if anthropic:
                prefix = f"anthropic-ratelimit-{measure}"
                moment = _rfc3339(wall + room.reset_seconds)
                values = (("limit", limit), ("remaining", remaining), ("reset", moment))
                headers += [(f"{prefix}-{name}", value) for name, value in values]
    room = _tightest(rooms, _DOLLARS)
    if room is not None:
        headers += [
            ("x-waggle-budget", f"{room.owner} {room.rule}"),
            ("x-waggle-budget-limit-usd", f"{room.limit:.10g}"),
            ("x-waggle-budget-remaining-usd", f"{room.remaining:.10g}"),
            ("x-waggle-budget-reset", _rfc3339(wall + room.reset_seconds)),
        ]
    return [(name.encode(), value.encode("ascii", "replace")) for name, value in headers]


def _tightest(rooms: Iterable[Room], rules: Sequence[str]) -> Room | None:
    bound = [room for room in rooms if room.rule in rules]
    return min(bound, key=lambda room: (room.remaining, room.limit), default=None)


def _rfc3339(wall: float) -> str:
    try:
        moment = dt.datetime.fromtimestamp(wall, dt.UTC)
    except (OverflowError, ValueError, OSError):  # a clock that shows no year
        moment = dt.datetime.max.replace(tzinfo=dt.UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
