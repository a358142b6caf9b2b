"""A router's copy of the learner's policy, lens, steering and patterns, with their age.

A router refuses a policy that learned from other features, or through another lens, because such a
policy would misread the router's features. Without a policy, a router decides by rules. When the
learner falls silent, the router keeps the last policy and reports its age.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from router.domain import Request
from router.request.context import lens_in
from router.request.lens import ENOUGH, Lens
from router.request.patterns import Patterns
from router.request.terms import terms
from router.routing.messages import Errand, NewsRequest, Published, SeenPrompt
from router.routing.pattern_words import PatternWords
from router.routing.steering import Steering

if TYPE_CHECKING:
    from learner.deciding import BanditPolicy


Ask = Callable[[NewsRequest], Any]  # returns an awaitable of `Published`


@dataclass
class Following:
    bandit: "BanditPolicy | None" = None
    version: str = ""
    lens: Lens | None = None
    collecting: bool = False
    heard_at: float | None = None
    refused: str = ""
    steering: Steering | None = None
    patterns: Patterns | None = None
    errand: Errand | None = None
    done: tuple[str, str] | None = None
    words: PatternWords = field(default_factory=PatternWords)  # for the names of patterns
    _prompts: list[SeenPrompt] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    def take_request(self) -> NewsRequest:
        """The next request to the learner. Prompts, words and finished errands are sent once."""
        prompts, self._prompts = self._prompts, []
        lens = self.lens.number if self.lens is not None else 0
        steering_version = self.steering.version if self.steering is not None else 0
        done, self.done = self.done, None
        version = self.version if self.bandit is not None else ""
        patterns = self.patterns.version if self.patterns is not None else 0
        words = self.words.take()
        return NewsRequest(version, lens, prompts, steering_version, done, patterns, words)

    def restore(self, request: NewsRequest) -> None:
        """Queue again what a request held that did not reach the learner."""
        self.words.restore(request.words)
        self._prompts = [*request.prompts, *self._prompts]
        self.done = self.done or request.done

    def hear(self, news: Published, *, now: float) -> None:
        self.heard_at = now
        self.collecting = news.wants_prompts
        if news.lens_content:
            self.lens = Lens.read(news.lens_content)
        if news.steering is not None:
            self.steering = news.steering
        if news.patterns is not None:
            self.patterns = news.patterns
        if news.errand is not None:
            self.errand = news.errand
        if news.policy is not None:
            self.refused = self.refuses(news.policy.features)
            if not self.refused:
                self.bandit, self.version = news.policy, news.version

    def refuses(self, features: str) -> str:
        """Why this router cannot use a policy; empty if it can."""
        own = self.lens.number if self.lens is not None else 0
        wanted = lens_in(features)
        if wanted is None:
            return f"it was taught features {features}, and this router makes others"
        if wanted not in (0, own):
            return f"it sees through lens {wanted:x}, and this router has {own:x}"
        return ""

    def collect(self, request: Request, vector: Sequence[float] | None) -> None:
        """Collect the hashed words of each prompt once, until there are enough to fit a lens."""
        counted = terms(request.reading.words)
        key = hash(frozenset(counted.items()))
        if key not in self._seen and len(self._seen) < ENOUGH:
            self._seen.add(key)
            self._prompts.append(SeenPrompt(counted, vector, request.reading.kinds))

    def status(self, *, now: float) -> Mapping[str, Any]:
        age = None if self.heard_at is None else round(now - self.heard_at, 3)
        return {"version": self.version, "age_seconds": age, "refused": self.refused}
