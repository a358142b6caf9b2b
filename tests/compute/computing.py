"""A configuration that computes answers, and scripted models that write the programs."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import yaml as pyyaml

from router.domain import Call, Reply
from tests.rig import Rig
from tests.upstream import Upstream, completion

YAML = """
backends:
  generator: {kind: generator}
  sandbox: {kind: sandbox, min_level: 1}
plans:
  generate: {ask: generator}
  compute: {code: sandbox, words: generator}
"""


def with_author(url: str, **plan) -> str:
    """A configuration in which a scripted model writes the programs."""
    config = pyyaml.safe_load(YAML)
    price = {"input": 1, "output": 2}
    config["backends"]["coder"] = {"kind": "openai", "base_url": url, "price": price}
    config["plans"]["compute"] = {"code": "sandbox", "authors": ["coder"], **plan}
    config["plans"]["words"] = {"ask": "coder"}
    return pyyaml.safe_dump(config)


def content(answer) -> str:
    return answer.json["choices"][0]["message"]["content"]


class ScriptedAuthor(Upstream):
    """A model that answers with the given programs in turn, and keeps its requests."""

    def __init__(self, *programs: str, **extra) -> None:
        self.requests = []
        left = list(programs)

        async def script(wire) -> None:
            self.requests.append(wire.fields)
            await wire.json(completion(left.pop(0) if len(left) > 1 else left[0], **extra))

        super().__init__(script)


class ScriptedSandbox:
    """A sandbox that gives every request this level, and counts its programs."""

    def __init__(self, level: str, unchecked: list[str], document: str = '{"mean":3.0}') -> None:
        self.runs = 0
        self._verdict: Mapping[str, Any] = {
            "status": "ok",
            "document": document,
            "level": level,
            "unchecked": unchecked,
            "program": "result = {'mean': 3.0}",
            "spec": {"kind": "analyse"},
            "seed": 1,
            "score": 1.0,
        }

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        assert call.path == "/compute"
        self.runs += 1

        async def body() -> AsyncIterator[bytes]:
            yield json.dumps(self._verdict).encode()

        yield Reply(200, "application/json", body())

    async def close(self) -> None:
        pass


def give(waggle: Rig, level: str, *unchecked: str) -> ScriptedSandbox:
    """Let the sandbox of a rig give this level from now on."""
    sandbox = ScriptedSandbox(level, list(unchecked))
    waggle.backends.hosts["sandbox"].backend = sandbox
    return sandbox
