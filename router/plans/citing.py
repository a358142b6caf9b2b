"""Citations that an answer must keep: those of a store's passages, when its grant says so.

A knowledge backend names the passages of its reply in `knowledge.citations`. A later step, such as
a writer, may drop what points at them: then the answer is withheld.

Not covered: whether a passage that an answer cites says what the answer says.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from router.wire.splice import replaced, spans

Citation = Mapping[str, Any]  # n, store, document, version, title, source, must_cite
_MARKS = re.compile(r"\[(\d{1,4}(?:\s*[,;]\s*\d{1,4})*)\]")


def citations_in(body: bytes) -> list[Citation]:
    """The citations that a knowledge backend's whole reply names."""
    try:
        report = orjson.loads(body).get("knowledge") or {}
        return [each for each in report.get("citations") or () if isinstance(each, dict)]
    except (orjson.JSONDecodeError, AttributeError):
        return []


def with_citations(body: bytes, citations: Sequence[Citation]) -> bytes:
    """A whole answer with the citations of the passages that it was made from, unless it is the
    knowledge backend's own, which names them."""
    if not body.startswith(b"{") or spans(body, {b'"knowledge"'}):
        return body
    report = orjson.dumps({"citations": list(citations)})
    return replaced(body, {b'"knowledge"': report})


def keeps_citations(text: str, citations: Sequence[Citation]) -> bool:
    """Whether the text points at one of the passages that it must cite, if there are any."""
    bound = [each for each in citations if each.get("must_cite")]
    if not bound:
        return True
    numbers = {int(n) for marks in _MARKS.findall(text) for n in re.findall(r"\d+", marks)}
    named = (str(each.get(name) or "") for each in bound for name in ("source", "document"))
    return any(each.get("n") in numbers for each in bound) or any(
        "." in name and name in text
        for name in named  # the name of a file, not a word
    )
