"""The messages between a router and the learner."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.request.patterns import Patterns
from router.request.terms import Terms
from router.routing.steering import Steering

if TYPE_CHECKING:
    from learner.deciding import BanditPolicy


@dataclass(frozen=True, slots=True)
class SeenPrompt:
    """What a lens is fitted to of a prompt: hashed words, a sentence vector, and what the words say
    about its kind."""

    terms: Terms
    vector: Sequence[float] | None
    kinds: Sequence[float]


@dataclass(frozen=True, slots=True)
class Errand:
    """A prompt that a router sends to a backend for the learner, which cannot reach backends."""

    id: str
    backend: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Published:
    """The learner's news: a policy with its version, and the lens that the policy needs."""

    version: str
    policy: "BanditPolicy | None"
    lens: int = 0
    lens_content: bytes = b""  # sent only if the router has another lens or none
    wants_prompts: bool = False
    steering: Steering | None = None  # sent only if the router has an older version
    errand: "Errand | None" = None
    patterns: Patterns | None = None  # sent only if the router has another version


@dataclass(frozen=True, slots=True)
class NewsRequest:
    """A router's request for news, with its versions and the prompts that it collected."""

    version: str
    lens: int
    prompts: Sequence[SeenPrompt] = ()
    steering: int = 0  # the router's version of the steering
    done: tuple[str, str] | None = None  # id and result of a finished errand
    patterns: int = 0  # the router's version of the patterns
    words: Sequence[tuple[str, str]] = ()  # ids of patterns, with words that may name them
