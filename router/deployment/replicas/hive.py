"""The replica of the hive, which holds what routers share, and the routers' access to it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ray import serve
from ray.serve.handle import DeploymentHandle

from router.budgets import AccountReport, BudgetUse, Lease, Moment
from router.deployment.replicas.process import settle
from router.hive import HiveState, News

_SAVE_SECONDS = 0.05  # the shortest time between two writes of the ledger


@serve.deployment(name="hive", max_ongoing_requests=1000, health_check_period_s=1)
class HiveReplica:
    async def __init__(self) -> None:
        settle()
        self._state = HiveState()
        self._saving: asyncio.Task[None] | None = None

    async def reconfigure(self, settings: Mapping[str, Any]) -> None:
        self._state.keep_in(Path(settings["data"]) / "ledger.json")

    async def lease_all(self, reports: Sequence[AccountReport]) -> Sequence[Lease | None]:
        leases = self._state.lease_all(reports, time.monotonic())
        self._save()
        return leases

    async def exchange(self, router: str, news: News) -> News:
        others = self._state.exchange(router, news, time.monotonic())
        self._save()
        return others

    async def all_metrics(self) -> Mapping[str, bytes]:
        return self._state.all_metrics()

    async def budget_uses(self, wall: float) -> Mapping[str, BudgetUse]:
        return self._state.budget_uses(Moment(wall, time.monotonic()))

    def _save(self) -> None:
        """Write the ledger beside the answers, if it is not being written already."""
        if self._saving is None or self._saving.done():
            self._saving = asyncio.ensure_future(self._write_changes())

    async def _write_changes(self) -> None:
        while (ledger := self._state.unsaved()) is not None:
            await asyncio.to_thread(self._state.write, ledger)
            await asyncio.sleep(_SAVE_SECONDS)


class HandleHive:
    """Calls the hive through a Serve handle."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    async def lease_all(self, reports: Sequence[AccountReport]) -> Sequence[Lease | None]:
        leases: Sequence[Lease | None] = await _soon(self._handle.lease_all.remote(reports))
        return leases

    async def exchange(self, router: str, news: News) -> News:
        others: News = await _soon(self._handle.exchange.remote(router, news))
        return others

    async def all_metrics(self) -> Mapping[str, bytes]:
        metrics: Mapping[str, bytes] = await _soon(self._handle.all_metrics.remote())
        return metrics

    async def budget_uses(self, wall: float) -> Mapping[str, BudgetUse]:
        budget_uses: Mapping[str, BudgetUse] = await _soon(self._handle.budget_uses.remote(wall))
        return budget_uses


async def _soon(response: Any) -> Any:
    async with asyncio.timeout(0.5):
        return await response
