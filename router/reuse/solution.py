"""What was solved once: a request, its answer or program, where it came from, how it fared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["text", "program"]
# unproven: answered, and nobody has said yet whether well; kept for a while, and not reused.
# proven: verified or well rated. deprecated: a better one stands for it. quarantined: reported
# wrong, or come from one that was.
State = Literal["unproven", "proven", "deprecated", "quarantined"]


@dataclass(frozen=True, slots=True)
class Solution:
    """One solved request. `space` holds all that must be equal between two requests for one's
    answer to be thought of for the other: whose it is, the system prompt, tools, format."""

    scope: str
    space: bytes
    exact: bytes
    kind: Kind
    request: str
    answer: str = ""
    program: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    vector: bytes = b""  # float32, or nothing where it was not encoded
    encoder: str = ""
    state: State = "unproven"
    proof: str = ""  # what proved it: a verification, a rating
    parent: int = 0  # the solution that it was adapted from
    change: str = ""  # what was changed on the way
    plan: str = ""
    backend: str = ""
    model: str = ""
    policy_version: str = ""
    cost_usd: float = 0.0
    seconds: float = 0.0
    created: float = 0.0
    expires: float = 0.0
    request_id: str = ""
    id: int = 0
    uses: int = 0
    successes: float = 0.0
    failures: float = 0.0
    last_used: float = 0.0
    reviewed: str = ""  # what its program was tried with beside its own request

    @property
    def rate(self) -> float:
        """How often it was right, as far as anybody said; one of which nothing is known is taken
        for nine in ten."""
        return (self.successes + 0.9) / (self.successes + self.failures + 1)
