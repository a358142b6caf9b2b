"""Carries out one batch: checks its lines, asks each that has no answer yet, and hands over files.

Each answer is appended as a whole line at once. A process that takes over after a kill reads which
lines have an answer, and asks the others: a line that was under way may be asked again, and each
line is answered exactly once in the output. Not covered: a power cut may lose the latest answers,
whose lines are then asked again.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from router.batches.asking import (
    JobService,
    answer_line,
    answered_ids,
    error_line,
    persist,
    written,
)
from router.batches.jobs import BatchJob, LineMistake, batch_job, read_lines
from router.batches.records import BatchRecord, Status
from router.batches.store import BatchStore
from router.batches.stored_files import FileStore
from router.files import append_lines

_SHOWN_MISTAKES = 100
_SAVE_SECONDS = 1.0  # between two records of how many lines are done
_LOOK_SECONDS = 0.5  # between two looks whether the batch shall end
_GIVE_WAY_SECONDS, _GIVE_WAY_LOOKS = 0.05, 10
_EXPIRED = "This request could not be executed before the completion window expired."


class Turns:
    """Lets some lines of all batches through at once, and first the callers who wait: while one
    waits for an answer, a line waits half a second. `live` counts all requests of this router."""

    def __init__(self, most: int, live: Callable[[], int]) -> None:
        self.most = most
        self._free, self._live = asyncio.Semaphore(most), live
        self._asking = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        async with self._free:
            for _ in range(_GIVE_WAY_LOOKS):
                if self._live() <= self._asking:
                    break
                await asyncio.sleep(_GIVE_WAY_SECONDS)
            self._asking += 1
            try:
                yield
            finally:
                self._asking -= 1


@dataclass(frozen=True, slots=True)
class Workplace:
    """What every batch shares."""

    store: BatchStore
    files: FileStore
    turns: Turns
    wall: Callable[[], float]
    steady: Callable[[], float]
    most_lines: int


@dataclass
class Carrying:
    """One batch under way."""

    place: Workplace
    service: JobService
    record: BatchRecord
    _saved_at: float = 0.0

    async def run(self) -> BatchRecord:
        """Bring the batch to its end, and return its last record."""
        if self.record.status != "finalizing":
            jobs, mistakes = await asyncio.to_thread(self._read)
            if mistakes:
                return await asyncio.to_thread(self._fail, mistakes)
            await self._ask(jobs)
        return await asyncio.to_thread(self._hand_over)

    def _read(self) -> tuple[list[BatchJob], list[LineMistake]]:
        content = self.place.store.lines(self.record).read_bytes()
        job_of = partial(batch_job, endpoint=self.record.endpoint)
        jobs, mistakes = read_lines(content, job_of)
        most = self.place.most_lines
        if len(jobs) > most:
            message = f"the file has {len(jobs)} requests, and server.batches.lines = {most}"
            mistakes = [LineMistake(most + 1, "too_many_requests", message)]
        if not jobs and not mistakes:
            mistakes = [LineMistake(1, "empty_file", "the file holds no request")]
        return jobs, mistakes

    def _fail(self, mistakes: Sequence[LineMistake]) -> BatchRecord:
        errors = tuple(
            {"code": each.code, "line": each.line, "message": each.message, "param": each.param}
            for each in mistakes[:_SHOWN_MISTAKES]
        )
        self.record = self._stepped("failed", errors=errors)
        self.place.store.end(self.record)
        return self.record

    async def _ask(self, jobs: Sequence[BatchJob]) -> None:
        """Ask every line without an answer, until all have one or the batch shall end."""
        store = self.place.store
        output = await asyncio.to_thread(_Lines, store.output(self.record))
        errors = await asyncio.to_thread(_Lines, store.errors(self.record))
        try:
            if self.record.status == "validating":
                self.record = self._stepped("in_progress", total=len(jobs))
            self._count(output, errors, durably=True)
            missing = [job for job in jobs if job.id not in output.ids | errors.ids]
            concludes = await self._until_ended(missing, output, errors)
            if concludes == "expired":
                for job in missing:
                    if job.id not in output.ids | errors.ids:
                        errors.add(error_line(job, "batch_expired", _EXPIRED))
            self._count(output, errors)
        finally:
            await asyncio.to_thread(output.close)
            await asyncio.to_thread(errors.close)
        self.record = self._stepped(
            "finalizing",
            concludes=concludes,
            has_output=bool(output.ids),
            has_errors=bool(errors.ids),
        )
        await asyncio.to_thread(store.save, self.record)

    async def _until_ended(
        self, missing: Sequence[BatchJob], output: "_Lines", errors: "_Lines"
    ) -> Status:
        wished = await self._wished()
        if wished is not None:
            return wished
        asking = asyncio.ensure_future(self._ask_all(missing, output, errors))
        stopping = asyncio.ensure_future(self._stopped())
        both: set[asyncio.Future[Any]] = {asking, stopping}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                return stopping.result()
            asking.result()  # raises what went wrong
            return "completed"
        finally:
            for task in both:
                task.cancel()
            await asyncio.wait(both)

    async def _ask_all(
        self, missing: Sequence[BatchJob], output: "_Lines", errors: "_Lines"
    ) -> None:
        remaining = iter(missing)

        async def work() -> None:
            for job in remaining:
                async with self.place.turns.turn():
                    line, good, stores = await self._answer(job)
                if not stores <= {*self.record.stores}:  # before the words are on the disk
                    bound = tuple(sorted({*self.record.stores, *stores}))
                    self.record = replace(self.record, stores=bound)
                    self._count(output, errors, durably=True)
                (output if good else errors).add(line)
                self._count(output, errors)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self.place.turns.most, len(missing))):
                group.create_task(work())

    async def _answer(self, job: BatchJob) -> tuple[Mapping[str, Any], bool, frozenset[str]]:
        """The line of a job, whether it is a good answer, and the stores that it may quote."""
        tries = await persist(self.service, job.path, job.body, waits_for_limits=True)
        if tries.reply is None:
            return error_line(job, "no_answer", tries.why), False, frozenset()
        named = tries.reply.header(b"x-waggle-stores").split(",")
        stores = frozenset(store for store in named if store)
        return answer_line(job, tries.reply), tries.reply.status < 400, stores

    async def _stopped(self) -> Status:
        """Wait until somebody cancels the batch, or its time is over."""
        while True:
            wished = await self._wished()
            if wished is not None:
                return wished
            await asyncio.sleep(_LOOK_SECONDS)

    async def _wished(self) -> Status | None:
        """How the batch shall end before its lines are answered, if it shall."""
        if await asyncio.to_thread(self.place.store.cancelling_at, self.record) is not None:
            return "cancelled"
        return "expired" if self.place.wall() >= self.record.expires_at else None

    def _count(self, output: "_Lines", errors: "_Lines", *, durably: bool = False) -> None:
        counts = {"completed": len(output.ids), "failed": len(errors.ids)}
        self.record = replace(self.record, **counts)  # type: ignore[arg-type]
        now = self.place.steady()
        if durably or now - self._saved_at >= _SAVE_SECONDS:
            self._saved_at = now
            self.place.store.save(self.record, durably=durably)

    def _hand_over(self) -> BatchRecord:
        """Make the answers files of the key, and end the batch. Doing it again changes nothing."""
        record, store = self.record, self.place.store
        for wanted, file_id, path, name in (
            (record.has_output, record.output_file_id, store.output(record), "output"),
            (record.has_errors, record.error_file_id, store.errors(record), "error"),
        ):
            if wanted:
                file = self.place.files.record(
                    file_id,
                    0,
                    f"{record.id}_{name}.jsonl",
                    "batch_output",
                    self.place.wall(),
                    record.keep_seconds,
                )
                file = replace(file, stores=record.stores)
                self.place.files.adopt(record.key_id, path, file)
        self.record = self._stepped(record.concludes)
        store.end(self.record)
        return self.record

    def _stepped(self, status: Status, **changes: Any) -> BatchRecord:
        times = {**self.record.times, f"{status}_at": int(self.place.wall())}
        return replace(self.record, status=status, times=times, **changes)


class _Lines:
    """A file of answers, to which only this process appends, and the ids that have a line."""

    def __init__(self, path: Path) -> None:
        self.ids: set[str] = set()
        with suppress(FileNotFoundError):
            self.ids = answered_ids(path.read_bytes())
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def add(self, line: Mapping[str, Any]) -> None:
        append_lines(self._handle, written(line))
        self.ids.add(line["custom_id"])

    def close(self) -> None:
        try:
            os.fsync(self._handle)
        finally:
            os.close(self._handle)
