"""Turns a caller's request into one for llama.cpp's server. Pure.

llama.cpp obeys many more fields than OpenAI's protocol has, and some of them would change what
other callers get: only fields of the protocol are passed on, after their values were checked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from router.backends.local_writing import options_of
from router.config.llama import LlamaSettings
from router.domain import Fault, Fields

# llama.cpp lets a model write a fence around JSON, and takes it off later: its tokens would count,
# and a short answer would be nothing else.
FENCES = ("`", "``", "```", " `", " ``", " ```")
_CHARACTERS_A_TOKEN = 100  # no text has fewer tokens than this says
_PASSED = ("frequency_penalty", "presence_penalty", "tools", "tool_choice", "parallel_tool_calls")
_MOST_PARTS = 300  # objects in a schema; llama.cpp's work on it grows with their square


def body_for(
    settings: LlamaSettings, fields: Fields, *, stream: bool, fences: Sequence[int] = ()
) -> bytes:
    """The request for llama.cpp's server; a `Fault` names a field with a wrong value.

    Where the answer must be JSON, the model may not write the tokens `fences`.
    """
    heat = fields.get("temperature")
    stated = {**fields, "temperature": settings.temperature if heat is None else heat}
    options = options_of(stated, settings.max_new_tokens)
    body: dict[str, Any] = {
        "model": settings.name,
        "messages": _messages(settings, fields.get("messages")),
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
        body |= {"logprobs": True, "top_logprobs": options.top_logprobs}
    body |= {name: fields[name] for name in _PASSED if fields.get(name) is not None}
    return orjson.dumps(body | _form(fields, fences))


def _messages(settings: LlamaSettings, messages: Any) -> list[Any]:
    """The conversation with a system message, in the roles that chat templates know."""
    if not isinstance(messages, list) or not messages:
        raise Fault("bad_request", f"messages = {messages!r:.80} must be a list of messages")
    length, most = sum(len(orjson.dumps(message)) for message in messages), settings.context_window
    if length > most * _CHARACTERS_A_TOKEN:  # splitting a long text takes much memory
        detail = f"the prompt has {length:,} characters, and {most} tokens are the most"
        raise Fault("bad_request", detail)
    roles = [message.get("role") for message in messages]
    if "developer" in roles:
        messages = [
            {**message, "role": "system"} if message.get("role") == "developer" else message
            for message in messages
        ]
    if settings.system is None or "system" in roles or "developer" in roles:
        return messages
    return [{"role": "system", "content": settings.system}, *messages]


def _form(fields: Mapping[str, Any], fences: Sequence[int]) -> dict[str, Any]:
    """What holds the answer to JSON, token by token."""
    wanted = fields.get("response_format")
    if not isinstance(wanted, dict) or wanted.get("type") not in ("json_object", "json_schema"):
        return {}
    if wanted["type"] == "json_schema":
        schema = (wanted.get("json_schema") or {}).get("schema")
        if not isinstance(schema, dict):
            detail = f"response_format.json_schema.schema = {schema!r:.80} must be a JSON schema"
            raise Fault("bad_request", detail)
        parts = orjson.dumps(schema).count(b"{")
        if parts > _MOST_PARTS:
            detail = f"the schema has {parts} parts, and a llama backend follows {_MOST_PARTS}"
            raise Fault("bad_request", f"{detail}: make it smaller")
    bias = {"logit_bias": [[token, False] for token in fences]} if not fields.get("tools") else {}
    return {"response_format": wanted, **bias}
