"""Judged answers with their words: what the authors of validators, classifiers and matchers learn.

Words are there only where telemetry keeps them. An author sees no text of a caller: it sees marks,
such as a word or a field of JSON, that five different requests share, and how often answers with a
mark were wrong. A word that somebody wrote like a name is no mark.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import orjson

from router.engine.asked_nodes import document_in
from router.request.context import NAMES, NAMES_OF, kind_of
from router.routing.function_contract import request_argument
from router.routing.node_contract import NODE_ARGUMENTS, NodeKind
from router.routing.pattern_words import sorted_words
from router.trials.logged import LoggedTelemetry

LEAST_SHARING = 5  # different requests that must share a mark
_MOST_ROWS = 1600  # the latest judged answers
_MOST_MARKS = 400  # the marks that are most frequent
_LONGEST = 8000  # characters of a request or an answer
_LENGTHS = (20, 80, 320, 1280)
_TAGGED = NAMES.index("tagged")
_FIELD = re.compile(r"[a-z][a-z_]{0,30}")
_ROWS = f"""
SELECT coalesce(r.kind, ''), r.plan, r.prompt, r.words, coalesce(r.answer, ''), j.quality,
       coalesce(r.cost_usd, r.rate_usd, 0), coalesce(r.latency_ms, 0) / 1000,
       coalesce(r.pattern, ''), r.features
FROM all_requests r JOIN judged j ON j.request_id = r.request_id AND j.request_ts = r.ts
WHERE r.prompt IS NOT NULL AND r.words IS NOT NULL AND r.status = 200 AND r.plan IS NOT NULL
      AND NOT coalesce(r.no_store, false) AND j.quality IS NOT NULL
      AND r.gen_ai_operation_name = 'chat' AND coalesce(r.reuse_tier, 'novel') = 'novel'
      AND r.features_version = ANY(?) AND length(r.prompt) <= {_LONGEST}
      AND length(coalesce(r.answer, '')) <= {_LONGEST}
ORDER BY r.ts DESC LIMIT {_MOST_ROWS}
"""


@dataclass(frozen=True, slots=True)
class WordedAnswer:
    """A judged answer, with the words of its request."""

    kind: str
    plan: str
    prompt: str
    words: Sequence[str]
    answer: str  # empty: telemetry does not keep answers
    quality: float
    cost_usd: float
    seconds: float
    pattern: str = ""
    numbers: Sequence[float | None] = (0.0,) * len(NAMES)

    @property
    def tagged(self) -> bool:
        return bool(self.numbers[_TAGGED])

    def arguments(self, kind: NodeKind) -> tuple[Any, ...]:
        """The arguments of a node of this kind, as it would have been asked."""
        request = request_argument(
            self.numbers,
            kind=self.kind if self.tagged else kind_of(self.numbers),
            tagged=self.tagged,
            input_tokens=0,
            words=list(self.words),
            pattern=self.pattern,
            pattern_name=self.pattern,
        )
        if NODE_ARGUMENTS[kind] == ("request",):
            return (request,)
        return request, self.answer, document_in(self.answer)


def worded_answers(telemetry: LoggedTelemetry) -> list[WordedAnswer]:
    """The latest judged answers whose requests' words are kept, oldest first."""
    return [WordedAnswer(*row) for row in reversed(telemetry.rows(_ROWS, list(NAMES_OF)))]


def halves(rows: Iterable[WordedAnswer]) -> tuple[list[WordedAnswer], list[WordedAnswer]]:
    """The rows that a question is made of, and those on which its answer is tried. The same prompt
    is always in the same half."""
    sides: tuple[list[WordedAnswer], list[WordedAnswer]] = [], []
    for row in rows:
        sides[crc32(row.prompt.encode("utf-8", "replace")) % 2].append(row)
    return sides


def marks_of_requests(rows: Sequence[WordedAnswer]) -> list[frozenset[str]]:
    """The words of each request that may be told."""
    plain, names = _words_of(row.prompt for row in rows)
    each = [
        frozenset(word for word in row.words if word in own) - names
        for row, own in zip(rows, plain, strict=True)
    ]
    return _shared(each)


def marks_of_answers(rows: Sequence[WordedAnswer]) -> list[frozenset[str]]:
    """What may be told of the form of each answer."""
    plain, names = _words_of(row.answer for row in rows)
    words = [frozenset(f"it has the word `{word}`" for word in own - names) for own in plain]
    forms = [form_of(row.answer) for row in rows]
    return _shared([form | own for form, own in zip(forms, words, strict=True)])


def form_of(answer: str) -> frozenset[str]:
    """The form of an answer, without a word of it but the names of JSON's fields."""
    text = answer.strip()
    marks = {
        "it is empty": not text,
        "it has a digit": any(map(str.isdigit, text)),
        "it has several lines": "\n" in text,
        "it has a block of code": "```" in text,
        "it ends like a sentence": text.endswith((".", "!", "?")),
        "it asks something": "?" in text,
        "it has a list": re.search(r"^\s*(?:[-*]|\d+[.)])\s", text, re.M) is not None,
        **{f"it is shorter than {n} characters": len(text) < n for n in _LENGTHS},
    }
    form = {mark for mark, holds in marks.items() if holds}
    document = document_in(text)
    if isinstance(document, dict | list):
        form.add("it holds JSON")
        if _is_json(text):
            form.add("it is JSON and nothing else")
        fields = document if isinstance(document, dict) else {}
        form |= {f"its JSON has the field `{f}`" for f in fields if _FIELD.fullmatch(str(f))}
    return frozenset(form)


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _words_of(texts: Iterable[str]) -> tuple[list[set[str]], set[str]]:
    """The plain words of each text, and the words of all texts that may be names."""
    plain: list[set[str]] = []
    names: set[str] = set()
    for text in texts:
        own, named = sorted_words(text[:_LONGEST])
        plain.append(own)
        names |= named
    return plain, names


def _shared(each: Sequence[frozenset[str]]) -> list[frozenset[str]]:
    """The marks that enough rows share, but not all."""
    counts = Counter(mark for marks in each for mark in marks)
    kept = {
        mark
        for mark, count in counts.most_common(_MOST_MARKS)
        if LEAST_SHARING <= count <= len(each) - LEAST_SHARING
    }
    return [marks & kept for marks in each]
