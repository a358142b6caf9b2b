"""Turns a caller's request into one for llama.cpp's server. Pure.

llama.cpp obeys many more fields than OpenAI's protocol has, and some of them would change what
other callers get: only fields of the protocol are passed on, after their values were checked.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from router.backends.local_writing import options_of
from router.config.llama import PASSED_ON, LlamaSettings
from router.domain import Fault, Fields

# Around JSON, llama.cpp lets a model write a fence, which it takes off later, and spaces without
# end. Their tokens would count, and a short answer would be nothing else.
_SPACES = [mark * n for mark in (" ", "\t", "\n") for n in range(1, 33)]
_LINES = ["\n" + mark * n for mark in (" ", "\t") for n in range(1, 17)]
IDLE = "x".join(("`", "``", "```", " `", " ``", " ```", *_SPACES, *_LINES, "\r\n", "\r"))
_CHARACTERS_A_TOKEN = 100  # no text has fewer tokens than this says
_PASSED = (*sorted(PASSED_ON), "tools", "tool_choice", "parallel_tool_calls")
_SYSTEM = ("system", "developer")
_LONGEST_SHOWN = 1_000  # characters of a schema that the model is told in words
_MOST_PARTS = 300  # objects in a schema; llama.cpp's work on it grows with their square


def is_idle(piece: object) -> bool:
    """Whether a token says nothing in JSON: spaces, or a fence."""
    return isinstance(piece, str) and (not piece.strip() or not piece.strip(" `"))


def body_for(
    settings: LlamaSettings, fields: Fields, *, stream: bool, idle: Sequence[int] = ()
) -> bytes:
    """The request for llama.cpp's server; a `Fault` names a field with a wrong value.

    Where the answer must be JSON, the model may not write the tokens `idle`.
    """
    heat = fields.get("temperature")
    stated = {**fields, "temperature": settings.temperature if heat is None else heat}
    options = options_of(stated, settings.max_new_tokens)
    body: dict[str, Any] = {
        "model": settings.name,
        "messages": _messages(settings, fields),
        "max_tokens": options.most_tokens,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "stop": list(options.stop),
        "stream": stream,
    }
    if stream:
        body["stream_options"] = {"include_usage": True}
    if options.seed is not None:
        body["seed"] = options.seed % (2**32 - 1)  # llama.cpp reads 2**32 - 1 as "any"
    if options.logprobs:
        # With 0 alternatives, llama.cpp would leave the probabilities of the tokens out as well.
        body |= {"logprobs": True, "top_logprobs": max(1, options.top_logprobs)}
    body |= {name: fields[name] for name in _PASSED if fields.get(name) is not None}
    form = _form(fields)
    if form and not fields.get("tools"):
        body["logit_bias"] = [[token, False] for token in idle]
    return orjson.dumps(body | form)


def _messages(settings: LlamaSettings, fields: Fields) -> list[dict[str, Any]]:
    """The conversation with a system message, in the roles that chat templates know."""
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Fault("bad_request", f"messages = {messages!r:.80} must be a list of messages")
    length, most = sum(len(orjson.dumps(message)) for message in messages), settings.context_window
    if length > most * _CHARACTERS_A_TOKEN:  # splitting a long text takes much memory
        detail = f"the prompt has {length:,} characters, and {most} tokens are the most"
        raise Fault("bad_request", detail)
    if not any(message.get("role") in _SYSTEM for message in messages):
        system = settings.system
        return [*([] if system is None else [_instruction(system, fields)]), *messages]
    return [
        {**message, "role": "system"} if message.get("role") in _SYSTEM else message
        for message in messages
    ]


def _instruction(system: str, fields: Fields) -> dict[str, Any]:
    """The settings' own system message; it also tells the model the form that its answer has."""
    schema = orjson.dumps(_schema(fields)).decode()
    if schema != "null" and len(schema) <= _LONGEST_SHOWN:
        system = f"{system}\n\nAnswer with JSON that follows this schema: {schema}".strip()
    return {"role": "system", "content": system}


def _schema(fields: Fields) -> Any:
    wanted = fields.get("response_format")
    stated = wanted.get("json_schema") if isinstance(wanted, dict) else None
    return stated.get("schema") if isinstance(stated, dict) else None


def _form(fields: Fields) -> dict[str, Any]:
    """What holds the answer to JSON, token by token."""
    wanted = fields.get("response_format")
    if not isinstance(wanted, dict) or wanted.get("type") not in ("json_object", "json_schema"):
        return {}
    if wanted["type"] == "json_schema":
        schema = _schema(fields)
        if not isinstance(schema, dict):
            detail = f"response_format.json_schema.schema = {schema!r:.80} must be a JSON schema"
            raise Fault("bad_request", detail)
        parts = orjson.dumps(schema).count(b"{")
        if parts > _MOST_PARTS:
            detail = f"the schema has {parts} parts, and a llama backend follows {_MOST_PARTS}"
            raise Fault("bad_request", f"{detail}: make it smaller")
    return {"response_format": wanted}
