"""The passages that an answer from stores of knowledge is made of, and how they are cited."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from router.value import value

if TYPE_CHECKING:
    from router.knowledge.asking import StoreSearch
    from router.knowledge.finding.rewriting import Turn
    from router.knowledge.finding.where import Where


@value
class CitedPassage:
    """A passage that answers a question, what of it goes to a writer, and what is cited of it."""

    store: str
    document: str
    version: int
    title: str
    heading: str
    text: str
    telling: str
    source: str
    confidence: float


def passages_of(
    searches: "Sequence[StoreSearch]",
    question: str,
    most: int,
    earlier: "Sequence[Turn]",
    where: "Where",
    *,
    tokens: int | None,
    rerank: str | None,
) -> tuple[list[CitedPassage], str]:
    """The best passages of all stores together; with a bound on tokens, their telling sentences.
    The text says why they were not ranked again, if they should have been."""
    from router.knowledge.finding.compression import extracts
    from router.knowledge.finding.reranking import MOST, reranker_in

    some = most if rerank is None else max(most, MOST)
    findings_of = {search.name: search.find(question, some, earlier, where) for search in searches}
    every = [(hit, name) for name, findings in findings_of.items() for hit in findings.hits]
    every.sort(key=lambda pair: (-pair[0].score, pair[1], pair[0].passage.document))
    trouble = ""
    if rerank is not None:
        texts = [f"{hit.passage.heading}\n{hit.passage.text}" for hit, _ in every]
        order = reranker_in(rerank).order(question, texts)
        every, trouble = [every[place] for place in order.places], order.trouble
    chosen = every[:most]
    telling: dict[tuple[str, int], str] = {}
    for search in searches:
        hits = tuple(hit for hit, name in chosen if name == search.name)
        if tokens is not None and hits:
            budget = tokens * len(hits) // len(chosen)
            findings = replace(findings_of[search.name], hits=hits)
            for each in extracts(findings, search.language, tokens=budget):
                telling[search.name, each.hit.passage.number] = each.text
    passages = [
        CitedPassage(
            name,
            hit.passage.document,
            hit.passage.version,
            hit.passage.title,
            hit.passage.heading,
            hit.passage.text,
            hit.passage.text if tokens is None else telling.get((name, hit.passage.number), ""),
            hit.passage.source,
            hit.confidence,
        )
        for hit, name in chosen
    ]
    return passages, trouble


def report_of(hits: Sequence[CitedPassage], confidence: float, cited: set[str]) -> dict[str, Any]:
    citations = [
        {
            "n": n,
            "store": hit.store,
            "document": hit.document,
            "version": hit.version,
            "title": hit.title,
            "source": hit.source,
            "confidence": round(hit.confidence, 4),
            "must_cite": hit.store in cited,
        }
        for n, hit in enumerate(hits, 1)
    ]
    passages = [{"n": n, "text": hit.text} for n, hit in enumerate(hits, 1)]
    return {
        "confidence": round(confidence, 4),
        "found": bool(hits),
        "passages": passages,
        "citations": citations,
    }


def numbered(hits: Sequence[CitedPassage]) -> str:
    """The text of all passages, numbered so that a writer can cite them."""
    return "\n\n".join(
        f"[{n}] {_source(hit)}\n{hit.telling}" for n, hit in enumerate(hits, 1) if hit.telling
    )


def best_passage(hit: CitedPassage, number: int = 1) -> str:
    confidence = min(hit.confidence, 0.99)
    return f"{hit.text}\n\nSource: [{number}] {_source(hit)} (confidence {confidence:.2f})"


def best_passages(hits: Sequence[CitedPassage], enough: float) -> str:
    """The first passage, and the best one of each other store that surely answers too."""
    best: dict[str, tuple[int, CitedPassage]] = {}
    for n, hit in enumerate(hits, 1):
        same = any(hit.text == other.text for _, other in best.values())
        if n == 1 or (hit.confidence >= enough and not same):
            best.setdefault(hit.store, (n, hit))
    return "\n\n".join(best_passage(hit, n) for n, hit in best.values())


def _source(hit: CitedPassage) -> str:
    heading = f", {hit.heading}" if hit.heading else ""
    return f"{hit.store}: {hit.source}{heading}"
