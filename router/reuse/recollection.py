"""Decides the similarity tier of a request: reuse a remembered answer, adapt it, or answer anew.
Pure.

Similarity proposes candidates, guards refuse, an acceptor accepts, and the record of the
candidate's bucket decides whether its answer is trusted.
"""

from collections.abc import Sequence
from dataclasses import replace

from router.domain import Recalled
from router.reuse.acceptance import ACCEPTORS, Acceptor, acceptors
from router.reuse.calibration import Standing
from router.reuse.guards import GuardVerdict
from router.reuse.solution import Solution
from router.value import value

_ADAPTABLE_SIMILARITY = 0.8
ASKABLE_SIMILARITY = 0.55  # no backend is asked about a pair that is less similar
_UNTRUSTED = {"not yet": "not trusted yet:", "stopped": "stopped, too many were wrong:"}


@value
class Candidate:
    """A solution near a request, and the differences between the two requests."""

    similarity: float
    solution: Solution
    verdict: GuardVerdict
    by: Acceptor = ""  # what accepted the pair
    probability: float = 0.0  # that one answer serves both, as far as its acceptor says
    judged: bool | None = None  # whether the pair was judged before to share an answer


@value
class Recollection:
    """The solution that was chosen for a request, and how the router uses its answer."""

    recalled: Recalled
    solution: Solution
    verdict: GuardVerdict


def accepted(candidate: Candidate, request: str) -> Candidate:
    """The candidate with its acceptor, if its words or an earlier verdict say that it asks the
    same."""
    may = acceptors(candidate.solution.request, request, candidate.verdict)
    if candidate.judged is not False and "words" in may:
        return replace(candidate, by="words", probability=1.0)
    if candidate.judged and "asked" in may:
        return replace(candidate, by="asked", probability=1.0)
    return candidate


def may_verify(candidate: Candidate, request: str) -> bool:
    """Whether the pair verifier may read the pair: no guard refuses it, and both know English."""
    may = acceptors(candidate.solution.request, request, candidate.verdict)
    return candidate.judged is None and "verifier" in may


def may_ask(candidate: Candidate, request: str) -> bool:
    """Whether a backend may be asked about the pair: nobody judged it, and it is near enough."""
    if candidate.judged is not None or candidate.similarity < ASKABLE_SIMILARITY:
        return False
    return "asked" in acceptors(candidate.solution.request, request, candidate.verdict)


def best_match(candidates: Sequence[Candidate]) -> Candidate | None:
    """The candidate with the surest acceptor; among these the nearest, then the best record."""
    return max(
        (candidate for candidate in candidates if candidate.by),
        key=lambda c: (
            -ACCEPTORS.index(c.by), round(c.similarity, 2), c.solution.rate, c.solution.uses,
        ),
        default=None,
    )  # fmt: skip


def reuse(
    match: Candidate, bucket: str, neighbourhood: int, standing: Standing, uniform: float
) -> Recollection:
    """Reuse the answer, or answer anew to check it, as the standing of its bucket says."""
    if standing.serves:
        record = f"of its like {standing.wrong:.2%} are wrong"
        reason = f"means the same as a remembered request ({match.by}); {record}"
    else:
        reason = f"{_UNTRUSTED[standing.state]} of its like up to {standing.bound:.1%} may be wrong"
    recalled = recalled_by(
        standing, match.solution.id, match.similarity, reason, bucket, uniform, neighbourhood
    )
    return Recollection(recalled, match.solution, match.verdict)


def recalled_by(
    standing: Standing,
    solution: int,
    similarity: float,
    reason: str,
    bucket: str,
    uniform: float,
    neighbourhood: int = 0,
) -> Recalled:
    """What the standing of a bucket makes of a solution: it answers, or is checked."""
    anew = uniform < standing.checked
    return Recalled(
        "novel" if anew else "reuse",
        solution,
        similarity,
        standing.chance,
        standing.checked if anew else 1 - standing.checked,
        f"{reason}; answered anew, to see" if anew else reason,
        bucket,
        checked=anew,
        bound=standing.bound,
        neighbourhood=neighbourhood,
    )


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
