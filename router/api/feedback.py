"""`POST /v1/feedback`: what a caller says about an answer, stored as signals.

The endpoint acknowledges feedback only after it is stored durably. Repeated feedback changes
nothing. A later, different statement counts instead of the earlier statement, and both stay stored.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import orjson

from learner.trust import IMPLICIT
from router.api.incoming import Admission, Incoming
from router.api.parse import parse_body
from router.api.replies import JSON, request_id_header
from router.config.signals import WEIGHTS
from router.domain import Signal
from router.engine.engine import Engine
from router.keys import Key
from router.request.kind_of_value import kind_of_value
from router.signals.behaviours import behaviour_of, claimed
from router.telemetry.journal import NotDurable
from router.telemetry.lookup import Memory, StoredRequest
from router.wire.errors import BadRequest, NotFound, Unavailable

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOST_CHARACTERS = 64 * 2**10
_THUMBS = {"up": 1.0, "down": 0.0, True: 1.0, False: 0.0}
_FIELDS = frozenset(
    (
        *("request_id", "inference_id", "score", "thumbs", "metric_name", "value", "comment"),
        *("demonstration", "source", "tags"),
    )
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One value of one metric in a caller's feedback."""

    metric: str
    value: str | None = None
    score: float | None = None
    comment: str | None = None
    demonstration: str | None = None
    implicit: bool = False  # what a user did, which is no rating

    @property
    def has_words(self) -> bool:
        """Whether it holds a text that may quote the answer."""
        written = (self.comment, self.demonstration) != (None, None)
        figure = self.implicit or self.score is not None or _is_figure(self.value or "0")
        return written or not figure

    @property
    def content(self) -> tuple[str | None, float | None, str | None, str | None]:
        return self.value, self.score, self.comment, self.demonstration


@dataclass(frozen=True, slots=True)
class FeedbackBody:
    request_id: str
    source: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class FeedbackEndpoint:
    engine: Engine
    admission: Admission
    memory: Memory

    async def post(self, incoming: Incoming) -> None:
        key = await self.admission.admit(incoming, "app", count="feedback")
        feedback = parse_feedback(await self.admission.body(incoming))
        record = await self._record(feedback.request_id, key)
        left_out: Sequence[str] = ()
        if record.of_stores:
            feedback, left_out = _without_words(feedback)
        idempotency_key = incoming.headers.get(b"idempotency-key", b"").decode("latin-1")
        at = self.engine.wall()
        signals, signal_ids = signals_of(
            feedback, record, key_id=key.id, idempotency_key=idempotency_key, at=at
        )
        try:
            await self.engine.journal.keep(signals)
        except NotDurable as error:
            raise _not_stored(f"the log could not be written to disk ({error})") from None
        self.engine.heard(signals)
        receipt = {
            "object": "feedback",
            "feedback_id": signal_ids[0],
            "request_id": feedback.request_id,
            "signals": signal_ids,
            "new": len(signals),
            **({"left_out": left_out} if left_out else {}),
        }
        headers = [JSON, request_id_header(incoming.id)]
        await incoming.reply.whole(200, orjson.dumps(receipt), headers)

    async def _record(self, request_id: str, key: Key) -> StoredRequest:
        """The request that the feedback is about, if this key sent that request or has the admin
        scope."""
        try:
            record = await self.memory.find(request_id)
        except LookupError as error:
            raise _not_stored(str(error)) from None
        if record is None and self.engine.journal.trouble:
            # The row about this request may wait in memory until the disk accepts rows again.
            raise _not_stored(f"telemetry cannot be written ({self.engine.journal.trouble})")
        if record is None or not (record.about.key_id == key.id or "admin" in key.scopes):
            message = (
                f"There is no answered request {request_id}. Feedback takes the id from "
                "x-waggle-request-id, once the answer has ended."
            )
            raise NotFound("unknown_request", message, "request_id")
        return record


def _without_words(feedback: FeedbackBody) -> tuple[FeedbackBody, list[str]]:
    """The feedback on an answer from stores of knowledge, and the metrics that are left out of it:
    whoever reads telemetry may read no such store, so no words are kept that may quote one."""
    left_out = [each.metric for each in feedback.statements if each.has_words]
    statements = tuple(each for each in feedback.statements if not each.has_words)
    if not statements:
        message = (
            f"`{left_out[0]}` is not kept: the answer came from stores of knowledge, and telemetry "
            "keeps no words about such an answer. Send `score` or `thumbs`."
        )
        raise BadRequest(message, left_out[0])
    return replace(feedback, statements=statements), left_out


def _is_figure(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _not_stored(reason: str) -> Unavailable:
    message = f"Feedback was not stored: {reason}. Send it again: a repetition counts once."
    return Unavailable("not_durable", message)


def parse_feedback(body: bytes) -> FeedbackBody:
    fields = parse_body(body)
    for name in fields.keys() - _FIELDS:
        raise BadRequest(f"`{name}` is not known here. Known: {', '.join(sorted(_FIELDS))}.", name)
    name = "inference_id" if "inference_id" in fields else "request_id"
    request_id = fields.get(name)
    if not isinstance(request_id, str) or not _UUID.fullmatch(request_id.lower()):
        hint = "the id that came with the answer, in x-waggle-request-id"
        raise BadRequest(f"`{name}` must be {hint}, not {_shown(request_id)}.", name)
    source = fields.get("source", "app")
    if not isinstance(source, str) or not _NAME.fullmatch(source):
        raise BadRequest(f"`source` must be a short name, not {_shown(source)}.", "source")
    if source in WEIGHTS:
        raise BadRequest(f"`source` may not be `{source}`: Waggle itself uses this name.", "source")
    statements = tuple(_statements(fields))
    if not statements:
        message = "Say something: `score`, `thumbs`, `metric_name`, `comment` or `demonstration`."
        raise BadRequest(message, "score")
    return FeedbackBody(request_id.lower(), source, statements)


def _statements(fields: Mapping[str, Any]) -> Iterator[Statement]:
    if fields.get("score") is not None:
        score = fields["score"]
        if not _is_number(score) or not 0 <= score <= 1:
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
        demonstration = _text(fields["demonstration"], "demonstration")
        yield Statement("demonstration", demonstration=demonstration)


def _metric(name: Any, value: Any) -> Statement:
    """Read a named metric. True, false and a number from 0 to 1 also count as a score."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadRequest(f"`metric_name` must be a short name, not {_shown(name)}.", "metric_name")
    if name == "comment":
        return Statement(name, comment=_text(value, "value"))
    if name == "demonstration":
        return Statement(name, demonstration=_text(value, "value"))
    behaviour = behaviour_of(name)
    if behaviour:
        return _behaviour(behaviour, value)
    if isinstance(value, bool):
        return Statement(name, value=str(value).lower(), score=float(value))
    if _is_number(value):
        score = float(value) if 0 <= value <= 1 else None
        return Statement(name, value=repr(value), score=score)
    if isinstance(value, str) and value:
        return Statement(name, value=_text(value, "value"))
    rule = "true, false, a number or a text"
    raise BadRequest(f"`value` of `{name}` must be {rule}, not {_shown(value)}.", "value")


def _behaviour(name: str, value: Any) -> Statement:
    """What a user did with an answer, and how much of it: an implicit signal."""
    if isinstance(value, bool) or (_is_number(value) and 0 <= value <= 1):
        shown = str(value).lower() if isinstance(value, bool) else repr(value)
        return Statement(name, value=shown, score=claimed(name, float(value)), implicit=True)
    rule = "true, false or a number from 0 to 1, because it says what a user did"
    raise BadRequest(f"`value` of `{name}` must be {rule}, not {_shown(value)}.", "value")


def _text(value: Any, name: str) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode() if value else ""
    if not text:
        raise BadRequest(f"`{name}` must be a text, not {_shown(value)}.", name)
    if len(text) > _MOST_CHARACTERS:
        message = f"`{name}` has {len(text)} characters, and {_MOST_CHARACTERS} is the most."
        raise BadRequest(message, name)
    return text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _shown(value: Any) -> str:
    return str(value) if _is_number(value) else kind_of_value(value)


def signals_of(
    feedback: FeedbackBody, record: StoredRequest, *, key_id: str, idempotency_key: str, at: float
) -> tuple[list[Signal], list[str]]:
    """The new signals, and the ids of all signals of this feedback, new or already stored.

    A signal's id is a digest of the statement and the signal before it, so two callers who say the
    same at the same moment write one signal. With an idempotency key, the id is a digest of the
    key, the request and the metric.
    """
    new, ids = [], []
    for statement in feedback.statements:
        source = IMPLICIT if statement.implicit else feedback.source
        topic = (source, statement.metric)
        earlier = [s for s in record.signals if (s.source, s.metric) == topic]
        last = earlier[-1] if earlier else None
        if idempotency_key:
            signal_id = _id(key_id, idempotency_key, feedback.request_id, statement.metric)
            same = next((signal for signal in record.signals if signal.id == signal_id), None)
            if same is not None and same.content != statement.content:
                raise BadRequest(
                    f"The Idempotency-Key {idempotency_key!r:.80} came before with something else: "
                    "send another key with this feedback.",
                    status=422,
                )
        else:
            follows = last.id if last is not None else ""
            parts = (feedback.request_id, source, statement.metric, follows)
            signal_id = _id(*parts, *map(repr, statement.content))
            same = last if last is not None and last.content == statement.content else None
        ids.append(same.id if same is not None else signal_id)
        if same is None:
            signal = Signal(
                id=signal_id,
                # A later signal has a later time, even if the clock was set back meanwhile.
                at=at if last is None else max(at, (last.ts_micros + 1) / 1e6),
                about=record.about,
                source=source,
                weight=WEIGHTS.get(source, 1.0),
                key_id=key_id,
                metric=statement.metric,
                value=statement.value,
                score=statement.score,
                comment=statement.comment,
                demonstration=statement.demonstration,
            )
            new.append(signal)
    return new, ids


def _id(*parts: str) -> str:
    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=12).hexdigest()
