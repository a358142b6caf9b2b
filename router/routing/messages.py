"""What a router and the learner send each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.request.lens import Terms
from router.routing.steering import Steering

if TYPE_CHECKING:
    from learner.deciding import BanditPolicy


@dataclass(frozen=True, slots=True)
class Errand:
    """A prompt for a backend, on behalf of the learner, which cannot reach backends itself."""

    id: str
    backend: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Published:
    """What the learner hands out: a policy with its version, and the lens that it sees through."""

    version: str
    policy: "BanditPolicy | None"
    lens: int = 0
    lens_content: bytes = b""  # only if the router has another lens or none
    wants_prompts: bool = False
    steering: Steering | None = None  # only if the router has an older version
    errand: "Errand | None" = None


@dataclass(frozen=True, slots=True)
class NewsRequest:
    """What a router tells the learner when it asks for news."""

    version: str
    lens: int
    prompts: Sequence[tuple[Terms, Sequence[float] | None]] = ()
    steering: int = 0  # the version that the router has
    done: tuple[str, str] | None = None  # an errand and its result
