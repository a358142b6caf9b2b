"""Differences that never mattered, learned from pairs of requests with one answer.

Where two requests differ by "thanks a lot" and one answer is right for both, the difference did
not matter there. A difference that did not matter between requests of several kinds, and hardly
ever mattered, is idle. Most people's ways to begin, to end and to shorten become idle so; "there
and back", "without" and "median" for "mean" never do, because with them answers differ.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from router.reuse.forms.differences import Difference, IsWord, Words, same_words
from router.reuse.forms.form import is_mark

_KINDS = 3  # kinds of request between which a difference must not have mattered
_FOR_EACH = 6  # such kinds for each pair where it did matter, or seemed to
_MOST = 4_000  # differences that are counted
_MOST_PIECES = 4  # idle pieces in a row

Key = tuple[Words, Words]


@dataclass
class Habits:
    """For each difference, the kinds where it did not matter, and the pairs where it did."""

    is_word: IsWord
    _idle_in: dict[Key, set[str]] = field(default_factory=dict)
    _mattered: Counter[Key] = field(default_factory=Counter)
    _pieces: dict[Words, None] = field(default_factory=dict)  # idle words that may be left out

    def same_answer(self, between: Sequence[Difference], kind: str) -> None:
        """Two requests with these differences had one answer; `kind` says what they ask."""
        for difference in between:
            if self._overlooked(difference) or _holds_value(difference):
                continue
            key = difference.key
            if key not in self._idle_in and len(self._idle_in) >= _MOST:
                del self._idle_in[next(iter(self._idle_in))]
            self._idle_in.setdefault(key, set()).add(kind)
            self._note(key)

    def other_answer(self, between: Sequence[Difference]) -> None:
        """Two requests with these differences had different answers."""
        doubtful = [d for d in between if not self._made_of_pieces(d)] or between
        if len(doubtful) == 1:
            self._mattered[doubtful[0].key] += 1
            self._note(doubtful[0].key)

    def idle(self, between: Sequence[Difference]) -> bool:
        """Whether none of these differences matters."""
        return all(self._overlooked(difference) for difference in between)

    def _note(self, key: Key) -> None:
        if key[0]:
            return
        if self._is_idle(key):
            self._pieces[key[1]] = None
        else:
            self._pieces.pop(key[1], None)

    def _is_idle(self, key: Key) -> bool:
        kinds = len(self._idle_in.get(key, ()))
        return kinds >= max(_KINDS, _FOR_EACH * self._mattered[key])

    def _overlooked(self, difference: Difference) -> bool:
        return self._is_idle(difference.key) or self._made_of_pieces(difference)

    def _made_of_pieces(self, difference: Difference) -> bool:
        return self._is_made_of(difference.stored) and self._is_made_of(difference.request)

    def _is_made_of(self, words: Words, pieces: int = _MOST_PIECES) -> bool:
        """Whether these words are idle pieces, one after the other, slips allowed."""
        if not words:
            return True
        return pieces > 0 and any(
            same_words(piece, words[: len(piece)], self.is_word)
            and self._is_made_of(words[len(piece) :], pieces - 1)
            for piece in self._pieces
        )


def _holds_value(difference: Difference) -> bool:
    return any(is_mark(word) for word in (*difference.stored, *difference.request))
