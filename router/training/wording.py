"""The words of requests in a form in which they can be compared, and their differences. Pure.

Requests of a task often share a long instruction. What many rows share is their frame; two rows are
compared by what is their own, and only if their frames agree. So a question that differs in one
word from another is not taken for its copy because of the instruction around both.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from hashlib import blake2b
from importlib.resources import files

from router.guardrails.folding import folded, plain
from router.reuse.lexicon import lexicon

_TOKEN = re.compile(r"\w+(?:['\u2019]\w+)*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_RUN = 6  # words in a row that make a part of a frame
_FEWEST = 5  # rows, and
_SHARE = 0.05  # the share of all rows, that have a run in common if it is of a frame
_GRAM = 4  # characters of a shingle
_SHORT = 40  # words of a text that is judged whole
_LONGEST = 8_000  # characters that are compared, half from each end
_COURTESY = frozenset({
    "please", "pls", "plz", "kindly", "thanks", "thank", "thx", "hi", "hello", "hey", "dear",
    "cheers", "regards", "bitte", "danke", "hallo", "merci", "bonjour", "gracias", "hola",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wording:
    """A text's own words, folded, and the words of the frame that it shares with other rows."""

    text: str  # the own words as they were written
    words: tuple[str, ...]
    frame: frozenset[str]


def normal(text: str) -> str:
    """A text in which only spaces and Unicode's compatible forms were evened out."""
    return " ".join(plain(text)[0].split())


def words_of(text: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(folded(text)[0]))


def numbers_of(text: str) -> Counter[str]:
    return Counter(number.strip(".,") for number in _NUMBER.findall(plain(text)[0]))


def wordings(texts: Sequence[str]) -> list[Wording]:
    """The wording of each text, beside the others."""
    pieces = [_pieces(_cut(text)) for text in texts]
    runs = Counter(run for text in pieces for run in set(_runs(text)))
    least = max(_FEWEST, int(_SHARE * len(texts)) + 1)
    common = {run for run, count in runs.items() if count >= least}
    return [_wording(text, common) for text in pieces]


def _cut(text: str) -> str:
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]} {text[-half:]}"


def _pieces(text: str) -> list[tuple[str, str]]:
    """The words of a text with the signs around them, each as written and as it is compared."""
    return [(piece, "".join(_TOKEN.findall(folded(piece)[0]))) for piece in text.split()]


def _runs(pieces: Sequence[tuple[str, str]]) -> Iterable[int]:
    words = [word for _, word in pieces]
    for start in range(len(words) - _RUN + 1):
        yield hash_of(" ".join(words[start : start + _RUN]))


def _wording(pieces: list[tuple[str, str]], common: Collection[int]) -> Wording:
    framed = [False] * len(pieces)
    for start, run in enumerate(_runs(pieces)):
        if run in common:
            framed[start : start + _RUN] = [True] * _RUN
    if all(framed):  # a row that is nothing but a frame is compared whole
        framed = [False] * len(pieces)
    marked = [(*piece, is_frame) for piece, is_frame in zip(pieces, framed, strict=True)]
    own = " ".join(as_written for as_written, _, is_frame in marked if not is_frame)
    frame = frozenset(word for _, word, is_frame in marked if is_frame)
    return Wording(own, words_of(own), frame)


def one_frame(first: Wording, second: Wording) -> bool:
    """Whether two rows share their frame, but for a few words."""
    if not first.frame and not second.frame:
        return True
    both = len(first.frame & second.frame)
    return both >= 0.8 * len(first.frame | second.frame)


def hash_of(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def shingles(words: Sequence[str]) -> frozenset[int]:
    """The pieces of four characters of these words, as numbers."""
    text = " ".join(words)
    if len(text) <= _GRAM:
        return frozenset((hash_of(text),)) if text else frozenset()
    return frozenset(hash_of(text[start : start + _GRAM]) for start in range(len(text) - _GRAM + 1))


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


def around_changes(first: str, second: str, context: int = 8) -> tuple[str, str]:
    """Both texts, cut to their differences and some words around each; whole if they are short or
    have little in common."""
    old, new = _pieces(first), _pieces(second)
    if max(len(old), len(new)) <= _SHORT:
        return first, second
    matcher = SequenceMatcher(None, [w for _, w in old], [w for _, w in new], autojunk=False)
    if matcher.ratio() < 0.5:
        return first, second
    kept_old, kept_new = set[int](), set[int]()
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            kept_old.update(range(max(a - context, 0), min(b + context, len(old))))
            kept_new.update(range(max(c - context, 0), min(d + context, len(new))))
    return tuple(  # type: ignore[return-value]
        " ".join(pieces[at][0] for at in sorted(kept))
        for pieces, kept in ((old, kept_old), (new, kept_new))
    )


def slips_alone(changed: WordChanges, familiar: Collection[str]) -> bool:
    """Whether two texts differ in misspellings, spaces within words and courtesies alone.

    A misspelling turns a word into something that is no word, so a pair of words of which both are
    `familiar` is never one.
    """
    return all(_slip(old, new, familiar) for old, new in changed.changes)


def _slip(old: tuple[str, ...], new: tuple[str, ...], familiar: Collection[str]) -> bool:
    if "".join(old) == "".join(new):
        return not any(word.isdigit() for word in (*old, *new)) or old == new
    idle = _COURTESY | lexicon().idle
    old, new = (tuple(w for w in words if w not in idle) for words in (old, new))
    if not old and not new:
        return True
    if len(old) != len(new):
        return False
    return all(a == b or _misspelt(a, b, familiar) for a, b in zip(old, new, strict=True))


def _misspelt(first: str, second: str, familiar: Collection[str]) -> bool:
    if any(char.isdigit() for char in first + second) or min(len(first), len(second)) < 3:
        return False
    if (first in familiar) == (second in familiar):
        return False
    return _edits(first, second) <= (1 if min(len(first), len(second)) < 8 else 2)


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


def familiar_words(rows: Iterable[Sequence[str]], least: int = 4) -> frozenset[str]:
    """Words that are no slips: common English, and what several rows use."""
    counts = Counter(word for words in rows for word in set(words))
    return english() | {word for word, count in counts.items() if count >= least}


def runs_in(words: Sequence[str], length: int) -> set[int]:
    """Every run of so many words, as numbers."""
    return {
        hash_of(" ".join(words[start : start + length])) for start in range(len(words) - length + 1)
    }
