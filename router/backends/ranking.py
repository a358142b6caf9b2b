"""Ranks documents by how similar their sentence vectors are to that of a query.

The form is that of Cohere, Jina and vLLM. A score is the cosine of two vectors, from 0 to 1: it
orders documents of one request, and is no probability. A model that reads query and document
together (a cross-encoder) ranks better. Of a long document, only the beginning is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from router.domain import Fault
from router.request.text import whole_number

MOST_DOCUMENTS = 1000


@dataclass(frozen=True, slots=True)
class Ranking:
    query: str
    texts: tuple[str, ...]
    top: int
    returns_documents: bool

    def answer(self, vectors: Sequence[Any], tokens: int, *, model: str, name: str) -> bytes:
        """The answer, from the vectors of the query and of the texts."""
        query, *others = vectors
        scores = [cosine(query, other) for other in others]
        order = sorted(range(len(scores)), key=lambda index: -scores[index])[: self.top]
        results = []
        for index in order:
            result: dict[str, Any] = {"index": index, "relevance_score": scores[index]}
            if self.returns_documents:
                result["document"] = {"text": self.texts[index]}
            results.append(result)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return orjson.dumps({"id": name, "model": model, "results": results, "usage": usage})


def ranking_of(fields: dict[str, Any]) -> Ranking:
    """What a request asks to rank; `Fault` names the field that is wrong."""
    query, documents = fields.get("query"), fields.get("documents")
    if not isinstance(query, str) or not query.strip():
        raise Fault("bad_request", "query must be a text that is not empty")
    if not isinstance(documents, list) or not 1 <= len(documents) <= MOST_DOCUMENTS:
        raise Fault("bad_request", f"documents must be a list of 1 to {MOST_DOCUMENTS} texts")
    texts = tuple(_text(document, at) for at, document in enumerate(documents))
    top = whole_number(fields, "top_n", least=1, most=2**31) or len(texts)
    return Ranking(query, texts, top, fields.get("return_documents") is True)


def cosine(first: Any, second: Any) -> float:
    size = float(first @ first) ** 0.5 * float(second @ second) ** 0.5
    return round(min(max(float(first @ second) / size, 0.0), 1.0), 6) if size else 0.0


def _text(document: Any, at: int) -> str:
    text = document.get("text") if isinstance(document, dict) else document
    if not isinstance(text, str) or not text.strip():
        rule = "a text that is not empty, or an object with such a `text`"
        raise Fault("bad_request", f"documents[{at}] must be {rule}")
    return text
