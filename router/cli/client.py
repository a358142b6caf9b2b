"""Sends the requests of a command to a running service, one at a time.

`waggle batch` keeps many connections open instead, and uses only `service_address` from here.
"""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from router.batches.asking import error_message
from router.cli.terminal import CommandRefused, InputRefused
from router.domain import CHAT
from router.verified import Verified, verified_in

_STREAM_SECONDS = 600.0
_LOOK_SECONDS = 5.0


class ServiceRefused(CommandRefused):
    """The service refused a request or cannot be reached; the message says which."""


def service_address(url: str) -> SplitResult:
    """The parts of an address that may lack its scheme and may end in `/v1`."""
    parts = urlsplit(url if "//" in url else f"http://{url}")
    try:
        _ = parts.port
    except ValueError as error:
        raise InputRefused(f"--url {url} is no address: {error}") from None
    return parts._replace(path=parts.path.rstrip("/").removesuffix("/v1"))


@dataclass(slots=True)
class AnswerStream:
    """An answer as it arrives; its cost and `verified` are known after the last piece."""

    headers: Mapping[str, str]
    _lines: Iterator[bytes]
    cost_usd: float | None = field(default=None)
    estimated: bool = False
    tokens: int = 0  # of the answer, as its backend counts them
    model: str = ""  # the model that answered, as its backend names it
    late_verified: Verified | None = field(default=None)  # from the last piece of an early stream

    @property
    def verified(self) -> str:
        """How far a computed answer was checked; empty if nothing was computed."""
        header = self.headers.get("x-waggle-verified", "")
        return header or (self.late_verified.header if self.late_verified is not None else "")

    def pieces(self) -> Iterator[str]:
        for line in self._lines:
            content = line.strip()
            if not content.startswith(b"data: ") or content == b"data: [DONE]":
                continue
            chunk = json.loads(content[6:])
            if "error" in chunk:
                raise ServiceRefused(chunk["error"]["message"])
            usage = chunk.get("usage") or {}
            self.cost_usd = usage.get("cost", self.cost_usd)
            self.estimated = usage.get("cost_estimated", self.estimated)
            self.tokens = usage.get("completion_tokens") or self.tokens
            self.model = chunk.get("model") or self.model
            note = chunk.get("waggle") or {}
            if isinstance(note.get("verified"), dict):
                self.late_verified = verified_in(note["verified"])
            for choice in chunk.get("choices", ()):
                yield (choice.get("delta") or {}).get("content") or ""


@dataclass(frozen=True, slots=True)
class PostAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class ServiceClient:
    def __init__(self, url: str, key: str = "") -> None:
        self.url = url
        self._address = service_address(url)
        self._headers = {"authorization": f"Bearer {key}"} if key else {}

    def get(self, path: str) -> dict[str, Any]:
        """The JSON object at a path, whatever the status, because errors are JSON objects too."""
        with self._answer("GET", path, None, _LOOK_SECONDS) as answer:
            text = answer.read()
        try:
            content: dict[str, Any] = json.loads(text)
        except ValueError:
            wrong = f"{self.url}{path} answered {answer.status} without JSON"
            raise ServiceRefused(wrong, "does Waggle listen there?") from None
        return content

    def post(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> PostAnswer:
        """The answer to a JSON object, whatever the status."""
        text = json.dumps(body)
        with self._answer("POST", path, text, _STREAM_SECONDS, headers) as answer:
            named = {name.lower(): value for name, value in answer.getheaders()}
            return PostAnswer(answer.status, named, answer.read())

    def send(self, method: str, path: str, body: Mapping[str, Any] | None) -> PostAnswer:
        """The answer to a request by any method, whatever the status."""
        text = None if body is None else json.dumps(body)
        with self._answer(method, path, text, _LOOK_SECONDS) as answer:
            named = {name.lower(): value for name, value in answer.getheaders()}
            return PostAnswer(answer.status, named, answer.read())

    @contextmanager
    def chat(self, prompt: str, model: str) -> Iterator[AnswerStream]:
        body = {"model": model, "stream": True, "messages": [{"role": "user", "content": prompt}]}
        with self._answer("POST", "/v1" + CHAT, json.dumps(body), _STREAM_SECONDS) as answer:
            if answer.status >= 400:
                message = error_message(answer.read())
                raise ServiceRefused(f"{answer.status}: {message}")
            headers = {name.lower(): value for name, value in answer.getheaders()}
            yield AnswerStream(headers, iter(answer.readline, b""))

    def wait_until_ready(self, *, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            try:
                health = self.get("/health/ready")
                states = {backend["state"] for backend in health["backends"].values()}
                if states <= {"up", "off"}:
                    return
                last = str(health)
            except (ServiceRefused, KeyError) as error:
                last = str(error)
            if time.monotonic() > until:
                raise TimeoutError(f"{self.url} is not ready after {seconds:.0f} s: {last}")
            time.sleep(0.1)

    @contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        body: str | None,
        seconds: float,
        more: Mapping[str, str] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        at = self._address
        tls = at.scheme == "https"
        kind = http.client.HTTPSConnection if tls else http.client.HTTPConnection
        connection = kind(at.hostname or "", at.port, timeout=seconds)
        headers = self._headers | ({"content-type": "application/json"} if body else {})
        headers |= more or {}
        try:
            connection.request(method, at.path + path, body, headers)
            yield connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise ServiceRefused(f"{self.url} cannot be reached: {error}") from error
        finally:
            connection.close()
