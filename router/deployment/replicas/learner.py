"""The replica that learns for all routers, and the routers' access to the replica."""

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ray import serve
from ray.serve.handle import DeploymentHandle

from router.alerts.watch import AlertWatch, service_name
from router.config.config import Config
from router.deployment.replicas.process import log, log_to, settle
from router.routing.messages import NewsRequest, Published
from router.telemetry.journal import FileJournal
from router.telemetry.log import Rotation
from router.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from router.learning.publisher import Publisher

_TURN_SECONDS = 1.0
_NICENESS = 5


@serve.deployment(name="learner", max_ongoing_requests=1000, health_check_period_s=2)
class LearnerReplica:
    """The one learner of all routers. It learns in threads, so its loop stays free to answer."""

    async def __init__(self) -> None:
        settle()
        self._publisher: Publisher | None = None
        self._turning: asyncio.Task[None] | None = None

    async def reconfigure(self, settings: Mapping[str, Any]) -> None:
        from router.learning.publisher import Publisher  # loads River: seconds, and memory

        config = Config.model_validate(settings["config"])
        if self._publisher is None:
            log_to(config.data / "logs" / "waggle.log")
            os.nice(_NICENESS)
            rotation = Rotation(config.telemetry.seal_seconds, config.telemetry.seal_rows)
            folder = config.telemetry_folder
            self._journal = FileJournal(folder, "learner", Metrics(), rotation=rotation)
            self._publisher = Publisher(config, self._journal)
            self._turning = asyncio.ensure_future(self._keep_turning(self._publisher))
            # The learner is one process for all routers, so each alert has one sender.
            self._alerts = AlertWatch(
                config.alerts, folder, config.data, service=service_name(config)
            )
        else:
            self._alerts.reconfigure(config.alerts)
            await asyncio.to_thread(self._publisher.reconfigure, config)

    async def _keep_turning(self, publisher: "Publisher") -> None:
        while True:
            try:
                await asyncio.to_thread(publisher.turn)
            except Exception:  # routers still get the last published state
                log.exception("the learner could not go on, and tries again")
            await asyncio.sleep(_TURN_SECONDS)

    async def news(self, request: NewsRequest) -> Published:
        return self._running.news(request)

    async def report(self) -> Mapping[str, Any]:
        return await asyncio.to_thread(self._running.report)

    async def trials(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        return await asyncio.to_thread(self._running.trials, command)

    async def growth(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        return await asyncio.to_thread(self._running.growth, command)

    async def routes(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        return await asyncio.to_thread(self._running.routes, command)

    @property
    def _running(self) -> "Publisher":
        assert self._publisher is not None, "Serve calls reconfigure() first"
        return self._publisher

    async def __del__(self) -> None:
        if self._turning is not None:
            self._turning.cancel()
        if self._publisher is not None:
            await asyncio.to_thread(self._publisher.close)
            self._alerts.close()
            self._journal.close()


class HandleLearner:
    """Calls the learner through a Serve handle."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    async def news(self, request: NewsRequest) -> Published:
        async with asyncio.timeout(5):
            published: Published = await self._handle.news.remote(request)
        return published

    async def report(self) -> Mapping[str, Any]:
        async with asyncio.timeout(10):
            report: Mapping[str, Any] = await self._handle.report.remote()
        return report

    async def trials(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        async with asyncio.timeout(30):
            answer: Mapping[str, Any] = await self._handle.trials.remote(command)
        return answer

    async def growth(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        async with asyncio.timeout(30):
            answer: Mapping[str, Any] = await self._handle.growth.remote(command)
        return answer

    async def routes(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        async with asyncio.timeout(30):
            answer: Mapping[str, Any] = await self._handle.routes.remote(command)
        return answer
