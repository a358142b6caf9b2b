"""An attack, what became of it, and the service that is attacked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from experiments.attack.wire import Exchange, exchange
from tests.serve.running import Service, UpstreamThread
from tests.upstream import Upstream


@dataclass(frozen=True)
class Outcome:
    """How many tries an attack made, and the tries that succeeded."""

    tried: int
    successes: tuple[str, ...] = ()
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def held(self) -> int:
        return self.tried - len(self.successes)


@dataclass(frozen=True)
class Target:
    """A running service whose plan `fast` asks our own upstream."""

    service: Service
    upstreams: UpstreamThread
    upstream: Upstream

    async def send(self, request: bytes, *, seconds: float = 30) -> Exchange:
        return await exchange(self.service.port, request, seconds=seconds)


@dataclass(frozen=True)
class Attack:
    """An attack by name, and the attacker of SECURITY.md who makes it.

    `length`: whether only the short run or only the long run makes the attack; empty for both.
    """

    name: str
    attacker: str
    run: Callable[[Any], Awaitable[Outcome]]  # takes a `Target`, or None if it starts its own
    length: str = ""
