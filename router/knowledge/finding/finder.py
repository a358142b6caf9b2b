"""Finds the passages of a source that answer a question.

First the filter, then proposals by meaning and by words, then a ranking of all proposals by the
nearest sentences, the words and the headings, much as for a folder of documents
(`router.documents.search`). A question of a conversation is made whole first; words that the source
spells or calls otherwise count too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.documents import passage_index
from router.documents.chunking import FEWEST_WORDS, sentences_of
from router.documents.content_words import content_words
from router.documents.ranking import PROPOSED, best_two, fused
from router.documents.telling import pairs_of, tells
from router.encoding.encodes import Encodes
from router.knowledge.finding.confidence import Evidence
from router.knowledge.finding.query import EVERY_WAY, Query, Ways, query_of
from router.knowledge.finding.rewriting import Turn
from router.knowledge.finding.source import PassageSource, StoredPassage
from router.knowledge.finding.wanted import holds, wanted
from router.knowledge.finding.where import EVERYTHING, Where

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

# Weights of a passage's cosine, of its nearest and second nearest sentence; of the words in the
# passage, its heading, all headings, one sentence, and one sentence with the headings; of the fused
# rank; and of what the question wants.
_MEANING = (0.72, 1.75, 0.41)
_WORDS = (0.61, 0.24, 0.21, 0.17, 0.29)
_FUSED, _WANTED = 8.0, 0.09
_WORDS_ALONE = Ways(meaning=False, expand=False)
_UNRELATED = 0.45  # a background question nearer to the source than this is no background of it


@dataclass(frozen=True, slots=True, eq=False)
class Hit:
    passage: StoredPassage
    score: float
    confidence: float


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    query: Query
    hits: tuple[Hit, ...]  # the best first

    @property
    def confidence(self) -> float:
        """The confidence that the first passage answers the question."""
        return self.hits[0].confidence if self.hits else 0.0

    def first(self, most: int) -> "Findings":
        return Findings(self.query, self.hits[:most])


class Finder:
    """Searches one source; several threads may ask at once."""

    def __init__(self, source: PassageSource, encoder: Encodes) -> None:
        self.source, self.encoder = source, encoder
        self._background: tuple[int, Vectors] | None = None

    def find(
        self,
        question: str,
        earlier: Sequence[Turn] = (),
        where: Where = EVERYTHING,
        *,
        most: int = 3,
        ways: Ways = EVERY_WAY,
    ) -> Findings:
        """The passages that answer a question best; `earlier` are the turns before it."""
        query = self._query(question, earlier, ways)
        if len(query.vectors):
            self.prepare()
        return self._searched(query, where, most, ways)

    def claim(self, question: str) -> float:
        """The confidence that the source answers a question; 0, without a search, if the words of
        the question do not tell that the source is about it."""
        words, source = self._query(question, (), _WORDS_ALONE), self.source
        if not (
            tells(words.counts, source.size(), source.language)
            or source.holds_side_by_side(pairs_of(words.bases))
        ):
            return 0.0
        query = self._query(question, (), EVERY_WAY)
        return self._searched(query, EVERYTHING, 1, EVERY_WAY).confidence

    def prepare(self) -> None:
        """Find the background questions that are unrelated to the source, if it grew much."""
        size, kept = self.source.size(), self._background
        if kept is None or not kept[0] <= size <= 2 * kept[0]:
            vectors, complete = self._unrelated()
            self._background = size if complete else 0, vectors

    def _query(self, question: str, earlier: Sequence[Turn], ways: Ways) -> Query:
        return query_of(question, earlier, self.source, self.encoder, ways)

    def _searched(self, query: Query, where: Where, most: int, ways: Ways) -> Findings:
        among = self.source.admitted(where)
        rankings = [self.source.by_meaning(each, PROPOSED, among) for each in query.vectors]
        if ways.words:
            rankings.append(self.source.by_words(query.search_words, PROPOSED, among))
        ranks = fused(*rankings)
        scored = [
            (self._score(query, passage, ranks[passage.number], ways), passage)
            for passage in self.source.read(list(ranks))
        ]
        scored.sort(key=lambda pair: (-pair[0], pair[1].number))
        background = self._to_background(query)
        return Findings(
            query,
            tuple(
                Hit(
                    passage,
                    score,
                    self._evidence(query, n, scored, background).confidence(self.encoder.name),
                )
                for n, (score, passage) in enumerate(scored[:most])
            ),
        )

    def _score(self, query: Query, passage: StoredPassage, rank: float, ways: Ways) -> float:
        score = _FUSED * rank + _WANTED * holds(wanted(query.asks), passage.text)
        if len(passage.vector):
            for vector in query.vectors:
                first, second = best_two(passage.sentences, vector)
                nearness = float(passage.vector @ vector), first, second
                score += _weighted(_MEANING, nearness) / len(query.vectors)
        return score + _weighted(_WORDS, self._shares(query, passage)) if ways.words else score

    def _shares(self, query: Query, passage: StoredPassage) -> Sequence[float]:
        language = self.source.language
        titles = query.mask(content_words(passage.heading, language))
        own, heading, whole = passage.passage.heading, titles, titles
        telling: set[int] = set()
        if own != passage.heading:
            heading = query.mask(content_words(own, language))
        for sentence in sentences_of(passage.text):
            mask = query.mask(content_words(sentence, language))
            whole |= mask
            if len(sentence.split()) >= FEWEST_WORDS:
                telling.add(mask)
        return (
            query.share_in(whole),
            query.share_in(heading),
            query.share_in(titles),
            max((query.share_in(mask) for mask in telling), default=0.0),
            max((query.share_in(mask | titles) for mask in telling), default=0.0),
        )

    def _evidence(
        self,
        query: Query,
        n: int,
        scored: Sequence[tuple[float, StoredPassage]],
        background: float,
    ) -> Evidence:
        score, passage = scored[n]
        nearness = [0.0]
        if len(passage.vector):
            per_vector = [
                (float(passage.vector @ each), best_two(passage.sentences, each)[0])
                for each in query.vectors
            ]
            nearness = [sum(each) / len(per_vector) for each in zip(*per_vector, strict=True)]
        following = scored[n + 1][0] if n + 1 < len(scored) else score - 1
        return Evidence(max(nearness, default=0.0), query.in_source, background, score - following)

    def _to_background(self, query: Query) -> float:
        kept = self._background
        if kept is None or not len(kept[1]) or not len(query.vectors):
            return 0.0
        return float((kept[1] @ query.vectors[0]).max())

    def _unrelated(self) -> "tuple[Vectors, bool]":
        """The vectors of background questions that are about nothing in the source, and whether
        all passages that were looked at have their vectors; one without counts as far."""
        questions = passage_index.background_questions()
        vectors = self.encoder.encode(questions)
        far, complete = [], True
        for n, vector in enumerate(vectors):
            numbers = self.source.by_meaning(vector, 1, None)
            if not numbers:  # the source is searched by words alone
                words = content_words(questions[n], self.source.language)
                numbers = self.source.by_words(words, 1, None)
            near = self.source.read(numbers)
            encoded = [passage for passage in near if len(passage.vector)]
            complete = complete and len(encoded) == len(near)
            if all(float(passage.vector @ vector) < _UNRELATED for passage in encoded):
                far.append(n)
        return vectors[far], complete


def _weighted(weights: Sequence[float], values: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, values, strict=True))
