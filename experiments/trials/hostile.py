"""Measures how long a hostile routing function delays a request, and whether it changes a plan."""

import asyncio
import gc
import time
from typing import Any

import numpy as np

from router.engine.functions import Functions
from router.routing.steering import Steering
from tests.trials.test_deciding import X, decide, request, trial
from tests.trials.test_functions import HOSTILE, code

DEADLINE = 0.005
CALLS = 100


def besieged() -> dict[str, Any]:
    gc.collect()
    gc.freeze()  # The collector skips loaded objects, as in a router.
    gc.set_threshold(50_000, 20, 50)
    return asyncio.run(_besieged())


async def _besieged() -> dict[str, Any]:
    functions_of: dict[str, dict[str, Any]] = {}
    for name, body in HOSTILE.items():
        functions = Functions(DEADLINE)
        strategy = code(body)
        await functions.follow([strategy])
        steering = Steering(X, lives=(trial(strategy, 0.999999),))
        usual = decide(Steering(X), request(task="a"))
        waits, changed = [], 0
        for n in range(CALLS):
            begun = time.perf_counter()
            decision = decide(steering, request(n, task="a"), call_function=functions.ask)
            waits.append(time.perf_counter() - begun)
            changed += decision.plan != usual.plan
            await asyncio.sleep(0.005)  # A pause in which a dead worker is replaced.
        await functions.close()
        functions_of[name] = {
            "changed": changed,
            "p50_ms": round(1000 * float(np.percentile(waits, 50)), 3),
            "most_ms": round(1000 * max(waits), 3),
        }
    good = await _good()
    return {
        "deadline_ms": 1000 * DEADLINE,
        "calls": CALLS,
        "functions": functions_of,
        "changed": sum(function["changed"] for function in functions_of.values()),
        "most_ms": max(function["most_ms"] for function in functions_of.values()),
        "good": good,
    }


async def _good() -> dict[str, float]:
    functions = Functions(DEADLINE)
    strategy = code("return 'y' if request['complexity'] < 2 else 'x'")
    await functions.follow([strategy])
    steering = Steering(strategy)
    waits = []
    for n in range(2000):
        begun = time.perf_counter()
        decide(steering, request(n, task="a"), call_function=functions.ask)
        waits.append(time.perf_counter() - begun)
    await functions.close()
    cuts = {"p50_ms": 50, "p99_ms": 99}
    return {name: round(1000 * float(np.percentile(waits, cut)), 3) for name, cut in cuts.items()}
