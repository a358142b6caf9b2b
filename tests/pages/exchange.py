"""HTTP in the pages: one block shows a request, the next block the answer to compare with.

A page shows a part of an answer. The real answer must have the status and every header, field and
text that the page shows. `…` stands for any text, and any number for any other number.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.http_answer import HttpAnswer, read_answer
from tests.pages.stage import PageStage

_REQUEST = re.compile(r"(GET|POST) (/\S*)\n((?:[\w-]+: .*\n)*)\n?", re.A)
_ANSWER = re.compile(r"HTTP/1\.1 (\d{3})[^\n]*\n((?:[\w-]+: .*\n)*)\n?", re.A)
# Headers whose values differ from run to run.
_DIFFERENT = frozenset({"x-waggle-request-id", "x-waggle-overhead-ms"})


@dataclass(frozen=True)
class Exchange:
    method: str
    path: str
    headers: Mapping[str, str]
    body: str


def request_in(text: str) -> Exchange | None:
    head = _REQUEST.match(text)
    if head is None:
        return None
    return Exchange(head[1], head[2], _headers(head[3]), text[head.end() :].strip())


def _headers(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


async def sent(exchange: Exchange, stage: PageStage) -> HttpAnswer:
    rig = await stage.rig()
    path = urlsplit(exchange.path)
    url = f"{rig.url}{path.path}" + (f"?{path.query}" if path.query else "")
    body = await stage.with_address(exchange.body)
    headers = {"content-type": "application/json", **exchange.headers}
    headers.pop("authorization", None)  # the router that runs the pages has no keys
    async with (
        aiohttp.ClientSession() as client,
        client.request(exchange.method, url, data=body or None, headers=headers) as response,
    ):
        return await read_answer(response)


def assert_answer_shown(text: str, answer: HttpAnswer) -> None:
    head = _ANSWER.match(text)
    assert head is not None, f"an answer begins with HTTP/1.1 and a status, not {text[:60]!r}"
    assert answer.status == int(head[1]), answer.body
    for name, value in _headers(head[2]).items():
        assert name in answer.headers, f"{name} is not among {sorted(answer.headers)}"
        if name not in _DIFFERENT:
            assert matches(value, answer.headers[name]), (name, value, answer.headers[name])
    body = text[head.end() :].strip()
    if not body:
        return
    if body.startswith(("data:", ":")):
        events = [line[6:] for line in body.splitlines() if line.startswith("data: ")]
        for event in events:
            if event == "[DONE]":
                assert answer.events[-1] == "[DONE]"
            else:
                assert any(_shows(json.loads(event), actual) for actual in answer.events), event
        return
    assert _shows(json.loads(body), answer.json), f"shown: {body}\n\nit is: {answer.json}"


def _shows(shown: Any, actual: Any) -> bool:
    match shown, actual:
        case dict(), dict():
            return all(name in actual and _shows(shown[name], actual[name]) for name in shown)
        case list(), list():
            return not shown or (bool(actual) and _shows(shown[0], actual[0]))
        case bool(), _:
            return isinstance(actual, bool)
        case ((int() | float()), _):
            return isinstance(actual, int | float) and not isinstance(actual, bool)
        case str(), str():
            return matches(shown, actual)
        case _:
            return type(shown) is type(actual)


def matches(shown: str, actual: str) -> bool:
    """Whether the actual text contains the shown text. `…` stands for any text."""
    pieces = (re.escape(" ".join(piece.split())) for piece in shown.split("…"))
    return re.search(".*".join(pieces), " ".join(actual.split())) is not None
