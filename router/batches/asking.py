"""Asks a service one job, again after a failure that may pass, and writes the answer as a line."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import orjson

from router.batches.jobs import BatchJob
from router.domain import Fault

TRIES = 5
LONGEST_WAIT_SECONDS = 10.0
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_WORTH_ANOTHER_TRY = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


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


class JobService(Protocol):
    """Whoever answers the jobs of a batch."""

    async def send(
        self, path: str, body: bytes, headers: Mapping[str, str] = NO_HEADERS
    ) -> BatchReply:
        """The answer; `Fault` if there is none."""


@dataclass(frozen=True, slots=True)
class Tries:
    """What came of a request that was tried again and again."""

    reply: BatchReply | None  # None if all tries failed
    cost_usd: float | None  # of all tries; None if the cost of any is unknown
    why: str = ""  # why the last try failed
    away: bool = False  # whether the service cannot be reached at all


async def persist(
    service: JobService,
    path: str,
    body: bytes,
    headers: Mapping[str, str] = NO_HEADERS,
    *,
    waits_for_limits: bool = False,
) -> Tries:
    """Send a request, and send it again after a failure that may pass.

    With `waits_for_limits`, a refusal by a limit that ends some time does not count as a try.
    """
    why, away, turn = "", False, 0
    cost_usd: float | None = 0.0
    while turn < TRIES:
        wait = 0.5 * 2.0**turn
        turn += 1
        try:
            reply = await service.send(path, body, headers)
        except Fault as fault:
            why, away = fault.detail, fault.kind in ("connect", "timeout")
        else:
            away = False
            cost_usd = _sum(cost_usd, reply.cost_usd)
            if reply.status not in _WORTH_ANOTHER_TRY:
                return Tries(reply, cost_usd)
            why = f"{reply.status}: {error_message(reply.body)}"
            wait = reply.retry_after_seconds or wait
            if waits_for_limits and reply.status == 429:
                if not reply.retry_after_seconds:  # no wait helps
                    return Tries(reply, cost_usd)
                turn -= 1
        if turn < TRIES:
            await asyncio.sleep(min(wait, LONGEST_WAIT_SECONDS))
    return Tries(None, cost_usd, why, away)


def answer_line(job: BatchJob, reply: BatchReply) -> dict[str, Any]:
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
    for name in ("partial", "verified"):
        header = f"x-waggle-{name}".encode()
        if header in reply.headers:
            line[name] = reply.header(header)
    return line


def error_line(job: BatchJob, code: str, message: str) -> dict[str, Any]:
    """The line of a job that got no answer."""
    error = {"code": code, "message": message}
    return {"id": None, "custom_id": job.id, "response": None, "error": error}


def written(line: Mapping[str, Any]) -> bytes:
    return orjson.dumps(line) + b"\n"


def error_message(body: bytes) -> str:
    try:
        return str(orjson.loads(body)["error"]["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return body[:300].decode("utf-8", "replace")


def answered_ids(content: bytes) -> set[str]:
    """The ids of the jobs that have a line. A last line that a crash cut short counts as none.
    Raises `ValueError`, with the number of the line that is no line of a batch."""
    ids = set()
    for number, line in enumerate(content[: content.rfind(b"\n") + 1].splitlines(), 1):
        try:
            ids.add(str(orjson.loads(line)["custom_id"]))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise ValueError(number) from None
    return ids


def _sum(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second
