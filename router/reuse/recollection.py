"""Decides the similarity tier of a request: reuse a remembered answer, adapt it, or answer anew.
Pure.

Similarity proposes candidates, the guards decide which candidates mean the same as the request, and
the record of the candidate's bucket decides whether its answer is trusted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from router.domain import Recalled
from router.reuse.calibration import Standing
from router.reuse.guards import GuardVerdict
from router.reuse.solution import Solution

_ADAPTABLE_SIMILARITY = 0.8


@dataclass(frozen=True, slots=True)
class Candidate:
    """A solution near a request, and the differences between the two requests."""

    similarity: float
    solution: Solution
    verdict: GuardVerdict


@dataclass(frozen=True, slots=True)
class Recollection:
    """The solution that was chosen for a request, and how the router uses its answer."""

    recalled: Recalled
    solution: Solution
    verdict: GuardVerdict


def best_match(candidates: Sequence[Candidate]) -> Candidate | None:
    """The nearest candidate that means the same; among equally near ones, the best record."""
    return max(
        (candidate for candidate in candidates if candidate.verdict.likeness == "same"),
        key=lambda c: (round(c.similarity, 2), c.solution.rate, c.solution.uses),
        default=None,
    )


def reuse(match: Candidate, bucket: str, standing: Standing, uniform: float) -> Recollection:
    """Reuse the answer, or answer anew to check it, as the standing of its bucket says."""
    if standing.serves:
        record = f"of its like {standing.wrong:.2%} are wrong"
        reason = f"means the same as a remembered request; {record}"
    else:
        reason = f"not trusted yet: of its like up to {standing.bound:.1%} may be wrong"
    anew = uniform < standing.checked
    recalled = Recalled(
        "novel" if anew else "reuse",
        match.solution.id,
        match.similarity,
        standing.chance,
        standing.checked if anew else 1 - standing.checked,
        f"{reason}; answered anew, to see" if anew else reason,
        bucket,
        checked=anew,
    )
    return Recollection(recalled, match.solution, match.verdict)


def adaptation(candidates: Sequence[Candidate]) -> Recollection | None:
    """The nearest candidate whose answer a backend can adapt to the request."""
    for candidate in candidates:
        adaptable = candidate.verdict.likeness in ("minor", "parameters")
        if adaptable and candidate.similarity >= _ADAPTABLE_SIMILARITY:
            recalled = Recalled(
                "adapt",
                candidate.solution.id,
                candidate.similarity,
                candidate.solution.rate,
                1.0,
                "close to a remembered answer, which a backend changes to fit",
            )
            return Recollection(recalled, candidate.solution, candidate.verdict)
    return None
