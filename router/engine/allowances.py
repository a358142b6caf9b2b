"""Leases requests for each key from the hive, in batches, and counts them down."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from router.config.server import KeyLimits
from router.hive import Hive, HiveState, Lease
from router.keys import Key
from router.telemetry.metrics import Metrics
from router.wire.errors import Limited


@dataclass(slots=True)
class _Held:
    left: int
    until: float


class Allowances:
    """Admits requests within the limits of their keys. A key without limits needs no lease.

    When the hive does not answer, this router counts alone. Each router may then let the whole
    limit through, but no caller is refused because the hive failed.
    """

    def __init__(
        self, hive: Hive, metrics: Metrics, *, wall: Callable[[], float] = time.time
    ) -> None:
        self._hive = hive
        self._metrics = metrics
        self._wall = wall
        self._alone = HiveState()
        self._held: dict[str, _Held] = {}
        self._bounded: dict[str, KeyLimits] = {}

    async def admit(self, key: Key, default: KeyLimits) -> None:
        limits = key.limits if key.limits.any else default
        if not limits.any:
            return
        self._bounded[key.id] = limits
        now = self._wall()
        held = self._held.get(key.id)
        if held is not None and held.left > 0 and held.until > now:
            held.left -= 1
            return
        lease = await self._lease(key.id, limits)
        if not lease.granted:
            message = f"This key's {lease.reason}. Try again in {lease.retry_after:.0f} s."
            raise Limited(message, lease.retry_after)
        self._held[key.id] = _Held(lease.granted - 1, lease.until)

    async def spent(self, key_id: str, tokens: int, cost_usd: float) -> None:
        """Report an answer's tokens and cost to the hive before the answer ends, so that both count
        for the caller's next request."""
        limits = self._bounded.get(key_id)
        if limits is None:
            return
        if limits.tokens_per_minute is None and limits.dollars_per_day is None:
            return
        try:
            await self._hive.spend(key_id, tokens, cost_usd)
        except Exception:  # a hive that fails must not fail the answer
            self._metrics.count("waggle_hive_unreachable_total")
            self._alone.spend(key_id, tokens, cost_usd, self._wall())

    async def _lease(self, key_id: str, limits: KeyLimits) -> Lease:
        try:
            return await self._hive.lease(key_id, limits)
        except Exception:  # a hive that fails must not fail the request
            self._metrics.count("waggle_hive_unreachable_total")
            return self._alone.lease(key_id, limits, self._wall())
