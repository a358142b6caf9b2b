"""A whole Waggle for clients in processes of their own, before a provider that a script plays."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.rig import Rig, rig
from tests.upstream import Upstream, Wire, completion, delta

PLACE = '{"city": "Paris"}'
_DSPY = "[[ ## reasoning ## ]]\nbecause\n\n[[ ## answer ## ]]\n{}\n\n[[ ## completed ## ]]"
_CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": PLACE}}


def words_for(fields: dict) -> str:
    """What the provider answers: hello, in the form for which the client asks."""
    if "[[ ## answer ## ]]" in json.dumps(fields["messages"]):
        return _DSPY.format("hello")
    return PLACE if fields.get("response_format") else "hello"


async def provider(wire: Wire, *, usage: bool = True) -> None:
    """Answers as OpenAI does: also with tools, by a schema, and in pieces."""
    fields = wire.fields
    calls = bool(fields.get("tools")) and fields["messages"][-1]["role"] != "tool"
    text = words_for(fields)
    if not fields.get("stream"):
        answer = completion(text)
        if calls:
            choice = answer["choices"][0]
            choice["message"] |= {"content": None, "tool_calls": [_CALL], "refusal": None}
            choice["finish_reason"] = "tool_calls"
        if not usage:
            answer["usage"] = None
        await wire.json(answer)
        return
    wire.events()
    if calls:
        head = _CALL | {"index": 0, "function": {"name": "weather", "arguments": ""}}
        for piece in (head, *({"index": 0, "function": {"arguments": part}} for part in PLACE)):
            chunk = delta()
            chunk["choices"][0]["delta"] = {"tool_calls": [piece]}
            await wire.event(chunk)
        await wire.event(delta(finish="tool_calls"))
    else:
        for part in text:
            await wire.event(delta(part))
        await wire.event(delta(finish="stop"))
    if usage and (fields.get("stream_options") or {}).get("include_usage"):
        await wire.event(delta() | {"choices": [], "usage": completion()["usage"]})
    await wire.event(b"[DONE]")
    await wire.chunk(b"")


async def provider_without_usage(wire: Wire) -> None:
    await provider(wire, usage=False)


@dataclass
class Served:
    """The address of a running Waggle, and the Waggle itself."""

    url: str
    waggle: Rig
    upstream: Upstream


@pytest.fixture(scope="package")
def served() -> Iterator[Served]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    stack = contextlib.AsyncExitStack()

    async def start() -> Served:
        upstream = await stack.enter_async_context(Upstream(provider).listening())
        bare = await stack.enter_async_context(Upstream(provider_without_usage).listening())
        price = {"input": 1, "output": 2}
        config = {
            "backends": {
                "a": {"kind": "openai", "base_url": upstream.url, "price": price},
                "bare": {"kind": "openai", "base_url": bare.url, "price": price},
                "own": {"kind": "generator"},
            },
            "plans": {
                "fast": {"ask": "a"},
                "uncounted": {"ask": "bare"},
                "piped": {"pipeline": ["a", "a"]},
                "voted": {"fan_out": ["a", "a", "bare"], "merge": "vote"},
                "stepped": {"cascade": ["bare", "a"], "accept": {"regex": "hello"}},
            },
        }
        waggle = await stack.enter_async_context(rig(json.dumps(config)))
        return Served(f"{waggle.url}/v1", waggle, upstream)

    def run(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(60)

    yield run(start())
    run(stack.aclose())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()
