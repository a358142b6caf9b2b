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
from hashlib import blake2b

from router.guardrails.folding import folded, plain

_TOKEN = re.compile(r"\w+(?:['\u2019]\w+)*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_RUN = 6  # words in a row that make a part of a frame
_FEWEST = 5  # rows, and
_SHARE = 0.05  # the share of all rows, that have a run in common if it is of a frame
_GRAM = 4  # characters of a shingle
_SHORT = 40  # words of a text that is judged whole
_LONGEST = 8_000  # characters that are compared, half from each end
_SENTENCE = re.compile(r"(?<![.!?:\u2026])[.!?:\u2026]++(?=\s|$)|\n+")
_NAME = re.compile(r"(?<=[\w,;)] )(?!I\b)[^\W\d_a-z]\w*")
_SHORT_FORMS = {
    "n't": " not", "'ve": " have", "'re": " are", "'ll": " will", "'m": " am",
}  # fmt: skip
_IS = frozenset("what who where how it that there here when he she".split())  # noqa: SIM905


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
    """The words of a text, folded; short forms such as `what's` are written out."""
    words = _TOKEN.findall(folded(text)[0])
    return tuple(part for word in words for part in _written_out(word))


def _written_out(word: str) -> list[str]:
    word = word.replace("\u2019", "'")
    if "'" not in word:
        return ["can", "not"] if word == "cannot" else [word]
    if word in ("can't", "won't"):
        return ["can" if word == "can't" else "will", "not"]
    for ending, whole in _SHORT_FORMS.items():
        if word.endswith(ending):
            return (word.removesuffix(ending) + whole).split()
    before, _, after = word.partition("'")
    return [before, "is"] if after == "s" and before in _IS else [word]


def sentences_of(text: str) -> list[tuple[str, ...]]:
    """The words of each sentence."""
    return [words for each in _SENTENCE.split(text) if (words := words_of(each))]


def numbers_of(text: str) -> Counter[str]:
    return Counter(number.strip(".,") for number in _NUMBER.findall(plain(text)[0]))


def names_of(text: str) -> frozenset[str]:
    """Words that are written with a capital within a sentence, unless all is in capitals."""
    names = (name for name in _NAME.findall(text) if not name.isupper() or len(name) == 1)
    return frozenset(folded(name)[0].removesuffix("s") for name in names)


def words_as_names(text: str) -> frozenset[str]:
    """All words of a text, in the form that names have."""
    return frozenset(word.removesuffix("s") for word in words_of(text))


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


def runs_in(words: Sequence[str], length: int) -> set[int]:
    """Every run of so many words, as numbers."""
    return {
        hash_of(" ".join(words[start : start + length])) for start in range(len(words) - length + 1)
    }


def reordered(first: str, second: str) -> bool:
    """Whether two texts have the same words in another order: from A to B, and from B to A."""
    old, new = words_of(first), words_of(second)
    return old != new and Counter(old) == Counter(new)
