"""What a pattern may do: carry out a step, call a backend, have an answer judged."""

from collections.abc import Callable, Mapping
from typing import Protocol

from router.config.plan_checks import Check
from router.config.plans import Step
from router.domain import Request
from router.plans.bodies import Work
from router.plans.prompts import Message, Opinion, to_judge
from router.plans.results import CheckVerdict, Result


class Caller(Protocol):
    """The executor, as patterns see it."""

    @property
    def request(self) -> Request: ...

    async def step(self, step: Step, work: Work) -> Result:
        """Carry out a step of the plan, with its own bounds and its gate."""

    async def call(
        self, chain: tuple[str, ...], body: bytes, work: Work, *, stream: bool = False
    ) -> Result:
        """Send a body to the first backend of a chain that answers."""

    async def judged(
        self, check: Check, result: Result, work: Work, *, before: str = "", may_mend: bool = False
    ) -> CheckVerdict:
        """Whether an answer holds all that a check demands."""

    async def opinion(
        self,
        backend: str,
        draft: str,
        parent: int,
        work: Work,
        place: str,
        messages: Callable[[str, str], list[Message]] = to_judge,
    ) -> tuple[Opinion, int]:
        """A backend's opinion of a draft, and the number of the step that brought it."""

    @property
    def refusals(self) -> Mapping[str, str]:
        """Why each backend cannot answer this request, "" where it can."""

    def score(self, backend: str) -> float:
        """How much a backend's vote counts."""

    def p95(self, backend: str) -> float | None:
        """Seconds that a backend usually stays below; None until enough calls were seen."""

    def abandon(self, result: Result) -> None:
        """Let go of an answer that came second: it is paid for, and nobody reads it."""
