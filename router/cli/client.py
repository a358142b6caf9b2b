"""The few requests that the command line itself makes to a running service."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


class ServiceRefused(Exception):
    """The service said no, or was not there; the message says which."""


@dataclass(slots=True)
class ServiceReply:
    headers: Mapping[str, str]
    _lines: Iterator[bytes]
    cost_usd: float | None = field(default=None)
    estimated: bool = False

    def pieces(self) -> Iterator[str]:
        """The words of the answer as they come. Afterwards the cost is known."""
        for line in self._lines:
            data = line.strip()
            if not data.startswith(b"data: ") or data == b"data: [DONE]":
                continue
            chunk = json.loads(data[6:])
            if "error" in chunk:
                raise ServiceRefused(chunk["error"]["message"])
            usage = chunk.get("usage") or {}
            self.cost_usd = usage.get("cost", self.cost_usd)
            self.estimated = usage.get("cost_estimated", self.estimated)
            for choice in chunk.get("choices", ()):
                yield (choice.get("delta") or {}).get("content") or ""


@contextmanager
def stream_chat(url: str, prompt: str, model: str, key: str) -> Iterator[ServiceReply]:
    body = {"model": model, "stream": True, "messages": [{"role": "user", "content": prompt}]}
    headers = {"content-type": "application/json"}
    if key:
        headers["authorization"] = f"Bearer {key}"
    with _answered(url, "POST", "/v1/chat/completions", json.dumps(body), headers) as answer:
        told = {name.lower(): value for name, value in answer.getheaders()}
        yield ServiceReply(told, iter(answer.readline, b""))


def get_json(url: str, key: str = "") -> dict[str, Any]:
    """What a path answers with."""
    parts = urlsplit(url)
    headers = {"authorization": f"Bearer {key}"} if key else {}
    with _answered(url, "GET", parts.path, None, headers, fail=False) as answer:
        told: dict[str, Any] = json.loads(answer.read())
        return told


def wait_until_ready(url: str, *, seconds: float) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            told = get_json(url + "/health/ready")
            if all(b["state"] == "up" for b in told["backends"].values()):
                return
            last = str(told)
        except (ServiceRefused, ValueError, KeyError) as error:
            last = str(error)
        if time.monotonic() > until:
            raise TimeoutError(f"{url} is not ready after {seconds:.0f} s: {last}")
        time.sleep(0.1)


@contextmanager
def _answered(
    url: str,
    method: str,
    path: str,
    body: str | None,
    headers: Mapping[str, str],
    *,
    fail: bool = True,
) -> Iterator[http.client.HTTPResponse]:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=600 if body else 5)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        if fail and answer.status >= 400:
            raise ServiceRefused(_message(answer))
        yield answer
    except (OSError, http.client.HTTPException) as error:
        raise ServiceRefused(f"{url} cannot be reached: {error}") from error
    finally:
        connection.close()


def _message(answer: http.client.HTTPResponse) -> str:
    text = answer.read().decode("utf-8", "replace")
    try:
        return f"{answer.status}: {json.loads(text)['error']['message']}"
    except (ValueError, KeyError, TypeError):
        return f"{answer.status}: {text[:300]}"
