"""What Ray takes in the hive's process to deliver one message, whatever is in it.

A real replica of the hive runs on a Ray of its own, and gets exchanges without news, and then
reports; the CPU is that of the replica's process. `run.py` starts this module with a
service's settings of Ray and Serve, which both read when they are imported.
"""

import asyncio
import json
import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from experiments.overhead.cost import thread_seconds
from router.budgets import AccountReport, Moment
from router.config.server import KeyLimits
from router.deployment.processes import descendants
from router.engine.account import Account
from router.hive import News

_MESSAGES = 800
_SIDE_BY_SIDE = 8
_ACCOUNTS = 20


def delivered() -> dict[str, float]:
    """Milliseconds of the hive's CPU for a message of each kind, Ray's part included."""
    import ray
    from ray import serve

    from router.deployment.replicas.hive import HiveReplica

    with tempfile.TemporaryDirectory(prefix="wr-") as folder:
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        try:
            serve.start(http_options={"location": "NoServer"})
            deployment: serve.Deployment = cast(Any, HiveReplica)
            replica = deployment.options(
                user_config={"data": folder}, logging_config={"enable_access_log": False}
            ).bind()
            hive = serve.run(replica, name="scale", route_prefix=None)
            return asyncio.run(_measured(hive))
        finally:
            ray.shutdown()


async def _measured(hive: Any) -> dict[str, float]:
    [pid] = [pid for pid in descendants(os.getpid()) if _is_hive(pid)]

    async def exchange() -> None:
        await hive.exchange.remote("r", News())

    return {
        "exchange_ms": await _cost(pid, exchange),
        "lease_of_1_ms": await _cost(pid, lambda: _lease(hive, 1)),
        f"lease_of_{_ACCOUNTS}_ms": await _cost(pid, lambda: _lease(hive, _ACCOUNTS)),
    }


async def _cost(pid: int, send: Callable[[], Awaitable[None]]) -> float:
    async def several(count: int) -> None:
        for _ in range(count):
            await send()

    async def side_by_side(count: int) -> None:
        await asyncio.gather(*(several(count // _SIDE_BY_SIDE) for _ in range(_SIDE_BY_SIDE)))

    await side_by_side(_MESSAGES // 4)
    before = sum(thread_seconds(pid).values())
    await side_by_side(_MESSAGES)
    return 1e3 * (sum(thread_seconds(pid).values()) - before) / _MESSAGES


async def _lease(hive: Any, accounts: int) -> None:
    limits, now = KeyLimits(requests_per_minute=10**9), Moment(1e9, 1e6)
    reports = [
        AccountReport(f"team {n}", limits, Account(f"team {n}", limits).report("r", now, None))
        for n in range(accounts)
    ]
    await hive.lease_all.remote(reports)


def _is_hive(pid: int) -> bool:
    return b"ServeReplica" in Path(f"/proc/{pid}/cmdline").read_bytes()


if __name__ == "__main__":
    print(json.dumps(delivered()))
