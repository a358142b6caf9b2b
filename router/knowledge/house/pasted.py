"""Passages that stand in several requests, by the hashes of the requests' sentences. Pure."""

from collections import defaultdict
from collections.abc import Sequence

from router.value import value

LEAST_TIMES = 3  # that the same comes
_ALIKE = 0.5  # of their requests that two hashes of one passage share, at least
_MOST_CLUSTERS = 500


@value
class PastingRow:
    """A request that brings a long text; the hashes are those of its sentences."""

    key_id: str
    hashes: frozenset[str]
    input_tokens: int
    output_tokens: int
    usd: float
    worded: bool


def clusters(rows: Sequence[PastingRow], decided: set[str]) -> list[tuple[set[str], set[int]]]:
    """Passages: hashes that stand in the same requests, and the requests of each passage."""
    places: dict[str, set[int]] = defaultdict(set)
    for place, row in enumerate(rows):
        for hash_ in row.hashes - decided:
            places[hash_].add(place)
    often = sorted(
        (hash_ for hash_, own in places.items() if len(own) >= LEAST_TIMES),
        key=lambda hash_: (-len(places[hash_]), hash_),
    )
    passages: list[tuple[set[str], set[int]]] = []
    for hash_ in often:
        own = places[hash_]
        for hashes, together in passages:
            if len(own & together) >= _ALIKE * len(own | together):
                hashes.add(hash_)
                break
        else:
            if len(passages) < _MOST_CLUSTERS:
                passages.append(({hash_}, set(own)))
    return [cluster for cluster in passages if len(cluster[0]) > 1]


def shared_tokens(rows: Sequence[PastingRow], hashes: set[str], places: set[int]) -> float:
    """How many tokens a passage has, by its share of the sentences of its requests; the least."""
    return min(
        rows[place].input_tokens * len(rows[place].hashes & hashes) / len(rows[place].hashes)
        for place in places
    )
