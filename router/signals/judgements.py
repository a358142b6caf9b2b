"""Judges an answer by its own text, by passages, or by comparison with a rival answer.

Each function gives a score from 0 to 1, or None if the source cannot judge the answer. Such an
answer stays unjudged, and is never called good.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from router.config.signals import SignalSource
from router.documents.content_words import content_words
from router.records.checking import Wanted, issues_in
from router.records.effort import Effort, Overspent
from router.records.json_text import NoJson, json_in
from router.records.likely import likelihood
from router.records.regexes import BadPattern, matches
from router.records.schema import of_record, schema_of
from router.records.validating import BadSchema
from router.request.wants import shape_of

_MOST_STEPS = 5_000_000  # about a quarter of a minute
_SHRINKS = 0.25  # a longer answer's win shrinks by the ratio of lengths to this power


@dataclass(frozen=True, slots=True)
class Judgement:
    score: float
    reason: str  # must quote neither the request nor the answer
    rival: str | None = None  # the answer that the judge compared with


def by_its_words(source: SignalSource, fields: Mapping[str, Any], text: str) -> Judgement | None:
    """The judgement of a source that reads only the answer and calls no backend."""
    try:
        with Effort(_MOST_STEPS).counted():
            return _by_its_words(source, fields, text)
    except Overspent:  # an answer that is too large to check stays unjudged
        return None


def _by_its_words(source: SignalSource, fields: Mapping[str, Any], text: str) -> Judgement | None:
    match source.kind:
        case "json":
            return _json(fields, text)
        case "schema":
            return _schema(fields, text)
        case "regex":
            return _regex(source.regex or "", text)
        case "rules":
            return _issues(Wanted(None, source.rules), text)
        case "realism":
            return _realism(fields, text)
    return None


def _json(fields: Mapping[str, Any], text: str) -> Judgement | None:
    """Whether the answer is only JSON, if the request wants JSON."""
    if not wants_json(fields):
        return None
    try:
        document = json_in(text)
    except NoJson:
        return Judgement(0.0, "no JSON")
    plain = text.strip()[:1] in ("{", "[") and text.strip()[-1:] in ("}", "]")
    whole = plain and isinstance(document, dict | list)
    return Judgement(1.0, "JSON") if whole else Judgement(0.5, "JSON among words")


def wants_json(fields: Mapping[str, Any]) -> bool:
    wanted = fields.get("response_format")
    by_format = isinstance(wanted, dict) and wanted.get("type") in ("json_object", "json_schema")
    return by_format or isinstance(fields.get("shape"), dict | list)


def _schema(fields: Mapping[str, Any], text: str) -> Judgement | None:
    if not wants_json(fields):
        return None
    shape = shape_of(fields)
    if shape is None:
        return None
    try:
        return _issues(Wanted(of_record(schema_of(shape))), text)
    except Exception:  # an unreadable shape is not the answer's fault
        return None


def _realism(fields: Mapping[str, Any], text: str) -> Judgement | None:
    """The share of the values of records that look real."""
    if not wants_json(fields) and shape_of(fields) is None:
        return None
    try:
        document = json_in(text)
    except NoJson:
        return None  # whether it is JSON, another source says
    score = likelihood(document if isinstance(document, list) else [document])
    return None if score is None else Judgement(score, f"{score:.0%} of its values look real")


def _regex(pattern: str, text: str) -> Judgement | None:
    try:
        return Judgement(float(matches(pattern, text)), "regex")
    except BadPattern:
        return None


def _issues(wanted: Wanted, text: str) -> Judgement | None:
    """The share of records without an issue."""
    try:
        document = json_in(text)
        many = isinstance(document, list)
        records = document if many else [document]
        if not records:
            return None
        issues = issues_in(records, wanted, as_list=many)
    except NoJson:
        return Judgement(0.0, "no JSON")
    except BadSchema:
        return None
    wrong = {issue.at[0] if many and issue.at else 0 for issue in issues}
    return Judgement(
        1 - len(wrong) / len(records), f"{len(wrong)} of {len(records)} records break it"
    )


def preferred(first: str, second: str, served: str, other: str) -> Judgement | None:
    """The score of the served answer, from a judge's comparisons with a rival in both orders.

    In the comparison `first` the served answer comes first, and in `second` it comes second. A
    judge that prefers the same place both times prefers neither answer. A longer answer wins by
    less, because judges like length.
    """
    ours = {"first": 1.0, "second": 0.0, "equal": 0.5}.get(first)
    theirs = {"first": 0.0, "second": 1.0, "equal": 0.5}.get(second)
    if ours is None or theirs is None:
        return None
    score = (ours + theirs) / 2
    if {ours, theirs} == {0.0, 1.0}:
        return Judgement(0.5, "prefers a place, not an answer")
    lengths = max(len(served), 1), max(len(other), 1)
    longer_won = (score > 0.5) == (lengths[0] > lengths[1])
    if score != 0.5 and longer_won:
        score = 0.5 + (score - 0.5) * (min(lengths) / max(lengths)) ** _SHRINKS
    comparison = "better" if score > 0.5 else "worse" if score < 0.5 else "as good"
    return Judgement(score, f"{comparison} than the other, in both orders")


def supported(answer: str, passages: list[str]) -> Judgement | None:
    """The share of the answer's words that the passages contain; numbers weigh half."""
    words = content_words(answer)
    if len(words) < 3:
        return None
    there = {word for passage in passages for word in content_words(passage)}
    numbers = [word for word in words if word.isdigit()]
    share = sum(word in there for word in words) / len(words)
    if numbers:
        share = 0.5 * share + 0.5 * sum(word in there for word in numbers) / len(numbers)
    return Judgement(share, f"{share:.0%} of its words are in the documents")


def equal(first: str, second: str) -> bool:
    """Whether two answers have the same words, or are the same JSON."""
    if plain(first) == plain(second):
        return True
    try:
        return bool(orjson.loads(first) == orjson.loads(second))
    except orjson.JSONDecodeError:
        return False


def plain(answer: str) -> str:
    """An answer's words in small letters, without the space between them and the final mark."""
    return " ".join(answer.lower().split()).rstrip(".!")
