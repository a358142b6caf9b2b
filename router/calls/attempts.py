"""Makes one attempt at a backend: picks a replica, calls it, and judges the answer."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, Protocol

import orjson

from router.calls.hop import Hops, ReplicaLost
from router.calls.outcome import CallOutcome, Stream
from router.config.values import Retry
from router.domain import Attempt, Call, Fault
from router.request.json_body import json_of
from router.wire.beside import beside
from router.wire.frame_client import ReplicaAnswer
from router.wire.native import FORMS, native_fault
from router.wire.replica_headers import SWAP, retry_after_seconds
from router.wire.sse import Cutter, broken, data_of, usage_in

# Statuses of a request that every backend would refuse, so that the first refusal is the answer.
_CALLERS_FAULT = frozenset({400, 405, 406, 411, 413, 414, 415, 416, 417, 422, 431, 451})
_OUR_CREDENTIALS = frozenset({401, 402, 403})
_WORTH_AGAIN = frozenset(
    {"connect", "protocol", "malformed", "replica_lost", "unavailable", "upstream"}
)
_SECRET = re.compile(
    r"\b(?:sk|wg|key|pk|xai|gsk)[-_][A-Za-z0-9_*-]{6,}|\bAIza[A-Za-z0-9_*-]{6,}|Bearer\s+\S+", re.I
)
_LOSSES = 50


class Directory(Protocol):
    """Where the replicas of each backend listen, as `unix:path` or `host:port`."""

    def addresses(self, backend: str) -> Sequence[str]: ...


def pause_before_retry(
    attempt: Attempt, retry: Retry, *, turn: int, retry_after: float | None, uniform: float
) -> float | None:
    """Seconds to wait before the same backend is tried again; None: go on to the next backend.

    The wait is random, up to a ceiling that doubles with each try, so that callers who failed
    together do not return together. The backend's `Retry-After` is the shortest wait.
    """
    again = attempt.status in (408, 409, 425, 429) or attempt.status >= 500
    if turn >= retry.times or not (again or attempt.fault in _WORTH_AGAIN):
        return None
    if retry_after is not None and retry_after > retry.longest:
        return None
    ceiling: float = min(retry.backoff * 2.0**turn, retry.longest)
    return max(uniform * ceiling, retry_after or 0.0)


def shown(detail: str) -> str:
    """A backend's message, shortened, without anything that looks like a secret."""
    return _SECRET.sub("(hidden)", detail.replace("\n", " "))[:300]


class Attempts:
    """Calls a backend through one of its replicas."""

    def __init__(self, directory: Directory, hops: Hops) -> None:
        self._directory = directory
        self._hops = hops
        self._running: Counter[str] = Counter()
        self._lost: dict[str, float] = {}

    def replicas(self, backend: str) -> Sequence[str]:
        return self._directory.addresses(backend)

    async def try_once(self, backend: str, call: Call, *, patience: float) -> CallOutcome:
        """Make one call. If a replica dies before it answers, try others for `patience` seconds.

        A call that two replicas did not survive may be what ended them, so no third one gets it.
        """
        begun = time.perf_counter()
        until = begun + patience
        loss, ended = "no replica of it is up", 0
        while True:
            address = self._pick(backend)
            if address is not None:
                self._running[address] += 1
                try:
                    return await self._call(backend, call, address, begun)
                except ReplicaLost as lost:
                    loss = f"its replica was lost: {lost}"
                    self._lost[address] = time.perf_counter()
                    ended += lost.sent
                finally:
                    self._running[address] -= 1
            if ended > 1:
                detail = f"two replicas were lost while they worked on this call; {loss}"
                return _failed(backend, begun, "replicas_lost", detail)
            if time.perf_counter() >= until:
                return _failed(backend, begun, "replica_lost", loss)
            await asyncio.sleep(0.02)

    def _pick(self, backend: str) -> str | None:
        """The least busy replica, without replicas lost within the last second if others are
        left."""
        addresses = self._directory.addresses(backend)
        if len(addresses) == 1:
            return addresses[0]
        recent = time.perf_counter() - 1.0
        if len(self._lost) > _LOSSES:
            self._lost = {a: at for a, at in self._lost.items() if at > recent}
        there: Collection[str] = [a for a in addresses if self._lost.get(a, 0.0) < recent]
        return min(there or addresses, key=self._running.__getitem__, default=None)

    async def _call(self, backend: str, call: Call, address: str, begun: float) -> CallOutcome:
        answer = await self._hops.send(address, backend, call)
        kept = False
        try:
            status, fault = answer.status, answer.fault
            if call.raw and call.stream and status < 300 and not fault:
                outcome = await _begun_raw(backend, answer, begun)
                kept = True
                return outcome
            streams = answer.content_type.startswith("text/event-stream")
            if call.stream and status < 300 and not fault and streams:
                outcome = await _begun(backend, call, answer, begun)
                kept = outcome.stream is not None
                return outcome
            try:
                body = await answer.whole()
            except Fault as loss:
                raise ReplicaLost(loss.detail, sent=True) from loss
            if fault:
                failure = orjson.loads(body)
                wait = failure.get("retry_after")
                return _failed(backend, begun, fault, failure["detail"], retry_after=wait)
            judge = partial(_judged, backend, call, answer, body, begun)
            return await beside(len(body), judge)
        finally:
            if not kept:
                answer.finish()


async def _begun(backend: str, call: Call, answer: ReplicaAnswer, begun: float) -> CallOutcome:
    """Read a stream up to its first event, before the caller receives anything."""
    cutter, pieces = Cutter(), answer.pieces()
    try:
        async for piece in pieces:
            events = cutter.cut(piece)
            for event in events:
                fault = broken(event) or native_fault(event, call.dialect)
                if fault is not None:
                    return _failed(backend, begun, fault.kind, fault.detail)
            if any(data_of(event) for event in events):
                seconds = time.perf_counter() - begun
                swap = _swap_seconds(answer)
                attempt = Attempt(
                    backend, 200, "", "streaming", seconds, seconds, swap_seconds=swap
                )
                stream = Stream(events, cutter, answer, pieces)
                return CallOutcome(
                    attempt, stream=stream, upstream_seconds=answer.seconds, dialect=call.dialect
                )
    except Fault as fault:  # the caller has received nothing yet
        raise ReplicaLost(fault.detail, sent=True) from fault
    detail = "the stream ended before its first event"
    return _failed(backend, begun, "protocol", detail)


async def _begun_raw(backend: str, answer: ReplicaAnswer, begun: float) -> CallOutcome:
    """Read the first piece of an answer of any type, before the caller receives anything."""
    pieces = answer.pieces()
    try:
        first = await anext(pieces, b"")
    except Fault as fault:
        raise ReplicaLost(fault.detail, sent=True) from fault
    seconds = time.perf_counter() - begun
    attempt = Attempt(backend, answer.status, "", "streaming", seconds, seconds)
    stream = Stream([first] if first else [], Cutter(), answer, pieces)
    return CallOutcome(
        attempt,
        stream=stream,
        upstream_seconds=answer.seconds,
        content_type=answer.content_type,
    )


def _judged(
    backend: str, call: Call, answer: ReplicaAnswer, body: bytes, begun: float
) -> CallOutcome:
    status = answer.status
    if status in _CALLERS_FAULT:
        attempt = Attempt(backend, status, "", "refused", time.perf_counter() - begun)
        return CallOutcome(
            attempt, body, callers_fault=True, upstream_seconds=answer.seconds, dialect=call.dialect
        )
    if status >= 300:
        wait = retry_after_seconds(answer.headers.get("retry-after", ""))
        detail = _upstream_message(status, body)
        return _failed(backend, begun, "upstream", detail, status=status, retry_after=wait)
    kind = answer.content_type if call.raw else "application/json"
    content: Any = None
    if kind.startswith("application/json"):
        try:
            content = json_of(body)
        except orjson.JSONDecodeError as error:
            return _failed(backend, begun, "malformed", f"the answer is not JSON: {error}")
        if not isinstance(content, dict) or (content.get("error") and "choices" not in content):
            return _failed(backend, begun, "malformed", f"not an answer: {body[:200]!r}")
    seconds = time.perf_counter() - begun
    swap = _swap_seconds(answer)
    attempt = Attempt(backend, status, "", "answered", seconds, seconds, swap_seconds=swap)
    form = FORMS.get(call.dialect)
    usage = usage_in(content) if form is None else form.counted(form.usage(content))
    return CallOutcome(
        attempt,
        body,
        usage=usage,
        upstream_seconds=answer.seconds,
        content_type=kind,
        dialect=call.dialect,
    )


def _failed(
    backend: str,
    begun: float,
    fault: str,
    detail: str,
    *,
    status: int = 0,
    retry_after: float | None = None,
) -> CallOutcome:
    seconds = time.perf_counter() - begun
    attempt = Attempt(backend, status, fault, shown(detail), seconds)
    return CallOutcome(attempt, retry_after=retry_after)


def _upstream_message(status: int, body: bytes) -> str:
    if status in _OUR_CREDENTIALS:
        return "it refuses Waggle's credentials: check this backend's api_key and account"
    try:
        error = orjson.loads(body)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return body[:200].decode("utf-8", "replace") or "it said nothing more"


def _swap_seconds(answer: ReplicaAnswer) -> float:
    return float(answer.headers.get(SWAP, "0"))
