"""Patterns that are tried only where one of their cues stands. Pure functions.

Python tries a pattern at each place of a text, and an alternative of fifty words fifty times. To
cut a text into its words once, and to look for a few of them, takes a hundredth of that. A cue is
never more than a hint: what matches is decided by the pattern alone, so nothing changes but the
time.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

Words = frozenset[bytes]

_APART = bytes(byte if chr(byte).isalnum() or byte == 95 else 32 for byte in range(128)) + (
    b" " * 128
)
# Letters that a pattern without case takes for `i` or `s`, and that `lower` keeps or makes longer.
_ALIKE = (("\u0130", "i"), ("\u0131", "i"), ("\u017f", "s"))

_SHORT = 1_500  # characters
_latest: list[tuple[str, str, Words]] = [("", "", frozenset()), ("", "", frozenset())]


def small(text: str) -> str:
    """A text in small letters, each of which keeps its place."""
    if text.isascii():
        return text.lower()
    for letter, alike in _ALIKE:
        if letter in text:
            text = text.replace(letter, alike)
    return text.lower()


def words_in(low: str) -> Words:
    """The words of a text in small letters, as far as they are of ASCII letters, digits and `_`.

    Any other character parts words, so a word with an accent counts as its pieces.
    """
    return frozenset(low.encode("utf-8", "replace").translate(_APART).split())


def looked_at(text: str) -> tuple[str, Words]:
    """A text in small letters, and its words. Several patterns look at a text one after another, so
    the latest short text and the latest long text are remembered."""
    long = len(text) > _SHORT
    latest = _latest[long]
    if latest[0] is not text:
        low = small(text)
        latest = _latest[long] = (text, low, words_in(low))
    return latest[1], latest[2]


@dataclass(frozen=True, slots=True)
class Cued:
    """A pattern, of which every match holds one of these words, or one of these texts inside."""

    pattern: "re.Pattern[str]"
    cues: Words
    inside: tuple[str, ...] = ()

    def search(self, text: str) -> "re.Match[str] | None":
        """The first match in a text."""
        low, words = looked_at(text)
        if self.cues.isdisjoint(words):
            for cue in self.inside:
                if cue in low:
                    break
            else:
                return None
        return self.pattern.search(text)


@dataclass(frozen=True, slots=True)
class Counted:
    """A pattern without case, of which every match begins with one of these phrases.

    A phrase stands by its first word; a phrase without a word, or whose word may go on, has none
    and is always looked for.
    """

    pattern: "re.Pattern[str]"
    phrases: dict[bytes, tuple[str, ...]]
    always: tuple[str, ...]

    def count(self, text: str) -> int:
        """The number of matches in a text, one behind the other."""
        low, words = looked_at(text)
        places: list[int] = []
        for phrase in self.always:
            _add_places(places, low, phrase)
        for word in words & self.phrases.keys():
            for phrase in self.phrases[word]:
                _add_places(places, low, phrase)
        if len(places) > 1:
            places.sort()
        count = end = 0
        match_at = self.pattern.match
        for at in places:
            if at >= end:
                match = match_at(text, at)
                if match is not None:
                    count += 1
                    end = match.end()
        return count


def _add_places(places: list[int], low: str, phrase: str) -> None:
    at = low.find(phrase)
    while at >= 0:
        places.append(at)
        at = low.find(phrase, at + 1)


def cued(pattern: str, cues: str, inside: Collection[str] = (), *, flags: int = re.I) -> Cued:
    """`cues` are words with spaces between them."""
    return Cued(re.compile(pattern, flags), words_in(cues), tuple(inside))


def counted(pattern: str, phrases: Sequence[str], always: Collection[str] = ()) -> Counted:
    by_word: dict[bytes, tuple[str, ...]] = {}
    for phrase in phrases:
        first = phrase.encode().translate(_APART).split()[0]
        by_word[first] = (*by_word.get(first, ()), phrase)
    return Counted(re.compile(pattern, re.I), by_word, tuple(always))
