"""The lines of a batch file as requests. All lines are checked before any is sent."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from router.domain import CHAT, COMPLETIONS, EMBEDDINGS, MESSAGES, RESPONSES

V1 = "/v1"
# The paths that a batch may ask. A batch reads whole answers, so nothing may stream.
STREAMING = (CHAT, RESPONSES, COMPLETIONS, MESSAGES)
ENDPOINTS = tuple(V1 + path for path in (*STREAMING, EMBEDDINGS))


@dataclass(frozen=True, slots=True)
class BatchJob:
    """One line of a batch, as the request for the service."""

    id: str
    body: bytes
    path: str = CHAT


class LineMistake(ValueError):
    """A line is wrong: its number, a code of OpenAI's form, and the field at fault."""

    def __init__(self, line: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.line, self.code, self.message, self.param = line, code, message, param


JobOf = Callable[[bytes, int], BatchJob]


def read_lines(content: bytes, job_of: JobOf) -> tuple[list[BatchJob], list[LineMistake]]:
    """The jobs in a file, and what is wrong with its lines."""
    mistakes: list[LineMistake] = []
    jobs: dict[str, BatchJob] = {}
    first_lines: dict[str, int] = {}
    for number, line in _lines(content):
        try:
            job = job_of(line, number)
            if job.id in jobs:
                where = f"line {first_lines[job.id]}"
                raise LineMistake(
                    number,
                    "duplicate_custom_id",
                    f"custom_id {job.id!r} stands in {where} as well",
                    "custom_id",
                )
        except LineMistake as mistake:
            mistakes.append(mistake)
            continue
        jobs[job.id], first_lines[job.id] = job, number
    return list(jobs.values()), mistakes


def batch_job(line: bytes, number: int, endpoint: str) -> BatchJob:
    """A line in OpenAI's form, for a batch of one endpoint. Raises `LineMistake`."""
    fields = fields_of_line(line, number)
    job_id = fields.get("custom_id")
    if not isinstance(job_id, str) or not job_id:
        raise LineMistake(number, "missing_required_parameter", _NO_ID, "custom_id")
    method, url, body = fields.get("method", "POST"), fields.get("url"), fields.get("body")
    if method != "POST":
        message = f"method = {method!r:.80}: a batch sends only POST"
        raise LineMistake(number, "invalid_method", message, "method")
    if url != endpoint:
        message = f"url = {url!r:.80} must be {endpoint}, the endpoint of the batch"
        raise LineMistake(number, "invalid_url", message, "url")
    if not isinstance(body, dict):
        message = "`body` must be an object: the request"
        raise LineMistake(number, "missing_required_parameter", message, "body")
    return BatchJob(job_id, body_of(body, endpoint.removeprefix(V1)), endpoint.removeprefix(V1))


_NO_ID = "custom_id must be a text that is not empty: it tells the answers apart"


def body_of(fields: dict[str, Any], path: str) -> bytes:
    """The body of a request, whose answer must come whole."""
    return orjson.dumps(fields | {"stream": False} if path in STREAMING else fields)


def fields_of_line(line: bytes, number: int) -> dict[str, Any]:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        message = f"this is not JSON: {error}"
        raise LineMistake(number, "invalid_json_line", message) from None
    if not isinstance(fields, dict):
        raise LineMistake(number, "invalid_json_line", "a line must be a JSON object")
    return fields


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that are not empty, with their numbers."""
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            yield number, line
