"""The features of a request for learned models: the one function that training and serving share.

Its name stands in each model's card, and a model made with features of another name is refused. So
whoever changes what this module computes gives it another name. A request is its latest message of
a user, and whatever stands before it, such as instructions. Pure functions.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import log1p
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from router.guardrails.personal import personal_spans
from router.request.plain import folded
from router.request.terms import make
from router.request.text import texts_of

if TYPE_CHECKING:
    from router.encoding.encodes import Encodes

FEATURES = "features-1"
DIMENSIONS = 384  # of a sentence vector
_HEAD, _TAIL = 6000, 2000  # characters read at the start and at the end of a long text
_PLACEHOLDER = re.compile(r"\[(EMAIL|PHONE|CARD|IBAN)_[0-9]{1,6}\]")
_TOKEN = re.compile(r"\d[\d.,]*\d|\d|[^\W\d_]+|[^\s\w]")
_SENTENCE_MARKS = frozenset(".,;:!?¿¡\"'\u2018\u2019\u201c\u201d«»…()[]{}|*`")
_STEPS = tuple(factor * 10**power for power in range(7) for factor in (1, 2, 5))
_MOST_NUMBERS = 12

# Each sort of feature has buckets of its own: where they begin, and how many they are.
WORDS, PAIRS, NUMBERS, BEFORE, ANSWER, STYLE, PIECES = (
    (0, 8192),
    (8192, 8192),
    (16384, 4096),
    (20480, 2048),
    (22528, 4096),
    (26624, 2048),
    (28672, 16384),
)
BUCKETS = 45056
_PIECE = 4  # characters; pieces of words forgive slips, and are alike in related languages
_MOST_PIECES = 2000

Array = NDArray[np.float32]
Buckets = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of a request, and of an answer to it if the answer is what is looked at."""

    last: str
    before: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Features:
    """Buckets in rising order with their weights, and a sentence vector or an empty array."""

    buckets: Buckets
    weights: Array
    vector: Array


def words_of(messages: Any, answer: str = "") -> Asked:
    """The words of a conversation's latest user message, and of all messages before it."""
    listed = [m for m in messages if isinstance(m, Mapping)] if isinstance(messages, list) else []
    users = [n for n, message in enumerate(listed) if message.get("role") == "user"]
    last = users[-1] if users else len(listed)
    before = "\n".join(text for message in listed[:last] for text in texts_of(message))
    return Asked("\n".join(texts_of(listed[last])) if users else "", before, answer)


def features_of(question: Asked, encoder: "Encodes | None" = None) -> Features:
    """The features of a request; without an encoder, they have no sentence vector."""
    counts: dict[int, float] = {}
    question = Asked(*(blanked(text) for text in (question.last, question.before, question.answer)))
    tokens = tokens_of(question.last)
    _add(counts, WORDS, tokens)
    _add(counts, PAIRS, [f"{a} {b}" for a, b in pairwise(tokens)])
    _add(counts, NUMBERS, _sizes(question.last))
    _add(counts, BEFORE, tokens_of(question.before))
    _add(counts, STYLE, _style(question.last))
    _add(counts, PIECES, _pieces(question.last))
    if question.answer:
        answer = tokens_of(question.answer)
        length = [f"length {int(2 * log1p(len(answer)))}"]
        _add(counts, ANSWER, [*answer, *length])
    buckets = np.array(sorted(counts), np.int32)
    weights = np.array([1 + np.log(counts[bucket]) for bucket in buckets.tolist()], np.float32)
    return Features(buckets, weights, _vector(question.last, encoder))


def blanked(text: str) -> str:
    """A text with one word for each sort of personal data. Data sets hold placeholders where
    requests hold the data itself, and both must have the same features."""
    text, pieces, last = _cut(text), [], 0
    for span in personal_spans(text):
        pieces.append(f"{text[last : span.start]}personal{span.kind}")
        last = span.end
    return _PLACEHOLDER.sub(lambda m: f"personal{m[1].lower()}", "".join([*pieces, text[last:]]))


def tokens_of(text: str) -> list[str]:
    """The words of a text in small letters and without accents; each number is `#`."""
    return [
        "#" if token[0].isdigit() else token
        for token in _TOKEN.findall(folded(text))
        if token not in _SENTENCE_MARKS
    ]


def weighed(features: Features, columns: Buckets, rarity: Array) -> tuple[Buckets, Array]:
    """The columns of a model that a request has, and their values: each sort has length one.

    `columns` are the buckets that the model knows, in rising order, and `rarity` their weights.
    """
    if not len(columns):
        return np.zeros(0, np.int32), np.zeros(0, np.float32)
    at = np.minimum(np.searchsorted(columns, features.buckets), len(columns) - 1)
    here = columns[at] == features.buckets
    positions = at[here].astype(np.int32)
    values = features.weights[here] * rarity[positions]
    kinds = np.searchsorted(_ENDS, columns[positions], side="right")
    lengths = np.sqrt(np.bincount(kinds, values * values, minlength=len(_ENDS)))
    return positions, (values / np.maximum(lengths[kinds], 1e-9)).astype(np.float32)


def share_known(features: Features, columns: Buckets, kind: tuple[int, int]) -> float:
    """The share of a request's words of one sort that stand in a model's columns."""
    begin, count = kind
    mine = features.buckets[(features.buckets >= begin) & (features.buckets < begin + count)]
    return float(np.isin(mine, columns).mean()) if len(mine) else 1.0


_KINDS = (WORDS, PAIRS, NUMBERS, BEFORE, ANSWER, STYLE, PIECES)
_ENDS = np.array([begin + count for begin, count in _KINDS])


def _cut(text: str) -> str:
    return text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]}\n{text[-_TAIL:]}"


def bucket_of(kind: tuple[int, int], token: str) -> int:
    begin, count = kind
    return begin + _hash(token) % count


def _add(counts: dict[int, float], kind: tuple[int, int], tokens: list[str]) -> None:
    for token in tokens:
        bucket = bucket_of(kind, token)
        counts[bucket] = counts.get(bucket, 0.0) + 1.0


@lru_cache(maxsize=65_536)
def _hash(token: str) -> int:
    return crc32(token[:64].encode("utf-8", "replace"))


def _style(text: str) -> list[str]:
    """How a text is written: its length, its marks, how it begins and ends, its capitals."""
    bare, size = text.strip(), max(1, len(text))
    make_of = make(text)
    marks = sorted({token for token in _TOKEN.findall(text) if not token[0].isalnum()})
    ends = bare[-1] if bare and not bare[-1].isalnum() else "word"
    begins = "A" if bare[:1].isupper() else "a" if bare[:1].islower() else "1"
    return [
        f"length {int(2 * log1p(size))}",
        f"lines {int(2 * log1p(text.count(chr(10))))}",
        f"capitals {int(20 * make_of.capitals / size)}",
        f"digits {int(20 * make_of.digits / size)}",
        f"ends {ends}",
        f"begins {begins}",
        *marks[:40],
    ]


def _pieces(text: str) -> list[str]:
    plain = f" {' '.join(folded(text[:_MOST_PIECES]).split())} "
    return [plain[n : n + _PIECE] for n in range(len(plain) - _PIECE + 1)]


def _sizes(text: str) -> list[str]:
    """The steps that each number of a text reaches, alone and after the word before it."""
    steps: list[str] = []
    before, numbers = "", 0
    for token in _TOKEN.findall(folded(text)):
        if not token[0].isdigit():
            before = before if token in _SENTENCE_MARKS else token
            continue
        numbers += 1
        if numbers > _MOST_NUMBERS:
            break
        value = _value(token)
        reached = [step for step in _STEPS if value >= step]
        steps += [f"{step}" for step in reached] + [f"{before} {step}" for step in reached]
    return steps


def _value(token: str) -> float:
    """The number that digits with points and commas mean; a group of three digits is thousands."""
    head, mark, tail = token.rpartition("," if token.rfind(",") > token.rfind(".") else ".")
    whole, part = (head, tail) if mark and len(tail) != 3 else (head + tail, "")
    digits = re.sub(r"[^0-9]", "", whole)[:15] or "0"
    return float(f"{digits}.{part or 0}")


def _vector(text: str, encoder: "Encodes | None") -> Array:
    if encoder is None:
        return np.zeros(0, np.float32)
    return np.asarray(encoder.encode([text])[0], np.float32)
