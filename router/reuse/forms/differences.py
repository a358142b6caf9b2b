"""What sets two forms apart: the words of one that are not in the other, in their places. Pure.

A word with a slip of the finger (one letter more, less, other or swapped) is the same word, unless
it is a word of its own. Values are never compared here, but their kinds and their order must agree.
"""

from collections.abc import Callable, Sequence

from router.reuse.forms.form import is_mark
from router.value import value

Words = tuple[str, ...]
IsWord = Callable[[str], bool]
_LEAST_LETTERS, _LEAST_KNOWN = 5, 3  # letters of a word that may hold a slip
_MOST_DIFFERING = 40  # words


@value
class Difference:
    """Words of a stored form, and the words of a request in their place. One side may be empty."""

    stored: Words
    request: Words

    @property
    def key(self) -> tuple[Words, Words]:
        """The same for a difference and its reverse."""
        return (min(self.stored, self.request), max(self.stored, self.request))


def differences(stored: Words, request: Words, is_word: IsWord) -> tuple[Difference, ...] | None:
    """The differences in order, none if the forms are the same; None if their values disagree."""
    if [w for w in stored if is_mark(w)] != [w for w in request if is_mark(w)]:
        return None
    if stored == request:
        return ()
    begin = _in_common(stored, request)
    end = _in_common(stored[begin:][::-1], request[begin:][::-1])
    parts = stored[begin : len(stored) - end], request[begin : len(request) - end]
    pairs = [(begin + n, begin + m) for n, m in _aligned(*parts, is_word)]
    pairs = [
        *((n, n) for n in range(begin)),
        *pairs,
        *((len(stored) - n, len(request) - n) for n in range(end, 0, -1)),
    ]
    between: list[Difference] = []
    at_stored = at_request = 0
    for n, m in [*pairs, (len(stored), len(request))]:
        if n > at_stored or m > at_request:
            between.append(Difference(stored[at_stored:n], request[at_request:m]))
        at_stored, at_request = n + 1, m + 1
    if any(is_mark(w) for d in between for w in (*d.stored, *d.request)):
        return None
    if sum(len(d.stored) + len(d.request) for d in between) > _MOST_DIFFERING:
        return None
    return tuple(between)


def _in_common(first: Words, second: Words) -> int:
    """How many words both begin with."""
    pairs = zip(first, second, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))


def _aligned(stored: Words, request: Words, is_word: IsWord) -> list[tuple[int, int]]:
    """The longest common subsequence: pairs of places with the same word. A pair of marks weighs
    so much that marks are always paired."""
    rows, columns = len(stored), len(request)
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for n in range(rows - 1, -1, -1):
        for m in range(columns - 1, -1, -1):
            score = max(best[n + 1][m], best[n][m + 1])
            weight = _weight(stored[n], request[m], is_word)
            if weight:
                score = max(score, best[n + 1][m + 1] + weight)
            best[n][m] = score
    pairs = []
    n = m = 0
    while n < rows and m < columns:
        weight = _weight(stored[n], request[m], is_word)
        if weight and best[n][m] == best[n + 1][m + 1] + weight:
            pairs.append((n, m))
            n, m = n + 1, m + 1
        elif best[n][m] == best[n + 1][m]:
            n += 1
        else:
            m += 1
    return pairs


def _weight(first: str, second: str, is_word: IsWord) -> float:
    if first == second:
        return 100.0 if is_mark(first) else 1.0
    if first[0] != second[0] and first[0] != second[1:2]:
        return 0.0
    return 0.75 if slipped(first, second, is_word) else 0.0


def slipped(first: str, second: str, is_word: IsWord) -> bool:
    """Whether the two are one word, written with a slip. Two words of their own are two words. The
    first letter and the ending tell too much, and so does any letter of a short word that nobody
    knows: `kph` is not `mph`."""
    if is_mark(first) or is_mark(second) or not one_slip(first, second):
        return False
    if first[0] != second[0] and first[:2] != second[1::-1]:
        return False
    words = is_word(first), is_word(second)
    if all(words):
        return False
    shorter = min(len(first), len(second))
    if shorter >= _LEAST_LETTERS:
        return any(words) or first[-1] == second[-1]
    return any(words) and shorter >= _LEAST_KNOWN


def one_slip(first: str, second: str) -> bool:
    """Whether one letter was added, left out, replaced, or swapped with the next."""
    if abs(len(first) - len(second)) > 1:
        return False
    if len(first) > len(second):
        first, second = second, first
    at = 0
    while at < len(first) and first[at] == second[at]:
        at += 1
    if len(first) < len(second):
        return first[at:] == second[at + 1 :]
    if first[at + 1 :] == second[at + 1 :]:
        return True
    swapped = first[at : at + 2] == second[at : at + 2][::-1]
    return swapped and first[at + 2 :] == second[at + 2 :]


def same_words(first: Sequence[str], second: Sequence[str], is_word: IsWord) -> bool:
    return len(first) == len(second) and all(
        a == b or slipped(a, b, is_word) for a, b in zip(first, second, strict=True)
    )
