"""A running Waggle with recalling models, and the official client of OpenAI."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI

from router.keys import Key
from tests.conversations.recalling import RecallingModel
from tests.rig import Rig, rig
from tests.upstream import Upstream


@asynccontextmanager
async def remembering(
    data: Path,
    models: Mapping[str, RecallingModel],
    *,
    settings: Mapping[str, Mapping[str, Any]] = {},
    keys: Sequence[Key] = (),
    **sections: Any,
) -> AsyncIterator[Rig]:
    """A Waggle whose backends are these models; `settings` adds to those of a backend."""
    async with AsyncExitStack() as stack:
        backends: dict[str, Any] = {}
        for name, model in models.items():
            upstream = await stack.enter_async_context(Upstream(model).listening())
            anthropic = model.dialect == "anthropic"
            backends[name] = {
                "kind": model.dialect,
                "base_url": upstream.url.removesuffix("/v1") + ("" if anthropic else "/v1"),
                "price": {"input": 1.0, "output": 1.0},
                "retry": {"times": 0},
                **({"api_key": "${KEY}", "model": "claude-sonnet-4-5"} if anthropic else {}),
                **settings.get(name, {}),
            }
        config = {"server": {"data": str(data)}, "backends": backends, **sections}
        yield await stack.enter_async_context(rig(json.dumps(config), keys=keys))


@asynccontextmanager
async def client(service: Rig, key: str = "unused") -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{service.url}/v1", api_key=key, max_retries=0) as openai:
        yield openai
