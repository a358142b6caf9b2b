"""A whole Waggle without Ray, in a thread, with a dashboard whose playground asks it."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router.keys import Key
from tests.dashboard.conftest import served
from tests.rig import Rig, rig
from tests.router.scripted import ScriptedModel
from tests.upstream import Upstream

# Dollars per million tokens: the first costs nothing, the price of the last is unknown.
PRICES: dict[str, dict[str, float] | None] = {
    "free": {"input": 0.0, "output": 0.0},
    "dear": {"input": 10.0, "output": 100.0},
    "unpriced": None,
}


@dataclass
class Playing:
    """The dashboard's address, the running Waggle behind it, and its models."""

    url: str
    waggle: Rig
    models: dict[str, ScriptedModel]

    def calls(self) -> int:
        return sum(len(model.requests) for model in self.models.values())


@contextmanager
def playing(
    folder: Path,
    models: dict[str, ScriptedModel],
    *,
    keys: Sequence[Key] = (),
    key_file: Path | None = None,
    config: str = "",
    learner: Any = None,
) -> Iterator[Playing]:
    """Each model is a backend and a plan of its name, with the price of that name in `PRICES`.
    A `config` of its own replaces them."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    stack = contextlib.AsyncExitStack()

    def run(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(60)

    async def start() -> Rig:
        backends = {}
        for name, model in models.items():
            upstream = await stack.enter_async_context(Upstream(model).listening())
            price = PRICES[name]
            backends[name] = {
                **{"kind": "openai", "base_url": upstream.url, "retry": {"times": 0}},
                **({} if price is None else {"price": price}),
            }
        plans = {name: {"ask": name} for name in models}
        text = config or json.dumps({"backends": backends, "plans": plans})
        return await stack.enter_async_context(rig(text, keys=keys, learner=learner))

    try:
        waggle = run(start())
        with served(folder, keys=key_file, service=waggle.url) as url:
            yield Playing(url, waggle, models)
    finally:
        run(stack.aclose())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
