"""Sends a batch: many requests at once over open connections; tries again after a failure."""

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import orjson
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from router.cli.batch_files import BatchJob, BatchOutput
from router.cli.client import error_message, service_address
from router.cli.terminal import err
from router.domain import CHAT, Fault
from router.verified import verified_by
from router.wire.http_client import ConnectionPool

_TRIES = 5
_LONGEST_WAIT_SECONDS = 10.0
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_WORTH_ANOTHER_TRY = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


@dataclass(slots=True)
class BatchTally:
    """The progress of a batch."""

    done: int = 0
    refused: int = 0
    partial: int = 0
    unproven: int = 0  # computed answers that nothing proved
    unanswered: dict[str, str] = field(default_factory=dict)  # job ids with reasons
    cost_usd: float = 0.0
    unpriced: int = 0  # answers whose cost is unknown; `cost_usd` leaves them out
    stopped: str = ""  # why no further request is sent


@dataclass(frozen=True, slots=True)
class Tries:
    """What came of a request that was tried again and again."""

    reply: "BatchReply | None"  # None if all tries failed
    cost_usd: float | None  # of all tries; None if the cost of any is unknown
    why: str = ""  # why the last try failed
    away: bool = False  # whether the service cannot be reached at all


@dataclass(frozen=True, slots=True)
class BatchReply:
    """The service's answer to one job."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode()

    @property
    def cost_usd(self) -> float | None:
        """None: unknown, because a backend of the answer has no price."""
        if self.status < 400 and b"x-waggle-cost-usd" not in self.headers:
            return None
        return float(self.header(b"x-waggle-cost-usd") or 0)

    @property
    def retry_after_seconds(self) -> float:
        return float(self.header(b"retry-after") or 0)


async def send_all(
    service: "PooledService",
    jobs: Sequence[BatchJob],
    output: BatchOutput,
    tally: BatchTally,
    concurrency: int,
    *,
    max_cost_usd: float | None,
) -> None:
    columns = (
        TextColumn("Asking"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
        TextColumn("${task.fields[cost]:.6f}"), TimeRemainingColumn(),
    )  # fmt: skip
    remaining = iter(jobs)
    begun = time.monotonic()
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=len(jobs), cost=0.0, rate="")

        async def work() -> None:
            for job in remaining:
                if max_cost_usd is not None and tally.cost_usd >= max_cost_usd:
                    tally.stopped = tally.stopped or f"${max_cost_usd:g} are spent"
                if tally.stopped:
                    return
                reply = await _reply_to(job, service, tally, bounded=max_cost_usd is not None)
                if reply is not None:
                    output.add(_line(job, reply, tally))
                    tally.done += 1
                rate = f"{tally.done / (time.monotonic() - begun):,.0f}/s"
                progress.update(task, completed=tally.done, cost=tally.cost_usd, rate=rate)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(concurrency, len(jobs))):
                    group.create_task(work())
        finally:
            service.close()


async def _reply_to(
    job: BatchJob, service: "PooledService", tally: BatchTally, *, bounded: bool
) -> BatchReply | None:
    """The answer to a job; None if all tries failed."""
    tries = await service.persist(job.body)
    tally.cost_usd += tries.cost_usd or 0.0
    if tries.cost_usd is None:
        tally.unpriced += 1
        if bounded:
            mend = "give its backend a `price`, or leave --max-cost out"
            tally.stopped = tally.stopped or f"the cost of {job.id} is unknown: {mend}"
    if tries.away:
        tally.stopped = tally.stopped or f"the service is away: {tries.why}"
    if tries.reply is None:
        tally.unanswered[job.id] = tries.why
    return tries.reply


def _line(job: BatchJob, reply: BatchReply, tally: BatchTally) -> bytes:
    """An answer in OpenAI's batch format, plus its plan, its cost, why it is partial, and how far
    it was checked."""
    try:
        body: Any = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        body = reply.body.decode("utf-8", "replace")
    request_id = reply.header(b"x-waggle-request-id")
    good = reply.status < 400
    error = None if good else {"code": str(reply.status), "message": error_message(reply.body)}
    line: dict[str, Any] = {
        "id": request_id,
        "custom_id": job.id,
        "response": {"status_code": reply.status, "request_id": request_id, "body": body},
        "error": error,
        "plan": reply.header(b"x-waggle-plan") or None,
        "cost_usd": reply.cost_usd,
    }
    tally.refused += not good
    if b"x-waggle-partial" in reply.headers:
        line["partial"] = reply.header(b"x-waggle-partial")
        tally.partial += 1
    if b"x-waggle-verified" in reply.headers:
        line["verified"] = reply.header(b"x-waggle-verified")
        tally.unproven += good and verified_by(line["verified"]) is None
    return orjson.dumps(line) + b"\n"


class PooledService:
    """Sends chat requests to a service over connections that stay open."""

    def __init__(self, url: str, key: str) -> None:
        at = service_address(url)
        tls = ssl.create_default_context() if at.scheme == "https" else None
        port = at.port or (443 if tls else 80)
        self._pool = ConnectionPool(at.hostname or "", port, context=tls, seconds=5.0)
        host = at.netloc.rpartition("@")[2]
        lines = [f"POST {at.path}/v1{CHAT} HTTP/1.1", f"host: {host}"]
        lines += ["content-type: application/json"]
        lines += [f"authorization: Bearer {key}"] if key else []
        self._head = "\r\n".join(lines).encode()

    async def persist(self, body: bytes, headers: Mapping[str, str] = NO_HEADERS) -> Tries:
        """Send a request, and send it again after a failure that may pass."""
        why, away = "", False
        cost_usd: float | None = 0.0
        for turn in range(_TRIES):
            wait = 0.5 * 2.0**turn
            try:
                reply = await self.send(body, headers)
            except Fault as fault:
                why, away = fault.detail, fault.kind in ("connect", "timeout")
            else:
                away = False
                cost_usd = _sum(cost_usd, reply.cost_usd)
                if reply.status not in _WORTH_ANOTHER_TRY:
                    return Tries(reply, cost_usd)
                why = f"{reply.status}: {error_message(reply.body)}"
                wait = reply.retry_after_seconds or wait
            if turn < _TRIES - 1:
                await asyncio.sleep(min(wait, _LONGEST_WAIT_SECONDS))
        return Tries(None, cost_usd, why, away)

    async def send(self, body: bytes, headers: Mapping[str, str] = NO_HEADERS) -> BatchReply:
        more = "".join(f"\r\n{name}: {value}" for name, value in headers.items()).encode()
        head = self._head + more + b"\r\ncontent-length: %d\r\n\r\n" % len(body)
        connection = await self._pool.send(head, body)
        try:
            content = await connection.whole()
            return BatchReply(connection.status, dict(connection.headers), content)
        finally:
            connection.finish()

    def close(self) -> None:
        self._pool.close()


def _sum(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second
