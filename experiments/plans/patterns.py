"""Measures what each pattern costs and how often it is right, over scripted model servers.

Every server answers yes-or-no questions. The question's number and the server's name decide whether
the answer is right, so that every run gives the same answers. The small server is right three times
in four. It is sure of nine in ten of its right answers, and of three in ten of its wrong answers.
"""

import asyncio
import json
import math
import random
import statistics
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from tests.rig import Rig, rig
from tests.upstream import Upstream, Wire, completion

SMALL, LARGE = {"input": 0.15, "output": 0.6}, {"input": 2.5, "output": 10.0}
RIGHT = {"small": 0.75, "second": 0.75, "third": 0.75, "large": 0.92}  # share of right answers
SURE = {True: 0.9, False: 0.3}  # is the answer right? -> share of such answers that are sure
CRITIC = 0.9  # share of answers that the critic judges rightly
_AT_ONCE = 12

PLANS: dict[str, Any] = {
    "ask small": {"ask": "small"},
    "ask large": {"ask": "large"},
    "cascade": {"cascade": ["small", "large"], "accept": {"probability": 0.8}},
    "vote": {"fan_out": ["small", "second", "third"], "merge": "vote"},
    "refine": {
        "refine": {"draft": "small", "critic": "critic", "max": 1, "finally": "large"},
    },
    "hedge": {"hedge": ["slow", "small"], "after_ms": 60},
}


def right(name: str, number: int) -> bool:
    return random.Random(f"{name} {number}").random() < RIGHT[name]


def _number(fields: dict[str, Any]) -> int:
    text = "\n".join(str(m["content"]) for m in fields["messages"])
    return int(text.split("question ")[1].split(":")[0])


def server(name: str, seconds: Callable[[random.Random], float] = lambda _: 0.0) -> Any:
    async def answer(wire: Wire) -> None:
        fields = wire.fields
        number = _number(fields)
        chance = random.Random(f"{name} sure {number}")
        mended = any("not good enough" in str(m["content"]) for m in fields["messages"])
        model = "small" if name == "slow" else name
        good = right(model, number if not mended else number + 10**6)
        text = "yes" if good else "no"
        reply = completion(text)
        if fields.get("logprobs"):
            sure = chance.random() < SURE[good]
            token = {"token": text, "logprob": math.log(0.95 if sure else 0.55), "bytes": None}
            reply["choices"][0]["logprobs"] = {"content": [token | {"top_logprobs": []}]}
        await asyncio.sleep(seconds(chance))
        await wire.json(reply)

    return answer


async def critic(wire: Wire) -> None:
    fields = wire.fields
    shown = fields["messages"][-1]["content"]
    answer = shown.split("<answer>\n")[1].split("\n")[0]
    chance = random.Random(f"critic {_number(fields)} {answer}")
    good = (answer == "yes") == (chance.random() < CRITIC)
    await wire.json(completion(json.dumps({"score": 0.9 if good else 0.2, "problems": "wrong"})))


def _usually(chance: random.Random) -> float:
    """Seconds that the slow server takes: half a second one time in ten, and 20 ms otherwise."""
    return 0.5 if chance.random() < 0.1 else 0.02


@asynccontextmanager
async def world() -> Any:
    scripts = {name: server(name) for name in RIGHT} | {"critic": critic}
    scripts["slow"] = server("slow", _usually)
    async with AsyncExitStack() as stack:
        backends = {}
        for name, script in scripts.items():
            upstream = await stack.enter_async_context(Upstream(script).listening())
            backends[name] = {
                "kind": "openai",
                "base_url": upstream.url,
                "price": LARGE if name == "large" else SMALL,
            }
        plans = {name.replace(" ", "-"): plan for name, plan in PLANS.items()}
        yield await stack.enter_async_context(
            rig(json.dumps({"backends": backends, "plans": plans}))
        )


async def _answer_all(waggle: Rig, plan: str, count: int) -> dict[str, Any]:
    """Ask a plan every question once, and measure its quality, cost and latency."""
    numbers = iter(range(count))
    rights: list[bool] = []
    costs: list[float] = []
    taken: list[float] = []

    async def work() -> None:
        for number in numbers:
            begun = time.perf_counter()
            answer = await waggle.chat(f"question {number}: yes or no?", model=plan)
            taken.append(1000 * (time.perf_counter() - begun))
            assert answer.status == 200, answer.body
            rights.append(answer.json["choices"][0]["message"]["content"] == "yes")
            costs.append(answer.json["usage"]["cost"])

    await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    share = sum(rights) / count
    taken.sort()
    return {
        "asked": count,
        "right": share,
        "right_ci95": 1.96 * math.sqrt(share * (1 - share) / count),
        "usd_per_1k": 1000 * statistics.fmean(costs),
        "p50_ms": statistics.median(taken),
        "p95_ms": taken[int(0.95 * count)],
    }


async def measured(count: int, advance: Callable[[], None]) -> dict[str, Any]:
    patterns = {}
    async with world() as waggle:
        for name in PLANS:
            patterns[name] = await _answer_all(waggle, name.replace(" ", "-"), count)
            advance()
        patterns["slow alone"] = await _answer_all(waggle, "slow", count)
    return {"patterns": patterns, "theory": _theory(patterns)}


def _theory(patterns: dict[str, Any]) -> dict[str, float]:
    """Expected shares of right answers, and expected costs, of the vote and the cascade."""
    p = RIGHT["small"]
    small, large = patterns["ask small"]["usd_per_1k"], patterns["ask large"]["usd_per_1k"]
    unsure = 1 - (p * SURE[True] + (1 - p) * SURE[False])
    return {
        "vote_right": p**3 + 3 * p**2 * (1 - p),
        "vote_usd_per_1k": 3 * small,
        "cascade_right": p * SURE[True] + unsure * RIGHT["large"],
        "cascade_usd_per_1k": small + unsure * large,
    }


# -- What the executor itself costs ---------------------------------------------------------------


async def overhead(count: int) -> dict[str, Any]:
    """Measure the executor: its own time for one step and for five steps, and the time of a fan-out
    over the time of its slowest branch."""
    delays = {"a": 0.05, "b": 0.08, "c": 0.1}
    async with AsyncExitStack() as stack:
        backends = {}
        for name in ("quick", *delays):
            script = _waiting(delays.get(name, 0.0))
            upstream = await stack.enter_async_context(Upstream(script).listening())
            backends[name] = {"kind": "openai", "base_url": upstream.url}
        plans = {
            "one": {"ask": "quick", "instruct": "Go on."},
            "five": {"pipeline": ["quick"] * 5},
            "fan": {"fan_out": list(delays), "merge": "vote"},
        }
        config = json.dumps({"backends": backends, "plans": plans})
        waggle = await stack.enter_async_context(rig(config))
        spent: dict[str, list[float]] = {"one": [], "five": []}
        for _ in range(count):
            for name, seen in spent.items():
                await waggle.chat("hello", model=name)
                seen.append(1000 * waggle.journal.traces[-1].overhead_seconds)
        fan, alone = await _median_ms(waggle, "fan"), await _median_ms(waggle, "c")
    single, five = statistics.median(spent["one"]), statistics.median(spent["five"])
    return {
        "one_step_ms": single,
        "five_steps_ms": five,
        "each_further_step_ms": (five - single) / 4,
        "fan_out_ms": fan,
        "slowest_branch_alone_ms": alone,
        "fan_out_ratio": fan / alone,
    }


async def _median_ms(waggle: Rig, plan: str) -> float:
    taken = []
    for _ in range(30):
        begun = time.perf_counter()
        await waggle.chat("hello", model=plan)
        taken.append(1000 * (time.perf_counter() - begun))
    return statistics.median(taken)


def _waiting(seconds: float) -> Any:
    async def answer(wire: Wire) -> None:
        await asyncio.sleep(seconds)
        await wire.json(completion("yes"))

    return answer
