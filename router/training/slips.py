"""Whether texts differ in slips alone: misspellings, courtesies, the order of sentences. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from importlib.resources import files

from router.training.wording import sentences_of, words_of

_FAMILIAR = 4  # rows that use a word which is no slip
_MOST_MORE = 8  # words that courtesies may add
# Greetings, thanks and the like, which change nothing wherever they stand.
_COURTESY = re.compile(
    r"(?:(?:hi|hello|hey|dear)(?: there| all| team)?|good (?:morning|afternoon|evening|day)"
    r"|greetings|(?:a )?quick question|excuse me|sorry to bother you|please|pls|plz|kindly"
    r"|(?:many |a lot of )?(?:thanks|thank you|thx|ty)(?: a lot| so much| very much| in advance)?"
    r"|much appreciated|cheers|(?:best |kind |warm )?regards"
    r"|hallo|guten (?:tag|morgen|abend)|bitte|danke|vielen dank|bonjour|bonsoir|merci"
    r"|s il vous plait|hola|buenos dias|por favor|gracias|ciao|per favore|grazie)"
)


@dataclass(frozen=True, slots=True)
class WordChanges:
    """The words that stand in one text alone, place by place."""

    changes: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]

    @property
    def words(self) -> int:
        return sum(max(len(old), len(new)) for old, new in self.changes)


def difference(first: Sequence[str], second: Sequence[str]) -> WordChanges:
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    changes = [
        (tuple(first[a:b]), tuple(second[c:d]))
        for kind, a, b, c, d in matcher.get_opcodes()
        if kind != "equal"
    ]
    return WordChanges(tuple(changes))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How many rows use each word, to tell misspellings from words."""

    counts: Mapping[str, int]

    def knows(self, word: str) -> bool:
        return word in english() or self.counts.get(word, 0) >= _FAMILIAR

    def misspelt(self, first: str, second: str) -> bool:
        """Whether one of two words is a misspelling of the other.

        A misspelling is rare and no common word, so two common words never are.
        """
        if any(char.isdigit() for char in first + second) or min(len(first), len(second)) < 3:
            return False
        if self.knows(first) and self.knows(second):
            return False
        rare = min(self.counts.get(first, 0), self.counts.get(second, 0)) <= 2
        edits, length = _edits(first, second), min(len(first), len(second))
        if self.knows(first) or self.knows(second):
            return edits <= (2 if rare and length >= 5 else 1)
        return rare and edits <= 1 and length >= 6


def slips_alone(first: str, second: str, vocabulary: Vocabulary) -> bool:
    """Whether two texts differ in misspellings, spaces within words, courtesies or the order of
    their sentences alone."""
    if _only_slips(words_of(first), words_of(second), vocabulary):
        return True
    old, new = (
        [words for words in sentences_of(text) if not _courteous(words)] for text in (first, second)
    )
    if len(old) != len(new) or len(old) < 2:
        return False
    left = list(new)
    for sentence in old:
        same = next((s for s in left if _only_slips(sentence, s, vocabulary)), None)
        if same is None:
            return False
        left.remove(same)
    return True


def _only_slips(first: Sequence[str], second: Sequence[str], vocabulary: Vocabulary) -> bool:
    if abs(len(first) - len(second)) > _MOST_MORE:
        return False
    changed = difference(first, second)
    return all(_slip(old, new, vocabulary) for old, new in changed.changes)


def _slip(old: tuple[str, ...], new: tuple[str, ...], vocabulary: Vocabulary) -> bool:
    if "".join(old) == "".join(new):
        return True
    if not old or not new:
        return _courteous(old or new)
    if len(old) == len(new):
        return all(a == b or vocabulary.misspelt(a, b) for a, b in zip(old, new, strict=True))
    longer, shorter = (old, new) if len(old) > len(new) else (new, old)
    more = len(longer) - len(shorter)
    return (_courteous(longer[:more]) and _slip(longer[more:], shorter, vocabulary)) or (
        _courteous(longer[-more:]) and _slip(longer[:-more], shorter, vocabulary)
    )


def _courteous(words: Sequence[str]) -> bool:
    text = " ".join(words)
    while match := _COURTESY.match(text):
        if match.end() < len(text) and text[match.end()] != " ":
            return False
        text = text[match.end() :].strip()
    return not text


def _edits(first: str, second: str) -> int:
    """Characters to change; two neighbours that swapped their places count as one change."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        last, before, row = before, row, [i]
        for j, b in enumerate(second, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == second[j - 2] and first[i - 2] == b:
                best = min(best, last[j - 2] + 1)
            row.append(best)
    return row[-1]


@cache
def english() -> frozenset[str]:
    """Common words of English."""
    lists = (files("router") / "reuse" / "english.txt").read_text("utf-8")
    return frozenset(lists.split())


def vocabulary_of(rows: Iterable[Sequence[str]]) -> Vocabulary:
    return Vocabulary(Counter(word for words in rows for word in set(words)))
