"""Standards for authors: what separates programs that succeed from those that fail. Pure.

A sentence enters only if programs with its trait succeeded more often than those without it, beyond
chance, among authors who had not seen the standards. Half of the requests, by chance, are then
written with the standards and half without. A text whose half does worse is withdrawn for good.
Not covered: why a trait helps; a trait may only go along with what does.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import sqrt

from sandbox.review.traits import SENTENCES

PROPENSITY = 0.5  # the chance that a request's authors see the standards
_LEAST_EACH = 20  # programs with a trait, and without it
_LEAST_GAIN = 0.05
_SURE = 2.81  # standard errors: one chance in 20 that any of ten traits enters by luck
_SURE_OF_EFFECT = 1.96
_MOST_SENTENCES = 5


@dataclass(frozen=True, slots=True)
class Standards:
    """The text that authors see, and its version, a hash of the text; both empty without one."""

    version: str = ""
    text: str = ""


NO_STANDARDS = Standards()


@dataclass(frozen=True, slots=True)
class DraftedProgram:
    """A program that an author wrote: its traits, and whether it succeeded."""

    traits: frozenset[str]
    succeeded: bool


@dataclass(frozen=True, slots=True)
class Half:
    """The requests of one side: how many there were, how many succeeded, and their programs."""

    requests: int
    succeeded: int
    programs: int = 0

    @property
    def share(self) -> float | None:
        return self.succeeded / self.requests if self.requests else None


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two shares, and the bounds of its interval."""

    gain: float
    low: float
    high: float


def distilled(drafts: Iterable[DraftedProgram], withdrawn: Collection[str] = ()) -> Standards:
    """The standards that these programs speak for, unless they were withdrawn."""
    programs = list(drafts)
    gains: list[tuple[float, str]] = []
    for trait, (helps, hurts) in SENTENCES.items():
        sides = [
            [program.succeeded for program in programs if (trait in program.traits) is side]
            for side in (True, False)
        ]
        if min(map(len, sides)) < _LEAST_EACH:
            continue
        with_it, without = (Half(len(side), sum(side)) for side in sides)
        difference = between(with_it, without, _SURE)
        if difference.low > 0 and difference.gain >= _LEAST_GAIN:
            gains.append((difference.gain, helps))
        elif difference.high < 0 and -difference.gain >= _LEAST_GAIN:
            gains.append((-difference.gain, hurts))
    sentences = [sentence for _, sentence in sorted(gains, reverse=True)[:_MOST_SENTENCES]]
    standards = _standards(sentences)
    return NO_STANDARDS if standards.version in withdrawn else standards


def between(shown: Half, apart: Half, sure: float = _SURE_OF_EFFECT) -> Difference:
    """The gain of one side over the other, with its interval. One success and one failure more on
    each side keep the interval honest for few requests (Agresti and Caffo)."""
    shares = [(half.succeeded + 1) / (half.requests + 2) for half in (shown, apart)]
    variance = sum(
        share * (1 - share) / (half.requests + 2)
        for share, half in zip(shares, (shown, apart), strict=True)
    )
    middle, half_width = shares[0] - shares[1], sure * sqrt(variance)
    gain = (shown.share or 0.0) - (apart.share or 0.0)
    return Difference(gain, middle - half_width, middle + half_width)


def harms(shown: Half, apart: Half) -> bool:
    """Whether the requests whose authors saw the standards did worse, beyond chance."""
    enough = min(shown.requests, apart.requests) >= _LEAST_EACH
    return enough and between(shown, apart).high < 0


def _standards(sentences: Sequence[str]) -> Standards:
    if not sentences:
        return NO_STANDARDS
    text = "\n".join(f"- {sentence}" for sentence in sentences)
    return Standards(blake2b(text.encode(), digest_size=4).hexdigest(), text)
