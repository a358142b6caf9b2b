"""Writes a chat request of OpenAI's dialect in that of Gemini's `generateContent`. Pure.

`gemini_request` translates every field, or raises `Untranslatable` with the field's name. A message
of the system in the middle of a conversation becomes a `<system>` text of the user's turn, in its
place. `cache_control`, `user` and a picture's `detail` say nothing here: Gemini caches by itself.
"""

import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.dialects.conversation import (
    Media,
    Part,
    Text,
    Thought,
    ToolResult,
    ToolUse,
    Turn,
    turns_of,
)
from router.dialects.fields import Untranslatable, most_tokens, number, stops, telling, text_field
from router.dialects.gemini_models import GeminiModel, gemini_model
from router.dialects.tools import AnswerForm, Tool, ToolChoice, answer_form, tools_of

OWN_CALL = "call_waggle_"  # begins the id of a call to which Gemini gave none
NO_SIGNATURE = "skip_thought_signature_validator"  # Google's mark for a call of another model

_TAKES = frozenset(
    {
        *("max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "stop", "seed"),
        *("n", "logprobs", "top_logprobs", "frequency_penalty", "presence_penalty"),
        *("tools", "tool_choice", "functions", "function_call", "parallel_tool_calls"),
        *("response_format", "reasoning_effort", "user", "safety_identifier", "cache_control"),
        *("safety_settings", "cached_content"),
    }
)
_NUMBERS = (  # name, its name there, least, most, whole
    ("temperature", "temperature", 0, 2, False),
    ("top_p", "topP", 0, 1, False),
    ("top_k", "topK", 1, 1000, True),
    ("n", "candidateCount", 1, 8, True),
    ("seed", "seed", -(2**31), 2**31 - 1, True),
    ("presence_penalty", "presencePenalty", -2, 2, False),
    ("frequency_penalty", "frequencyPenalty", -2, 2, False),
)
_EFFORTS = ("none", "minimal", "low", "medium", "high")

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class GeminiOptions:
    """The operator's part of each request."""

    model: str
    most_tokens: int | None = None
    leave_out: tuple[str, ...] = ()
    abilities: GeminiModel | None = None  # default: by the model's name


def gemini_request(fields: Mapping[str, Any], options: GeminiOptions) -> Body:
    given = telling(fields, _TAKES, options.leave_out, "Gemini's dialect")
    model = options.abilities or gemini_model(options.model)
    system, contents = _written(turns_of(fields.get("messages") or (), options.leave_out), model)
    if not contents:
        raise Untranslatable("messages", "must have a message of the user that says something")
    body: Body = {"contents": contents}
    if system:
        body["systemInstruction"] = {"parts": system}
    generation = _generation(given, model, options)
    tools, choice = tools_of(given)
    form = answer_form(given)
    generation |= _form(form)
    if tools:
        if form.kind != "text" and not model.form_with_tools and choice.mode != "none":
            raise Untranslatable("response_format", "cannot go with `tools` for this model")
        body["tools"] = [{"functionDeclarations": [_tool(tool) for tool in tools]}]
        if not choice.parallel:
            rule = "= false has no counterpart in Gemini's dialect: list it in `leave_out`"
            raise Untranslatable("parallel_tool_calls", rule)
        if choice.stated:
            body["toolConfig"] = {"functionCallingConfig": _choice(choice)}
    if generation:
        body["generationConfig"] = generation
    if "safety_settings" in given:
        body["safetySettings"] = given["safety_settings"]
    if "cached_content" in given:
        body["cachedContent"] = text_field(given, "cached_content")
    return body


def _generation(given: Mapping[str, Any], model: GeminiModel, options: GeminiOptions) -> Body:
    body: Body = {}
    for name, theirs, least, most, whole in _NUMBERS:
        value = number(given, name, least=least, most=most, whole=whole)
        if value is not None:
            body[theirs] = value
    tokens = most_tokens(given) or options.most_tokens
    if tokens is not None:
        body["maxOutputTokens"] = tokens
    texts = stops(given, most=5)
    if texts:
        body["stopSequences"] = texts
    if given.get("logprobs"):
        body["responseLogprobs"] = True
        top = number(given, "top_logprobs", least=0, most=20, whole=True)
        if top:
            body["logprobs"] = top
    thinking = _thinking(text_field(given, "reasoning_effort", _EFFORTS), model)
    return body | ({"thinkingConfig": thinking} if thinking else {})


def _thinking(effort: str, model: GeminiModel) -> Body:
    if not effort or (effort == "none" and model.thinking == "none"):
        return {}
    if model.thinking == "none":
        raise Untranslatable("reasoning_effort", "is not for this model: it does not think first")
    if effort == "none" and model.always_thinks:
        raise Untranslatable("reasoning_effort", "= none: this model always thinks")
    shown = {"includeThoughts": True} if effort != "none" else {}
    if model.thinking == "budget":
        return {"thinkingBudget": model.budget(effort)} | shown
    if effort not in model.levels:  # the nearest level that does not think less
        effort = {"minimal": "low", "medium": "high"}[effort]
    return {"thinkingLevel": effort.upper()} | shown


def _form(form: AnswerForm) -> Body:
    if form.kind == "text":
        return {}
    body: Body = {"responseMimeType": "application/json"}
    if form.schema is not None:
        body["responseJsonSchema"] = _plain_schema(form.schema)
    return body


def _plain_schema(schema: Mapping[str, Any]) -> Body:
    return {name: value for name, value in schema.items() if name not in ("$schema", "strict")}


def _tool(tool: Tool) -> Body:
    body: Body = {"name": tool.name, "parametersJsonSchema": _plain_schema(tool.schema)}
    return body | ({"description": tool.description} if tool.description else {})


def _choice(choice: ToolChoice) -> Body:
    if choice.mode == "tool":
        return {"mode": "ANY", "allowedFunctionNames": [choice.name]}
    return {"mode": choice.mode.upper()}


def _written(turns: Sequence[Turn], model: GeminiModel) -> tuple[list[Body], list[Body]]:
    """The system's texts, and the contents, in which both sides take turns."""
    system: list[Body] = []
    contents: list[Body] = []
    for turn in turns:
        if turn.role == "system" and not contents:
            system += [part for each in turn.parts for part in _parts(each)]
            continue
        role = "model" if turn.role == "assistant" else "user"
        parts = [part for each in turn.parts for part in _parts(each)]
        if turn.role == "system":
            for part in parts:
                part["text"] = f"<system>\n{part['text']}\n</system>"
        if role == "model" and model.signs:
            _sign(parts)
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        elif parts:
            contents.append({"role": role, "parts": parts})
    return system, contents


def _sign(parts: Sequence[Body]) -> None:
    """Mark a call without a signature as another model's: the first call of a turn needs one."""
    first = next((part for part in parts if "functionCall" in part), None)
    if first is not None and "thoughtSignature" not in first:
        first["thoughtSignature"] = NO_SIGNATURE


def _parts(part: Part) -> list[Body]:
    match part:
        case Text(text, _, signature):
            return [_signed({"text": text}, signature)]
        case Media():
            return [_media(part)]
        case ToolUse(identity, name, arguments, signature):
            call: Body = {"name": name, "args": arguments}
            return [_signed({"functionCall": _with_id(call, identity)}, signature)]
        case ToolResult():
            return _result(part)
        case Thought():
            return []  # another provider's, sealed by its signature


def _result(result: ToolResult) -> list[Body]:
    if not result.name:
        raise Untranslatable("messages", "has a tool's result whose call is not in `messages`")
    output = "".join(part.text for part in result.parts if isinstance(part, Text))
    named = "error" if result.failed else "output"
    response: Body = {"name": result.name, "response": {named: output}}
    media = [_media(part) for part in result.parts if isinstance(part, Media)]
    return [{"functionResponse": _with_id(response, result.id)}, *media]


def _with_id(body: Body, identity: str) -> Body:
    return body if identity.startswith(OWN_CALL) else body | {"id": identity}


def _signed(body: Body, signature: str) -> Body:
    return body | {"thoughtSignature": signature} if signature else body


def _media(part: Media) -> Body:
    if part.url:
        kind, _ = mimetypes.guess_type(part.url.partition("?")[0])
        file = {"fileUri": part.url} | ({"mimeType": kind} if kind else {})
        return {"fileData": file}
    return {"inlineData": {"mimeType": part.media_type, "data": part.data}}
