"""What patterns cost and bring, over model servers whose rightness is known beforehand.

Every server answers a yes-or-no question; whether it is right is drawn from the question's number
and the server's name, so that each run asks the same world. The small one is right three times in
four, and is sure of itself nine times in ten when it is right, three in ten when it is not.
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
RIGHT = {"small": 0.75, "second": 0.75, "third": 0.75, "large": 0.92}
SURE = {True: 0.9, False: 0.3}
CRITIC = 0.9  # how often the critic is right about an answer
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
        known = "small" if name == "slow" else name
        good = right(known, number if not mended else number + 10**6)
        text = "yes" if good else "no"
        told = completion(text)
        if fields.get("logprobs"):
            sure = chance.random() < SURE[good]
            one = {"token": text, "logprob": math.log(0.95 if sure else 0.55), "bytes": None}
            told["choices"][0]["logprobs"] = {"content": [one | {"top_logprobs": []}]}
        await asyncio.sleep(seconds(chance))
        await wire.json(told)

    return answer


async def critic(wire: Wire) -> None:
    fields = wire.fields
    shown = fields["messages"][-1]["content"]
    answer = shown.split("<answer>\n")[1].split("\n")[0]
    chance = random.Random(f"critic {_number(fields)} {answer}")
    good = (answer == "yes") == (chance.random() < CRITIC)
    await wire.json(completion(json.dumps({"score": 0.9 if good else 0.2, "problems": "wrong"})))


def _usually(chance: random.Random) -> float:
    """A backend that is quick nine times in ten, and then takes half a second."""
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


async def _asked(waggle: Rig, plan: str, count: int) -> dict[str, Any]:
    """Every question of the world, once."""
    numbers = iter(range(count))
    rights: list[bool] = []
    costs: list[float] = []
    taken: list[float] = []

    async def work() -> None:
        for number in numbers:
            begun = time.perf_counter()
            told = await waggle.chat(f"question {number}: yes or no?", model=plan)
            taken.append(1000 * (time.perf_counter() - begun))
            assert told.status == 200, told.body
            rights.append(told.json["choices"][0]["message"]["content"] == "yes")
            costs.append(told.json["usage"]["cost"])

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


async def measured(count: int, tell: Callable[[], None]) -> dict[str, Any]:
    told = {}
    async with world() as waggle:
        for name in PLANS:
            told[name] = await _asked(waggle, name.replace(" ", "-"), count)
            tell()
        told["slow alone"] = await _asked(waggle, "slow", count)
    return {"patterns": told, "theory": _theory(told)}


def _theory(told: dict[str, Any]) -> dict[str, float]:
    """What arithmetic says of the vote and the cascade."""
    p = RIGHT["small"]
    small, large = told["ask small"]["usd_per_1k"], told["ask large"]["usd_per_1k"]
    unsure = 1 - (p * SURE[True] + (1 - p) * SURE[False])
    return {
        "vote_right": p**3 + 3 * p**2 * (1 - p),
        "vote_usd_per_1k": 3 * small,
        "cascade_right": p * SURE[True] + unsure * RIGHT["large"],
        "cascade_usd_per_1k": small + unsure * large,
    }


# -- what the executor itself costs ---------------------------------------------------------------


async def overhead(count: int) -> dict[str, Any]:
    """Time in which no backend was at work, by the step; a fan-out beside its slowest branch."""
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
        fans, slowest = [], []
        for _ in range(30):
            begun = time.perf_counter()
            await waggle.chat("hello", model="fan")
            fans.append(time.perf_counter() - begun)
            slowest.append(max(a.seconds for a in waggle.journal.traces[-1].attempts))
        alone = []
        for _ in range(30):
            begun = time.perf_counter()
            await waggle.chat("hello", model="c")
            alone.append(time.perf_counter() - begun)
    one, five = statistics.median(spent["one"]), statistics.median(spent["five"])
    return {
        "one_step_ms": one,
        "five_steps_ms": five,
        "each_further_step_ms": (five - one) / 4,
        "fan_out_ms": 1000 * statistics.median(fans),
        "slowest_branch_alone_ms": 1000 * statistics.median(alone),
        "fan_out_ratio": statistics.median(fans) / statistics.median(alone),
    }


def _waiting(seconds: float) -> Any:
    async def answer(wire: Wire) -> None:
        await asyncio.sleep(seconds)
        await wire.json(completion("yes"))

    return answer
