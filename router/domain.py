"""The nouns of routing. Plain values: no I/O, no clock, no configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from learner.policy import Arm, Distribution

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asked. `body` is what goes on, byte for byte; `fields` is our reading of it."""

    id: str
    body: bytes
    fields: Fields
    model: str
    stream: bool
    include_usage: bool
    session: str
    session_given: bool
    continues: bool
    key_id: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer. `estimated` where the backend did not say."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to one backend. `fault` is empty where it answered."""

    backend: str
    status: int
    fault: str
    detail: str
    seconds: float
    first_byte_seconds: float = 0.0
    usage: Usage = Usage()
    cost_usd: float = 0.0

    def summary(self) -> str:
        said = f" {self.status}" if self.status else ""
        return f"{self.backend}: {self.fault or 'ok'}{said} ({self.detail})"


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a request went where it went: enough to replay the draw."""

    plan: Arm
    propensity: float
    strategy: str
    probabilities: Distribution
    ineligible: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    score: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that has happened to one request so far."""

    request: Request
    decision: Decision
    started_at: float
    attempts: tuple[Attempt, ...] = ()
    status: int = 0
    error: str = ""
    seconds: float = 0.0
    first_byte_seconds: float = 0.0
    overhead_seconds: float = 0.0

    def after(self, attempt: Attempt) -> "Trace":
        return replace(self, attempts=(*self.attempts, attempt))

    @property
    def cost_usd(self) -> float:
        return sum(attempt.cost_usd for attempt in self.attempts)

    @property
    def backend(self) -> str:
        return self.attempts[-1].backend if self.attempts else ""
