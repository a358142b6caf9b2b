"""A router with guards, over a scripted upstream that repeats what it was sent."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.rig import Rig, rig
from tests.upstream import Upstream, Wire, completion, delta

BACKENDS = """
backends:
  up: {{kind: openai, base_url: "{url}", model: up-1, price: {{input: 1, output: 2}},
        capabilities: [chat, tools, images, json],
        retry: {{times: 0}}}}
  judge: {{kind: openai, base_url: "{url}", model: judge-1, price: {{input: 1, output: 2}},
           retry: {{times: 0}}}}
plans: {{up: {{ask: up}}}}
reuse: {{mode: "off"}}
"""


class Parrot:
    """Answers with `says`, by default with the last words it was sent; in streams in pieces of
    `width` characters. As a judge it answers with `label`."""

    def __init__(self, says: Any = None, *, width: int = 3, label: str = "safe") -> None:
        self.says, self.width, self.label = says, width, label
        self.tool_arguments: str | None = None

    async def __call__(self, wire: Wire) -> None:
        fields = wire.fields
        if fields["model"] == "judge-1":
            await wire.json(completion(self.label))
            return
        text = self.says if self.says is not None else str(fields["messages"][-1]["content"])
        if not fields.get("stream"):
            answer = completion(text)
            if self.tool_arguments is not None:
                answer["choices"][0]["message"]["tool_calls"] = [call(self.tool_arguments)]
            await wire.json(answer)
            return
        wire.events()
        for at in range(0, len(text), self.width):
            await wire.event(delta(text[at : at + self.width]))
        for at in range(0, len(self.tool_arguments or ""), self.width):
            piece = {
                "index": 0,
                "function": {"arguments": self.tool_arguments[at : at + self.width]},
            }
            if at == 0:
                piece |= {"id": "call_1", "type": "function"}
                piece["function"]["name"] = "send"
            chunk = delta()
            chunk["choices"][0]["delta"] = {"tool_calls": [piece]}
            await wire.event(chunk)
        await wire.event(delta(finish="stop"))
        await wire.event(b"[DONE]")
        await wire.chunk(b"")


def call(arguments: str) -> dict[str, Any]:
    function = {"name": "send", "arguments": arguments}
    return {"id": "call_1", "type": "function", "function": function}


@asynccontextmanager
async def guarded(
    guards: str, script: Any = None, *, more: str = "", config: str = BACKENDS, **options: Any
) -> AsyncIterator[tuple[Rig, Upstream]]:
    async with Upstream(script or Parrot()).listening() as upstream:
        text = config.format(url=upstream.url) + f"guardrails: {guards}\n" + more
        async with rig(text, **options) as running:
            yield running, upstream
            await running.engine.guarding.functions.close()


def text_of(answer: Any) -> str:
    """The content of an answer, whole or streamed."""
    return "".join(
        choice["delta"].get("content") or ""
        for chunk in chunks_of(answer)
        for choice in chunk.get("choices", ())
    )


def chunks_of(answer: Any) -> list[dict[str, Any]]:
    lines = answer.body.split(b"\n\n")
    data = [line[6:] for line in lines if line.startswith(b"data: {")]
    return [json.loads(line) for line in data]
