"""The place where a page's blocks run: a folder with telemetry in it, and a router that answers.

Pages say that Waggle runs at http://127.0.0.1:8000 on the folder ./var. Tests replace this address
by that of a router without Ray, and copy prepared telemetry into the folder.
"""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import yaml

from experiments.readme import ROOT
from router.config.config import Config
from router.learning.publisher import Publisher
from router.routing.messages import NewsRequest, Published
from router.telemetry.store.keep import Keeper, RetentionRules
from tests.fakes import MemoryJournal
from tests.pages.telemetry import REQUEST_ID
from tests.rig import Rig, rig
from tests.upstream import Upstream

_ADDRESS = re.compile(r"(http://)?(?:127\.0\.0\.1|localhost):8000")
_ID = "<x-waggle-request-id>"
# Backends whose start takes seconds, and the plans over these backends.
_SLOW = ("ethereum", "football", "encoder", "ask-ethereum", "ask-football")


class LocalLearner:
    """A real learner in the process of the router, which has read the telemetry once."""

    def __init__(self, config: Config) -> None:
        self._publisher = Publisher(config, MemoryJournal())
        self._publisher.turn()

    async def news(self, request: NewsRequest) -> Published:
        return self._publisher.news(request)

    async def report(self) -> Mapping[str, Any]:
        return self._publisher.report()

    async def trials(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._publisher.trials(command)


class PageStage:
    def __init__(self, folder: Path, telemetry: Path, stack: AsyncExitStack) -> None:
        self.folder = folder
        self.data = folder / "var"
        (folder / "laws").mkdir()  # a folder of documents that pages name
        self._telemetry = telemetry
        self._stack = stack
        self._rig: Rig | None = None

    def furnish(self) -> Path:
        """Copy telemetry into `./var`, unless it is there, and return the path of its database."""
        folder = self.data / "telemetry"
        if not folder.exists():
            shutil.copytree(self._telemetry, folder)
            Keeper(folder, RetentionRules()).recover()  # the database contains its folder's path
        return folder / "telemetry.duckdb"

    async def rig(self) -> Rig:
        if self._rig is None:
            self.furnish()
            upstream = await self._stack.enter_async_context(Upstream().listening())
            settings = _configuration(self.data, upstream.url)
            learner = await asyncio.to_thread(LocalLearner, Config.model_validate(settings))
            running = rig(yaml.safe_dump(settings), learner=learner, uniform=lambda: 0.5)
            self._rig = await self._stack.enter_async_context(running)
            await self._rig.background.follow()
            batches = self._rig.router.batches
            working = asyncio.ensure_future(batches.keep_working())
            self._stack.push_async_callback(batches.close)
            self._stack.callback(working.cancel)
        return self._rig

    def with_stored_id(self, text: str) -> str:
        """The text, with the id of a request in telemetry for its placeholder."""
        return text.replace(_ID, REQUEST_ID)

    async def with_address(self, text: str) -> str:
        """The text, with the router's address, and the id of a request that the router answered."""
        if _ADDRESS.search(text):
            url = (await self.rig()).url
            text = _ADDRESS.sub(
                lambda match: url if match[1] else url.removeprefix("http://"), text
            )
        if _ID in text:
            answer = await (await self.rig()).chat(model="model")
            text = text.replace(_ID, answer.headers["x-waggle-request-id"])
        return text

    def environment(self) -> dict[str, str]:
        """Environment variables with which a page's programs come from this installation first."""
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return os.environ | {"PATH": programs, "PYTHONPATH": str(ROOT)}


def _configuration(data: Path, upstream: str) -> dict[str, Any]:
    """The embedded default without its slow backends and plans, and with a model server."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "router" / "default.yaml").read_text())
    for part in ("backends", "plans"):
        kept = {name: value for name, value in config[part].items() if name not in _SLOW}
        config[part] = kept
    model = {"kind": "openai", "base_url": upstream, "capabilities": ["chat", "embeddings"]}
    model["price"] = {"input": 0, "output": 0}
    config["backends"]["model"] = model
    config["server"] = {"data": str(data)}
    config["reuse"] = {"mode": "exact"}
    return config
