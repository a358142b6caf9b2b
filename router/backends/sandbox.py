"""The sandbox behind a backend's port: a request is read, its program run, the result judged.

It takes no chat of its own. A plan with `code:` sends it one job after another (`router.computing`)
until a result is verified; whoever wrote the program, it runs where it can harm nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

import orjson
from pydantic import Field

from router.backends.base import (
    Backend,
    BackendSettings,
    Call,
    Capability,
    Fault,
    Reply,
    SecretReader,
)
from router.backends.native import once
from router.statistics import reading_of
from sandbox.document import of_records, records
from sandbox.document import written as document
from sandbox.levels import open_pool
from sandbox.pool import Pool
from sandbox.possible import contradiction
from sandbox.runner import Busy, Limits, Program, Refused, Run, Tier
from sandbox.spec import Spec
from sandbox.synthesis import CannotWrite, written
from sandbox.verify import verified

COMPUTE = "/compute"


class SandboxSettings(BackendSettings):
    kind: Literal["sandbox"]
    min_level: Literal[1, 2, 3] = Field(
        1, description="of isolation; where the machine gives less, nothing is run"
    )
    wall_seconds: float = Field(5.0, gt=0, le=300, description="longest run of a program")
    memory_mb: int = Field(512, ge=64, le=65_536)
    at_once: int | None = Field(None, ge=1, le=256, description="programs; default: one a core")
    waiting: int = Field(64, ge=0, le=10_000, description="programs that may wait for their turn")
    ready: tuple[Tier, ...] = Field(
        ("numpy",), description="libraries to have loaded at the start; others load when needed"
    )
    capabilities: tuple[Capability, ...] = ("chat", "json")

    def build(self, read_secret: SecretReader) -> Backend:  # noqa: ARG002 - it has none
        return SandboxBackend(self)

    def refuses(self, fields: Mapping[str, Any]) -> str:
        if reading_of(fields).computed:
            return ""
        # Why not in detail would quote the request, and this is written down.
        return "computes, and this is no statistical request that says all it must"

    @property
    def limits(self) -> Limits:
        cpu = max(1, round(self.wall_seconds))
        return Limits(self.wall_seconds, cpu, memory_bytes=self.memory_mb << 20)


class SandboxBackend:
    """The pool opens in the background: a service starts where a sandbox cannot."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._opening: asyncio.Task[Pool] | None = None
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return  # nobody to wait for it yet
        self._opening = asyncio.ensure_future(self._open())

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != COMPUTE:
            raise Fault("bad_request", "the sandbox is asked through a plan with `code:`")
        told = await self._answer(orjson.loads(call.body))
        yield Reply(200, "application/json", once(orjson.dumps(told)))

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
        if self._opening is None or (self._opening.done() and self._opening.exception()):
            self._opening = asyncio.ensure_future(self._open())
        return await asyncio.shield(self._opening)

    async def _answer(self, job: Mapping[str, Any]) -> dict[str, Any]:
        reading = reading_of(job["fields"])
        spec = reading.spec
        if spec is None:
            return {"status": "not_statistical", "problem": "; ".join(reading.reasons)}
        cannot = contradiction(spec)
        if cannot:
            return {"status": "impossible", "problem": cannot, "spec": spec.told()}
        try:
            program = self._program(spec, job)
            run = await (await self._pool()).run(program)
        except CannotWrite as reason:
            return {"status": "no_program", "problem": str(reason), "spec": spec.told()}
        except Refused as refused:
            return {"status": "refused", "problem": str(refused)}
        except Busy as busy:
            raise Fault("queue_full", str(busy)) from None
        as_object = bool(job.get("as_object"))
        return await asyncio.to_thread(_judged, spec, program, run, as_object=as_object)

    def _program(self, spec: Spec, job: Mapping[str, Any]) -> Program:
        seed = int(job["seed"])
        if job.get("source") is None:
            return written(spec, seed=seed)
        params = {"columns": dict(spec.data)} if spec.data else {}
        return Program(str(job["source"]), params, seed if spec.seed is None else spec.seed)


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
    verdict = verified(spec, run.result)
    told |= {"verification": verdict.told(), "score": verdict.score}
    if not verdict.holds:
        failed = "; ".join(f"{check.name}: {check.detail}" for check in verdict.failed)
        return told | {"problem": failed or "the result holds nothing"}
    if spec.words:  # still to come: these are their records, whatever format they end in
        return told | {"document": of_records(records(spec, run.result), "json")}
    return told | {"document": document(spec, run.result, as_object=as_object)}


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
