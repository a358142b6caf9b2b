"""`POST /v1/feedback`: what a caller says about an answer, as signals. Pure but for the parsing.

Saying the same again changes nothing; saying something else later replaces it, and both are kept.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from router.api.parse import kind_of_value, parse_body
from router.config.signals import WEIGHTS
from router.domain import Signal
from router.telemetry.lookup import Remembered, StoredSignal
from router.wire.errors import BadRequest

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONGEST = 64 * 2**10
_THUMBS = {"up": 1.0, "down": 0.0, True: 1.0, False: 0.0}
_KNOWN = frozenset(
    (
        *("request_id", "inference_id", "score", "thumbs", "metric_name", "value", "comment"),
        *("demonstration", "source", "tags"),
    )
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that was said, before it is known whether it is new."""

    metric: str
    value: str | None = None
    score: float | None = None
    comment: str | None = None
    demonstration: str | None = None

    @property
    def content(self) -> tuple[str | None, float | None, str | None, str | None]:
        return self.value, self.score, self.comment, self.demonstration


@dataclass(frozen=True, slots=True)
class FeedbackBody:
    request_id: str
    source: str
    statements: tuple[Statement, ...]


def parse_feedback(body: bytes) -> FeedbackBody:
    fields = parse_body(body)
    for name in fields.keys() - _KNOWN:
        raise BadRequest(f"`{name}` is not known here. Known: {', '.join(sorted(_KNOWN))}.", name)
    name = "inference_id" if "inference_id" in fields else "request_id"
    request_id = fields.get(name)
    if not isinstance(request_id, str) or not _UUID.fullmatch(request_id.lower()):
        hint = "the id that came with the answer, in x-waggle-request-id"
        raise BadRequest(f"`{name}` must be {hint}, not {_shown(request_id)}.", name)
    source = fields.get("source", "app")
    if not isinstance(source, str) or not _NAME.fullmatch(source):
        raise BadRequest(f"`source` must be a short name, not {_shown(source)}.", "source")
    if source in WEIGHTS:
        raise BadRequest(f"`source` may not be `{source}`: Waggle speaks by that name.", "source")
    statements = tuple(_statements(fields))
    if not statements:
        message = "Say something: `score`, `thumbs`, `metric_name`, `comment` or `demonstration`."
        raise BadRequest(message, "score")
    return FeedbackBody(request_id.lower(), source, statements)


def _statements(fields: Mapping[str, Any]) -> Iterator[Statement]:
    if fields.get("score") is not None:
        score = fields["score"]
        if not _number(score) or not 0 <= score <= 1:
            rule = "a number from 0 (bad) to 1 (good)"
            raise BadRequest(f"`score` must be {rule}, not {_shown(score)}.", "score")
        yield Statement("score", score=float(score))
    if fields.get("thumbs") is not None:
        thumbs = fields["thumbs"]
        if not isinstance(thumbs, str | bool) or thumbs not in _THUMBS:
            raise BadRequest(f'`thumbs` must be "up" or "down", not {_shown(thumbs)}.', "thumbs")
        yield Statement("thumbs", score=_THUMBS[thumbs])
    if fields.get("metric_name") is not None or fields.get("value") is not None:
        yield _metric(fields.get("metric_name"), fields.get("value"))
    if fields.get("comment") is not None:
        yield Statement("comment", comment=_text(fields["comment"], "comment"))
    if fields.get("demonstration") is not None:
        shown = _text(fields["demonstration"], "demonstration")
        yield Statement("demonstration", demonstration=shown)


def _metric(name: Any, value: Any) -> Statement:
    """A metric by name. True, false and numbers from 0 to 1 say how good the answer was."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadRequest(f"`metric_name` must be a short name, not {_shown(name)}.", "metric_name")
    if name == "comment":
        return Statement(name, comment=_text(value, "value"))
    if name == "demonstration":
        return Statement(name, demonstration=_text(value, "value"))
    if isinstance(value, bool):
        return Statement(name, value=str(value).lower(), score=float(value))
    if _number(value):
        good = float(value) if 0 <= value <= 1 else None
        return Statement(name, value=repr(value), score=good)
    if isinstance(value, str) and value:
        return Statement(name, value=_text(value, "value"))
    rule = "true, false, a number or a text"
    raise BadRequest(f"`value` of `{name}` must be {rule}, not {_shown(value)}.", "value")


def _text(value: Any, name: str) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode() if value else ""
    if not text:
        raise BadRequest(f"`{name}` must be a text, not {_shown(value)}.", name)
    if len(text) > _LONGEST:
        message = f"`{name}` has {len(text)} characters, and {_LONGEST} is the most."
        raise BadRequest(message, name)
    return text


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _shown(value: Any) -> str:
    return str(value) if _number(value) else kind_of_value(value)


def signals_of(
    feedback: FeedbackBody, known: Remembered, *, key_id: str, idempotency_key: str, at: float
) -> tuple[list[Signal], list[str]]:
    """What is new in it, and the ids of all of it, new or known.

    An id is made of what was said and what it followed, so two who say the same at the same moment
    say it once. With an idempotency key it is made of that.
    """
    new, ids = [], []
    for statement in feedback.statements:
        before = [
            said
            for said in known.signals
            if (said.source, said.metric) == (feedback.source, statement.metric)
        ]
        last = before[-1] if before else None
        if idempotency_key:
            signal_id = _id(key_id, idempotency_key, feedback.request_id, statement.metric)
            again = next((said for said in known.signals if said.id == signal_id), None)
            if again is not None and again.content != statement.content:
                raise BadRequest(
                    f"The Idempotency-Key {idempotency_key!r:.80} came before with something else: "
                    "send another key with what is new.",
                    status=422,
                )
        else:
            follows = last.id if last is not None else ""
            parts = (feedback.request_id, feedback.source, statement.metric, follows)
            signal_id = _id(*parts, *map(repr, statement.content))
            again = last if last is not None and last.content == statement.content else None
        ids.append(again.id if again is not None else signal_id)
        if again is None:
            new.append(_signal(feedback, statement, known, signal_id, last, key_id, at))
    return new, ids


def _signal(
    feedback: FeedbackBody,
    statement: Statement,
    known: Remembered,
    signal_id: str,
    last: StoredSignal | None,
    key_id: str,
    at: float,
) -> Signal:
    # What is said later is later, whatever the clock says.
    at = max(at, (last.ts_micros + 1) / 1e6) if last is not None else at
    return Signal(
        signal_id,
        at,
        known.about,
        feedback.source,
        statement.metric,
        value=statement.value,
        score=statement.score,
        weight=WEIGHTS.get(feedback.source, 1.0),
        comment=statement.comment,
        demonstration=statement.demonstration,
        key_id=key_id,
    )


def _id(*parts: str) -> str:
    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=12).hexdigest()
