"""Sends generated requests to every route, and collects the answers that blame us or take too long.

`python -m experiments.attack.fuzz --cases 20000 --seed 1` starts a whole router in this process,
with a learner and a dashboard, and sends it requests that almost follow the schema of each route:
right fields with wrong values, wrong fields, odd numbers, text, nesting, headers and paths.
The same seed sends the same requests. Not covered: what HAProxy or Ray Serve would do with them.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dashboard.login import LoginDoor
from dashboard.running import board_of
from dashboard.web import Site
from experiments.attack.bent_bodies import CODING, LOOP_OF_TOOLS, bent
from experiments.attack.odd_values import odd_text, odd_value
from router.config.config import Config
from router.config.dashboard_options import DashboardOptions
from router.learning.publisher import Publisher
from router.routing.messages import NewsRequest, Published
from tests.fakes import MemoryJournal
from tests.rig import Rig, listening, rig
from tests.upstream import Upstream, Wire, answer_well

LONGEST_SECONDS = 2.0
_ANSWER_SECONDS = 30.0
_TEXT = """
server: {{data: "{data}"}}
backends:
  up: {{kind: openai, base_url: "{url}"}}
  passes: {{kind: openai, base_url: "{url}", capabilities: [completions, moderations, rerank,
           image_generation, speech, transcription]}}
  generator: {{kind: generator}}
  enricher: {{kind: enricher}}
  validator: {{kind: validator}}
plans:
  model: {{ask: up}}
  generate: {{ask: generator}}
  records: {{ask: validator}}
  line: {{pipeline: [generator, validator]}}
"""
_MODELS = (
    "auto",
    "model",
    "generate",
    "records",
    "line",
    "up",
    "generator",
    "enricher",
    "validator",
)
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "/v1/chat/completions": (
        *("model", "messages", "stream", "stream_options", "shape", "count", "seed", "variant"),
        *("response_format", "tools", "metadata", "conversation", "store", "data", "rules"),
        *("temperature", "max_tokens", "n", "stop", "logit_bias", "user"),
    ),
    "/v1/responses": (
        *("model", "input", "stream", "store", "previous_response_id", "conversation", "tools"),
        *("truncation", "instructions", "max_output_tokens", "metadata", "include", "background"),
    ),
    "/v1/responses/resp_1/cancel": ("x",),
    "/v1/conversations": ("items", "metadata"),
    "/v1/conversations/conv_1": ("metadata",),
    "/v1/conversations/conv_1/items": ("items",),
    "/v1/route": ("model", "messages", "shape", "response_format", "tools", "metadata"),
    "/v1/embeddings": ("model", "input", "dimensions", "encoding_format"),
    "/v1/completions": ("model", "prompt", "stream", "stream_options", "n", "best_of", "suffix"),
    "/v1/rerank": ("model", "query", "documents", "top_n", "return_documents"),
    "/v1/moderations": ("model", "input"),
    "/v1/images/generations": ("model", "prompt", "n", "size", "stream"),
    "/v1/images/edits": ("model", "prompt", "n", "image", "stream"),
    "/v1/images/variations": ("model", "n", "image", "size"),
    "/v1/audio/speech": ("model", "input", "voice", "stream_format"),
    "/v1/audio/transcriptions": ("model", "file", "language", "stream"),
    "/v1/audio/translations": ("model", "file", "prompt"),
    "/v1/files": ("file", "purpose", "expires_after[seconds]", "expires_after[anchor]"),
    "/v1/batches": (
        *("input_file_id", "endpoint", "completion_window", "metadata", "output_expires_after"),
    ),
    "/v1/batches/batch_1/cancel": ("x",),
    "/v1/messages": (
        *("model", "messages", "max_tokens", "system", "stream", "thinking", "tools", "metadata"),
        *("tool_choice", "stop_sequences", "output_config", "cache_control", "temperature"),
    ),
    "/v1/messages/count_tokens": ("model", "messages", "system", "tools", "thinking"),
    "/v1/feedback": (
        *("request_id", "inference_id", "score", "thumbs", "metric_name", "value", "comment"),
        *("demonstration", "source", "tags"),
    ),
    "/v1/sql": ("sql", "rows"),
    "/v1/trials": (
        *("do", "name", "candidate", "split", "traffic", "layer", "goal", "shadow", "at_once"),
        *("to", "kind", "settings", "source", "without", "instead"),
    ),
    "/_dash-update-component": ("output", "outputs", "inputs", "changedPropIds", "state"),
    "/login": ("key",),
}  # fmt: skip
# Whole bodies of agents, in which one value is bent at a time.
_BENT: Mapping[str, Mapping[str, Any]] = {
    "/v1/messages": LOOP_OF_TOOLS,
    "/v1/messages/count_tokens": LOOP_OF_TOOLS,
    "/v1/responses": CODING,
}
_USUAL: Mapping[str, Any] = {
    "max_tokens": 500,
    "messages": [{"role": "user", "content": 'Two: {"name": "string", "age": "int 1..9"}'}],
    "shape": {"name": "string", "age": "int 18..65"},
    "input": "hello",
    "items": [{"role": "user", "content": "hello"}],
    "prompt": "hello",
    "query": "hello",
    "documents": ["a", "b"],
    "request_id": "01a1fae8-7a09-761b-9982-5744f9e7daf0",
    "sql": "select 1",
    "do": "new",
    "endpoint": "/v1/chat/completions",
    "completion_window": "24h",
    "metric_name": "thumbs",
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "a", "schema": {"type": "object", "properties": {"a": {}}}},
    },
    "output": "page.children",
    "outputs": {"id": "page", "property": "children"},
    "inputs": [{"id": "url", "property": "pathname", "value": "/plans"}],
}
_METHODS = ("GET", "GET", "HEAD", "PUT", "BREW", "DELETE")
_GETS = (
    *("/health", "/health/live", "/health/ready", "/metrics", "/v1/models", "/v1/models/up"),
    *("/v1/responses/resp_1", "/v1/responses/r?stream=1", "/v1/conversations/%ff/items?limit=x"),
    *("/v1/responses/%00/input_items?order=up&include=x", "/v1/conversations/c/items/%ed%a0%80"),
    *("/v1/files", "/v1/files/file-1", "/v1/files/%2e%2e/content", "/v1/batches?limit=x"),
    *("/v1/batches", "/v1/batches/batch_1", "/v1/files?after=1&order=up", "/v1/files//content"),
    *(
        "/v1/learner",
        "/v1/trials",
        "/",
        "/v1",
        "/data/learning",
        "/csv/learning/curve",
        "/learning",
    ),
    *("/_dash-component-suites/dash/dcc/x.js", "/assets/waggle.css", "/_dash-layout", "/login"),
)
_HEADERS = (
    *("x-session-id", "x-llm-backend", "x-waggle-task", "x-waggle-plans", "x-waggle-optimize"),
    *("x-waggle-region", "x-waggle-max-cost", "x-waggle-max-latency-ms", "x-waggle-reuse"),
    *("x-waggle-ttl", "x-waggle-explain", "cache-control", "idempotency-key", "authorization"),
    *("x-api-key", "anthropic-version", "anthropic-beta", "x-claude-code-session-id"),
    *("cookie", "accept-encoding", "if-none-match", "user-agent", "content-type", "x-request-id"),
)
_FORMS = frozenset(path for path, names in _FIELDS.items() if {"file", "image"} & {*names})
_OF_DASHBOARD = ("/data", "/csv", "/_", "/assets", "/login", "/learning")


@dataclass(frozen=True, slots=True)
class Shot:
    """One generated request."""

    method: str
    path: bytes
    headers: tuple[tuple[str, bytes], ...]
    body: bytes

    @property
    def for_dashboard(self) -> bool:
        return self.path.decode("latin-1").startswith(_OF_DASHBOARD)


@dataclass(frozen=True, slots=True)
class Finding:
    """A request whose answer is wrong: a status of 500 and more, none at all, or a late answer."""

    shot: Shot
    status: int
    seconds: float
    answer: bytes

    def __str__(self) -> str:
        shot = self.shot
        request = f"{shot.method} {shot.path[:120]!r} {shot.headers!r:.300} {shot.body[:300]!r}"
        return f"{self.status} in {self.seconds:.2f} s: {request} -> {self.answer[:200]!r}"


def shot_of(chance: random.Random) -> Shot:
    """A request to some route, drawn by `chance` alone."""
    if chance.random() < 0.2:
        method, path = (
            chance.choice(("GET", "GET", "HEAD", "PUT", "BREW", "DELETE")),
            chance.choice(_GETS),
        )
        body = b""
    else:
        method, path = "POST", chance.choice(tuple(_FIELDS))
        body = _body(path, chance)
    target = path.encode()
    if chance.random() < 0.1:
        target += odd_text(chance).encode("utf-8", "replace")[:2000]
        target = b"".join(
            b"%%%02x" % byte if byte <= 32 or byte > 126 else bytes((byte,)) for byte in target
        )
    if chance.random() < 0.1:
        target += b"?" + b"&".join(
            (b"backend=%ff", b"last=" + b"9" * 40, b"from=%00", b"find=%e2%28")
        )
    headers = {"content-type": b"application/json"}
    if path in _FORMS and chance.random() < 0.7:
        boundary = chance.choice((b"xyz", b"xyz", b"a b", b"", b"\xff"))
        headers = {"content-type": b"multipart/form-data; boundary=" + boundary}
        headers["authorization"] = b"Bearer none"
        body = _form(path, chance)
    for name in chance.sample(_HEADERS, chance.choice((0, 0, 1, 2, 5))):
        headers[name] = _header(chance)
    return Shot(method, target, tuple(headers.items()), body)


def _body(path: str, chance: random.Random) -> bytes:
    if chance.random() < 0.05:
        return chance.choice((b"", b"null", b"[]", b"\xff\xfe", b'{"a":', b'{"a": NaN}', b"1e400"))
    if path in _BENT and chance.random() < 0.6:
        return json.dumps(bent(_BENT[path], chance) | {"stream": chance.random() < 0.5}).encode(
            "utf-8", "surrogatepass"
        )
    fields = dict.fromkeys(_FIELDS[path])
    written: dict[str, Any] = {}
    for name in fields:
        usual = chance.choice(_MODELS) if name == "model" else _USUAL.get(name)
        if usual is not None and chance.random() < 0.8:
            written[name] = usual
        elif chance.random() < 0.25:
            written[name] = odd_value(chance)
    if chance.random() < 0.1:
        written[odd_text(chance)] = odd_value(chance)
    text = json.dumps(written)
    if chance.random() < 0.1:  # a value that no JSON library of Python writes
        odd = chance.choice(
            ("1e400", "-0", "1E-999", "9" * 400, '"\\ud800"', "[" * 900 + "]" * 900)
        )
        text = text[:-1] + (", " if written else "") + f'"{chance.choice(tuple(fields))}": {odd}}}'
    return text.encode("utf-8", "surrogatepass")


def _form(path: str, chance: random.Random) -> bytes:
    """A form that is often right, and often cut, odd or bent."""
    pieces = []
    for name in _FIELDS[path]:
        if chance.random() < 0.2:
            continue
        named = f'name="{name}"' + ('; filename="a"' if name in ("file", "image") else "")
        value = odd_text(chance).encode("utf-8", "replace")
        if name == "model":
            value = chance.choice(_MODELS).encode()
        if name == "purpose" and chance.random() < 0.7:
            value = b"batch"
        head = b"Content-Disposition: form-data; " + named.encode()
        pieces.append(b"--xyz\r\n" + head + b"\r\n\r\n" + value + b"\r\n")
    form = b"".join(pieces) + b"--xyz--\r\n"
    if chance.random() < 0.3:
        at = chance.randrange(len(form))
        form = form[:at] + chance.choice((b"", b"\r\n", b"--xyz", b"\xff")) + form[at + 3 :]
    return form


def _header(chance: random.Random) -> bytes:
    value: bytes = chance.choice(
        (
            *(b"", b"\xff\xfe", b"1e400", b"-1", b"nan", b"inf", b"true", b"off", b"9" * 5000),
            *(b"max-age=" + b"9" * 400, b"cost=1e9,latency=nan", b"Bearer wg-", b"Bearer \xc3\xa9"),
            odd_text(chance).encode("utf-8", "replace")[:2000],
        )
    )
    return bytes(byte for byte in value if byte == 9 or 32 <= byte < 127 or byte > 127).strip()


async def shoot(port: int, shot: Shot) -> Finding | None:
    """Send one request, and return what is wrong with its answer, if anything is."""
    lines = [shot.method.encode() + b" " + shot.path + b" HTTP/1.1", b"host: 127.0.0.1:%d" % port]
    lines += [name.encode() + b": " + value for name, value in shot.headers]
    lines += [b"content-length: %d" % len(shot.body), b"connection: close", b"", shot.body]
    begun = time.monotonic()
    answer = b""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"\r\n".join(lines))
            answer = await reader.read()
            writer.close()
    except (TimeoutError, OSError) as error:
        answer = answer or repr(error).encode()
    seconds = time.monotonic() - begun
    status = int(answer[9:12]) if answer[:7] == b"HTTP/1." else 0
    if 200 <= status < 500 and seconds <= LONGEST_SECONDS:
        return None
    return Finding(shot, status, seconds, answer.partition(b"\r\n\r\n")[2])


class _Learner:
    """A learner in this process."""

    def __init__(self, config: Config) -> None:
        self._publisher = Publisher(config, MemoryJournal())

    async def news(self, request: NewsRequest) -> Published:
        return self._publisher.news(request)

    async def report(self) -> Mapping[str, Any]:
        return await asyncio.to_thread(self._publisher.report)

    async def trials(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        return await asyncio.to_thread(self._publisher.trials, command)

    async def routes(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        return await asyncio.to_thread(self._publisher.routes, command)

    async def growth(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        return await asyncio.to_thread(self._publisher.growth, command)


async def _answer_any(wire: Wire) -> None:
    """Answer a form, too."""
    if wire.headers.get("content-type", "").startswith("multipart/"):
        await wire.json({"text": "hello"})
    else:
        await answer_well(wire)


@asynccontextmanager
async def target() -> AsyncIterator[tuple[Rig, int, int]]:
    """A whole router and a dashboard, with the ports of both."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        up = await stack.enter_async_context(Upstream(_answer_any).listening())
        text = _TEXT.format(url=up.url, data=folder)
        learner = _Learner(Config.model_validate(yaml.safe_load(text)))
        router = await stack.enter_async_context(rig(text, learner=learner))
        (folder / "telemetry").mkdir(exist_ok=True)
        board = board_of(DashboardOptions(str(folder / "telemetry")))
        stack.callback(board.close)
        site = await stack.enter_async_context(listening(Site(board, LoginDoor())))
        yield router, int(router.url.rpartition(":")[2]), int(site.rpartition(":")[2])


async def fuzz(cases: int, seed: int, *, at_once: int = 4) -> list[Finding]:
    """Send so many requests, and return what is wrong with their answers."""
    chance = random.Random(seed)
    shots = [shot_of(chance) for _ in range(cases)]
    findings: list[Finding] = []
    async with target() as (_, port, site):
        todo = iter(shots)

        async def shooter() -> None:
            for shot in todo:
                finding = await shoot(site if shot.for_dashboard else port, shot)
                if finding is not None:
                    findings.append(finding)

        await asyncio.gather(*(shooter() for _ in range(at_once)))
    return findings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    findings = asyncio.run(fuzz(given.cases, given.seed))
    for finding in findings:
        print(finding)
    print(f"{given.cases} requests, {len(findings)} wrong answers")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
