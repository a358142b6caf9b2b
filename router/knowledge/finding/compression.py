"""Passages cut to the sentences that tell something about the question, within a budget of tokens.

Each passage keeps its number, so that what is cited stays cited; sentences keep their order, and
what was left out between them shows as an ellipsis. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from router.documents.chunking import sentences_of
from router.documents.content_words import content_words
from router.knowledge.finding.finder import Findings, Hit
from router.knowledge.finding.query import Query
from router.knowledge.finding.wanted import holds, wanted
from router.request.text import tokens_in

# How much the passage's own score, the sentence's words, and what the question wants count beside
# the nearness of the sentence.
_RANK, _WORDS, _WANTED = 1.2, 0.6, 0.5
_ELLIPSIS = " … "


@dataclass(frozen=True, slots=True, eq=False)
class Extract:
    """What is left of a passage. `number` is how it is cited, from 1."""

    number: int
    hit: Hit
    text: str


def extracts(
    findings: Findings, language: str, *, tokens: int, share: float = 1.0
) -> list[Extract]:
    """The telling sentences of the passages: at most so many tokens, and at most this share of
    the passages' tokens; all of them if they fit. The most telling one is kept whatever its
    length."""
    pieces = [
        (rank, place, sentence)
        for rank, hit in enumerate(findings.hits)
        for place, sentence in enumerate(sentences_of(hit.passage.text))
    ]
    whole = sum(tokens_in(sentence) for _, _, sentence in pieces)
    budget = min(tokens, int(whole * share))
    worth = {
        (rank, place): _worth(findings.query, findings.hits, rank, sentence, language)
        for rank, place, sentence in pieces
    }
    kept: set[tuple[int, int]] = set()
    spent = 0
    for rank, place, sentence in sorted(pieces, key=lambda p: (-worth[p[0], p[1]], p[0], p[1])):
        length = tokens_in(sentence)
        if not kept or spent + length <= budget:
            kept.add((rank, place))
            spent += length
    return [
        Extract(rank + 1, hit, text)
        for rank, hit in enumerate(findings.hits)
        if (text := _joined(hit, {place for own, place in kept if own == rank}))
    ]


def _worth(query: Query, hits: Sequence[Hit], rank: int, sentence: str, language: str) -> float:
    passage = hits[rank].passage
    own = passage.passage.sentences
    offset = 1 if passage.passage.heading else 0
    near = 0.0
    if sentence in own and len(passage.sentences) == len(own) + offset:
        row = passage.sentences[offset + own.index(sentence)]
        near = max((float(row @ vector) for vector in query.vectors), default=0.0)
    worth = near + _WORDS * query.share(content_words(sentence, language))
    worth += _WANTED * holds(wanted(query.asks), sentence)
    return worth - _RANK * (hits[0].score - hits[rank].score)


def _joined(hit: Hit, places: set[int]) -> str:
    text, before = "", -1
    for place, sentence in enumerate(sentences_of(hit.passage.text)):
        if place in places:
            gap = _ELLIPSIS if place > before + 1 else " "
            text += (gap if text or place else "") + sentence
            before = place
    return text.strip()
