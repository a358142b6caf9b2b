"""Writes a chat request of OpenAI's dialect in that of Anthropic's Messages API. Pure.

`request_of` translates every field, or raises `Untranslatable` with the field's name. A message of
the system in the middle of a conversation becomes a `<system>` text of the user's turn, in its
place. A conversation with calls of tools that are no longer offered names those tools again, and
forbids their use, because the API accepts no calls of unknown tools.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from router.dialects.anthropic_schemas import fitting
from router.dialects.anthropic_thinking import thinking_of
from router.dialects.claude_models import ClaudeModel, claude_model
from router.dialects.conversation import Media, Part, Text, Thought, ToolResult, ToolUse, Turn
from router.dialects.conversation import turns_of as read_turns
from router.dialects.fields import Untranslatable, most_tokens, number, stops, telling, text_field
from router.dialects.tools import AnswerForm, Tool, ToolChoice, answer_form, tools_of

ANSWER_TOOL = "answer_in_json"  # the tool whose input is the answer, for a model without schemas

_TAKES = frozenset(
    {
        *("max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "stop"),
        *("tools", "tool_choice", "functions", "function_call", "parallel_tool_calls"),
        *("response_format", "reasoning_effort", "thinking", "user", "safety_identifier"),
        *("cache_control", "service_tier", "inference_geo", "output_config"),
    }
)
_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_-]")
_IDENTITY = re.compile(r"[A-Za-z0-9_-]{1,128}")
_EPHEMERAL = "ephemeral"
_BEGINNING = "(The conversation begins with the answer.)"  # the first message must be the user's

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AnthropicOptions:
    """The operator's part of each request."""

    model: str
    most_tokens: int | None = None
    cache: Literal["5m", "1h"] | None = None
    leave_out: tuple[str, ...] = ()
    abilities: ClaudeModel | None = None  # default: by the model's name


@dataclass(frozen=True, slots=True)
class AnthropicRequest:
    body: Body
    answers_by_tool: bool = False  # whether the input of `ANSWER_TOOL` is the answer


def request_of(fields: Mapping[str, Any], options: AnthropicOptions) -> AnthropicRequest:
    given = telling(fields, _TAKES, options.leave_out, "Anthropic's dialect")
    model = options.abilities or claude_model(options.model)
    most = most_tokens(given) or options.most_tokens or model.most_tokens
    turns = read_turns(fields.get("messages") or (), options.leave_out)
    system, messages = _written(turns)
    if not messages:
        raise Untranslatable("messages", "must have a message of the user that says something")
    body: Body = {"model": options.model, "max_tokens": most, "messages": messages}
    if system:
        body["system"] = system
    body |= thinking_of(given, model, most, messages)
    thinks = body.get("thinking", {}).get("type", "disabled") != "disabled"
    body |= _sampling(given, model, thinks=thinks)
    texts = stops(given, most=8191)
    if any(not text.strip() for text in texts):
        raise Untranslatable("stop", "has a text of white space alone, which ends no answer here")
    if texts:
        body["stop_sequences"] = texts
    by_tool = _with_tools_and_form(body, given, model, turns, thinks=thinks)
    body |= _account(given, fields.get("metadata"))
    if options.cache is not None and "cache_control" not in given:
        body["cache_control"] = {"type": _EPHEMERAL, "ttl": options.cache}
    if fields.get("stream"):
        body["stream"] = True
    return AnthropicRequest(body, by_tool)


def _sampling(given: Mapping[str, Any], model: ClaudeModel, *, thinks: bool) -> Body:
    body: Body = {}
    bounds = {"temperature": (0, 1), "top_p": (0, 1), "top_k": (1, 1_000_000)}
    for name, (least, most) in bounds.items():
        value = number(given, name, least=least, most=most, whole=name == "top_k")
        if value is None or (name == "temperature" and value == 1):
            continue  # 1 is the default temperature
        if not model.samples:
            rule = "is no longer taken by this model: leave it out, or list it in `leave_out`"
            raise Untranslatable(name, rule)
        if thinks and not (name == "top_p" and value >= 0.95):
            raise Untranslatable(name, f"= {value:g} cannot go with a model that thinks first")
        body[name] = value
    return body


def _account(given: Mapping[str, Any], metadata: Any) -> Body:
    """Who asks, and where and how well the request is served."""
    body: Body = {}
    user = text_field(given, "safety_identifier") or text_field(given, "user")
    own = metadata.get("user_id") if isinstance(metadata, Mapping) else None
    if user:
        body["metadata"] = {"user_id": _opaque(user)}
    elif isinstance(own, str) and own:  # Anthropic's own name, so it was written for its API
        body["metadata"] = {"user_id": own}
    for name in ("cache_control", "inference_geo"):
        if name in given:
            body[name] = given[name]
    tier = text_field(given, "service_tier", ("standard_only",))
    if tier:
        body["service_tier"] = tier
    return body


def _opaque(user: str) -> str:
    """The user's id; the API takes no addresses and no telephone numbers, so their hash."""
    if _IDENTITY.fullmatch(user) and not user.isdigit():
        return user
    return blake2b(user.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _with_tools_and_form(
    body: Body, given: Mapping[str, Any], model: ClaudeModel, turns: Sequence[Turn], *, thinks: bool
) -> bool:
    """Add the tools and the wanted form; whether the input of a tool is the answer."""
    tools, choice = tools_of(given)
    form = answer_form(given)
    if not tools:
        tools = tuple(_called(turns))
        choice = ToolChoice("none", stated=True)
    if form.kind == "schema" and form.schema is not None and model.structured:
        schema = fitting(form.schema)
        if schema is not None:
            body.setdefault("output_config", {})["format"] = {
                "type": "json_schema",
                "schema": schema,
            }
            form = AnswerForm()
    by_tool = form.kind != "text"
    if by_tool:
        if thinks or (tools and choice.mode != "none"):
            other = "`reasoning_effort`" if thinks else "`tools`"
            rule = f"cannot be held to together with {other}: give a `json_schema`"
            raise Untranslatable("response_format", rule)
        tools, choice = (*tools, _answer_tool(form)), ToolChoice("tool", ANSWER_TOOL, stated=True)
    if tools:
        body["tools"] = [_tool(tool) for tool in tools]
        written = _choice(choice)
        if thinks and written.get("type") in ("any", "tool"):
            rule = "cannot force a call of a model that thinks first: use `auto`"
            raise Untranslatable("tool_choice", rule)
        if choice.stated or not choice.parallel:
            body["tool_choice"] = written
    return by_tool


def _called(turns: Iterable[Turn]) -> Iterable[Tool]:
    """The tools that the conversation has called, each once."""
    names = {part.name: None for turn in turns for part in turn.parts if isinstance(part, ToolUse)}
    return (Tool(name, "", {"type": "object", "properties": {}}) for name in names)


def _answer_tool(form: AnswerForm) -> Tool:
    schema = form.schema if form.schema is not None else {"type": "object"}
    return Tool(ANSWER_TOOL, "Give the whole answer by this tool, as its input.", schema)


def _tool(tool: Tool) -> Body:
    body: Body = {"name": tool.name, "input_schema": {"type": "object", **tool.schema}}
    if tool.description:
        body["description"] = tool.description
    if tool.strict:
        body["strict"] = True
    return _cached(body | dict(tool.extras), tool.cache_control)


def _choice(choice: ToolChoice) -> Body:
    body: Body = {"type": choice.mode}
    if choice.mode == "tool":
        body["name"] = choice.name
    if not choice.parallel and choice.mode != "none":
        body["disable_parallel_tool_use"] = True
    return body


def _written(turns: Sequence[Turn]) -> tuple[list[Body], list[Body]]:
    """The system's texts, and the messages, in which both sides take turns."""
    system: list[Body] = []
    messages: list[Body] = []
    for turn in turns:
        if turn.role == "system" and not messages:
            system += _blocks(turn.parts)
            continue
        role = "assistant" if turn.role == "assistant" else "user"
        blocks = _blocks(turn.parts)
        if turn.role == "system":
            for block in blocks:
                block["text"] = f"<system>\n{block['text']}\n</system>"
        if role == "assistant" and not messages:
            messages.append({"role": "user", "content": [{"type": "text", "text": _BEGINNING}]})
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += blocks
        else:
            messages.append({"role": role, "content": blocks})
    for message in messages:
        if message["role"] == "user":  # results must come before all else
            message["content"].sort(key=lambda block: block["type"] != "tool_result")
    if messages and messages[-1]["role"] == "assistant":
        _trim(messages[-1]["content"])
    return system, messages


def _trim(blocks: list[Body]) -> None:
    """The API refuses white space at the end of an answer that the model is to go on with."""
    if blocks and blocks[-1]["type"] == "text":
        blocks[-1]["text"] = blocks[-1]["text"].rstrip() or "…"


def _blocks(parts: Iterable[Part]) -> list[Body]:
    blocks: list[Body] = []
    for part in parts:
        block = _block(part)
        if isinstance(part, Text) and part.search_result is not None:
            about, text = part.search_result, block
            cached = about.get("cache_control")
            if about.get("index") == 0 or not blocks or blocks[-1]["type"] != "search_result":
                named = {name: about.get(name) for name in ("source", "title")}
                blocks.append({"type": "search_result", **named, "content": []})
            block = blocks.pop()
            block = _cached(block | {"content": [*block["content"], text]}, cached)
        blocks.append(block)
    return blocks


def _block(part: Part) -> Body:
    match part:
        case Text(text, cached, _, dict(document)):
            source = {"type": "text", "media_type": "text/plain", "data": text}
            return _cached({"type": "document", "source": source} | _about(document), cached)
        case Text(text, cached):
            return _cached({"type": "text", "text": text}, cached)
        case Media():
            return _media(part)
        case ToolUse(identity, name, arguments, _, cached):
            use = {"type": "tool_use", "id": identity_of(identity), "name": name}
            return _cached(use | {"input": arguments}, cached)
        case ToolResult(identity, _, parts, cached, failed):
            block: Body = {"type": "tool_result", "tool_use_id": identity_of(identity)}
            if parts:
                block["content"] = _blocks(parts)
            return _cached(block | ({"is_error": True} if failed else {}), cached)
        case Thought(block_as_written):
            return dict(block_as_written)


def _cached(block: Body, cached: Any) -> Body:
    return block if cached is None else block | {"cache_control": cached}


def _about(document: Mapping[str, Any]) -> Body:
    return {name: document[name] for name in ("title", "context") if document.get(name)}


def identity_of(identity: str) -> str:
    """An id of a call in the letters that the API takes; the same id always becomes the same."""
    if not _NOT_IN_IDS.search(identity):
        return identity
    digest = blake2b(identity.encode("utf-8", "replace"), digest_size=6).hexdigest()
    return f"{_NOT_IN_IDS.sub('_', identity)[:40]}_{digest}"


def _media(part: Media) -> Body:
    if part.sort == "audio":
        raise Untranslatable("messages", "has an input_audio, and Claude hears no sound")
    if part.sort == "document":
        if part.media_type != "application/pdf":
            raise Untranslatable("messages", "has a file that is no PDF: send its words as text")
        source = {"type": "base64", "media_type": part.media_type, "data": part.data}
        block = {"type": "document", "source": source}
        about = {"title": part.name} if part.document is None else part.document
        return _cached(block | _about(about), part.cache_control)
    if part.url:
        source = {"type": "url", "url": part.url}
        return _cached({"type": "image", "source": source}, part.cache_control)
    kind = "image/jpeg" if part.media_type == "image/jpg" else part.media_type
    if kind not in _IMAGES:
        raise Untranslatable("messages", f"has an image that is none of {', '.join(_IMAGES)}")
    source = {"type": "base64", "media_type": kind, "data": part.data}
    return _cached({"type": "image", "source": source}, part.cache_control)
