"""Decides the similarity tier of a request: reuse a remembered answer, adapt it, or answer anew.
Pure.

Similarity proposes candidates, guards refuse, an acceptor accepts, and the record of the
candidate's bucket decides whether its answer is trusted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from router.domain import Recalled
from router.reuse.acceptance import Acceptor, guarded
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
    by: Acceptor = ""  # what accepted the pair
    probability: float = 0.0  # that one answer serves both, as far as its acceptor says


@dataclass(frozen=True, slots=True)
class Recollection:
    """The solution that was chosen for a request, and how the router uses its answer."""

    recalled: Recalled
    solution: Solution
    verdict: GuardVerdict


def accepted(candidate: Candidate, request: str) -> Candidate:
    """The candidate with its acceptor, if its words alone say that it asks the same."""
    same = candidate.verdict.likeness == "words" and guarded(candidate.solution.request, request)
    return replace(candidate, by="words", probability=1.0) if same else candidate


def may_verify(candidate: Candidate, request: str) -> bool:
    """Whether the pair verifier may read the pair: no guard refuses it, and both know English."""
    return candidate.verdict.likeness == "open" and guarded(candidate.solution.request, request)


def best_match(candidates: Sequence[Candidate]) -> Candidate | None:
    """The nearest candidate that was accepted; among equally near ones, the best record."""
    return max(
        (candidate for candidate in candidates if candidate.by),
        key=lambda c: (round(c.similarity, 2), c.solution.rate, c.solution.uses),
        default=None,
    )


def reuse(match: Candidate, bucket: str, standing: Standing, uniform: float) -> Recollection:
    """Reuse the answer, or answer anew to check it, as the standing of its bucket says."""
    if standing.serves:
        record = f"of its like {standing.wrong:.2%} are wrong"
        reason = f"means the same as a remembered request ({match.by}); {record}"
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
