"""A solved request: its answer or program, the origin of the solution, and its record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["text", "program"]
# unproven: nobody has judged the answer yet; its row has no words, stays for an hour, and is not
# reused. rated: a rating proved it, and the router that holds its words has not written them yet.
# proven: rated well, or computed at a level that proves. deprecated: a newer or better solution
# replaced it. quarantined: judged wrong, or adapted from a solution that was judged wrong.
State = Literal["unproven", "rated", "proven", "deprecated", "quarantined"]


@dataclass(frozen=True, slots=True)
class Solution:
    """One solved request.

    `space` is a hash of everything that two requests must share before the answer to one may serve
    the other: owner, system prompt, tools, format.
    """

    scope: str
    space: bytes
    exact: bytes
    kind: Kind
    request: str
    answer: str = ""
    program: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    vector: bytes = b""  # float32; empty if the request was not encoded
    encoder: str = ""
    state: State = "unproven"
    proof: str = ""  # what proved the solution: the level of a computed answer, or a rating
    parent: int = 0  # id of the solution that this one was adapted from; 0 without one
    change: str = ""  # what the adaptation changed
    plan: str = ""
    form: str = ""  # of the plan's prompts and parameters; empty if the plan sets none
    backend: str = ""
    model: str = ""
    policy_version: str = ""
    cost_usd: float | None = 0.0  # None: unknown
    seconds: float = 0.0
    created: float = 0.0
    expires: float = 0.0
    request_id: str = ""
    id: int = 0
    uses: int = 0
    successes: float = 0.0
    failures: float = 0.0
    last_used: float = 0.0
    reviewed: str = ""  # the verdict on the program after a run with other numbers

    @property
    def rate(self) -> float:
        """The share of judgements that called the solution right, starting from a prior of 0.9."""
        return (self.successes + 0.9) / (self.successes + self.failures + 1)
