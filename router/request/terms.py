"""Counts the words of a prompt, hashed, and some marks of its style. Pure functions.

The counts hold still when a prompt is written in another way: casing, accents, sentence marks and
polite words do not count, and a length between two steps counts in part for each.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import log, log1p
from typing import NamedTuple
from zlib import crc32

from router.request.plain import bare, folded

BUCKETS = 4096
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\s\w]")
_HEAD, _TAIL = 3000, 1000  # characters read at the start and the end of a long prompt
_SENTENCE_MARKS = frozenset(".,;:!?¿¡\"'\u2018\u2019\u201c\u201d«»…")

Terms = Mapping[int, float]


def terms(text: str) -> Terms:
    """The counts of a text's hashed words and of some marks of its style."""
    cut = bare(text if len(text) <= _HEAD + _TAIL else text[:_HEAD] + text[-_TAIL:])
    tokens = [
        "#" if token.isdigit() else token
        for token in _TOKEN.findall(folded(cut))
        if token not in _SENTENCE_MARKS
    ]
    counted: dict[str, float] = {}
    for token in tokens:
        counted[token] = counted.get(token, 0.0) + 1.0
    for sign, count in _style(cut, tokens):
        counted[sign] = counted.get(sign, 0.0) + count
    hashed: dict[int, float] = {}
    for token, count in counted.items():
        at = _known_bucket(token) if len(token) < _USUAL_LENGTH else _bucket(token)
        hashed[at] = hashed.get(at, 0.0) + count
    return hashed


def _bucket(token: str) -> int:
    return crc32(token.encode("utf-8", "replace")) % BUCKETS


_USUAL_LENGTH = 24  # characters; longer words hardly come again
_known_bucket = lru_cache(maxsize=16_384)(_bucket)


def _style(text: str, tokens: Sequence[str]) -> Iterable[tuple[str, float]]:
    """Marks of a text's style: its beginning and end, its length, and its sorts of characters."""
    size = len(text) or 1
    if tokens:
        yield "^" + _shape(tokens[0]), 1.0
        yield "$" + _shape(tokens[-1]), 1.0
        yield "^w " + tokens[0], 1.0
    yield from _steps("length", 1.5 * log(1 + len(text)), 99)
    yield from _steps("lines", 2 * log1p(text.count("\n")), 6)
    made = make(text)
    yield from _steps("digits", 20 * made.digits / size, 4)
    yield from _steps("symbols", 40 * made.symbols / size, 4)
    yield from _steps("words", 1.5 * sum(map(len, tokens)) / (len(tokens) + 1), 99)


def _steps(name: str, value: float, most: int) -> Iterator[tuple[str, float]]:
    """A measure as the two whole steps around it, each in part."""
    value = min(value, float(most))
    step = int(value)
    over = round(value - step, 2)
    yield f"{name} {step}", 1 - over
    if over:
        yield f"{name} {step + 1}", over


class Make(NamedTuple):
    """The numbers of letters, capitals and other characters in a text. Letters of other alphabets
    count as small letters. Symbols are signs that end or part no sentence."""

    letters: int
    capitals: int
    digits: int
    spaces: int
    signs: int
    symbols: int


_SORTED = bytes(
    ord("0")
    if 48 <= byte <= 57
    else ord("A")
    if 65 <= byte <= 90
    else ord("a")
    if 97 <= byte <= 122
    else ord(" ")
    if byte in b" \t\r\n\v\f"
    else ord("-")  # a later byte of a character, which does not count
    if 128 <= byte < 192
    else ord("a")
    if byte >= 192
    else ord(",")
    if byte in b".,;:!?'\""
    else ord(".")
    for byte in range(256)
)


_latest: list[tuple[str, Make]] = [("", Make(0, 0, 0, 0, 0, 0))]


def make(text: str) -> Make:
    """The make of a text. The latest text is remembered: most are looked at twice in a row."""
    latest = _latest[0]
    if latest[0] is not text:
        latest = _latest[0] = text, _counted(text)
    return latest[1]


def _counted(text: str) -> Make:
    sorts = text.encode("utf-8", "replace").translate(_SORTED)
    capitals = sorts.count(b"A")
    letters = capitals + sorts.count(b"a")
    symbols = sorts.count(b".")
    signs = symbols + sorts.count(b",")
    return Make(letters, capitals, sorts.count(b"0"), sorts.count(b" "), signs, symbols)


def _shape(token: str) -> str:
    return "l" if token[0].isalpha() else token[0]
