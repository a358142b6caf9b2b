"""Writes `router/reuse/priors.txt`: how often each kind of likeness was wrong on pairs by others.

Anybody may look at these pairs: the seen half of the blind suite, and the earlier pairs. Nobody was
asked about a pair here, so the kind `asked` has no prior.
"""

from collections import Counter
from collections.abc import Sequence

from experiments.reuse.blind import Pair, accepted, written
from experiments.reuse.suite import pairs
from router.encoding.encoder import Encoder
from router.reuse.acceptance import ACCEPTORS
from router.reuse.calibration import bucket_of
from router.reuse.priors import FILE, table_of
from router.reuse.verifier import PairVerifier


def measured(encoder: Encoder, verifier: PairVerifier) -> dict[str, tuple[int, int]]:
    """Wrong pairs, and all pairs, in each bucket of the accepted pairs."""
    suite = _suite()
    stored = encoder.encode([pair.stored for pair in suite])
    later = encoder.encode([pair.request for pair in suite])
    total: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for pair, similarity in zip(suite, (stored * later).sum(axis=1).tolist(), strict=True):
        by = next((by for by in ACCEPTORS if by == accepted(pair, similarity, verifier)), None)
        if by is not None:
            bucket = bucket_of(by, similarity)
            total[bucket] += 1
            wrong[bucket] += not pair.same
    return {bucket: (wrong[bucket], n) for bucket, n in sorted(total.items())}


def write(counts: dict[str, tuple[int, int]]) -> None:
    FILE.write_text(table_of(counts), "utf-8")


def _suite() -> Sequence[Pair]:
    earlier = (pair for name in ("seen", "unseen") for pair in pairs(name))
    return [
        *written("natural.seen"),
        *(Pair(pair.stored, pair.later, pair.same, pair.kind) for pair in earlier),
    ]
