"""Checks of an answer that call no backend: its text, its schema, its logprobs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from router.config.plan_checks import Check
from router.plans.agreement.agreeing import agreement
from router.plans.logprobs import entropy_of, probability_of
from router.records.checking import Wanted, issues_in
from router.records.effort import Effort, Overspent
from router.records.json_text import NoJson, json_in
from router.records.regexes import BadPattern, matches
from router.records.repairing import repaired
from router.records.rule_functions import CannotTell
from router.records.rules import parsed
from router.records.schema import of_record, schema_of
from router.records.validating import BadSchema

_MOST_STEPS = 5_000_000  # about a quarter of a minute


@dataclass(frozen=True, slots=True)
class Inspection:
    """The problem with an answer's text, or the text after a repair by rule."""

    problem: str = ""
    mended: str = ""


def inspected(check: Check, shape: Any, text: str, *, may_mend: bool) -> Inspection:
    """Check a text by regex, schema and rules; `schema: true` means the schema of `shape`."""
    try:
        with Effort(_MOST_STEPS).counted():
            return _inspected(check, shape, text, may_mend=may_mend)
    except Overspent as much:
        return Inspection(f"it cannot be checked: {much}")


def _inspected(check: Check, shape: Any, text: str, *, may_mend: bool) -> Inspection:
    if check.regex is not None:
        try:
            if not matches(check.regex, text):
                return Inspection(f"{check.regex!r} is not found in it")
        except BadPattern as error:
            return Inspection(str(error))
    if not check.schema_ and not check.rules:
        return Inspection()
    try:
        document = json_in(text)
        wanted = Wanted(_schema(check, shape), check.rules)
        many = isinstance(document, list)
        records = document if many else [document]
        issues = issues_in(records, wanted, as_list=many)
        if issues and may_mend:
            repair = repaired(records, wanted, as_list=many)
            if not repair.issues:
                whole = repair.records if many else repair.records[0]
                return Inspection(mended=orjson.dumps(whole).decode())
            issues = repair.issues
    except (NoJson, BadSchema) as error:
        return Inspection(str(error))
    return Inspection("; ".join(map(str, issues[:20])))


def holds_of(text: str, draft: str) -> bool:
    """Whether a rule holds for the record of an answer, or for some record of its list. For what is
    no JSON, the field `draft` is the text. A rule that cannot be applied holds: what was not
    understood leaves no step out."""
    try:
        with Effort(_MOST_STEPS).counted():
            document = json_in(draft)
    except (NoJson, Overspent):
        document = {}
    rule = parsed(text)
    records = document if isinstance(document, list) else [document]
    for record in records:
        if not isinstance(record, dict):
            continue
        try:
            if rule.holds({"draft": draft, **record}):
                return True
        except CannotTell:
            return True
    return False


def _schema(check: Check, shape: Any) -> Mapping[str, Any] | None:
    if isinstance(check.schema_, dict):
        return of_record(check.schema_)
    return of_record(schema_of(shape)) if check.schema_ and shape is not None else None


def unsure(check: Check, body: bytes) -> str:
    """Why the backend was not sure enough of its answer, by its logprobs; empty if it was."""
    if check.probability is not None:
        sure = probability_of(body) if body else None
        if sure is None:
            return "the backend gave no logprobs"
        if sure < check.probability:
            return f"its mean token probability is {sure:.3f}, and {check.probability:g} was asked"
    if check.entropy is not None:
        bits = entropy_of(body) if body else None
        if bits is None:
            return "the backend gave no top_logprobs"
        if bits > check.entropy:
            return f"its mean entropy is {bits:.3f} bits a token, and {check.entropy:g} is the most"
    return ""


def disagrees(check: Check, text: str, before: str) -> str:
    """Why the answer does not agree with the draft before it; empty if it does."""
    if check.agreement is None:
        return ""
    if not before:
        return "there is no draft before it to agree with"
    shared = agreement(text, before)
    if shared >= check.agreement:
        return ""
    return f"it agrees with the draft before it to {shared:.2f} of the {check.agreement:g} asked"
