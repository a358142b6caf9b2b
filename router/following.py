"""A router's picture of the learner: the policy it decides by, swapped whole, and how old that is.

A policy that was taught other numbers, or the same through another lens, is refused: it would be
asked about things it never saw. Without one a router decides by its rules, and when the learner
falls silent it goes on with the last, and says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from router.context import lens_in
from router.domain import Request
from router.features import prompt_text
from router.lens import ENOUGH, Lens, Terms, terms

if TYPE_CHECKING:
    from learner.deciding import BanditPolicy


@dataclass(frozen=True, slots=True)
class Published:
    """What the learner hands out: a policy under its name, and the lens it sees through."""

    version: str
    policy: "BanditPolicy | None"
    lens: int = 0
    lens_content: bytes = b""  # where the router has another one, or none
    wants_prompts: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What a router tells the learner when it asks for news."""

    version: str
    lens: int
    prompts: Sequence[tuple[Terms, Sequence[float] | None]] = ()


Ask = Callable[[Asked], Any]  # awaitable of Published


@dataclass
class Following:
    bandit: "BanditPolicy | None" = None
    version: str = ""
    lens: Lens | None = None
    collecting: bool = False
    heard_at: float | None = None
    refused: str = ""
    _prompts: list[tuple[Terms, Sequence[float] | None]] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    @property
    def asked(self) -> Asked:
        prompts, self._prompts = self._prompts, []
        lens = self.lens.number if self.lens is not None else 0
        return Asked(self.version if self.bandit is not None else "", lens, prompts)

    def hear(self, told: Published, *, now: float, strategy: str) -> None:
        self.heard_at = now
        self.collecting = told.wants_prompts
        if told.lens_content:
            self.lens = Lens.read(told.lens_content)
        if told.policy is not None and strategy == "bandit":
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
        counted = terms(prompt_text(request.fields))
        key = hash(frozenset(counted.items()))
        if key not in self._seen and len(self._seen) < ENOUGH:
            self._seen.add(key)
            self._prompts.append((counted, vector))

    def told(self, *, now: float) -> Mapping[str, Any]:
        age = None if self.heard_at is None else round(now - self.heard_at, 3)
        return {"version": self.version, "age_seconds": age, "refused": self.refused}
