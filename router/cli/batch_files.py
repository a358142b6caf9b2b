"""Reads and checks all requests of a batch before any is sent; writes answers as whole lines."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from router.batches.asking import answered_ids
from router.batches.jobs import (
    ENDPOINTS,
    V1,
    BatchJob,
    LineMistake,
    body_of,
    fields_of_line,
    read_lines,
)
from router.cli.terminal import InputRefused
from router.domain import CHAT
from router.files import append_lines, lock_if_free

_SHOWN_MISTAKES = 5


def read_jobs(source: Path, plan: str) -> list[BatchJob]:
    """All requests of a file; `plan` is the model of requests that name none."""
    try:
        content = source.read_bytes()
    except OSError as error:
        raise InputRefused(f"{source} cannot be read", str(error.strerror)) from None
    jobs, mistakes = read_lines(content, partial(_job, plan=plan))
    if mistakes:
        hidden = len(mistakes) - _SHOWN_MISTAKES
        more = f"\nand {hidden} more" if hidden > 0 else ""
        shown = "\n".join(f"{source}:{each.line}: {each}" for each in mistakes[:_SHOWN_MISTAKES])
        raise InputRefused(f"{shown}{more}\nNothing was sent.")
    if not jobs:
        raise InputRefused(f"{source} holds no request")
    return jobs


def _job(line: bytes, number: int, *, plan: str) -> BatchJob:
    """A line as `waggle batch` takes it: a prompt, a chat request, or OpenAI's batch form."""
    fields, url = fields_of_line(line, number), V1 + CHAT

    def refused(message: str) -> LineMistake:
        return LineMistake(number, "invalid_line", message)

    job_id = fields.pop("custom_id", None)
    if job_id is None:
        job_id = f"line-{number}"
    if not isinstance(job_id, str) or not job_id:
        raise refused(f"custom_id = {job_id!r} must be a text")
    if "body" in fields:
        url, fields = fields.get("url", url), fields["body"]
        if url not in ENDPOINTS:
            raise refused(f"url = {url!r:.80}: a batch sends only {', '.join(ENDPOINTS)}")
    if not isinstance(fields, dict):
        raise refused("`body` must be an object")
    if url == V1 + CHAT:
        _check_chat(fields, refused)
    path = url.removeprefix(V1)
    return BatchJob(job_id, body_of({"model": plan, **fields}, path), path)


def _check_chat(fields: dict[str, Any], refused: Callable[[str], LineMistake]) -> None:
    """Turn a prompt into messages; a chat request needs either."""
    if "prompt" in fields and "messages" not in fields:
        prompt = fields.pop("prompt")
        if not isinstance(prompt, str):
            raise refused(f"prompt = {prompt!r:.60} must be a text")
        fields["messages"] = [{"role": "user", "content": prompt}]
    if not isinstance(fields.get("messages"), list) or not fields["messages"]:
        raise refused('a line needs "prompt", "messages" or "body"')


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
        try:
            answered = answered_ids(target.read_bytes())
        except ValueError as number:
            wrong = f"{target}:{number} is no answer of a batch"
            raise InputRefused(wrong, "give another file") from None
        yield BatchOutput(handle, answered)
        os.fsync(handle)
    finally:
        os.close(handle)
