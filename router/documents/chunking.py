"""Cuts sections into passages that can answer a question, and drops repeated ones. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from router.documents.formats import BETWEEN_HEADINGS, Section

_MOST_WORDS = 130  # in a passage, at most
FEWEST_WORDS = 4  # in a passage or a sentence, at least
_SHINGLE_WORDS = 4
_SAMPLE = 12  # smallest hashes of a passage; only passages that share one are compared
SAME = 0.8  # two passages with this share of common shingles count as the same
# A sentence of English or Spanish ends here, unless the point belongs to an abbreviation.
_SENTENCE = re.compile(r"(?<=[.!?…])[\"')\]»”]*\s+(?=[A-ZÁÉÍÓÚÑÜ0-9\"'(¿¡«“])")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:dr|dra|mr|mrs|ms|sr|sra|srta|d|dña|av|avda|c|ctra|pl|núm|nº|pág|págs"
    r"|fig|vol|tel|tfno|ext|st|prof|approx|aprox|p\. ?ej|e\.g|i\.e|vs|[a-z])\.$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that can answer a question."""

    source: str
    title: str  # the headings above the passage
    text: str

    @property
    def heading(self) -> str:
        return self.title.rpartition(BETWEEN_HEADINGS)[2]

    @property
    def sentences(self) -> list[str]:
        return [s for s in sentences_of(self.text) if len(s.split()) >= FEWEST_WORDS]


def sentences_of(text: str) -> list[str]:
    """The sentences of a text, in English or Spanish, in their order."""
    sentences: list[str] = []
    for piece in _SENTENCE.split(text):
        if sentences and _ABBREVIATION.search(sentences[-1][-12:]):
            sentences[-1] += f" {piece.strip()}"
        elif piece.strip():
            sentences.append(piece.strip())
    return sentences


def passages_of(source: str, sections: Iterable[Section]) -> Iterator[Passage]:
    for section in sections:
        for text in _cut(section.text):
            if len(text.split()) >= FEWEST_WORDS:
                yield Passage(source, section.title, text)


def _cut(text: str) -> Iterator[str]:
    """Cut a text into whole paragraphs; cut a long paragraph into sentences, a long sentence by
    words.

    The next passage repeats the last sentence of a passage, so that references to it make sense.
    """
    pieces: list[str] = []
    for paragraph in text.split("\n\n"):
        if len(paragraph.split()) <= _MOST_WORDS:
            pieces.append(paragraph)
            continue
        for sentence in sentences_of(paragraph):
            words = sentence.split()
            for start in range(0, len(words), _MOST_WORDS):
                pieces.append(" ".join(words[start : start + _MOST_WORDS]))
    held: list[str] = []
    size = 0  # words of the pieces held
    for piece in pieces:
        length = len(piece.split())
        if held and size + length > _MOST_WORDS:
            yield " ".join(held)
            last = held[-1]
            size = len(last.split())
            held, size = ([last], size) if size <= _MOST_WORDS // 4 else ([], 0)
        held.append(piece)
        size += length
    if held:
        yield " ".join(held)


def distinct(passages: Sequence[Passage]) -> list[Passage]:
    """The passages, except those that repeat an earlier passage or nearly repeat one."""
    kept: list[Passage] = []
    runs: list[set[int]] = []
    holders: dict[int, list[int]] = {}
    for passage in passages:
        own = shingles(passage.text)
        sample = sorted(own)[:_SAMPLE]
        near = {index for hash_ in sample for index in holders.get(hash_, ())}
        if any(len(own & runs[i]) >= SAME * len(own | runs[i]) for i in near):
            continue
        for hash_ in sample:
            holders.setdefault(hash_, []).append(len(kept))
        kept.append(passage)
        runs.append(own)
    return kept


def shingles(text: str) -> set[int]:
    """The hash of every run of four words, called a shingle."""
    words = re.findall(r"\w+", text.lower())
    count = max(len(words) - _SHINGLE_WORDS + 1, 1)
    runs = [" ".join(words[i : i + _SHINGLE_WORDS]) for i in range(count)]
    return {int.from_bytes(blake2b(run.encode(), digest_size=8).digest(), "big") for run in runs}
