"""Reads and checks all requests of a batch before any is sent; writes answers as whole lines."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from router.cli.terminal import InputRefused
from router.domain import CHAT
from router.files import append_lines, lock_if_free

_SHOWN_MISTAKES = 5


@dataclass(frozen=True, slots=True)
class BatchJob:
    """One line of the input, as the request for the service."""

    id: str
    body: bytes


def read_jobs(source: Path, plan: str) -> list[BatchJob]:
    """All requests of a file; `plan` is the model of requests that name none."""
    mistakes: list[str] = []
    jobs: dict[str, BatchJob] = {}
    first_lines: dict[str, int] = {}
    try:
        lines = source.read_bytes().split(b"\n")
    except OSError as error:
        raise InputRefused(f"{source} cannot be read", str(error.strerror)) from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            job = _job(line, number, plan)
            if job.id in jobs:
                where = f"line {first_lines[job.id]}"
                raise ValueError(f"custom_id {job.id!r} stands in {where} as well")
            jobs[job.id], first_lines[job.id] = job, number
        except ValueError as error:
            mistakes.append(f"{source}:{number}: {error}")
    if mistakes:
        hidden = len(mistakes) - _SHOWN_MISTAKES
        more = f"\nand {hidden} more" if hidden > 0 else ""
        shown = "\n".join(mistakes[:_SHOWN_MISTAKES])
        raise InputRefused(f"{shown}{more}\nNothing was sent.")
    if not jobs:
        raise InputRefused(f"{source} holds no request")
    return list(jobs.values())


def _job(line: bytes, number: int, plan: str) -> BatchJob:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"this is not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise ValueError("a line must be a JSON object")
    job_id = fields.pop("custom_id", None)
    if job_id is None:
        job_id = f"line-{number}"
    if not isinstance(job_id, str) or not job_id:
        raise ValueError(f"custom_id = {job_id!r} must be a text")
    if "body" in fields:
        path = fields.get("url", "/v1" + CHAT)
        if path != "/v1" + CHAT:
            raise ValueError(f"url = {path!r}: a batch sends only /v1{CHAT}")
        fields = fields["body"]
    if not isinstance(fields, dict):
        raise ValueError("`body` must be an object")
    if "prompt" in fields and "messages" not in fields:
        prompt = fields.pop("prompt")
        if not isinstance(prompt, str):
            raise ValueError(f"prompt = {prompt!r:.60} must be a text")
        fields["messages"] = [{"role": "user", "content": prompt}]
    if not isinstance(fields.get("messages"), list) or not fields["messages"]:
        raise ValueError('a line needs "prompt", "messages" or "body"')
    return BatchJob(job_id, orjson.dumps({"model": plan, **fields, "stream": False}))


@dataclass(frozen=True, slots=True)
class BatchOutput:
    """The output file; no other batch can write to the file at the same time."""

    handle: int
    answered: set[str]  # ids that had an answer when the file was opened

    def add(self, line: bytes) -> None:
        append_lines(self.handle, line)


@contextlib.contextmanager
def locked_output(target: Path) -> Iterator[BatchOutput]:
    """Open the output and lock it. A last line that a crash cut short counts as no answer."""
    try:
        if not target.exists():
            target.touch()
        handle = lock_if_free(target)
    except OSError as error:
        raise InputRefused(f"{target} cannot be written", str(error.strerror)) from None
    if handle is None:
        raise InputRefused(f"another batch writes to {target}", "wait for it")
    try:
        content = target.read_bytes()
        yield BatchOutput(handle, set(_ids(target, content[: content.rfind(b"\n") + 1])))
        os.fsync(handle)
    finally:
        os.close(handle)


def _ids(target: Path, content: bytes) -> Iterator[str]:
    for number, line in enumerate(content.splitlines(), 1):
        try:
            yield str(orjson.loads(line)["custom_id"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            wrong = f"{target}:{number} is no answer of a batch"
            raise InputRefused(wrong, "give another file") from None
