"""Parses and checks the body and the headers of a chat request; later code trusts the result.

Every error names the field or header, its rule, and the value that broke the rule. Fields that
Waggle does not know go to the backend unchecked and unchanged.
"""

import math
import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from learner.preference import PRESETS, Preference
from router.domain import Native, Request
from router.request.json_body import json_of
from router.request.kind_of_value import kind_of_value
from router.request.nesting import MOST_LEVELS, nests_too_deep
from router.request.reading import late_reading, reading_of
from router.wire.beside import LONG_BYTES
from router.wire.errors import BadRequest
from router.wire.splice import replaced

_MOST_ANSWERS = 128  # as OpenAI has it
_OF_WISHES = (b"x-waggle-", b"cache-control")
_RECORDS = ("shape", "records")  # fields that say without messages what is wanted
_TASK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def parse_body(body: bytes) -> dict[str, Any]:
    try:
        fields = json_of(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The request body is not valid JSON: {error}.") from error
    if not isinstance(fields, dict):
        raise BadRequest(f"The request body must be a JSON object, not {kind_of_value(fields)}.")
    if nests_too_deep(fields, body):
        rule = f"at most {MOST_LEVELS} levels deep"
        raise BadRequest(f"The request body must be nested {rule}: send deeper data as a string.")
    return fields


def parse_chat(
    body: bytes, headers: Mapping[bytes, bytes], *, request_id: str, key_id: str
) -> Request:
    fields = parse_body(body)
    if "messages" not in fields and any(fields.get(name) is not None for name in _RECORDS):
        fields = fields | {"messages": [{"role": "user", "content": _in_words(fields)}]}
        body = replaced(body, {b'"messages"': orjson.dumps(fields["messages"])})
    return chat_request(fields, body, headers, request_id=request_id, key_id=key_id)


def _in_words(fields: Mapping[str, Any]) -> str:
    """What a request for records that has no messages asks for, for models that read words."""
    count, shape, records = (fields.get(name) for name in ("count", "shape", "records"))
    wish = "JSON of this shape" if count is None else f"A JSON list of this shape, {count} long"
    parts = [f"{wish}:\n{orjson.dumps(shape).decode()}"] if shape else []
    if records:
        parts.append(f"It starts from this:\n{orjson.dumps(records).decode()}")
    return "\n".join(parts)


def chat_request(
    fields: dict[str, Any],
    body: bytes,
    headers: Mapping[bytes, bytes],
    *,
    request_id: str,
    key_id: str,
    native: Native | None = None,
    left_out: tuple[str, ...] = (),
) -> Request:
    """A request with these fields; `native` is what they were translated from, if they were."""
    model = model_in(fields)
    _check_messages(fields.get("messages"))
    stream = _flag(fields, "stream")
    _check_answers(fields.get("n"))
    options = fields.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise BadRequest(
            f"`stream_options` must be an object, not {kind_of_value(options)}.", "stream_options"
        )
    session = _session(fields, headers)
    return Request(
        id=request_id,
        body=body,
        fields=fields,
        model=model,
        stream=stream,
        include_usage=bool(options and options.get("include_usage")),
        session=session_id(key_id, session or _opening(fields["messages"])),
        session_given=bool(session),
        continues=any(message.get("role") == "assistant" for message in fields["messages"]),
        # A long request is read here, in its thread, and not on the loop of the others.
        reading=late_reading(fields) if len(body) <= LONG_BYTES else reading_of(fields),
        key_id=key_id,
        task=_task(fields, headers),
        native=native,
        left_out=left_out,
        **_wishes(fields, headers),
    )


def _wishes(fields: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> dict[str, Any]:
    """What the caller wants of Waggle itself; most callers send no such header."""
    no_store = fields.get("store") is False
    if not any(name.startswith(_OF_WISHES) for name in headers):
        return {"no_store": no_store}
    return {
        "max_cost_usd": ceiling(headers, b"x-waggle-max-cost", "dollars", least=0.0),
        "max_latency_ms": ceiling(headers, b"x-waggle-max-latency-ms", "milliseconds", least=1.0),
        "preference": _preference(headers),
        "region": headers.get(b"x-waggle-region", b"").decode("latin-1").strip(),
        "only": names_in(headers, b"x-waggle-plans"),
        "compared": _switch(headers, b"x-waggle-compare"),
        **_reuse_options(headers, no_store=no_store),
    }


def ceiling(
    headers: Mapping[bytes, bytes], name: bytes, unit: str, *, least: float
) -> float | None:
    """The upper bound that the caller sets for a request in this header, if any."""
    text = headers.get(name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= least):
        shown, header = text.decode("latin-1")[:80], name.decode()
        raise BadRequest(f"`{header}` must be {unit}, {least:g} or more, not {shown!r}.", header)
    return value


def _switch(headers: Mapping[bytes, bytes], name: bytes) -> bool:
    """Whether a header that is `true` or `false` is true; without the header it is not."""
    text = headers.get(name, b"false").decode("latin-1").strip().lower()
    if text not in ("true", "false"):
        header = name.decode()
        raise BadRequest(f"`{header}` must be true or false, not {text[:80]!r}.", header)
    return text == "true"


def _preference(headers: Mapping[bytes, bytes]) -> Preference | None:
    """The caller's weights of cost and latency: a preset, or `cost=0.2, latency=0.1`."""
    header = b"x-waggle-optimize"
    if header not in headers:
        return None
    text = headers[header].decode("latin-1").strip()
    if text in PRESETS:
        return PRESETS[text]
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if name not in ("cost", "latency") or name in weights or not 0 <= value <= 10:
            presets = ", ".join(PRESETS)
            rule = f"one of {presets}, or weights from 0 to 10 as `cost=0.2, latency=0.1`"
            message = f"`{header.decode()}` must be {rule}, not {text[:80]!r}."
            raise BadRequest(message, header.decode())
        weights[name] = value
    return Preference(**weights)


def _reuse_options(headers: Mapping[bytes, bytes], *, no_store: bool) -> dict[str, Any]:
    """Whether an earlier answer may be reused, and for how long this answer may be stored."""
    reuse = headers.get(b"x-waggle-reuse", b"").decode("latin-1").strip().lower()
    if reuse not in ("", "off", "exact", "similar"):
        rule = "one of off, exact, similar"
        raise BadRequest(f"`x-waggle-reuse` must be {rule}, not {reuse[:80]!r}.", "x-waggle-reuse")
    options: dict[str, Any] = {"reuse": reuse, "no_store": no_store}
    for part in headers.get(b"cache-control", b"").decode("latin-1").lower().split(","):
        name, _, value = part.strip().partition("=")
        if name == "no-store":
            options["no_store"] = True
        elif name == "no-cache":
            options["reuse"] = "off"
        elif name == "max-age" and value.isdigit():
            options["ttl_seconds"] = float(value[:9])
    ttl = ceiling(headers, b"x-waggle-ttl", "seconds", least=0.0)
    return options if ttl is None else options | {"ttl_seconds": ttl}


def names_in(headers: Mapping[bytes, bytes], header: bytes) -> tuple[str, ...]:
    names = headers.get(header, b"").decode("latin-1").split(",")
    return tuple(name.strip() for name in names if name.strip())


def session_id(key_id: str, opening: str | bytes) -> str:
    """The id of a conversation. The same opening under another key is another conversation."""
    words = opening.encode("utf-8", "replace") if isinstance(opening, str) else opening
    return blake2b(key_id.encode() + b"\0" + words, digest_size=12).hexdigest()


def model_in(fields: Mapping[str, Any]) -> str:
    model = fields.get("model")
    if not isinstance(model, str) or not model:
        hint = 'name a model of /v1/models, or "auto" to let Waggle choose'
        raise BadRequest(f"`model` must be a string, not {kind_of_value(model)}: {hint}.", "model")
    return model


def _check_messages(messages: Any) -> None:
    if not isinstance(messages, list) or not messages:
        rule = "a list of at least one message"
        raise BadRequest(f"`messages` must be {rule}, not {kind_of_value(messages)}.", "messages")
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        if not isinstance(message, dict):
            raise BadRequest(f"`{where}` must be an object, not {kind_of_value(message)}.", where)
        if not isinstance(message.get("role"), str):
            kind = kind_of_value(message.get("role"))
            raise BadRequest(f"`{where}.role` must be a string, not {kind}.", f"{where}.role")
        content = message.get("content")
        if content is not None and not isinstance(content, str | list):
            rule = "a string, a list of parts or null"
            kind = kind_of_value(content)
            raise BadRequest(f"`{where}.content` must be {rule}, not {kind}.", f"{where}.content")


def _check_answers(count: Any) -> None:
    """Check `n`, the number of answers: each costs as much as a request."""
    whole = isinstance(count, int) and not isinstance(count, bool)
    if count is not None and not (whole and 1 <= count <= _MOST_ANSWERS):
        raise BadRequest(
            f"`n` must be an integer from 1 to {_MOST_ANSWERS}, not {count!r:.80}.", "n"
        )


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise BadRequest(f"`{name}` must be true or false, not {kind_of_value(value)}.", name)
    return bool(value)


def _session(fields: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> str:
    """The caller's own name for this conversation, in a header, `metadata` or `conversation`."""
    header = headers.get(b"x-session-id")
    if header:
        return header.decode("utf-8", "replace")
    metadata = fields.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("session_id"), str):
        return str(metadata["session_id"])
    conversation = fields.get("conversation")
    if isinstance(conversation, dict):
        conversation = conversation.get("id")
    return conversation if isinstance(conversation, str) else ""


def _task(fields: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> str:
    """The caller's own name for this kind of request, if the caller gives a name."""
    task = headers.get(b"x-waggle-task", b"").decode("latin-1")
    metadata = fields.get("metadata")
    if not task and isinstance(metadata, dict) and metadata.get("task") is not None:
        task = metadata["task"]
    if task and not (isinstance(task, str) and _TASK.fullmatch(task)):
        rule = "1 to 64 letters, digits, dots, dashes or underscores"
        raise BadRequest(f"The task {task!r:.80} must be {rule}.", "metadata.task")
    return task


def _opening(messages: list[dict[str, Any]]) -> bytes:
    """All messages up to the user's first message: the same in every turn of a conversation."""
    opening: list[Any] = []
    for message in messages:
        opening.append([message.get("role"), message.get("content")])
        if message.get("role") == "user":
            break
    return orjson.dumps(opening)
