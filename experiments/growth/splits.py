"""How often a pattern is split, where its answers are of one piece and where they divide.

Streams of judged answers with sixty words, a dozen of them common; the test of `router/growth`
looks at each stream as its answers double. No model and no service is needed.
"""

import random
from typing import Any

from router.growth.dividing import Division, JudgedTerms, chance_of, nominated, shown

_WORDS, _COMMON, _DIVIDES = 60, 12, 7
_LOOKS = (120, 240, 480, 960)  # judged answers
_STREAMS = 100
_EARLIER = 5  # tests of other patterns before that of a pattern that divides


def of_splits(seed: int) -> dict[str, Any]:
    whole = [
        _split_at(f"{seed} whole {q} {n}", q, 0.0) for q in (0.6, 0.9) for n in range(_STREAMS)
    ]
    divided: dict[str, dict[str, Any]] = {}
    for gap in (0.25, 0.35, 0.5):
        splits = [_split_at(f"{seed} {gap} {n}", 0.85, gap, _EARLIER) for n in range(_STREAMS)]
        right = [at for at, division in filter(None, splits) if division.bucket == _DIVIDES]
        divided[str(gap)] = {
            "streams": _STREAMS,
            "right": len(right),
            "wrong": sum(each is not None for each in splits) - len(right),
            "judged": sorted(right)[len(right) // 2] if right else None,
        }
    false = sum(each is not None for each in whole)
    return {"seed": seed, "streams": len(whole), "false": false, "divided": divided}


def _split_at(seed: str, quality: float, gap: float, test: int = 0) -> tuple[int, Division] | None:
    """The judged answers after which a stream is split, and how; None if it is not."""
    for judged in _LOOKS:
        nominee = nominated(_answers(judged // 2, f"{seed} first", quality, gap))
        if nominee is None:
            continue
        test += 1
        if shown(_answers(judged // 2, f"{seed} second", quality, gap), nominee, chance_of(test)):
            return judged, nominee
    return None


def _answers(count: int, seed: str, quality: float, gap: float) -> list[JudgedTerms]:
    chance, rows = random.Random(seed), []
    for _ in range(count):
        words = range(_WORDS)
        terms = frozenset(w for w in words if chance.random() < (0.65 if w < _COMMON else 0.15))
        good = chance.random() < quality - gap * (_DIVIDES in terms)
        rows.append(JudgedTerms(terms, good - quality))
    return rows
