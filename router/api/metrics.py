"""`GET /metrics`: the counters of all routers in the text format of Prometheus.

Without the hive, a router shows its own counters alone.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from router.api.incoming import Admission, Incoming
from router.engine.engine import Engine
from router.hive import Hive
from router.telemetry.metrics import exposition


@dataclass(frozen=True, slots=True)
class MetricsEndpoint:
    engine: Engine
    admission: Admission
    hive: Hive
    router: str

    async def get(self, incoming: Incoming) -> None:
        await self.admission.admit(incoming, "analyst")
        own = {self.router: self.engine.metrics.snapshot()}
        others: Mapping[str, bytes] = {}
        with contextlib.suppress(Exception):
            others = await self.hive.all_metrics()
        text = exposition({**others, **own}).encode()
        await incoming.reply.whole(200, text, [(b"content-type", b"text/plain; version=0.0.4")])
