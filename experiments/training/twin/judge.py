"""Says which author wrote a text, and how much of a text is copied.

The judge is a linear model over pieces of words of all authors. It is fitted once for each request,
to texts that answer other requests: neither a topic nor a text that it knows gives an author away.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_LONG = 8  # words in a row that count as copied
_SIGN_OFF = 40  # characters of a last line that is a sign-off

Run = tuple[str, ...]  # words in a row


@dataclass(frozen=True, slots=True)
class Text:
    """What an author wrote to a request; all authors wrote to the same requests."""

    author: str
    number: int
    prompt: str
    text: str


class Judge:
    def __init__(self, texts: Sequence[Text]) -> None:
        self.authors = sorted({text.author for text in texts})
        self._texts = texts
        self._models: dict[int, Any] = {}

    def author_of(self, text: str, number: int) -> str:
        """Whose voice a text has, by a model that knows no text to the request `number`."""
        if number not in self._models:
            self._models[number] = self._fitted(number)
        return str(self._models[number].predict([text])[0])

    def _fitted(self, number: int) -> Any:
        from sklearn.feature_extraction.text import (  # type: ignore[import-untyped]
            TfidfVectorizer,
        )
        from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
        from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]

        rows = [row for row in self._texts if row.number != number]
        model = make_pipeline(
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, min_df=2),
            LogisticRegression(C=10.0, max_iter=500),
        )
        return model.fit([row.text for row in rows], [row.author for row in rows])


def signatures(texts: Sequence[str]) -> frozenset[str]:
    """The words of all sign-offs, the authors' names among them."""
    lines = [text.strip().splitlines()[-1] for text in texts]
    return frozenset(w.casefold() for line in lines for w in words(line) if len(line) <= _SIGN_OFF)


def unsigned(text: str, signed: Collection[str]) -> str:
    """A text without a sign-off and, wherever they stand, without the words of sign-offs."""
    lines = text.strip().splitlines()
    if len(lines) > 1 and len(lines[-1]) <= _SIGN_OFF:
        lines = lines[:-1]
    body = " ".join(lines)
    kept = _WORD.sub(lambda word: "" if word[0].casefold() in signed else word[0], body)
    return " ".join(kept.split())


def words(text: str) -> list[str]:
    return _WORD.findall(text)


def runs(text: str) -> list[Run]:
    """Each eight words in a row."""
    plain = [word.casefold() for word in words(text)]
    return [tuple(plain[n : n + _LONG]) for n in range(len(plain) - _LONG + 1)]


def copied(text: str, sources: Collection[Run]) -> tuple[int, int]:
    """How many runs of a text occur in the sources, and how many runs it has."""
    own = runs(text)
    return sum(run in sources for run in own), len(own)
