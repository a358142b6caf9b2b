"""Spends more than a key may: many calls at once, against each kind of limit."""

import asyncio
import json

from experiments.attack.attack import Outcome, Target
from experiments.attack.wire import written
from tests.upstream import completion

_CHAT = "/v1/chat/completions"


async def _calls(target: Target, key: str, count: int, at_once: int, **fields: object) -> list[int]:
    """Send requests at once, and return their statuses."""
    slots = asyncio.Semaphore(at_once)
    messages = [{"role": "user", "content": "hi"}]
    body = json.dumps({"model": "fast", "messages": messages, **fields}).encode()
    headers = {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Authorization": f"Bearer {key}",
    }
    request = written("POST", _CHAT, headers, body)

    async def call() -> int:
        async with slots:
            return (await target.send(request)).status

    return list(await asyncio.gather(*(call() for _ in range(count))))


def new_key(target: Target, name: str, *limits: str) -> str:
    return target.service.run("keys", "new", name, *limits).stdout.split()[0]


def _answering(target: Target, prompt_tokens: int, completion_tokens: int, seconds: float) -> None:
    async def script(wire):  # type: ignore[no-untyped-def]
        await asyncio.sleep(seconds)
        usage = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
        total = prompt_tokens + completion_tokens
        await wire.json(completion() | {"usage": usage | {"total_tokens": total}})

    target.upstream.script = script


async def dollars(target: Target) -> Outcome:
    """50 calls at once on a key of $1 a day, each call for $.10: at most 10 are let through."""
    # The backend's price is $1 and $2 for a million tokens.
    _answering(target, 0, 50_000, 0.3)
    key = new_key(target, "dollars", "--dollars", "1")
    statuses = await _calls(target, key, 50, 50, max_tokens=50_000)
    spent = 0.1 * statuses.count(200)
    wrong = [f"${spent:.2f} of $1 spent"] if not 0.95 <= spent <= 1.1 + 1e-9 else []
    return Outcome(1, tuple(wrong), {"dollars_spent_of_1": round(spent, 2)})


async def dear_calls(target: Target) -> Outcome:
    """50 calls at once on a key of $1 a day, each call for $10: at most one is let through."""
    _answering(target, 0, 2_000, 0.3)  # at $5,000 for a million tokens
    key = new_key(target, "dear", "--dollars", "1")
    statuses = await _calls(target, key, 50, 50, model="dear")
    passed = statuses.count(200)
    wrong = [f"{passed} calls of $10 passed on a $1 key"] if passed > 1 else []
    return Outcome(1, tuple(wrong), {"calls_of_10_dollars_on_1_dollar": passed})


async def tokens(target: Target) -> Outcome:
    """100 calls at once on a key of 10,000 tokens a minute, each call of 500 tokens."""
    _answering(target, 100, 400, 0.3)
    key = new_key(target, "tokens", "--tpm", "10000")
    statuses = await _calls(target, key, 100, 100, max_tokens=400)
    used = 500 * statuses.count(200)
    wrong = [f"{used} of 10,000 tokens used"] if not 9500 <= used <= 10_500 else []
    return Outcome(1, tuple(wrong), {"tokens_used_of_10000": used})


async def requests(target: Target) -> Outcome:
    """1,500 calls in less than a minute on a key of 500 a minute."""
    _answering(target, 10, 10, 0.0)
    key = new_key(target, "requests", "--rpm", "500")
    statuses = await _calls(target, key, 1500, 32)
    passed = statuses.count(200)
    wrong = [f"{passed} of 500 requests passed"] if not 475 <= passed <= 501 else []
    return Outcome(1, tuple(wrong), {"requests_passed_of_500": passed})


async def another_plan(target: Target) -> Outcome:
    """A key for one plan that asks for embeddings, which another plan answers."""
    key = new_key(target, "one-plan", "--plan", "fast")
    headers = {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Authorization": f"Bearer {key}",
    }
    body = json.dumps({"model": "encoder", "input": "hi"}).encode()
    answer = await target.send(written("POST", "/v1/embeddings", headers, body))
    wrong = ["embeddings were computed for a key of another plan"] if answer.status == 200 else []
    return Outcome(1, tuple(wrong))
