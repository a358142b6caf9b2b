"""Scripted model servers: fakes of the backends that the steps of a plan call."""

import asyncio
import json
import math
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.http_answer import HttpAnswer
from tests.rig import rig
from tests.upstream import Upstream, Wire, completion, delta
from tests.waiting import until

Say = str | Callable[[dict[str, Any]], str]
# The answers of a judge that accepts and of a judge that rejects.
GOOD, BAD = '{"score": 0.9, "problems": ""}', '{"score": 0.2, "problems": "too vague"}'
NEVER = math.inf  # seconds for a model that never answers
TOOLS = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}]


@dataclass
class ScriptedModel:
    """A model that waits `seconds`, answers with the next text in `says`, and keeps the request."""

    says: Say | Sequence[str] = "hello"
    seconds: float = 0.0
    status: int = 200
    probability: float | None = None
    calls_tools: bool = False
    between: float = 0.0  # seconds between two words of a stream
    holds_after: float = math.inf  # later requests wait until this number of requests grows
    requests: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, wire: Wire) -> None:
        fields = wire.fields
        self.requests.append(fields)
        turn = len(self.requests) - 1
        await asyncio.sleep(self.seconds)
        if turn >= self.holds_after:
            await until(lambda: turn < self.holds_after)
        if self.status != 200:
            await wire.json({"error": {"message": "no"}}, status=self.status)
            return
        if callable(self.says):
            text = self.says(fields)
        elif isinstance(self.says, str):
            text = self.says
        else:
            text = self.says[min(turn, len(self.says) - 1)]
        if fields.get("stream"):
            wire.events()
            for word in text.split(" "):
                await wire.event(delta(word + " "))
                await asyncio.sleep(self.between)
            await wire.event(delta(finish="stop"))
            usage = completion()["usage"]
            await wire.event(delta() | {"choices": [], "usage": usage})
            await wire.event(b"[DONE]")
            await wire.chunk(b"")
            return
        answer = completion(text)
        if self.calls_tools:
            answer["choices"][0]["message"] |= {"content": None, "tool_calls": TOOLS}
            answer["choices"][0]["finish_reason"] = "tool_calls"
        if fields.get("logprobs") and self.probability is not None:
            token = {"token": "x", "logprob": math.log(self.probability), "bytes": None}
            alternatives = [dict(token), {"token": "y", "logprob": math.log(0.05)}]
            token["top_logprobs"] = alternatives if fields.get("top_logprobs") else []
            answer["choices"][0]["logprobs"] = {"content": [token, token]}
        await wire.json(answer)

    @property
    def last(self) -> str:
        return self.requests[-1]["messages"][-1]["content"]


@asynccontextmanager
async def planned(
    plans: dict[str, Any],
    more: dict[str, Any] | None = None,
    *,
    wall: Callable[[], float] = time.time,
    learner: Any = None,
    **models: ScriptedModel,
):
    """A running Waggle whose backends are these models. Each costs ten times the previous one."""
    async with AsyncExitStack() as stack:
        backends: dict[str, Any] = {}
        for n, (name, model) in enumerate(models.items()):
            upstream = await stack.enter_async_context(Upstream(model).listening())
            backends[name] = {
                "kind": "openai",
                "base_url": upstream.url,
                "model": "up-1" if n == 0 else None,
                "price": {"input": 10.0**n, "output": 10.0**n},
                "retry": {"times": 0},
            }
        config = {"backends": backends | (more or {}), "plans": plans}
        yield await stack.enter_async_context(rig(json.dumps(config), wall=wall, learner=learner))


def only(plan: dict[str, Any]) -> dict[str, Any]:
    """The plans of a configuration: only this plan, with the name `p`."""
    return {"p": plan}


def text_of(answer: HttpAnswer) -> str:
    return answer.text


def steps_of(waggle: Any) -> list[tuple[str, str, int]]:
    """Role, backend and parent step of each call that the last request made."""
    return [(a.role, a.backend, a.parent) for a in waggle.journal.traces[-1].attempts]
