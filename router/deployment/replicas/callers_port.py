"""What callers reach of a router: requests go straight to it, and Serve counts them.

Serve wraps each request in two tasks, a queue and some context managers, which cost more than
a router's own work on many a request. It only has to know how many requests there are: it scales by
that, and before a replica ends it waits for them. Its own checks of health still go to Serve.

No setting does this, so it rests on names of Serve's own. If one of them is not there, or if Serve
has to trace, to time or to change requests, they take Serve's way, which is as right and slower.
"""

import logging
import random
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from router.wire.asgi import HeaderList, Receive, Scope, Send
from router.wire.exchange import Exchange
from router.wire.listener import Application

_SERVES_CHECK = "/-/healthz"
_log = logging.getLogger("waggle")


@dataclass(frozen=True, slots=True)
class Counting:
    """How Serve counts the requests of a replica. `turn`: of a request, where as many are answered
    as may be. `keep` records what became of each, where somebody collects that."""

    begin: Callable[[], object]
    end: Callable[[], object]
    turn: AbstractAsyncContextManager[object]
    keep: Callable[[float, BaseException | None], object] | None


def counting_of(replica: Any, request: object, *, collected: bool) -> Counting:
    """How Serve counts the requests of a replica; Serve gets the same `request` for each of them.

    Raises `AttributeError` if this Serve counts in another way.
    """
    manager, prefix = replica._metrics_manager, replica._route_prefix or ""
    record = manager.record_request_metrics

    def keep(begun: float, error: BaseException | None) -> None:
        record(
            route=prefix,
            latency_ms=1000 * (time.perf_counter() - begun),
            is_error=error is not None,
            exception_type=type(error).__name__ if error is not None else None,
        )

    return Counting(
        partial(manager.inc_num_ongoing_requests, request),
        partial(manager.dec_num_ongoing_requests, request),
        replica._semaphore,
        keep if collected else None,
    )


class CallersPort:
    """The application behind the port of a router.

    Serve's health check goes to `serves`, the application that Serve itself put behind the port.
    """

    def __init__(self, app: Application, serves: Application, counting: Counting) -> None:
        self._app, self._serves, self._counting = app, serves, counting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not isinstance(receive, Exchange) or scope["path"] == _SERVES_CHECK:
            await self._serves(scope, receive, send)
            return
        counting, begun, error = self._counting, time.perf_counter(), None
        assert receive.task is not None
        receive.when_lost = receive.task.cancel
        receive.also = [(b"x-request-id", _request_id(scope["headers"]))]
        try:
            async with counting.turn:
                counting.begin()
                try:
                    await self._app(scope, receive, send)
                finally:
                    counting.end()
        except BaseException as raised:
            error = raised
            if not receive.lost:  # else nobody waits for the answer
                raise
        finally:
            receive.when_lost = None
            if counting.keep is not None:
                counting.keep(begun, error)


def straight_to(
    app: Application, serves: Application, options: Any, counting: Callable[[], Counting]
) -> CallersPort | None:
    """An application that passes requests straight to `app`. None if this Serve lacks a part that
    the application needs, or has to change requests. `options` are those of Serve's HTTP server."""
    try:
        if options.middlewares or options.root_path or options.request_timeout_s is not None:
            raise AttributeError("Serve has to change or to time them")
        return CallersPort(app, serves, counting())
    except (AttributeError, TypeError) as error:
        _log.warning("requests take Ray Serve's own way, which is slower: %s", error)
        return None


def _request_id(headers: HeaderList) -> bytes:
    """The caller's own id of its request; else a new one, as Serve makes them."""
    for name, value in headers:
        if name == b"x-request-id":
            return value
    text = b"%032x" % random.getrandbits(128)
    tail = b"89ab"[text[16] & 3 :][:1] + text[17:20]
    return b"-".join((text[:8], text[8:12], b"4" + text[13:16], tail, text[20:]))
