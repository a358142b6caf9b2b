"""TODO: what this module promises."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.request.lens import Terms
from router.routing.steering import Steering

if TYPE_CHECKING:
    from learner.deciding import BanditPolicy


@dataclass(frozen=True, slots=True)
class Errand:
    """Something that a backend is to be asked for the learner: it cannot reach one itself."""

    id: str
    backend: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Published:
    """What the learner hands out: a policy under its name, and the lens it sees through."""

    version: str
    policy: "BanditPolicy | None"
    lens: int = 0
    lens_content: bytes = b""  # where the router has another one, or none
    wants_prompts: bool = False
    steering: Steering | None = None  # where the router has an older one
    errand: "Errand | None" = None


@dataclass(frozen=True, slots=True)
class NewsRequest:
    """What a router tells the learner when it asks for news."""

    version: str
    lens: int
    prompts: Sequence[tuple[Terms, Sequence[float] | None]] = ()
    steering: int = 0  # the version of what it knows of trials
    done: tuple[str, str] | None = None  # an errand, and what came of it
