"""The sandbox behind a backend's port: a request is read, its program run, the result judged.

A plan with `code:` sends it one job after another (`router.compute.computing`) until a result is
verified; whoever wrote the program, it runs where it can harm nothing.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson

from router.config.backends import SandboxSettings
from router.domain import COMPUTE, RUN, Call, Fault, Reply
from router.request.statistical import reading_of
from router.wire.chat_replies import in_one_piece
from sandbox.contradictions import contradiction
from sandbox.document import records
from sandbox.document import written as document
from sandbox.levels import open_pool
from sandbox.pool import Pool
from sandbox.records import of_records
from sandbox.runner import Busy, Program, Run, RunRefused
from sandbox.spec import Spec
from sandbox.verify import verified

_AGAIN_SECONDS = 30.0


class SandboxBackend:
    """The pool opens in the background: a service starts where a sandbox cannot."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._opening: asyncio.Task[Pool] | None = None
        self._opened_at = time.monotonic()
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return  # nobody to wait for it yet
        self._opening = asyncio.ensure_future(self._open())

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path not in (COMPUTE, RUN):
            raise Fault("bad_request", "the sandbox is asked through a plan with `code:`")
        job = orjson.loads(call.body)
        told = await (self._ran(job) if call.path == RUN else self._answer(job))
        yield Reply(200, "application/json", in_one_piece(orjson.dumps(told)))

    async def close(self) -> None:
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
        await pool.start(settings.ready)
        return pool

    async def _pool(self) -> Pool:
        """What this machine refused a moment ago it refuses still: trying takes a second or two."""
        now = time.monotonic()
        failed = self._opening is not None and self._opening.done() and self._opening.exception()
        if self._opening is None or (failed and now - self._opened_at > _AGAIN_SECONDS):
            self._opening, self._opened_at = asyncio.ensure_future(self._open()), now
        return await asyncio.shield(self._opening)

    async def _ran(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """A program of anyone's, and what became of it."""
        try:
            run = await (await self._pool()).run(Program(str(job["source"]), {}, 0))
        except RunRefused as refused:
            return {"status": "refused", "problem": str(refused)}
        except Busy as busy:
            raise Fault("queue_full", str(busy)) from None
        return {"status": run.status, "result": run.result, "run": _of_run(run)}

    async def _answer(self, job: Mapping[str, Any]) -> dict[str, Any]:
        reading = await asyncio.to_thread(reading_of, job["fields"], whole=True)
        spec = reading.spec
        if spec is None:
            return {"status": "not_statistical", "problem": "; ".join(reading.reasons)}
        if job.get("count") and "count" in spec.assumed:
            spec = replace(spec, count=int(job["count"]))
        cannot = contradiction(spec)
        if cannot:
            return {"status": "impossible", "problem": cannot, "spec": spec.told()}
        program = _program(spec, job)
        try:
            run = await (await self._pool()).run(program)
        except RunRefused as refused:
            return {"status": "refused", "problem": str(refused)}
        except Busy as busy:
            raise Fault("queue_full", str(busy)) from None
        as_object = bool(job.get("as_object"))
        return await asyncio.to_thread(_judged, spec, program, run, as_object=as_object)


_TURN = 2**32


def _program(spec: Spec, job: Mapping[str, Any]) -> Program:
    """A seed that was asked for is used; a second turn has another, and always the same one."""
    seed = int(job["seed"]) if spec.seed is None else spec.seed
    params = {"columns": dict(spec.data)} if spec.data else {}
    return Program(str(job["source"]), params, seed + int(job["turn"]) * _TURN)


def _judged(spec: Spec, program: Program, run: Run, *, as_object: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "status": run.status,
        "spec": spec.told(),
        "program": program.source,
        "seed": program.seed,
        "run": _of_run(run),
    }
    if not run.ok:
        return told | {"problem": _why(run)}
    result = _printed(run.stdout) if run.result is None else run.result
    verdict = verified(spec, result)
    told |= {"verification": verdict.told(), "score": verdict.score}
    if not verdict.holds:
        failed = "; ".join(f"{check.name}: {check.detail}" for check in verdict.failed)
        return told | {"problem": failed or "the result holds nothing"}
    if spec.words:  # still to come: these are their records, whatever format they end in
        return told | {"document": of_records(records(spec, result), "json")}
    return told | {"document": document(spec, result, as_object=as_object)}


def _printed(stdout: str) -> Any:
    """Models print what they were to put into `result`. It is judged like any other."""
    try:
        return orjson.loads(stdout)
    except orjson.JSONDecodeError:
        return None


def _why(run: Run) -> str:
    said = run.error or run.trace or (f"it printed {run.stdout[-300:]!r}" if run.stdout else "")
    return f"the program ended with {run.status}" + (f": {said[:500]}" if said else "")


def _of_run(run: Run) -> dict[str, Any]:
    return {
        "seconds": run.seconds,
        "cpu_seconds": run.cpu_seconds,
        "peak_bytes": run.peak_bytes,
        "tier": run.tier,
        "level": run.level,
    }
