"""Reads a request of OpenAI's Responses dialect into the chat form. Pure.

`request_of` carries every field into chat, or keeps it for the answer, or names it: in `left_out`
if it changes no answer, in `native` if only a backend that speaks this dialect can do it. A field
that is wrong raises `Untranslatable`. Fields that nobody here knows go to the backend as they are.

Not covered: what `previous_response_id` and `conversation` name. Whoever keeps it gives it as
`earlier`; without it only a backend that speaks this dialect can know it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from router.dialects.carrying import Notes, flag, mapping, one_of, string
from router.dialects.fields import Untranslatable, number
from router.dialects.responses_input import Conversation, joined
from router.dialects.responses_tools import Tools, add_tools, choice_of

# Fields that mean the same in chat.
_SAME = (
    *("model", "temperature", "top_p", "user", "safety_identifier", "prompt_cache_key"),
    *("prompt_cache_retention", "service_tier", "moderation"),
)
# Fields of chat, and where this dialect has them.
_MOVED = {
    **{"messages": "input", "response_format": "text.format", "verbosity": "text.verbosity"},
    **{"max_tokens": "max_output_tokens", "max_completion_tokens": "max_output_tokens"},
    **{"reasoning_effort": "reasoning.effort", "functions": "tools"},
    **{"function_call": "tool_choice", "logprobs": "include"},
}
_HINTS = (
    "client_metadata",
    "metadata",
    "max_tool_calls",
)  # they change no answer of a chat backend
_OF_ANSWER = frozenset(
    {
        *("input", "instructions", "max_output_tokens", "reasoning", "text", "tools"),
        *("tool_choice", "parallel_tool_calls", "top_logprobs", "include", "truncation", "stream"),
        *("stream_options", "store", "background", "previous_response_id", "conversation"),
        *("prompt", "context_management", "access_programs", "image", "prompt_cache_options"),
    }
)
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_SUMMARIES = ("auto", "concise", "detailed")
_INCLUDED = {"reasoning.encrypted_content", "message.output_text.logprobs"}


@dataclass(frozen=True, slots=True)
class ResponsesRequest:
    """A request in the chat form, with what the answer needs to be written in this dialect."""

    given: Mapping[str, Any]
    chat: Mapping[str, Any]
    tools: Tools
    left_out: tuple[str, ...] = ()
    native: Mapping[str, str] = field(default_factory=dict)  # why a chat backend cannot answer
    summary: bool = False  # whether reasoning is shown as a summary
    sealed: bool = False  # whether the caller wants reasoning to send back
    logprobs: bool = False


def request_of(given: Mapping[str, Any], earlier: Sequence[Any] | None = None) -> ResponsesRequest:
    """The request; `earlier` are the items before its input, if somebody kept them."""
    _check_form(given)
    notes, tools = Notes(), Tools()
    chat: dict[str, Any] = {n: given[n] for n in _SAME if given.get(n) is not None}
    chat |= {
        name: value
        for name, value in given.items()
        if name not in _OF_ANSWER and name not in _HINTS and value is not None
    }
    notes.leave_out(*(name for name in _HINTS if given.get(name) not in (None, {})))
    _note_what_chat_lacks(given, notes, kept=earlier is not None)
    if given.get("tools") is not None:
        add_tools(tools, given["tools"], "tools", notes)
    conversation = _conversation(given, earlier or (), tools, notes)
    settings = {**given, **_updated(given, conversation.settings)}
    chat["messages"] = conversation.messages()
    chat |= _limits(given, notes)
    chat |= _reasoning(settings, notes) | _text(settings, notes)
    chat |= _tools(given, tools, notes)
    logprobs = _logprobs(given, chat, notes)
    if flag(given.get("stream"), "stream"):
        chat |= {"stream": True, "stream_options": {"include_usage": True}}
    include = given.get("include") or ()
    reasoning = given.get("reasoning") or {}
    return ResponsesRequest(
        given=given,
        chat=chat,
        tools=tools,
        left_out=tuple(notes.left_out),
        native=notes.native,
        summary=bool(reasoning.get("summary") or reasoning.get("generate_summary")),
        sealed="reasoning.encrypted_content" in include,
        logprobs=logprobs,
    )


def _check_form(given: Mapping[str, Any]) -> None:
    for name, place in _MOVED.items():
        if name in given:
            raise Untranslatable(name, f"is a field of chat completions: here it is `{place}`")
    if given.get("n") not in (None, 1):
        raise Untranslatable("n", "must be 1: a response is one answer")
    if flag(given.get("background"), "background"):
        rule = "= true is not offered: leave it out, and wait for the answer or stream it"
        raise Untranslatable("background", rule)


def _note_what_chat_lacks(given: Mapping[str, Any], notes: Notes, *, kept: bool) -> None:
    rule = "no counterpart in chat: leave it out"
    for name in ("prompt", "access_programs", "context_management"):
        if given.get(name):
            notes.need_native(name, rule)
    for name in ("previous_response_id", "conversation"):
        if given.get(name) and not kept:
            rule = "nothing was kept of it here: send the whole conversation in `input`"
            notes.need_native(name, rule)
    image = given.get("image")
    if image and mapping(image, "image").get("context_compression") not in (None, "auto"):
        notes.need_native("image.context_compression", rule)
    if one_of(given.get("truncation"), "truncation", ("auto", "disabled")) == "auto":
        notes.leave_out("truncation")
    options = given.get("stream_options")
    if options is not None:
        notes.leave_out_rest("stream_options", mapping(options, "stream_options"), ())


def _conversation(
    given: Mapping[str, Any], earlier: Sequence[Any], tools: Tools, notes: Notes
) -> Conversation:
    reasoning = given.get("reasoning") or {}
    context = mapping(reasoning, "reasoning").get("context")
    current = one_of(context, "reasoning.context", ("auto", "current_turn", "all_turns"))
    conversation = Conversation(tools, notes, only_current_turn=current == "current_turn")
    instructions = given.get("instructions")
    if instructions is not None and string(instructions, "instructions", empty=True):
        conversation.system(instructions)
    value = given.get("input")
    if value is None and not (given.get("prompt") or earlier):
        raise Untranslatable("input", "must be a string or a list of items, and it is missing")
    items = joined(earlier, [] if value is None else value)
    if not items and not given.get("prompt"):
        raise Untranslatable("input", "must have at least one item")
    conversation.read(items)
    return conversation


def _updated(given: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that items of the input change, with what they leave as it was."""
    return {
        name: {**(given.get(name) or {}), **mapping(value, name)}
        for name, value in settings.items()
    }


def _limits(given: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    chat: dict[str, Any] = {}
    most = number(given, "max_output_tokens", least=1, most=10_000_000, whole=True)
    if most is not None:
        chat["max_completion_tokens"] = most
    options = given.get("prompt_cache_options")
    if options is not None:
        options = mapping(options, "prompt_cache_options")
        notes.leave_out_rest("prompt_cache_options", options, ("mode", "ttl"))
        kept = {name: options[name] for name in ("mode", "ttl") if name in options}
        if kept:
            chat["prompt_cache_options"] = kept
    return chat


def _reasoning(given: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    reasoning = mapping(given.get("reasoning") or {}, "reasoning")
    read = ("effort", "summary", "generate_summary", "context", "mode")
    notes.leave_out_rest("reasoning", reasoning, read)
    for name in ("summary", "generate_summary"):
        one_of(reasoning.get(name), f"reasoning.{name}", _SUMMARIES)
    mode = reasoning.get("mode")
    if mode is not None and string(mode, "reasoning.mode") != "standard":
        notes.need_native("reasoning.mode", "no counterpart in chat: leave it out")
    effort = one_of(reasoning.get("effort"), "reasoning.effort", _EFFORTS)
    return {"reasoning_effort": effort} if effort else {}


def _text(given: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    text = mapping(given.get("text") or {}, "text")
    notes.leave_out_rest("text", text, ("format", "verbosity"))
    chat: dict[str, Any] = {}
    verbosity = one_of(text.get("verbosity"), "text.verbosity", ("low", "medium", "high"))
    if verbosity:
        chat["verbosity"] = verbosity
    form = text.get("format")
    if form is None:
        return chat
    form = mapping(form, "text.format")
    match one_of(form.get("type"), "text.format.type", ("text", "json_object", "json_schema")):
        case "json_object":
            chat["response_format"] = {"type": "json_object"}
        case "json_schema":
            members = {
                "name": string(form.get("name"), "text.format.name"),
                "schema": mapping(form.get("schema"), "text.format.schema"),
            }
            flag(form.get("strict"), "text.format.strict")
            more = {n: form[n] for n in ("description", "strict") if form.get(n) is not None}
            notes.leave_out_rest("text.format", form, ("type", *members, "description", "strict"))
            chat["response_format"] = {"type": "json_schema", "json_schema": members | more}
        case "":
            raise Untranslatable("text.format.type", "must be text, json_object or json_schema")
    return chat


def _tools(given: Mapping[str, Any], tools: Tools, notes: Notes) -> dict[str, Any]:
    chat: dict[str, Any] = {}
    choice = given.get("tool_choice")
    functions = tools.functions
    if choice is not None:
        chosen, allowed = choice_of(choice, tools, notes)
        if allowed is not None:  # the model sees no tool that it may not call
            functions = {name: functions[name] for name in functions if name in allowed}
        if chosen is not None and (functions or chosen == "required"):
            chat["tool_choice"] = chosen
    parallel = flag(given.get("parallel_tool_calls"), "parallel_tool_calls")
    if functions:
        chat["tools"] = list(functions.values())
        if given.get("parallel_tool_calls") is not None:
            chat["parallel_tool_calls"] = parallel
    return chat


def _logprobs(given: Mapping[str, Any], chat: dict[str, Any], notes: Notes) -> bool:
    include = given.get("include") or []
    if not isinstance(include, list) or not all(isinstance(name, str) for name in include):
        raise Untranslatable("include", "must be a list of strings")
    notes.leave_out(*(f"include.{name[:80]}" for name in include if name not in _INCLUDED))
    most = number(given, "top_logprobs", least=0, most=20, whole=True)
    wanted = bool(most) or "message.output_text.logprobs" in include
    if wanted:
        chat["logprobs"] = True
    if most:
        chat["top_logprobs"] = most
    return wanted
