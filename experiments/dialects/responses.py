"""Whether a request of the Responses dialect is whole in its chat form.

Every text of a generated request is another one, so each must be found in the chat form. Every
other value has a place that OpenAI's documents give it, and is looked up there. The kinds of items,
read back from the chat form, must be those of the request. What is found nowhere must be named to
the caller; the rest is lost without a name.
"""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from experiments.dialects.response_requests import Json, requests
from router.dialects.fields import Untranslatable
from router.dialects.responses_request import ResponsesRequest, request_of

_UNIQUE = re.compile(r"\d")  # every text of a generated request has a number of its own
_INDEX = re.compile(r"\[\d+\]")
# Values that say nothing: what is so without them, or what the chat form has only one way to say.
_SAYS_NOTHING = {
    ("status", "completed"), ("detail", "auto"), ("type", "message"),
    ("context", "all_turns"), ("mode", "standard"), ("background", False),
    ("truncation", "disabled"), ("stderr", ""), ("strict", False), ("type", "local"),
    ("type", "text"),
}  # fmt: skip
# Where chat has the fields that are no texts.
_PLACES = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "max_output_tokens": "max_completion_tokens",
    "top_logprobs": "top_logprobs",
    "service_tier": "service_tier",
    "parallel_tool_calls": "parallel_tool_calls",
    "stream": "stream",
    "model": "model",
    "prompt_cache_retention": "prompt_cache_retention",
    "prompt_cache_options.mode": "prompt_cache_options.mode",
    "prompt_cache_options.ttl": "prompt_cache_options.ttl",
    "moderation.model": "moderation.model",
    "reasoning.effort": "reasoning_effort",
    "text.verbosity": "verbosity",
    "text.format.type": "response_format.type",
    "text.format.name": "response_format.json_schema.name",
    "text.format.strict": "response_format.json_schema.strict",
}
_KINDS = {"function": "function_call", "custom": "custom_tool_call"}


@dataclass
class Lost:
    """What was carried of one request, what was named, and what was lost."""

    unnamed: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    carried: int = 0


def leaves(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar in a value, and every empty list or object, with its path."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, f"{at}.{name}" if at else name)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{at}[{index}]")
    else:
        yield at, value if not isinstance(value, dict | list) else None


def lost_of(request: Json, read: ResponsesRequest) -> Lost:
    lost, chat = Lost(), dict(read.chat)
    texts = "\0".join(_texts(chat)) + "\0"
    names = _names(read)
    for path, value in leaves(request):
        if _carried(path, value, chat, texts, read):
            lost.carried += 1
        elif any(_INDEX.sub("", path).startswith(name) for name in names):
            lost.named.append(path)
        else:
            lost.unnamed.append(f"{path} = {value!r}")
    lost.unnamed += _other_kinds(request, read)
    return lost


def _texts(value: Any) -> Iterator[str]:
    """Every text of the chat form; a text that is JSON also by what it holds."""
    for _, inner in leaves(value):
        if isinstance(inner, str):
            yield inner
            with contextlib.suppress(ValueError):
                yield from _texts(json.loads(inner))
        else:
            yield json.dumps(inner)


def _names(read: ResponsesRequest) -> set[str]:
    """The paths that the caller is told of. A part that needs another backend goes as a whole."""
    names = {"include" if name.startswith("include.") else name for name in read.left_out}
    names |= {_INDEX.sub("", name).removesuffix(".file_id") for name in read.native}
    return names | {name.replace("tools.", "tools.tools.") for name in names}


def _carried(path: str, value: Any, chat: Json, texts: str, read: ResponsesRequest) -> bool:
    plain = _INDEX.sub("", path)
    member = plain.rpartition(".")[2]
    if (member, value) in _SAYS_NOTHING or plain in ("store", "reasoning.summary"):
        return plain != "reasoning.summary" or read.summary
    if value is None:  # an empty list or object
        return True
    if plain.startswith("text.format.schema"):
        written = chat.get("response_format", {}).get("json_schema", {}).get("schema")
        return bool(written == read.given["text"]["format"]["schema"])
    if plain == "include":
        return read.sealed if value == "reasoning.encrypted_content" else read.logprobs
    if plain in _PLACES:
        place: Any = chat
        for name in _PLACES[plain].split("."):
            place = place.get(name) if isinstance(place, dict) else None
        if plain == "parallel_tool_calls" and "tools" not in chat:
            return True  # without tools it says nothing
        return bool(place == value) or (place is None and value == "text")
    if plain.startswith("tool_choice"):
        return True  # by `_other_kinds`
    if isinstance(value, str) and _UNIQUE.search(value):
        return value in texts or (plain.startswith("tools") and _chooses(read))
    if plain.startswith(("tools", "input")):  # kinds, and the same schema everywhere
        return (
            member in ("type", "role", "syntax", "format", "detail", "strict")
            or json.dumps(value) in texts
            or str(value) in texts
        )
    return False


def _chooses(read: ResponsesRequest) -> bool:
    """Whether the caller forbids the model some tools, so that the model need not see them."""
    choice = read.given.get("tool_choice")
    return isinstance(choice, dict) and choice["type"] == "allowed_tools"


def _other_kinds(request: Json, read: ResponsesRequest) -> list[str]:
    """The differences between the kinds of items and of tools in both forms."""
    items = request["input"]
    wanted = ["message user"] if isinstance(items, str) else [_kind(item) for item in items]
    wanted = ["message system"] * bool(request.get("instructions")) + wanted
    differences = []
    carried = list(_kinds_in(read))
    if sorted(wanted) != sorted(carried):
        differences.append(f"items: {wanted} != {carried}")
    chosen, choice = read.chat.get("tool_choice"), request.get("tool_choice")
    if isinstance(choice, str) and chosen != choice and read.chat.get("tools"):
        differences.append(f"tool_choice: {choice} != {chosen}")
    if isinstance(choice, dict) and choice["type"] == "allowed_tools":
        allowed = {tool.get("name", tool["type"]) for tool in choice["tools"]}
        if {tool["function"]["name"] for tool in read.chat.get("tools", ())} != allowed:
            differences.append("tool_choice: other tools are allowed")
    elif isinstance(choice, dict):
        name = choice.get("name", choice["type"])
        if chosen != {"type": "function", "function": {"name": name}}:
            differences.append(f"tool_choice: {choice} != {chosen}")
    return differences


def _kind(item: Mapping[str, Any]) -> str:
    kind = str(item.get("type", "message"))
    if kind == "message":
        return f"message {item['role']}".replace("developer", "system")
    return re.sub(r".*_call(?=$|_)", "call", kind)


def _kinds_in(read: ResponsesRequest) -> Iterator[str]:
    """The kinds of items that the chat form says."""
    for message in read.chat["messages"]:
        match message:
            case {"role": "assistant"}:
                if "reasoning_content" in message or "thinking_blocks" in message:
                    yield "reasoning"
                if message.get("content") is not None:
                    yield "message assistant"
                for _ in message.get("tool_calls", ()):
                    yield "call"
            case {"role": "tool"}:
                yield "call_output"
            case {"role": "user", "content": [{"type": "text", "text": str(words)}, *_]} if (
                words.startswith("Of the output of the call ")
            ):
                continue  # what the output before shows
            case {"role": role}:
                yield f"message {role}"


def round_trip(count: int) -> dict[str, Any]:
    """The figures over so many generated requests."""
    lost, refused = [], 0
    for request in requests(count):
        try:
            lost.append(lost_of(request, request_of(request)))
        except Untranslatable:
            refused += 1
    return {
        "requests": count,
        "refused": refused,
        "carried": sum(each.carried for each in lost),
        "named": sum(len(each.named) for each in lost),
        "unnamed": sum(len(each.unnamed) for each in lost),
        "examples": [path for each in lost for path in each.unnamed][:20],
    }
