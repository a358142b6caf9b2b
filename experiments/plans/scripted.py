"""Plays a committee of scripted members through the executor of plans, as the service does.

Only the calls are scripted, so nothing takes time and nothing is paid.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from router.api.parse import parse_chat
from router.calls.outcome import CallOutcome
from router.domain import Attempt, Call, Usage
from router.plans.calling import StepCalls
from router.plans.compiled import Plans
from router.plans.executor import Executor
from router.plans.pace import Pace

# What a member says: given its name, how often it spoke before, and the messages that it reads.
Says = Callable[[str, int, Sequence[Mapping[str, Any]]], str]


async def played(
    plans: Plans, name: str, request_id: str, question: str, says: Says
) -> tuple[str, int]:
    """A plan's answer to a question, and how many calls it made."""
    fields = {"model": name, "messages": [{"role": "user", "content": question}]}
    request = parse_chat(orjson.dumps(fields), {}, request_id=request_id, key_id="")
    turns: Counter[str] = Counter()

    async def try_chain(chain: tuple[str, ...], call: Call, tried: list[Attempt]) -> CallOutcome:
        member = chain[0]
        sent = orjson.loads(call.bodies.get(member, call.body))["messages"]
        text = says(member, turns[member], sent)
        turns[member] += 1
        reply = orjson.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]})
        tried.append(Attempt(member, 200, "", "answered", 0.001))
        return CallOutcome(tried[-1], reply, usage=Usage(10, 1))

    async def reserve(chain: tuple[str, ...], body: bytes) -> Any:
        del chain, body
        return lambda *_, **__: None

    calls = StepCalls(plans, request, try_chain, reserve, Pace())
    able = dict.fromkeys(plans.config.backends, "")
    executor = Executor(plans, request, calls, able, score=lambda _: 1.0, seed=lambda: 0)
    result = await executor.run(plans[name].tree)
    return result.text, len(calls.attempts)
