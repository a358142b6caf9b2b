"""What a sandbox can be told. It takes no chat: a plan with `code:` sends it programs."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from router.backends.base import Backend, BackendSettings, Capability, SecretReader
from router.statistics import reading_of
from sandbox.runner import Limits, Tier


class SandboxSettings(BackendSettings):
    kind: Literal["sandbox"]
    min_level: Literal[1, 2, 3] = Field(
        1, description="of isolation; where the machine gives less, nothing is run"
    )
    wall_seconds: float = Field(5.0, gt=0, le=300, description="longest run of a program")
    memory_mb: int = Field(512, ge=64, le=65_536)
    at_once: int | None = Field(None, ge=1, le=256, description="programs; default: one a core")
    waiting: int = Field(64, ge=0, le=10_000, description="programs that may wait for their turn")
    ready: tuple[Tier, ...] = Field(
        ("numpy",), description="libraries to have loaded at the start; others load when needed"
    )
    capabilities: tuple[Capability, ...] = ("chat", "json")

    def build(self, read_secret: SecretReader) -> Backend:  # noqa: ARG002 - it has none
        # Only the process that has the sandbox loads what it takes to judge a result.
        from router.backends.workshop import Workshop

        return Workshop(self)

    def refuses(self, fields: Mapping[str, Any]) -> str:
        if reading_of(fields).computed:
            return ""
        # Why not in detail would quote the request, and this is written down.
        return "computes, and this is no statistical request that says all it must"

    @property
    def limits(self) -> Limits:
        cpu = max(1, round(self.wall_seconds))
        return Limits(self.wall_seconds, cpu, memory_bytes=self.memory_mb << 20)
