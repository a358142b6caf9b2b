"""A router's picture of the learner: the policy it decides by, swapped whole, and how old that is.

A policy that was taught other numbers, or the same through another lens, is refused: it would be
asked about things it never saw. Without one a router decides by its rules, and when the learner
falls silent it goes on with the last, and says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from router.domain import Request
from router.request.context import lens_in
from router.request.lens import ENOUGH, Lens, Terms, terms
from router.routing.messages import Errand, NewsRequest, Published
from router.routing.steering import Steering

if TYPE_CHECKING:
    from learner.deciding import BanditPolicy


Ask = Callable[[NewsRequest], Any]  # awaitable of Published


@dataclass
class Following:
    bandit: "BanditPolicy | None" = None
    version: str = ""
    lens: Lens | None = None
    collecting: bool = False
    heard_at: float | None = None
    refused: str = ""
    steering: Steering | None = None
    errand: Errand | None = None
    done: tuple[str, str] | None = None
    _prompts: list[tuple[Terms, Sequence[float] | None]] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    @property
    def asked(self) -> NewsRequest:
        prompts, self._prompts = self._prompts, []
        lens = self.lens.number if self.lens is not None else 0
        known = self.steering.version if self.steering is not None else 0
        done, self.done = self.done, None
        version = self.version if self.bandit is not None else ""
        return NewsRequest(version, lens, prompts, known, done)

    def hear(self, told: Published, *, now: float) -> None:
        self.heard_at = now
        self.collecting = told.wants_prompts
        if told.lens_content:
            self.lens = Lens.read(told.lens_content)
        if told.steering is not None:
            self.steering = told.steering
        if told.errand is not None:
            self.errand = told.errand
        if told.policy is not None:
            self.refused = self.refuses(told.policy.features)
            if not self.refused:
                self.bandit, self.version = told.policy, told.version

    def refuses(self, features: str) -> str:
        """Why a policy cannot be followed, or nothing."""
        own = self.lens.number if self.lens is not None else 0
        wanted = lens_in(features)
        if wanted is None:
            return f"it was taught features {features}, and this router makes others"
        if wanted not in (0, own):
            return f"it sees through lens {wanted:x}, and this router has {own:x}"
        return ""

    def collect(self, request: Request, vector: Sequence[float] | None) -> None:
        """Hashed words of a prompt, until there are enough to fit a lens to. Each once."""
        counted = terms(request.reading.text)
        key = hash(frozenset(counted.items()))
        if key not in self._seen and len(self._seen) < ENOUGH:
            self._seen.add(key)
            self._prompts.append((counted, vector))

    def told(self, *, now: float) -> Mapping[str, Any]:
        age = None if self.heard_at is None else round(now - self.heard_at, 3)
        return {"version": self.version, "age_seconds": age, "refused": self.refused}
