"""Finds forbidden words, phrases and patterns in a text.

Words are compared without regard to case, in Unicode's compatible form, and without invisible
signs; by default only whole words count, and any blanks between the words of a phrase. Patterns
are searched within a bounded time.

Not covered: letters of other alphabets that look alike, digits for letters, signs between letters.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_SECONDS = 0.2  # for all patterns of a guard on one text
_INVISIBLE = frozenset("\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")


class WordsTookTooLong(Exception):
    """A pattern took more than its time; the text was not checked."""


@dataclass(frozen=True, slots=True)
class WordSpan:
    """A place in a text that a rule of a list forbids; `rule` names the rule, not the words."""

    start: int
    end: int
    rule: str


@dataclass(frozen=True, slots=True)
class WordList:
    """The words and the patterns of one guard."""

    words: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()
    whole_words: bool = True

    def spans(self, text: str) -> list[WordSpan]:
        """The forbidden places in order, without overlaps."""
        places = sorted({*self._words_in(text), *self._patterns_in(text)}, key=_place)
        spans: list[WordSpan] = []
        for span in places:
            if not spans or span.start >= spans[-1].end:
                spans.append(span)
        return spans

    def _words_in(self, text: str) -> Iterator[WordSpan]:
        if not self.words:
            return
        folded, places = _folded(text)
        pattern = _words_pattern(self.words, whole_words=self.whole_words)
        for match in pattern.finditer(folded):
            if match.end() > match.start():
                rule = f"words[{int(match.lastgroup[1:])}]"
                start = places[match.start()] if places is not None else match.start()
                end = places[match.end() - 1] + 1 if places is not None else match.end()
                yield WordSpan(start, _with_marks(text, end), rule)

    def _patterns_in(self, text: str) -> Iterator[WordSpan]:
        for index, source in enumerate(self.regexes):
            pattern = _pattern(source)
            try:
                for match in pattern.finditer(text, timeout=_SECONDS, concurrent=True):
                    if match.end() > match.start():
                        yield WordSpan(match.start(), match.end(), f"regexes[{index}]")
            except TimeoutError:
                raise WordsTookTooLong(f"regexes[{index}] takes more than {_SECONDS} s") from None


def _place(span: WordSpan) -> tuple[int, int]:
    return span.start, -span.end


def _with_marks(text: str, end: int) -> int:
    """The end with the marks that belong to the last letter."""
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return end


def _folded(text: str) -> tuple[str, Sequence[int] | None]:
    """A text for comparison, and the place in the text of each of its characters; None: the same
    places."""
    if text.isascii():
        return text.lower(), None
    folded: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        for plain in _folded_char(char):
            folded.append(plain)
            places.append(place)
    return "".join(folded), places


@lru_cache(maxsize=4096)
def _folded_char(char: str) -> str:
    if char in _INVISIBLE:
        return ""
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())


@lru_cache(maxsize=64)
def _words_pattern(words: tuple[str, ...], *, whole_words: bool) -> Any:
    import regex  # imported late: most processes use no pattern

    parts = []
    # Longer phrases first, so that the rule of the whole phrase is named.
    for index, word in sorted(enumerate(words), key=lambda each: -len(each[1])):
        folded = "".join(map(_folded_char, word)).split()
        body = r"\s{1,8}".join(map(regex.escape, folded))
        if body:
            parts.append(f"(?P<w{index}>{body})")
    before, after = (r"(?<![\w\p{M}])", r"(?![\w\p{M}])") if whole_words else ("", "")
    return regex.compile(f"{before}(?:{'|'.join(parts) or '(?!)'}){after}", regex.V0)


@lru_cache(maxsize=256)
def _pattern(source: str) -> Any:
    import regex

    return regex.compile(source, regex.IGNORECASE | regex.FULLCASE | regex.V0)
