"""The operations that a pattern may use: carry out a step, call a backend, check an answer."""

from collections.abc import Callable, Mapping
from typing import Protocol

from router.config.backends import AnyBackend
from router.config.plan_checks import Check
from router.config.plans import Code, Committee, Plan, Step
from router.domain import Request
from router.plans.bodies import Work
from router.plans.designs import Design
from router.plans.prompts import Message, Opinion, to_judge
from router.plans.results import CheckVerdict, Result


class Caller(Protocol):
    """The part of the executor that patterns use."""

    @property
    def request(self) -> Request: ...

    async def step(self, step: Step, work: Work) -> Result:
        """Carry out a step of the plan, with the step's own bounds and gate."""

    async def call(
        self, chain: tuple[str, ...], body: bytes, work: Work, *, stream: bool = False
    ) -> Result:
        """Send a body to each backend of a chain in turn, until a backend answers."""

    async def judged(
        self, check: Check, result: Result, work: Work, *, before: str = "", may_mend: bool = False
    ) -> CheckVerdict:
        """Check an answer; the verdict says whether the answer holds, and if not, why."""

    async def opinion(
        self,
        backend: str,
        draft: str,
        parent: int,
        work: Work,
        place: str,
        messages: Callable[[str, str], list[Message]] = to_judge,
    ) -> tuple[Opinion, int]:
        """A backend's opinion of a draft, and the number of the step that asked for the opinion."""

    @property
    def refusals(self) -> Mapping[str, str]:
        """For each backend, the reason why it cannot answer this request; empty if it can."""

    async def computed_beside(self, plan: Code, work: Work) -> Result:
        """What a program computes beside the answer; the answer's own verification stays."""

    async def designed(self, plan: Committee, work: Work) -> Design:
        """The committee that a model designed for requests of this kind."""

    def turn(self, step: Plan) -> int:
        """How many requests came to this step before this one, in this process."""

    def settings(self, backend: str) -> AnyBackend:
        """The settings of a backend."""

    def score(self, backend: str) -> float:
        """The weight of a backend's vote."""

    def p95(self, backend: str) -> float | None:
        """The 95th percentile of recent call times in seconds; None after too few calls."""

    def abandon(self, result: Result) -> None:
        """Close the stream of an answer that lost to another answer, and record its cost."""
