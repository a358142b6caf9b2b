"""Sends a batch: many requests at once over open connections; tries again after a failure."""

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from router.batches.asking import NO_HEADERS, BatchReply, answer_line, persist, written
from router.batches.jobs import V1, BatchJob
from router.cli.batch_files import BatchOutput
from router.cli.client import service_address
from router.cli.terminal import err
from router.verified import verified_by
from router.wire.http_client import ConnectionPool


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
    tries = await persist(service, job.path, job.body)
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
    line = answer_line(job, reply)
    good = reply.status < 400
    tally.refused += not good
    tally.partial += "partial" in line
    if "verified" in line:
        tally.unproven += good and verified_by(line["verified"]) is None
    return written(line)


class PooledService:
    """Sends requests to a service over connections that stay open."""

    def __init__(self, url: str, key: str) -> None:
        at = service_address(url)
        tls = ssl.create_default_context() if at.scheme == "https" else None
        port = at.port or (443 if tls else 80)
        self._pool = ConnectionPool(at.hostname or "", port, context=tls, seconds=5.0)
        self._path = at.path
        lines = [f"host: {at.netloc.rpartition('@')[2]}", "content-type: application/json"]
        lines += [f"authorization: Bearer {key}"] if key else []
        self._head = "\r\n".join(lines)

    async def send(
        self, path: str, body: bytes, headers: Mapping[str, str] = NO_HEADERS
    ) -> BatchReply:
        more = "".join(f"\r\n{name}: {value}" for name, value in headers.items())
        first = f"POST {self._path}{V1}{path} HTTP/1.1\r\n{self._head}{more}"
        head = first.encode() + b"\r\ncontent-length: %d\r\n\r\n" % len(body)
        connection = await self._pool.send(head, body)
        try:
            content = await connection.whole()
            return BatchReply(connection.status, dict(connection.headers), content)
        finally:
            connection.finish()

    def close(self) -> None:
        self._pool.close()
