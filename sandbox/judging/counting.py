"""Counts ways again: by recursion, step by step, or by enumerating the cases."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

_MOST = 1_000
_ENUMERATED = 7


@cache
def _row(n: int) -> tuple[int, ...]:
    """Row n of Pascal's triangle, by additions only."""
    row = [1]
    for _ in range(n):
        row = [1, *(a + b for a, b in itertools.pairwise(row)), 1]
    return tuple(row)


def choose(n: int, k: int) -> int:
    return _row(n)[k] if 0 <= k <= n else 0


def _falling(n: int, k: int) -> int:
    ways = 1
    for taken in range(k):
        ways *= n - taken
    return ways


def _permutations(n: float, k: float) -> Mapping[str, Any]:
    return {"permutations": _falling(int(n), int(k))}


def _combinations(n: float, k: float) -> Mapping[str, Any]:
    return {"combinations": choose(int(n), int(k))}


def _factorial(n: float) -> Mapping[str, Any]:
    return {"factorial": _falling(int(n), int(n))}


def _sequences(n: float, k: float) -> Mapping[str, Any]:
    ways = 1
    for _ in range(int(k)):
        ways *= int(n)
    return {"ways": ways}


def _multisets(n: float, k: float) -> Mapping[str, Any]:
    """By how many of the first kind are taken."""
    ways = [1] * (int(k) + 1)
    for _ in range(int(n) - 1):
        ways = list(itertools.accumulate(ways))
    return {"ways": ways[int(k)]}


def _orderings(
    n: float, circle: bool = False, mirrored: bool = False, together: float = 0, apart: float = 0
) -> Mapping[str, Any]:
    size = int(n)
    if size <= _ENUMERATED:
        ways = sum(
            1
            for order in _orders(size, circle=circle)
            if _fits(order, int(together), bool(apart), circle=circle)
        )
        return {"ways": ways // 2 if mirrored else ways}
    inside = _falling(int(together), int(together)) if together else 1
    units = size - int(together) + 1 if together else size
    ways = _falling(units, units) * inside
    if apart:
        # The second of the two takes a seat that is no neighbour of the first one's.
        ways = (size - 1) * (size - 2) * _falling(size - 2, size - 2)
        if circle:
            ways = size * (size - 3) * _falling(size - 2, size - 2)
    ways = ways // (size if apart else units) if circle else ways
    return {"ways": ways // 2 if mirrored else ways}


def _orders(n: int, *, circle: bool) -> itertools.chain[tuple[int, ...]]:
    """All orders; around a table the last person keeps the last seat."""
    if not circle:
        return itertools.chain(itertools.permutations(range(n)))
    return itertools.chain((*order, n - 1) for order in itertools.permutations(range(n - 1)))


def _fits(order: Sequence[int], together: int, apart: bool, *, circle: bool) -> bool:
    n = len(order)
    if together:
        places = sorted(order.index(i) for i in range(together))
        if not circle:
            return places[-1] - places[0] == together - 1
        return any({(start + i) % n for i in range(together)} == set(places) for start in range(n))
    if apart:
        distance = abs(order.index(0) - order.index(1))
        return distance != 1 and not (circle and distance == n - 1)
    return True


def _handshakes(people: float) -> Mapping[str, Any]:
    """Each newcomer shakes hands with all who are there."""
    return {"pairs": sum(range(int(people)))}


def _letter_arrangements(word: str, vowels_together: bool = False) -> Mapping[str, Any]:
    letters = [letter for letter in word.upper() if letter.isalpha()]
    if not vowels_together:
        return {"arrangements": _placed(letters)}
    vowels = [letter for letter in letters if letter in "AEIOUÁÉÍÓÚÜ"]
    others = [letter for letter in letters if letter not in vowels]
    return {"arrangements": _placed([*others, "*"]) * _placed(vowels)}


def _placed(letters: Sequence[str]) -> int:
    """Each letter in turn takes some of the places that are left."""
    left, ways = len(letters), 1
    for number in Counter(letters).values():
        ways *= choose(left, number)
        left -= number
    return ways


def _choices_from_groups(sizes: Sequence[float], chosen: Sequence[float]) -> Mapping[str, Any]:
    ways = 1
    for size, number in zip(sizes, chosen, strict=True):
        ways *= choose(int(size), int(number))
    return {"ways": ways}


def _committees(
    group: float,
    others: float,
    members: float,
    low: float | None = None,
    high: float | None = None,
) -> Mapping[str, Any]:
    """All committees without those that break a bound."""
    total, wanted = int(group + others), int(members)
    broken = [
        i
        for i in range(wanted + 1)
        if (low is not None and i < low) or (high is not None and i > high)
    ]
    ways = choose(total, wanted)
    ways -= sum(choose(int(group), i) * choose(int(others), wanted - i) for i in broken)
    return {"ways": ways}


def _codes(
    alphabets: Sequence[float], lengths: Sequence[float], unique: bool = False
) -> Mapping[str, Any]:
    """Place after place."""
    ways = 1
    for size, length in zip(alphabets, lengths, strict=True):
        for place in range(int(length)):
            ways *= int(size) - place if unique else int(size)
    return {"ways": ways}


def _meals(choices: Sequence[float]) -> Mapping[str, Any]:
    ways = 1
    for choice in choices:
        ways = sum(ways for _ in range(int(choice)))
    return {"ways": ways}


EXPECTED: Mapping[str, Callable[..., Mapping[str, Any]]] = {
    "permutations": _permutations,
    "combinations": _combinations,
    "factorial": _factorial,
    "sequences": _sequences,
    "multisets": _multisets,
    "orderings": _orderings,
    "handshakes": _handshakes,
    "letter_arrangements": _letter_arrangements,
    "choices_from_groups": _choices_from_groups,
    "committees": _committees,
    "codes": _codes,
    "meals": _meals,
}


def _whole(**numbers: float) -> str:
    for name, number in numbers.items():
        if not math.isfinite(number) or number != int(number) or number < 0:
            return f"{number:g} is no number of things ({name}): it must be whole and not below 0"
        if number > _MOST:
            return f"{number:g} ({name}) is too many to count: at most {_MOST:,}"
    return ""


def _fewer(n: float, k: float) -> str:
    problem = _whole(n=n, k=k)
    return problem or (f"{k:g} cannot be chosen from {n:g} without repetition" if k > n else "")


def _groups(sizes: Sequence[float], chosen: Sequence[float]) -> str:
    for size, number in zip(sizes, chosen, strict=True):
        problem = _fewer(size, number)
        if problem:
            return problem
    return ""


def _impossible_committee(
    group: float,
    others: float,
    members: float,
    low: float | None = None,
    high: float | None = None,
) -> str:
    if (low or 0) > members or (high is not None and high < 0):
        return f"{members:g} members cannot hold {low if low is not None else high:g} of a group"
    return _whole(group=group, others=others, members=members) or _fewer(group + others, members)


def _impossible_order(n: float, together: float = 0, **_: float) -> str:
    return _whole(n=n, together=together) or (
        f"{together:g} of {n:g} cannot stay together" if together > n or n < 1 else ""
    )


def _impossible_codes(
    alphabets: Sequence[float], lengths: Sequence[float], unique: bool = False
) -> str:
    if unique:
        return _groups(alphabets, lengths)
    numbers = {f"part {i + 1}": n for i, n in enumerate((*alphabets, *lengths))}
    return _whole(**numbers)


def _impossible_word(word: str, vowels_together: bool = False) -> str:
    letters = [letter for letter in word.upper() if letter.isalpha()]
    if vowels_together and not any(letter in "AEIOUÁÉÍÓÚÜ" for letter in letters):
        return f"{word} has no vowels"
    return "" if 1 <= len(letters) <= 60 else f"{word!r} is no word whose letters can be arranged"


IMPOSSIBLE: Mapping[str, Callable[..., str]] = {
    "permutations": _fewer,
    "combinations": _fewer,
    "factorial": _whole,
    "sequences": _whole,
    "multisets": lambda n, k: _whole(n=n, k=k) or ("there is nothing to choose" if n < 1 else ""),
    "orderings": _impossible_order,
    "handshakes": _whole,
    "letter_arrangements": _impossible_word,
    "choices_from_groups": _groups,
    "committees": _impossible_committee,
    "codes": _impossible_codes,
    "meals": lambda choices: _whole(**{f"choice {i + 1}": c for i, c in enumerate(choices)}),
}
