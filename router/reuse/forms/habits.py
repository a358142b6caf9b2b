"""Differences that never mattered, learned from pairs of requests with one answer.

Where two requests differ by "thanks a lot" and one answer is right for both, the difference did
not matter there. A difference that did not matter between requests of several kinds, and hardly
ever mattered, is idle. Most people's ways to begin, to end and to shorten become idle so; "there
and back", "without" and "median" for "mean" never do, because with them answers differ.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from router.reuse.forms.differences import Difference, IsWord, Words, same_words
from router.reuse.forms.form import is_mark

_KINDS = 3  # kinds of request between which a difference must not have mattered
_FOR_EACH = 6  # such kinds for each pair where it did matter, or seemed to
_MOST = 4_000  # differences that are counted
_MOST_PIECES = 4  # idle pieces of a difference

Key = tuple[Words, Words]


@dataclass
class Habits:
    """For each difference, the kinds where it did not matter, and the pairs where it did."""

    is_word: IsWord
    _idle_in: dict[Key, set[str]] = field(default_factory=dict)
    _mattered: Counter[Key] = field(default_factory=Counter)
    _pieces: dict[Words, None] = field(default_factory=dict)  # idle words that may be left out
    _by_letter: dict[str, list[Words]] = field(default_factory=dict)  # they begin or end so
    _rests: dict[Words, Words] = field(default_factory=dict)  # words without pieces at their ends

    def same_answer(self, between: Sequence[Difference], kind: str) -> None:
        """Two requests with these differences had one answer; `kind` says what they ask."""
        for difference in between:
            if self._overlooked(difference) or _holds_value(difference):
                continue
            key = self._rest(difference).key
            if key not in self._idle_in and len(self._idle_in) >= _MOST:
                del self._idle_in[next(iter(self._idle_in))]
            self._idle_in.setdefault(key, set()).add(kind)
            self._note(key)

    def other_answer(self, between: Sequence[Difference]) -> None:
        """Two requests with these differences had different answers."""
        doubtful = [d for d in between if not self._made_of_pieces(d)] or between
        if len(doubtful) == 1:
            rest = self._rest(doubtful[0])
            key = rest.key if rest.stored or rest.request else doubtful[0].key
            self._mattered[key] += 1
            self._note(key)

    def idle(self, between: Sequence[Difference]) -> bool:
        """Whether none of these differences matters."""
        return all(self._overlooked(difference) for difference in between)

    def words_changed(self) -> None:
        """A word may have become a word of its own, and is no slip of another one any more."""
        self._rests.clear()

    def _note(self, key: Key) -> None:
        """Keep the idle pieces: words that are idle against nothing."""
        first, second = key
        if first:
            return
        idle = self._is_idle(key)
        if idle == (second in self._pieces):
            return
        self._rests.clear()
        letters = {second[0][0], second[-1][0]}
        if idle:
            self._pieces[second] = None
            for letter in letters:
                self._by_letter.setdefault(letter, []).append(second)
            self._spread(second)
        else:
            del self._pieces[second]
            for letter in letters:
                self._by_letter[letter].remove(second)

    def _spread(self, piece: Words) -> None:
        """What was learned of words beside this piece was learned of these words alone."""
        for key in dict.fromkeys((*self._idle_in, *self._mattered)):
            if key == ((), piece):
                continue
            stored, request = (_without(piece, side) for side in key)
            rest = Difference(stored, request).key
            if rest == key:
                continue
            kinds, mattered = self._idle_in.pop(key, set()), self._mattered.pop(key, 0)
            if rest != ((), ()):
                self._idle_in.setdefault(rest, set()).update(kinds)
                if mattered:
                    self._mattered[rest] += mattered
                self._note(rest)

    def _is_idle(self, key: Key) -> bool:
        kinds = len(self._idle_in.get(key, ()))
        return kinds >= max(_KINDS, _FOR_EACH * self._mattered[key])

    def _overlooked(self, difference: Difference) -> bool:
        if self._is_idle(difference.key):
            return True
        rest = self._rest(difference)
        return self._is_idle(rest.key) or not (rest.stored or rest.request)

    def _made_of_pieces(self, difference: Difference) -> bool:
        rest = self._rest(difference)
        return not (rest.stored or rest.request)

    def _rest(self, difference: Difference) -> Difference:
        """The difference without idle pieces at its ends, slips allowed."""
        return Difference(self.rest(difference.stored), self.rest(difference.request))

    def rest(self, words: Words) -> Words:
        """The words without idle pieces at their begin and end."""
        rest = self._rests.get(words)
        if rest is None:
            rest = words
            for _ in range(_MOST_PIECES):
                lengths = (self._idle_at_an_end(rest, piece) for piece in self._at_ends(rest))
                begin, end = max(lengths, key=sum, default=(0, 0))
                if not begin + end:
                    break
                rest = rest[begin : len(rest) - end]
            if len(self._rests) >= _MOST:
                self._rests.clear()
            self._rests[words] = rest
        return rest

    def _at_ends(self, words: Words) -> Iterator[Words]:
        """Pieces that these words may begin or end with. A slip may swap two first letters."""
        ends = (words[0][:2] + words[-1][:2]) if words else ""
        for letter in dict.fromkeys(ends):
            yield from self._by_letter.get(letter, ())

    def _idle_at_an_end(self, words: Words, piece: Words) -> tuple[int, int]:
        """How many words this piece is at the begin, or else at the end."""
        count = len(piece)
        if count > len(words):
            return 0, 0
        if same_words(piece, words[:count], self.is_word):
            return count, 0
        return (0, count) if same_words(piece, words[-count:], self.is_word) else (0, 0)


def _without(piece: Words, words: Words) -> Words:
    """The words without the piece at their begin and at their end."""
    count = len(piece)
    if words[:count] == piece:
        words = words[count:]
    return words[:-count] if words[-count:] == piece else words


def _holds_value(difference: Difference) -> bool:
    return any(is_mark(word) for word in (*difference.stored, *difference.request))
