"""A text as words, numbers and marks, and how it speaks of each: said, denied, past, or unsure.

All work is linear in the length of the text: each token looks at a few tokens around it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeVar

from router.records.catalogue.tables import plain


def words_in(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TOKEN = re.compile(
    r"\d++(?:[.,:/-]\d++)*+|[^\W\d_]++(?:['-][^\W\d_]++)*+(?:\d(?![\d.,]))?+|\S"
)  # fmt: skip
_ENDS = frozenset(".!?;\n|")
_BREAKS = frozenset(".!?;|,:()\u2013\u2014") | words_in(
    "but pero sino however though aunque now ahora"
)
_TITLES = words_in("mr mrs ms dr prof st sr sra srta dra no nr approx")
_DENIALS = words_in(
    "not no isn't aren't wasn't doesn't don't won't can't never without "
    "neither nor except unlike excluding ni sin nunca jamas tampoco excepto salvo discontinued "
    "agotado agotada"
)
_DENIED_PAIRS = frozenset(
    (
        *(("instead", "of"), ("rather", "than"), ("sold", "out"), ("out", "of"), ("ya", "no")),
        *(("vez", "de"), ("lugar", "de"), ("no", "longer"), ("anything", "but")),
    )
)
_ONLY = words_in("only just solo sólo solamente")
_UNSURE = words_in(
    "if unless whether maybe perhaps might could possibly quiza quizas quizá quizás si"
)
_PAST = words_in("was were formerly previously originally once former antes era eran antiguo")
_PAST_PAIRS = frozenset([("used", "to"), ("solia", "ser")])
_NUMBERS = {
    word: n
    for words in (
        "one two three four five six seven eight nine ten eleven twelve",
        "uno dos tres cuatro cinco seis siete ocho nueve diez once doce",
    )
    for n, word in enumerate(words.split(), 1)
} | {"una": 1, "un": 1}
Value = TypeVar("Value")
_MOST = 4_000  # characters of a text that are read
_BACK = 6  # tokens before a mention that can deny it


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    low: str  # without capitals and accents
    sentence: int

    @property
    def is_number(self) -> bool:
        return self.text[0].isdigit()

    @property
    def is_word(self) -> bool:
        return self.text[0].isalpha()

    @property
    def is_name(self) -> bool:
        return self.text[0].isupper()


@dataclass(frozen=True, slots=True)
class Mention:
    """A value that a text speaks of, and where: from token `start` to before token `end`."""

    value: Any
    start: int
    end: int


@lru_cache(maxsize=8192)
def _folded(word: str) -> str:
    return plain(word)


class Text:
    """The tokens of a text."""

    def __init__(self, text: str) -> None:
        self.text = text[:_MOST].replace("\n", " ; ").replace("\u2019", "'")
        self.tokens: list[Token] = []
        sentence = 0
        for match in _TOKEN.finditer(self.text):
            token = Token(match[0], _folded(match[0]), sentence)
            self.tokens.append(token)
            title = len(self.tokens) > 1 and self.tokens[-2].low in _TITLES and token.text == "."
            sentence += token.text in _ENDS and not title
        self._questions = {token.sentence for token in self.tokens if token.text == "?"}

    def low(self, index: int) -> str:
        return self.tokens[index].low if 0 <= index < len(self.tokens) else ""

    def before(self, index: int, most: int = 5, breaks: frozenset[str] = _BREAKS) -> list[str]:
        """The words before a token in its clause, the nearest first."""
        words = []
        for n in range(index - 1, max(index - 1 - most, -1), -1):
            if self.tokens[n].low in breaks:
                break
            words.append(self.tokens[n].low)
        return words

    def after(self, index: int, most: int = 4) -> list[str]:
        """The words from a token on, in its clause."""
        words = []
        for token in self.tokens[index : index + most]:
            if token.low in _BREAKS:
                break
            words.append(token.low)
        return words

    def is_sure(self, mention: Mention, *, past: bool = True, back: int = _BACK) -> bool:
        """Whether the text says that this is so: no denial, no question, nothing of the past."""
        if self.tokens[mention.start].sentence in self._questions:
            return False
        if (self.low(mention.start - 2), self.low(mention.start - 1)) in _DENIED_PAIRS:
            return False
        words = self.before(mention.start, back)
        pairs = {(a, b) for b, a in pairwise(words)}
        later = self.after(mention.end, 3)
        pairs |= set(pairwise(later)) & {("sold", "out"), ("of", "stock")}
        if _DENIED_PAIRS & pairs or {"agotado", "agotada"} & set(later):
            return False
        if any(w in _DENIALS and words[n - 1] not in _ONLY for n, w in enumerate(words)):
            return False
        if _UNSURE & set(words):
            return False
        return not (past and (_PAST & set(words[:3]) or _PAST_PAIRS & pairs))

    def numbers(self) -> Iterator[Mention]:
        """The plain numbers; small ones may be written as words."""
        for n, token in enumerate(self.tokens):
            if token.is_number and (value := number_of(token.text)) is not None:
                yield Mention(value, n, n + 1)
            elif token.low in _NUMBERS:
                yield Mention(float(_NUMBERS[token.low]), n, n + 1)

    def phrases(self, values: Sequence[str]) -> Iterator[Mention]:
        """Where the text has one of these values; of two at one place, the longer."""
        by_first = _by_first_word(tuple(values))
        n = 0
        while n < len(self.tokens):
            for words, value in by_first.get(self.tokens[n].low, ()):
                if [t.low for t in self.tokens[n : n + len(words)]] == words:
                    yield Mention(value, n, n + len(words))
                    n += len(words) - 1
                    break
            n += 1


@lru_cache(maxsize=256)
def _by_first_word(values: tuple[str, ...]) -> dict[str, list[tuple[list[str], str]]]:
    """The words of each value, by the first; longer values come first."""
    made: dict[str, list[tuple[list[str], str]]] = {}
    for value in values:
        words = [plain(match) for match in _TOKEN.findall(value)]
        if words:
            made.setdefault(words[0], []).append((words, value))
    for listed in made.values():
        listed.sort(key=lambda pair: -len(pair[0]))
    return made


def number_of(text: str) -> float | None:
    """The number that a text of digits and marks is; None for dates, ranges and fractions."""
    if any(mark in text for mark in "/:-"):
        return None
    last = max(text.rfind("."), text.rfind(","))
    if last < 0:
        return float(text)
    marks = {mark for mark in text if mark in ".,"}
    thousands = len(text) - last - 1 == 3 and (len(marks) == 1) and text[0] != "0"
    if thousands:
        return float(text.replace(".", "").replace(",", ""))
    whole = text[:last].replace(".", "").replace(",", "")
    return float(f"{whole}.{text[last + 1 :]}")


def only(values: Sequence[Value]) -> Value | None:
    """The value if all are the same; None where there is none, or several."""
    return values[0] if values and all(value == values[0] for value in values) else None
