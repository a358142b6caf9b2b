"""The reviewers of a program: each reads it for one thing, and gives a verdict with its reasons.

`accept`: nothing speaks against it. `revise`: its author hears the reasons once. `reject`: it is
neither run nor kept. A reviewer proves nothing right; each can say no.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from sandbox.review.parsed import MOST_CHARACTERS, Fault, ParsedProgram, Verdict, worst_of
from sandbox.review.performance import performance
from sandbox.review.quality import quality
from sandbox.review.security import security
from sandbox.review.statistics_review import statistics_faults

REVIEWERS = ("security", "statistics", "performance", "quality")
_MOST_REASONS = 4


@dataclass(frozen=True, slots=True)
class ReviewerVerdict:
    """What one reviewer says of a program."""

    reviewer: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()

    @property
    def accepts(self) -> bool:
        return self.verdict == "accept"

    def __str__(self) -> str:
        reasons = "; ".join(self.reasons)
        return f"{self.reviewer}: {self.verdict}" + (f": {reasons}" if reasons else "")


def review(
    source: str,
    request: str,
    *,
    seconds: Sequence[float] = (),
    reviewers: Sequence[str] = REVIEWERS,
) -> tuple[ReviewerVerdict, ...]:
    """The verdict of each of these reviewers on a program that answers a request. `seconds`: the
    CPU of its run, and of a run with twice the input, if they were measured."""
    if len(source) > MOST_CHARACTERS:
        reason = f"it has {len(source)} characters: at most {MOST_CHARACTERS}"
        return (ReviewerVerdict("quality", "reject", (reason,)),)
    try:
        program = ParsedProgram(source, request)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return (ReviewerVerdict("quality", "reject", (f"it is no Python: {error}",)),)
    readers: dict[str, Callable[[ParsedProgram], Iterator[Fault]]] = {
        "security": security,
        "statistics": statistics_faults,
        "performance": partial(performance, seconds=seconds),
        "quality": quality,
    }
    try:
        return tuple(_verdict(name, list(readers[name](program))) for name in reviewers)
    except RecursionError:
        return (ReviewerVerdict("quality", "reject", ("it is nested too deeply to be read",)),)


def _verdict(reviewer: str, faults: Sequence[Fault]) -> ReviewerVerdict:
    reasons = dict.fromkeys(reason for _, reason in faults)
    worst = worst_of(verdict for verdict, _ in faults)
    return ReviewerVerdict(reviewer, worst, tuple(reasons)[:_MOST_REASONS])
