"""Solutions that are programs, kept in order: versions, doubles, and checks before wide use. Pure.

Two programs are doubles where they compute the same from other numbers: either could have been
edited into the other. The one that fared best stands for both, and the others say so.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

import orjson

from router.reuse.solution import Solution

_OWN = frozenset({"seed", "format", "count", "assumed", "data"})


def template(spec: Mapping[str, Any]) -> str:
    """What a spec computes, whatever its numbers are."""
    shape = _shape({key: value for key, value in spec.items() if key not in _OWN})
    told = orjson.dumps(shape, option=orjson.OPT_SORT_KEYS)
    return blake2b(told, digest_size=8).hexdigest()


def _shape(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _shape(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shape(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "#"
    return value


def duplicates(programs: Iterable[Solution]) -> Iterator[tuple[int, int]]:
    """Each program that another one stands for, and that other one."""
    alike: dict[tuple[str, str], list[Solution]] = {}
    for one in programs:
        alike.setdefault((one.scope, template(one.spec)), []).append(one)
    for some in alike.values():
        best = max(some, key=lambda one: (one.rate, one.uses, -one.id))
        for one in some:
            if one.id != best.id:
                yield one.id, best.id


def variations(solution: Solution) -> list[tuple[str, int]]:
    """The request with other numbers of records, and seeds to try it with: what a program should
    do as well before it is used for other requests."""
    count = int(solution.spec.get("count") or 0)
    written = re.findall(rf"(?<![\d.,]){count}(?![\d.,])", solution.request)
    if count < 2 or len(written) != 1:
        return [(solution.request, seed) for seed in (11, 12)]
    others = (max(2, count // 3), min(2 * count, 50_000))
    return [
        (re.sub(rf"(?<![\d.,]){count}(?![\d.,])", str(other), solution.request, count=1), 11 + n)
        for n, other in enumerate(others)
    ]
