"""Finds forbidden words, phrases and patterns in a text.

Words are compared as `folding` says; by default only whole words count, with any blanks between
the words of a phrase. In writing without blanks, such as Chinese, a word counts anywhere. Signs of
a word count: `C++` is not `C`. A pattern is searched as it is written, in bounded time.

Not covered: inflections, digits for letters, signs between letters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from router.guardrails.folding import folded, plain

_SECONDS = 0.2  # for one pattern on one text
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_LETTER = rf"(?![{_UNSPACED}_])[\w\p{{M}}]"  # a letter that would make a word longer
_LONGER_SIGN = r"(?!\+\+|#(?!\w))"  # a sign that makes another word of one or two letters


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
        comparable, places = folded(text)
        pattern = _words_pattern(self.words, whole_words=self.whole_words)
        for match in pattern.finditer(comparable, concurrent=True):
            rule = f"words[{int(match.lastgroup[1:])}]"
            yield _span(match, places, rule)

    def _patterns_in(self, text: str) -> Iterator[WordSpan]:
        if not self.regexes:
            return
        compatible, places = plain(text)
        forms = [(text, None)] if compatible == text else [(text, None), (compatible, places)]
        for index, source in enumerate(self.regexes):
            rule = f"regexes[{index}]"
            for form, at in forms:
                try:
                    for match in _pattern(source).finditer(form, timeout=_SECONDS, concurrent=True):
                        if match.end() > match.start():
                            yield _span(match, at, rule)
                except TimeoutError:
                    raise WordsTookTooLong(f"{rule} takes more than {_SECONDS} s") from None


def _span(match: Any, places: Sequence[int] | None, rule: str) -> WordSpan:
    start, end = match.span()
    return (
        WordSpan(start, end, rule)
        if places is None
        else WordSpan(places[start], places[end - 1] + 1, rule)
    )


def _place(span: WordSpan) -> tuple[int, int]:
    return span.start, -span.end


@lru_cache(maxsize=64)
def _words_pattern(words: tuple[str, ...], *, whole_words: bool) -> Any:
    import regex  # imported late: most processes use no pattern

    parts = []
    # Longer phrases first, so that the rule of the whole phrase is named.
    for index, word in sorted(enumerate(words), key=lambda each: -len(each[1])):
        phrase = folded(word)[0].split()
        if phrase:
            body = r"\s{1,8}".join(map(regex.escape, phrase))
            ends = _ends("".join(phrase)) if whole_words else ("", "")
            parts.append(f"{ends[0]}(?P<w{index}>{body}){ends[1]}")
    return regex.compile("|".join(parts) or r"(?!)", regex.V0)


def _ends(word: str) -> tuple[str, str]:
    """What must not stand before and after a whole word."""
    import regex

    letter = regex.compile(_LETTER)
    before = rf"(?<!{_LETTER})" if letter.match(word[0]) else ""
    if letter.match(word[-1]):
        return before, rf"(?!{_LETTER})" + (_LONGER_SIGN if len(word) <= 2 else "")
    signs = not word[-1].isalnum()
    return before, rf"(?!{regex.escape(word[-1])})" if signs else ""


@lru_cache(maxsize=256)
def _pattern(source: str) -> Any:
    import regex

    return regex.compile(source, regex.V0)
