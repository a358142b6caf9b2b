"""Runs a program in the sandbox, and checks its result against the request.

A plan with `code:` sends one job after another (`router.compute.computing`) until a result is
verified. The sandbox confines every program, whoever wrote the program.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import orjson

from router.backends.free_programs import free_outcome
from router.config.backends import SandboxSettings
from router.domain import COMPUTE, RUN, Call, Fault, Reply
from router.request.json_body import json_of
from router.request.statistical import interpret_whole
from router.wire.beside import beside
from router.wire.chat_replies import in_one_piece
from sandbox.contradictions import contradiction
from sandbox.document import records, write_document
from sandbox.levels import open_pool
from sandbox.pool import Pool
from sandbox.records import format_records, json_text
from sandbox.runner import Busy, Limits, Program, Run, RunRefused
from sandbox.spec import Spec
from sandbox.supervisor.frames import json_value
from sandbox.synthesis import data_of
from sandbox.verify import verify

_RETRY_SECONDS = 30.0
_SETTLED_SECONDS = 5.0  # after which the start of the service is over
_SEEDS_A_TURN = 2**32
_SHOWN_BYTES = 256 << 10  # of a result that nobody verifies; it is sent back as it is
_MOST_WORDS = 300  # characters of an error


class SandboxBackend:
    """The pool opens in the background, so the service starts even if no sandbox can run.

    scipy takes half a second to load. Unless it is to be `ready` at the start, it is loaded some
    seconds later, or when a program needs it.
    """

    def __init__(
        self, settings: SandboxSettings, *, settled_seconds: float = _SETTLED_SECONDS
    ) -> None:
        self._settings, self._settled_seconds = settings, settled_seconds
        self._later: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[Pool] | None = None
        self._opened_at = time.monotonic()
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return  # without an event loop, the first call opens the pool
        self._opening = asyncio.ensure_future(self._open())

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path not in (COMPUTE, RUN):
            detail = f"the sandbox answers no {call.path}: use it in a plan with `code:`"
            raise Fault("bad_request", detail)
        job = await beside(len(call.body), partial(json_of, call.body))
        outcome = await (self._run(job) if call.path == RUN else self._compute(job))
        body = await asyncio.to_thread(json_text, outcome)
        yield Reply(200, "application/json", in_one_piece(body.encode()))

    async def close(self) -> None:
        if self._later is not None:
            self._later.cancel()
        if self._opening is not None:
            self._opening.cancel()
            done = await asyncio.gather(self._opening, return_exceptions=True)
            if isinstance(done[0], Pool):
                await done[0].close()

    async def _open(self) -> Pool:
        settings = self._settings
        pool = await open_pool(
            min_level=settings.min_level,
            limits=settings.limits,
            at_once=settings.at_once,
            queue=settings.waiting,
        )
        try:
            await pool.start(settings.ready)
        except BaseException:  # `close` may cancel the start: then no zygote may stay
            await pool.close()
            raise
        self._later = asyncio.ensure_future(self._load_later(pool))
        return pool

    async def _load_later(self, pool: Pool) -> None:
        await asyncio.sleep(self._settled_seconds)
        with contextlib.suppress(RunRefused):  # the first program that needs it hears why
            await pool.start(("scipy",))

    async def _pool(self) -> Pool:
        """Wait for the pool; if it could not be opened, raise the same error again for a while."""
        now = time.monotonic()
        failed = self._opening is not None and self._opening.done() and self._opening.exception()
        if self._opening is None or (failed and now - self._opened_at > _RETRY_SECONDS):
            self._opening, self._opened_at = asyncio.ensure_future(self._open()), now
        return await asyncio.shield(self._opening)

    async def _ended(self, program: Program, limits: Limits | None = None) -> Run | RunRefused:
        try:
            return await (await self._pool()).run(program, limits)
        except RunRefused as refused:
            return refused
        except Busy as busy:
            raise Fault("queue_full", str(busy)) from None

    async def _run(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Run any program, and report how the program ended."""
        limits = replace(self._settings.limits, result_bytes=_SHOWN_BYTES)
        run = await self._ended(Program(str(job["source"]), {}, 0), limits)
        if isinstance(run, RunRefused):
            return {"status": "refused", "problem": str(run)}
        return {"status": run.status, "result": json_value(run.result), "run": _measures(run)}

    async def _compute(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Run the program of a statistical request, and check its result against the request."""
        if job.get("programs"):
            return await free_outcome(job, self._ended, _failure)
        interpretation = await asyncio.to_thread(interpret_whole, job["fields"])
        spec = interpretation.spec
        if spec is None:
            return {"status": "not_statistical", "problem": "; ".join(interpretation.reasons)}
        if job.get("count") and spec.counts_by_default:
            spec = replace(spec, count=int(job["count"]))
        impossible = contradiction(spec)
        if impossible:
            return {"status": "impossible", "problem": impossible, "spec": spec.as_json()}
        program = _program(spec, job)
        run = await self._ended(program)
        if isinstance(run, RunRefused):
            return {"status": "refused", "problem": str(run)}
        as_object = bool(job.get("as_object"))
        return await asyncio.to_thread(_judged, spec, program, run, as_object=as_object)


def _program(spec: Spec, job: Mapping[str, Any]) -> Program:
    """The job's program, with a seed from the request or the job that differs in each turn."""
    seed = int(job["seed"]) if spec.seed is None else spec.seed
    return Program(str(job["source"]), data_of(spec), seed + int(job["turn"]) * _SEEDS_A_TURN)


def _judged(spec: Spec, program: Program, run: Run, *, as_object: bool) -> dict[str, Any]:
    outcome: dict[str, Any] = {
        "status": run.status,
        "spec": spec.as_json(),
        "program": program.source,
        "seed": program.seed,
        "run": _measures(run),
    }
    if not run.ok:
        return outcome | {"problem": _failure(run)}
    result = _printed(run.stdout) if run.result is None else run.result
    verdict = verify(spec, result)
    outcome |= {
        "verification": verdict.as_json(),
        "score": verdict.score,
        "level": verdict.level,
        "unchecked": list(verdict.unchecked),
    }
    if not verdict.holds:
        failed = "; ".join(f"{check.name}: {check.detail}" for check in verdict.failed)
        return outcome | {"problem": failed or "the result is empty"}
    try:
        if spec.words:  # another backend adds the columns of text later
            document = format_records(records(spec, result), "json")
        else:
            document = write_document(spec, result, as_object=as_object)
    except (TypeError, ValueError) as error:  # such as columns of different lengths
        return outcome | {"problem": f"the result cannot be written: {str(error)[:_MOST_WORDS]}"}
    return outcome | {"document": document}


def _printed(stdout: str) -> Any:
    """Read the result from a program's output: models often print it instead of setting it."""
    try:
        return orjson.loads(stdout)
    except orjson.JSONDecodeError:
        return None


def _failure(run: Run) -> str:
    detail = run.error or run.trace or (f"it printed {run.stdout[-300:]!r}" if run.stdout else "")
    return f"the program ended with {run.status}" + (f": {detail[:500]}" if detail else "")


def _measures(run: Run) -> dict[str, Any]:
    return {
        "seconds": run.seconds,
        "cpu_seconds": run.cpu_seconds,
        "peak_bytes": run.peak_bytes,
        "tier": run.tier,
        "level": run.level,
    }
