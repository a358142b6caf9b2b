"""A running Waggle in front of one scripted server that speaks a foreign dialect."""

import json
from contextlib import asynccontextmanager
from typing import Any

from tests.rig import rig
from tests.upstream import Script, Upstream

KEY = "sk-upstream-secret"  # what the rig reads for every secret
MODELS = {"anthropic": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash"}


@asynccontextmanager
async def serving(kind: str, script: Script, **settings: Any):
    """A rig whose plan `p` asks the backend `it` of this kind."""
    async with Upstream(script).listening() as upstream:
        backend = {
            "kind": kind,
            "base_url": upstream.url.removesuffix("/v1"),
            "model": MODELS[kind],
            "api_key": "${KEY}",
            "retry": {"times": 0},
        }
        config = {"backends": {"it": backend | settings}, "plans": {"p": {"ask": "it"}}}
        async with rig(json.dumps(config)) as waggle:
            waggle.upstream = upstream
            yield waggle
