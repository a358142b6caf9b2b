"""Sections cut into passages of a size that answers a question, each said once. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from router.documents.formats import Section

_MOST_WORDS = 130
_FEW_WORDS = 4
_SHINGLE = 4
_SAMPLE = 12  # smallest hashes of a passage by which those like it are found
_SAME = 0.8
_SENTENCE = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[A-Z0-9\"'(])")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that can stand as an answer."""

    source: str
    title: str
    text: str

    @property
    def sentences(self) -> list[str]:
        return [s.strip() for s in _SENTENCE.split(self.text) if len(s.split()) >= _FEW_WORDS]


def passages_of(source: str, sections: Iterable[Section]) -> Iterator[Passage]:
    for section in sections:
        for text in _cut(section.text):
            if len(text.split()) >= _FEW_WORDS:
                yield Passage(source, section.title, text)


def _cut(text: str) -> Iterator[str]:
    """Whole paragraphs while they fit, else whole sentences, else words; the last sentence of a
    piece begins the next, so that what refers to it is understood."""
    pieces: list[str] = []
    for paragraph in text.split("\n\n"):
        words = paragraph.split()
        if len(words) <= _MOST_WORDS:
            pieces.append(paragraph)
            continue
        for sentence in _SENTENCE.split(paragraph):
            inside = sentence.split()
            for start in range(0, len(inside), _MOST_WORDS):
                pieces.append(" ".join(inside[start : start + _MOST_WORDS]))
    held: list[str] = []
    for piece in pieces:
        size = sum(len(one.split()) for one in held)
        if held and size + len(piece.split()) > _MOST_WORDS:
            yield " ".join(held)
            tail = held[-1]
            held = [tail] if len(tail.split()) <= _MOST_WORDS // 4 else []
        held.append(piece)
    if held:
        yield " ".join(held)


def distinct(passages: Sequence[Passage]) -> list[Passage]:
    """Without those that say word for word, or nearly so, what an earlier one said."""
    kept: list[Passage] = []
    shingles: list[set[int]] = []
    holders: dict[int, list[int]] = {}
    for passage in passages:
        own = _shingles(passage.text)
        sample = sorted(own)[:_SAMPLE]
        near = {index for hash_ in sample for index in holders.get(hash_, ())}
        if any(len(own & shingles[i]) >= _SAME * len(own | shingles[i]) for i in near):
            continue
        for hash_ in sample:
            holders.setdefault(hash_, []).append(len(kept))
        kept.append(passage)
        shingles.append(own)
    return kept


def _shingles(text: str) -> set[int]:
    words = re.findall(r"\w+", text.lower())
    runs = [" ".join(words[i : i + _SHINGLE]) for i in range(max(len(words) - _SHINGLE + 1, 1))]
    return {int.from_bytes(blake2b(run.encode(), digest_size=8).digest(), "big") for run in runs}
