"""`waggle batch`: many requests from a file through the running service, into another file.

Each line is a request, and each answer a line, written the moment it is there. Started again,
it goes on with the lines that have none yet: what was answered is not asked again, and a line that
a crash tore is.
"""

import asyncio
import contextlib
import fcntl
import os
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import orjson
import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from router.cli.terminal import ConfigOption, DataOption, Stop, UrlOption, err, out, read
from router.config.environment import environment
from router.deployment.local_service import find_running
from router.domain import CHAT, Fault
from router.wire.http_client import ConnectionPool

_TRIES = 5
_LONGEST_WAIT = 10.0
_LATER = frozenset({408, 409, 425, 429, 500, 502, 503, 504})  # not answered: worth another try


@dataclass(frozen=True, slots=True)
class Job:
    """One line of the input, as it will be asked."""

    id: str
    body: bytes


@dataclass(slots=True)
class Tally:
    """How far it is."""

    done: int = 0
    refused: int = 0
    partial: int = 0
    later: dict[str, str] = field(default_factory=dict)
    cost_usd: float = 0.0
    stopped: str = ""


def batch(
    source: Annotated[Path, typer.Argument(help="Requests, a JSON object on each line.")],
    target: Annotated[Path, typer.Argument(help="Where answers go, one line each.")],
    plan: Annotated[
        str, typer.Option("--plan", "--model", help="For lines that name no model.")
    ] = "auto",
    concurrency: Annotated[int, typer.Option(min=1, max=1000, help="Requests at once.")] = 16,
    max_cost: Annotated[
        float | None, typer.Option(min=0, help="Dollars; no request is begun beyond.")
    ] = None,
    url: UrlOption = None,
    config_file: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Send every line of a file through a plan. The same command again goes on where it ended.

    A line is {"prompt": "..."}, a chat request ({"messages": [...]}), or OpenAI's batch format
    ({"custom_id": ..., "body": {...}}). Answers carry the custom_id, or `line-N`.
    """
    if source.resolve() == target.resolve():
        raise Stop(f"{source} cannot be both the input and the output", 2)
    jobs = list(_read(source, plan))
    where = url or _running_url(config_file, data)
    with _opened(target) as (file, answered):
        todo = [job for job in jobs if job.id not in answered]
        strange = answered - {job.id for job in jobs}
        if strange:
            some = ", ".join(sorted(strange)[:3])
            rule = f"{target} holds answers to requests that {source} has not: {some}"
            raise Stop(f"{rule}. Give another output file.", 2)
        if answered:
            out.print(f"{len(answered):,} of {len(jobs):,} were answered before; going on.")
        tally = Tally()
        begun = time.monotonic()
        interrupted = False
        try:
            asyncio.run(_all(where, todo, file, tally, concurrency, max_cost))
        except KeyboardInterrupt:
            interrupted = True
        os.fsync(file)
    _conclude(tally, len(todo), time.monotonic() - begun, target, interrupted=interrupted)


def _conclude(tally: Tally, of: int, seconds: float, target: Path, *, interrupted: bool) -> None:
    rate = tally.done / seconds if seconds else 0.0
    told = f"{tally.done:,} of {of:,} answered in {seconds:.1f} s ({rate:,.1f} a second)"
    out.print(f"{told}, ${tally.cost_usd:.6f}, in {escape(str(target))}.", soft_wrap=True)
    if tally.refused:
        out.print(f"{tally.refused:,} of them were refused: see their `error`.")
    if tally.partial:
        out.print(f"{tally.partial:,} of them are partial: see their `partial`.")
    for id_, why in list(tally.later.items())[:5]:
        err.print(f"[yellow]not answered:[/] {escape(id_)}: {escape(why)}", soft_wrap=True)
    missing = of - tally.done
    if missing:
        why = "interrupted" if interrupted else tally.stopped or "some had no answer"
        err.print(f"{missing:,} are left ({why}): the same command goes on with them.")
        raise typer.Exit(130 if interrupted else 1)


def _running_url(config_file: Path | None, data: Path | None) -> str:
    config = read(config_file, data=str(data) if data else None)
    running = find_running(config.data)
    if running is None:
        raise Stop(f"no service runs on {config.data}: start one with `waggle serve`")
    return running.url


def _read(source: Path, plan: str) -> Iterator[Job]:
    """Every line, checked before the first is sent."""
    wrong: list[str] = []
    jobs: dict[str, tuple[int, Job]] = {}
    try:
        lines = source.read_bytes().split(b"\n")
    except OSError as error:
        raise Stop(f"{source} cannot be read: {error.strerror}", 2) from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            job = _job(line, number, plan)
            if job.id in jobs:
                raise ValueError(f"custom_id {job.id!r} stands in line {jobs[job.id][0]} as well")
            jobs[job.id] = (number, job)
        except ValueError as error:
            wrong.append(f"{source}:{number}: {error}")
    if wrong:
        more = f"\nand {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise Stop("\n".join(wrong[:5]) + f"{more}\nNothing was sent.", 2)
    if not jobs:
        raise Stop(f"{source} holds no request", 2)
    yield from (job for _, job in jobs.values())


def _job(line: bytes, number: int, plan: str) -> Job:
    try:
        told = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"this is not JSON: {error}") from None
    if not isinstance(told, dict):
        raise ValueError("a line must be a JSON object")
    id_ = told.pop("custom_id", None)
    if id_ is None:
        id_ = f"line-{number}"
    if not isinstance(id_, str) or not id_:
        raise ValueError(f"custom_id = {id_!r} must be a text")
    if "body" in told:
        path = told.get("url", "/v1" + CHAT)
        if path != "/v1" + CHAT:
            raise ValueError(f"url = {path!r}: only /v1{CHAT} is asked in a batch")
        told = told["body"]
    if not isinstance(told, dict):
        raise ValueError("`body` must be an object")
    if "prompt" in told and "messages" not in told:
        prompt = told.pop("prompt")
        if not isinstance(prompt, str):
            raise ValueError(f"prompt = {prompt!r:.60} must be a text")
        told["messages"] = [{"role": "user", "content": prompt}]
    if not isinstance(told.get("messages"), list) or not told["messages"]:
        raise ValueError('a line needs "prompt", "messages" or "body"')
    return Job(id_, orjson.dumps({"model": plan, **told, "stream": False}))


@contextlib.contextmanager
def _opened(target: Path) -> Iterator[tuple[int, set[str]]]:
    """The output, ours alone, less a last line that was never finished; and who has an answer."""
    try:
        file = os.open(target, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise Stop(f"{target} cannot be written: {error.strerror}", 2) from None
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Stop(f"another batch writes to {target}: wait for it", 2) from None
        raw = target.read_bytes()
        whole = raw.rfind(b"\n") + 1
        answered = set()
        for number, line in enumerate(raw[:whole].splitlines(), 1):
            try:
                answered.add(str(orjson.loads(line)["custom_id"]))
            except (orjson.JSONDecodeError, KeyError, TypeError):
                raise Stop(
                    f"{target}:{number} is no answer of a batch: give another file", 2
                ) from None
        os.ftruncate(file, whole)
        os.lseek(file, 0, os.SEEK_END)
        yield file, answered
    finally:
        os.close(file)


async def _all(
    url: str, jobs: list[Job], file: int, tally: Tally, concurrency: int, max_cost: float | None
) -> None:
    asking = _Asking(url, environment("WAGGLE_API_KEY"))
    columns = (
        TextColumn("Asking"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
        TextColumn("${task.fields[cost]:.6f}"), TimeRemainingColumn(),
    )  # fmt: skip
    left = iter(jobs)
    begun = time.monotonic()
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=len(jobs), cost=0.0, rate="")

        async def work() -> None:
            for job in left:
                if tally.stopped or (max_cost is not None and tally.cost_usd >= max_cost):
                    tally.stopped = tally.stopped or f"${max_cost:g} are spent"
                    return
                line = await asking.answer(job, tally)
                if line is not None:
                    _write(file, line)
                    tally.done += 1
                rate = f"{tally.done / (time.monotonic() - begun):,.0f}/s"
                progress.update(task, completed=tally.done, cost=tally.cost_usd, rate=rate)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(concurrency, len(jobs))):
                    group.create_task(work())
        finally:
            asking.close()


def _write(file: int, line: bytes) -> None:
    """One line at once, all of it: the kernel has it before the next is begun."""
    while line:
        line = line[os.write(file, line) :]


class _Asking:
    """The service, over connections that are kept."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        tls = parts.scheme == "https"
        context = ssl.create_default_context() if tls else None
        port = parts.port or (443 if tls else 80)
        self._pool = ConnectionPool(parts.hostname or "", port, context=context, seconds=5.0)
        path = parts.path.rstrip("/").removesuffix("/v1")
        lines = [f"POST {path}/v1{CHAT} HTTP/1.1", f"host: {parts.netloc.rpartition('@')[2]}"]
        lines += ["content-type: application/json"]
        lines += [f"authorization: Bearer {key}"] if key else []
        self._head = "\r\n".join(lines).encode()
        self._away = 0

    def close(self) -> None:
        self._pool.close()

    async def answer(self, job: Job, tally: Tally) -> bytes | None:
        """The line for this job; None where nobody answered, and it is for another time."""
        why = ""
        for turn in range(_TRIES):
            try:
                status, headers, body = await self._once(job)
                self._away = 0
            except Fault as fault:
                why, wait = fault.detail, 0.5 * 2.0**turn
                if fault.kind in ("connect", "timeout") and turn == _TRIES - 1:
                    tally.stopped = tally.stopped or f"the service is away: {fault.detail}"
            else:
                tally.cost_usd += float(headers.get(b"x-waggle-cost-usd", b"0"))
                if status not in _LATER:
                    return _line(job, status, headers, body, tally)
                why = f"{status}: {_message(body)}"
                wait = float(headers.get(b"retry-after", b"0") or 0) or 0.5 * 2.0**turn
            if turn < _TRIES - 1:
                await asyncio.sleep(min(wait, _LONGEST_WAIT))
        tally.later[job.id] = why
        return None

    async def _once(self, job: Job) -> tuple[int, Mapping[bytes, bytes], bytes]:
        head = self._head + b"\r\ncontent-length: %d\r\n\r\n" % len(job.body)
        connection = await self._pool.send(head, job.body)
        try:
            body = await connection.whole()
            return connection.status, dict(connection.headers), body
        finally:
            connection.finish()


def _line(
    job: Job, status: int, headers: Mapping[bytes, bytes], body: bytes, tally: Tally
) -> bytes:
    """OpenAI's batch output, and beside it what an answer of ours has more."""
    try:
        read_: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        read_ = body.decode("utf-8", "replace")
    request_id = headers.get(b"x-waggle-request-id", b"").decode()
    good = status < 400
    told: dict[str, Any] = {
        "id": request_id,
        "custom_id": job.id,
        "response": {"status_code": status, "request_id": request_id, "body": read_},
        "error": None if good else {"code": str(status), "message": _message(body)},
        "plan": headers.get(b"x-waggle-plan", b"").decode() or None,
        "cost_usd": float(headers.get(b"x-waggle-cost-usd", b"0")),
    }
    tally.refused += not good
    if b"x-waggle-partial" in headers:
        told["partial"] = headers[b"x-waggle-partial"].decode()
        tally.partial += 1
    return orjson.dumps(told) + b"\n"


def _message(body: bytes) -> str:
    try:
        return str(orjson.loads(body)["error"]["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return body[:200].decode("utf-8", "replace")
