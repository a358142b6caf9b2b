"""Finds duplicates among stored programs, and makes requests to review a program with. Pure.

Two programs are duplicates if they compute the same from other numbers, so that editing the numbers
turns one program into the other. The program with the best record replaces its duplicates.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

import orjson

from router.reuse.programs.remembered import is_free
from router.reuse.solution import Solution

_INCIDENTAL = frozenset({"seed", "format", "count", "assumed", "data"})  # left out of `template`


def template(spec: Mapping[str, Any]) -> str:
    """A hash of what a spec computes; specs that differ only in numbers have the same hash."""
    shape = _shape({key: value for key, value in spec.items() if key not in _INCIDENTAL})
    content = orjson.dumps(shape, option=orjson.OPT_SORT_KEYS)
    return blake2b(content, digest_size=8).hexdigest()


def _shape(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _shape(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shape(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "#"
    return value


def duplicates(programs: Iterable[Solution]) -> Iterator[tuple[int, int]]:
    """The id of each program that has a better duplicate, with the id of the best duplicate."""
    groups: dict[tuple[str, str], list[Solution]] = {}
    for program in programs:
        if is_free(program):  # what it computes is not in its spec: its cases decide
            continue
        groups.setdefault((program.scope, template(program.spec)), []).append(program)
    for group in groups.values():
        best = max(group, key=lambda program: (program.rate, program.uses, -program.id))
        yield from ((program.id, best.id) for program in group if program.id != best.id)


def variations(solution: Solution) -> list[tuple[str, int]]:
    """Two requests to review the program with, for other numbers of records if any, with seeds."""
    count = int(solution.spec.get("count") or 0)
    number = re.compile(rf"(?<![\d.,]){count}(?![\d.,])")
    if count < 2 or len(number.findall(solution.request)) != 1:
        return [(solution.request, seed) for seed in (11, 12)]
    others = (max(2, count // 3), min(2 * count, 50_000))
    return [
        (number.sub(str(other), solution.request, count=1), 11 + n)
        for n, other in enumerate(others)
    ]
