"""A question made ready for the search: its words, their weights, and its vectors."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from router.documents.content_words import content_words, covered
from router.encoding.encodes import Encodes
from router.knowledge.finding.expansion import respelled, synonyms
from router.knowledge.finding.rewriting import Rewritten, Turn, replaced, rewritten
from router.knowledge.finding.source import PassageSource

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

_INHERITED = 0.5  # weight of a word of an earlier turn, beside a word of the question


@dataclass(frozen=True, slots=True)
class Ways:
    """Which parts of the search are used; a measurement turns them off one by one."""

    words: bool = True
    meaning: bool = True
    rewrite: bool = True
    expand: bool = True


EVERY_WAY = Ways()


@dataclass(frozen=True, eq=False)
class Query:
    rewritten: Rewritten
    bases: tuple[str, ...]  # base forms of the words of the question and of its subject
    weights: Mapping[str, float]  # by rarity
    alternatives: Mapping[str, tuple[str, ...]]  # other words that count as a word of the question
    counts: Mapping[str, int]  # how many passages hold each word
    search_words: tuple[str, ...]
    asks: str  # the question that a passage must answer, as whole as the rules can make it
    vectors: "Sequence[Vectors]"

    def share(self, words: Iterable[str]) -> float:
        """The share of the question's words, by weight, that are among these."""
        return self.share_in(self.mask(words))

    def mask(self, words: Iterable[str]) -> int:
        """Which words of the question are among these: bit n is set for word n."""
        bits, mask = self.bits, 0
        for word in bits.keys() & words:
            mask |= bits[word]
        return mask

    def share_in(self, mask: int) -> float:
        """The share of the question's words, by weight, that are in a mask."""
        share = self._shares.get(mask)
        if share is None:
            own = {base for n, base in enumerate(self.bases) if mask >> n & 1}
            share = self._shares[mask] = covered(self.bases, own, self.weights)
        return share

    @cached_property
    def bits(self) -> Mapping[str, int]:
        """For each word of the question, and each that counts as one: the bits that it sets."""
        bits: dict[str, int] = {}
        for n, base in enumerate(self.bases):
            for word in (base, *self.alternatives.get(base, ())):
                bits[word] = bits.get(word, 0) | 1 << n
        return bits

    @cached_property
    def _shares(self) -> dict[int, float]:
        return {}

    @property
    def in_source(self) -> float:
        """The share of the question's words, by weight, that the source holds at all."""
        whole = sum(self.weights[base] for base in self.bases)
        held = sum(self.weights[base] for base, count in self.counts.items() if count)
        return held / whole if whole else 0.0


def query_of(
    question: str,
    earlier: Sequence[Turn],
    source: PassageSource,
    encoder: Encodes,
    ways: Ways = EVERY_WAY,
) -> Query:
    language = source.language
    whole = rewritten(question, earlier if ways.rewrite else (), language)
    own = list(dict.fromkeys(content_words(whole.own, language)))
    inherited = [w for w in dict.fromkeys(content_words(whole.subject, language)) if w not in own]
    bases = [*own, *inherited]
    counts = dict(zip(bases, source.holding(bases), strict=True))
    weights = _weights(counts, source.size(), inherited)
    others = _alternatives(counts, language, source) if ways.expand else {}
    missing = [other for base in others if not counts[base] for other in others[base]]
    asks = replaced(whole.subject, whole.own) if whole.subject else ""
    texts = [whole.text, asks or whole.own] if whole.subject else [whole.own]
    return Query(
        whole,
        tuple(bases),
        weights,
        others,
        counts,
        (*bases, *missing),
        asks or whole.own,
        list(encoder.encode(texts)) if ways.meaning else (),
    )


def _weights(counts: Mapping[str, int], size: int, inherited: Sequence[str]) -> Mapping[str, float]:
    """The weight of each word; "" has the weight of the rarest word there can be."""
    weights = {"": _rarity(1, size)}
    for base, count in counts.items():
        weight = _rarity(count or 1, size)
        weights[base] = weight * _INHERITED if base in inherited else weight
    return weights


def _rarity(count: int, size: int) -> float:
    return math.log(1 + (max(size, count) - count + 0.5) / (count + 0.5))


def _alternatives(
    counts: Mapping[str, int], language: str, source: PassageSource
) -> Mapping[str, tuple[str, ...]]:
    others: dict[str, tuple[str, ...]] = {}
    for base, count in counts.items():
        spellings = () if count else respelled(base, language, source.vocabulary)
        if words := spellings or synonyms(language).get(base, ()):
            others[base] = words
    return others
