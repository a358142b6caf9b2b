"""How well questions find their passages: by each way of searching, and by each encoder.

A line of questions is JSON: `question`; perhaps `conversation`, earlier turns with `role` and
`content`; perhaps `where`; `document` and `contains`, words of the passage that answers, or
`answerable: false`. Nothing of the questions is kept.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson

from router.documents.indexing import encoded_passages
from router.encoding.encodes import Encodes
from router.knowledge.finding.compression import extracts
from router.knowledge.finding.finder import Finder, Findings
from router.knowledge.finding.query import Ways
from router.knowledge.finding.reranking import MOST, CannotRerank, Reranker
from router.knowledge.finding.rewriting import Turn
from router.knowledge.finding.source import StoredPassage
from router.knowledge.finding.where import UnclearFilter, Where, where_of
from router.knowledge.store import KnowledgeStore
from router.request.text import tokens_in

WAYS = {
    "words only": Ways(meaning=False, rewrite=False, expand=False),
    "vectors only": Ways(words=False, rewrite=False, expand=False),
    "hybrid": Ways(rewrite=False, expand=False),
    "+ rewrite": Ways(expand=False),
    "+ expansion": Ways(),
}
RERANKED, COMPRESSED = "+ rerank", "+ compress"
_DEPTH = 5  # passages that nDCG and recall look at
_SHARE = 0.4  # of the tokens of the passages, when they are compressed
_GIVEN = 3  # passages that an answer is made of


class UnclearQuestions(ValueError):
    """A line is no question; the message names the line, the rule and the mend."""


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    earlier: tuple[Turn, ...]
    where: Where
    document: str  # empty if the store does not answer the question
    contains: str


@dataclass(frozen=True, slots=True)
class Score:
    """`answered`: share of the answerable questions whose answer is in what is given with enough
    confidence; `given`: the same with what is given as unsure; `within`: the same whatever the
    confidence. `misled`: share of all questions that get passages with enough confidence and no
    answer in them; `strayed`: share that gets such passages as unsure."""

    way: str
    ndcg: float
    recall: float
    within: float
    answered: float
    given: float
    misled: float
    strayed: float
    tokens: float  # of what is given, for a question


def questions_of(raw: bytes) -> list[Question]:
    questions = [
        _question(number, line) for number, line in enumerate(raw.splitlines(), 1) if line.strip()
    ]
    if not any(question.document for question in questions):
        raise UnclearQuestions("no line has a `document` with the words that it `contains`")
    return questions


def _question(number: int, line: bytes) -> Question:
    rule = 'write {"question": "...", "document": "file.md", "contains": "its words"}'
    try:
        given = orjson.loads(line)
        turns = tuple(Turn(t["role"], t["content"]) for t in given.get("conversation") or ())
        where = where_of(given.get("where"))
        document, contains = given.get("document") or "", given.get("contains") or ""
        question = Question(given["question"], turns, where, document, contains)
    except UnclearFilter as error:
        raise UnclearQuestions(f"line {number}: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UnclearQuestions(f"line {number} is no question: {rule}") from None
    texts = [question.text, document, contains, *(text for t in turns for text in (t.role, t.text))]
    if not all(isinstance(text, str) for text in texts) or bool(document) != bool(contains):
        raise UnclearQuestions(f"line {number} is no question: {rule}")
    return question


def scores(
    finder: Finder,
    questions: Sequence[Question],
    *,
    enough: float,
    perhaps: float,
    reranker: Reranker | None = None,
) -> Iterator[Score]:
    """The score of each way of searching, and of the last one cut to its telling sentences. Raises
    `CannotRerank` if a re-ranker does not rank."""
    bars = enough, perhaps
    for way, ways in WAYS.items():
        yield _score(finder, questions, way, ways, bars)
    if reranker is not None:
        yield _score(finder, questions, RERANKED, Ways(), bars, reranker=reranker)
    yield _score(finder, questions, COMPRESSED, Ways(), bars, compress=True)


def _score(
    finder: Finder,
    questions: Sequence[Question],
    way: str,
    ways: Ways,
    bars: tuple[float, float],
    *,
    compress: bool = False,
    reranker: Reranker | None = None,
) -> Score:
    enough, perhaps = bars
    gain = recalled = within = answered = unsure = misled = strayed = tokens = 0.0
    for question in questions:
        most = _DEPTH if reranker is None else MOST
        findings = finder.find(
            question.text, question.earlier, question.where, most=most, ways=ways
        )
        if reranker is not None:
            findings = _again(findings, reranker, question.text)
        ranks = [n for n, hit in enumerate(findings.hits) if answers(question, hit.passage)]
        if ranks:
            gain += 1 / math.log2(2 + ranks[0])
            recalled += 1
        given = findings.first(_GIVEN)
        texts = [hit.passage.text for hit in given.hits]
        held = any(n < _GIVEN for n in ranks)
        if compress:
            cut = extracts(given, finder.source.language, tokens=600, share=_SHARE)
            texts = [extract.text for extract in cut]
            held = held and any(question.contains in text for text in texts)
        tokens += sum(map(tokens_in, texts))
        within += held
        sure = bool(given.hits) and given.confidence >= enough
        hinted = bool(given.hits) and not sure and given.confidence >= perhaps
        answered, misled = answered + (sure and held), misled + (sure and not held)
        unsure, strayed = unsure + (hinted and held), strayed + (hinted and not held)
    answerable = sum(bool(question.document) for question in questions)
    return Score(
        way,
        gain / answerable,
        recalled / answerable,
        within / answerable,
        answered / answerable,
        (answered + unsure) / answerable,
        misled / len(questions),
        strayed / len(questions),
        tokens / len(questions),
    )


def _again(findings: Findings, reranker: Reranker, question: str) -> Findings:
    hits = findings.hits
    order = reranker.order(question, [f"{h.passage.heading}\n{h.passage.text}" for h in hits])
    if order.trouble:
        raise CannotRerank(order.trouble)
    return Findings(findings.query, tuple(hits[place] for place in order.places)[:_DEPTH])


def answers(question: Question, passage: StoredPassage) -> bool:
    """Whether a passage holds the answer to a question."""
    return bool(question.document) and (
        passage.document == question.document and question.contains in passage.text
    )


def encoded_again(
    store: KnowledgeStore, encoder: Encodes, progress: Callable[[int], None] = lambda _: None
) -> Iterable[StoredPassage]:
    """The passages of a store with the vectors of any encoder; the store does not change."""
    import numpy as np

    metadata = {document.id: document for document in store.documents()}
    for n, kept in enumerate(store.all_passages(), 1):
        (encoded,) = encoded_passages([kept.passage], encoder)
        document = metadata[kept.document]
        yield StoredPassage(
            kept.id,
            kept.document,
            kept.version,
            document.title,
            kept.title,
            kept.text,
            document.source,
            np.array(encoded["vector"], dtype=np.float32),
            np.array(encoded["sentences"], dtype=np.float32).reshape(-1, encoder.dimensions),
            document.metadata,
        )
        progress(n)
