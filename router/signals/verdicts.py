"""What an answer's own words say of its quality. Pure.

Each gives a score from 0 to 1, or nothing: what a source cannot judge stays unknown, never good.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from router.config.signals import SignalSource
from router.documents.content_words import content_words
from router.records.checking import BadSchema, Wanted, issues_in
from router.records.json_text import NoJson, json_in
from router.records.regexes import BadPattern, matches
from router.records.schema import of_record, schema_of
from router.request.wants import shape_of

_SHRINKS = 0.25  # how quickly a longer answer's win counts less: the fourth root of the ratio


@dataclass(frozen=True, slots=True)
class JudgeVerdict:
    score: float
    told: str  # why, in words that quote neither the request nor the answer


def verdict(source: SignalSource, fields: Mapping[str, Any], text: str) -> JudgeVerdict | None:
    match source.kind:
        case "json":
            return _json(fields, text)
        case "schema":
            return _schema(fields, text)
        case "regex":
            return _regex(source.regex or "", text)
        case "rules":
            return _issues(Wanted(None, source.rules), text)
    return None


def _json(fields: Mapping[str, Any], text: str) -> JudgeVerdict | None:
    """Of those who asked for JSON: did JSON come, and nothing else?"""
    if not wants_json(fields):
        return None
    try:
        document = json_in(text)
    except NoJson:
        return JudgeVerdict(0.0, "no JSON")
    plain = text.strip()[:1] in ("{", "[") and text.strip()[-1:] in ("}", "]")
    whole = plain and isinstance(document, dict | list)
    return JudgeVerdict(1.0, "JSON") if whole else JudgeVerdict(0.5, "JSON among words")


def wants_json(fields: Mapping[str, Any]) -> bool:
    wanted = fields.get("response_format")
    asked = isinstance(wanted, dict) and wanted.get("type") in ("json_object", "json_schema")
    return asked or isinstance(fields.get("shape"), dict | list)


def _schema(fields: Mapping[str, Any], text: str) -> JudgeVerdict | None:
    if not wants_json(fields):
        return None
    shape = shape_of(fields)
    if shape is None:
        return None
    try:
        return _issues(Wanted(of_record(schema_of(shape))), text)
    except Exception:  # a shape that nobody can read says nothing of the answer
        return None


def _regex(pattern: str, text: str) -> JudgeVerdict | None:
    try:
        return JudgeVerdict(float(matches(pattern, text)), "regex")
    except BadPattern:
        return None


def _issues(wanted: Wanted, text: str) -> JudgeVerdict | None:
    """The share of records in which nothing is wrong."""
    try:
        document = json_in(text)
        many = isinstance(document, list)
        records = document if many else [document]
        if not records:
            return None
        issues = issues_in(records, wanted, as_list=many)
    except NoJson:
        return JudgeVerdict(0.0, "no JSON")
    except BadSchema:
        return None
    wrong = {issue.at[0] if many and issue.at else 0 for issue in issues}
    return JudgeVerdict(
        1 - len(wrong) / len(records), f"{len(wrong)} of {len(records)} records break it"
    )


def preferred(first: str, second: str, served: str, other: str) -> JudgeVerdict | None:
    """What a judge who saw two answers in both orders says of the one that was served.

    `first` is what it said with ours in front, `second` with ours behind. Who prefers a place to an
    answer has said nothing for either; and of two that win, the longer one wins by less.
    """
    ours = {"first": 1.0, "second": 0.0, "equal": 0.5}.get(first)
    theirs = {"first": 0.0, "second": 1.0, "equal": 0.5}.get(second)
    if ours is None or theirs is None:
        return None
    score = (ours + theirs) / 2
    if {ours, theirs} == {0.0, 1.0}:
        return JudgeVerdict(0.5, "prefers a place, not an answer")
    lengths = max(len(served), 1), max(len(other), 1)
    longer_won = (score > 0.5) == (lengths[0] > lengths[1])
    if score != 0.5 and longer_won:
        score = 0.5 + (score - 0.5) * (min(lengths) / max(lengths)) ** _SHRINKS
    told = "better" if score > 0.5 else "worse" if score < 0.5 else "as good"
    return JudgeVerdict(score, f"{told} than the other, in both orders")


def supported(answer: str, passages: list[str]) -> JudgeVerdict | None:
    """The share of what an answer says that the documents say as well; its numbers count most."""
    words = content_words(answer)
    if len(words) < 3:
        return None
    there = {word for passage in passages for word in content_words(passage)}
    numbers = [word for word in words if word.isdigit()]
    said = sum(word in there for word in words) / len(words)
    if numbers:
        said = 0.5 * said + 0.5 * sum(word in there for word in numbers) / len(numbers)
    return JudgeVerdict(said, f"{said:.0%} of its words are in the documents")
