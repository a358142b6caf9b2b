"""Counts the meaning of requests from the middle of their own language. Pure.

To an encoder that was taught one language, all requests of another language are alike, whatever
they ask for. From the middle of each language on, requests for the same thing lie in the same
direction.
"""

from collections.abc import Mapping, Sequence

from router.growth.clusters import SeenRequest

_ENOUGH = 10  # requests of a language that show where its middle is


def middles_of(requests: Sequence[SeenRequest]) -> dict[str, tuple[float, ...]]:
    """The mean meaning of the requests of each language that has enough of them."""
    import numpy as np

    by_language: dict[str, list[tuple[float, ...]]] = {}
    for request in requests:
        if request.meaning is not None:
            by_language.setdefault(request.language, []).append(request.meaning)
    return {
        name: tuple(np.mean(meanings, axis=0).round(4).tolist())
        for name, meanings in sorted(by_language.items())
        if len(meanings) >= _ENOUGH
    }


def centred(
    requests: Sequence[SeenRequest],
    labels: Sequence[str],
    middles: Mapping[str, tuple[float, ...]],
) -> list[SeenRequest]:
    """The requests with these patterns, and their meaning from the middle of their language on."""
    seen = []
    for request, label in zip(requests, labels, strict=True):
        meaning, middle = request.meaning, middles.get(request.language)
        if meaning is not None and middle is not None:
            meaning = tuple(a - b for a, b in zip(meaning, middle, strict=True))
        seen.append(SeenRequest(request.terms, meaning, label, request.language))
    return seen
