"""A conversation in OpenAI's dialect, read once into turns that other dialects can write. Pure.

Everything in a message becomes a part, is a remark that no model reads, or is refused by name.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from router.dialects.fields import Untranslatable

_DATA_URL = re.compile(r"data:([\w.+/-]{1,127})(?:;[\w.=-]{1,64}){0,4};base64,")
_NOTHING: Mapping[str, Any] = {}
# Members of messages that answers of ours and of others carry, and that no model needs to read.
_REMARKS = frozenset(
    {
        *("reasoning_content", "reasoning", "reasoning_details", "annotations", "citations"),
        *("provider_specific_fields", "id", "object", "created", "weight", "prefix"),
    }
)
_READ = frozenset(
    {
        *("role", "content", "name", "refusal", "tool_calls", "tool_call_id", "function_call"),
        *("cache_control", "thinking_blocks", "extra_content", "is_error", "block_order"),
    }
)


@dataclass(frozen=True, slots=True)
class Text:
    """Words. They may be of a document, or of a search's result, and these say of which."""

    text: str
    cache_control: Any = None
    signature: str = ""
    document: Mapping[str, Any] | None = None
    search_result: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """An image, a sound or a document: its bytes in base64, or its address."""

    sort: Literal["image", "audio", "document"]
    media_type: str = ""
    data: str = ""
    url: str = ""
    name: str = ""
    cache_control: Any = None
    document: Mapping[str, Any] | None = None  # its title and context, where the sender gives them


@dataclass(frozen=True, slots=True)
class ToolUse:
    id: str
    name: str
    arguments: Mapping[str, Any]
    signature: str = ""
    cache_control: Any = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    id: str
    name: str
    parts: tuple["Text | Media", ...]
    cache_control: Any = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Thought:
    """A block of thinking as its model wrote it, with its signature."""

    block: Mapping[str, Any]


Part = Text | Media | ToolUse | ToolResult | Thought


@dataclass(frozen=True, slots=True)
class Turn:
    role: Literal["system", "user", "assistant"]
    parts: tuple[Part, ...]


@dataclass(slots=True)
class _Calls:
    """The tools called so far: results of the old kind have no id, and none has a name."""

    names: dict[str, str] = field(default_factory=dict)
    last: str = ""


def turns_of(messages: Sequence[Any], leave_out: Collection[str] = ()) -> tuple[Turn, ...]:
    """The turns of a conversation, in order; messages that say nothing make no turn."""
    calls = _Calls()
    turns = []
    for index, message in enumerate(messages):
        at = f"messages[{index}]"
        if not isinstance(message, Mapping):
            raise Untranslatable(at, "must be an object")
        _check_members(message, at, leave_out)
        turn = _turn(message, at, calls)
        if turn.parts:
            turns.append(turn)
    return tuple(turns)


def _check_members(message: Mapping[str, Any], at: str, leave_out: Collection[str]) -> None:
    for name, value in message.items():
        if value is None or name in _READ or name in _REMARKS or name in leave_out:
            continue
        rule = "has no counterpart here: leave it out, or list it in `leave_out`"
        raise Untranslatable(f"{at}.{name[:80]}", rule)


def _turn(message: Mapping[str, Any], at: str, calls: _Calls) -> Turn:
    match message.get("role"):
        case "system" | "developer":
            parts = _contents(message, at)
            if not all(isinstance(part, Text) for part in parts):
                raise Untranslatable(f"{at}.content", "of the system must be text")
            return Turn("system", _named(message, parts))
        case "user":
            return Turn("user", _named(message, _contents(message, at)))
        case "assistant":
            return Turn("assistant", _spoken(message, at, calls))
        case "tool" | "function":
            return Turn("user", (_result(message, at, calls),))
        case _:
            roles = "system, developer, user, assistant, tool or function"
            raise Untranslatable(f"{at}.role", f"must be {roles}")


def _named(message: Mapping[str, Any], parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts, with the speaker's name before the first text: only OpenAI has names apart."""
    name = message.get("name")
    if not isinstance(name, str) or not name or not parts:
        return parts
    first, *rest = parts
    if isinstance(first, Text):
        return (Text(f"{name}: {first.text}", first.cache_control), *rest)
    return (Text(f"{name}:"), *parts)


def _spoken(message: Mapping[str, Any], at: str, calls: _Calls) -> tuple[Part, ...]:
    thoughts = message.get("thinking_blocks") or []
    if not isinstance(thoughts, list) or not all(_is_thought(block) for block in thoughts):
        rule = "must be a list of thinking or redacted_thinking, as they came"
        raise Untranslatable(f"{at}.thinking_blocks", rule)
    contents = _contents(message, at)
    refusal = message.get("refusal")
    if not contents and isinstance(refusal, str) and refusal:
        contents = (Text(refusal),)
    signature = _signature(message)
    if signature and contents and isinstance(contents[-1], Text):
        contents = (*contents[:-1], Text(contents[-1].text, contents[-1].cache_control, signature))
    uses = tuple(_uses(message, at, calls))
    return _in_order(message.get("block_order"), map(Thought, thoughts), contents, uses)


def _in_order(
    order: Any, thoughts: Iterable[Thought], contents: Sequence[Part], uses: Sequence[ToolUse]
) -> tuple[Part, ...]:
    """The parts of an answer in the order that its sender gives, else thoughts, words, calls."""
    parts: Mapping[str, list[Part]] = {
        "thinking": [*thoughts],
        "text": [*contents],
        "tool_use": [*uses],
    }
    if isinstance(order, list) and all(
        order.count(kind) == len(each) for kind, each in parts.items()
    ):
        left = {kind: iter(each) for kind, each in parts.items()}
        return tuple(next(left[kind]) for kind in order if kind in parts)
    return tuple(part for each in parts.values() for part in each)


def _is_thought(block: Any) -> bool:
    kind = block.get("type") if isinstance(block, Mapping) else None
    return kind in ("thinking", "redacted_thinking")


def _uses(message: Mapping[str, Any], at: str, calls: _Calls) -> Iterator[ToolUse]:
    listed = message.get("tool_calls") or []
    if not isinstance(listed, list):
        raise Untranslatable(f"{at}.tool_calls", "must be a list")
    old = message.get("function_call")
    if old is not None:
        calls.last = f"call_{len(calls.names)}"
        listed = [*listed, {"id": calls.last, "function": old}]
    for index, call in enumerate(listed):
        place = f"{at}.tool_calls[{index}]"
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise Untranslatable(place, "must be a call of a function, with its name")
        name, identity = function["name"], call.get("id")
        if not isinstance(identity, str) or not identity:
            raise Untranslatable(f"{place}.id", "must be a string")
        calls.names[identity] = name
        arguments = _arguments(function, place)
        yield ToolUse(identity, name, arguments, _signature(call), call.get("cache_control"))


def _arguments(function: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    written = function.get("arguments") or "{}"
    try:
        value = orjson.loads(written) if isinstance(written, str) else written
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise Untranslatable(f"{place}.function.arguments", "must be a JSON object")
    return value


def _result(message: Mapping[str, Any], at: str, calls: _Calls) -> ToolResult:
    identity = message.get("tool_call_id") or (calls.last if message["role"] == "function" else "")
    if not isinstance(identity, str) or not identity:
        raise Untranslatable(f"{at}.tool_call_id", "must name the call that this is a result of")
    name = calls.names.get(identity) or message.get("name")
    parts = tuple(p for p in _contents(message, at) if isinstance(p, Text | Media))
    cached, failed = message.get("cache_control"), message.get("is_error") is True
    return ToolResult(identity, str(name or ""), parts, cached, failed)


def _contents(message: Mapping[str, Any], at: str) -> tuple[Part, ...]:
    content = message.get("content")
    cached = message.get("cache_control") if message.get("role") != "tool" else None
    if isinstance(content, str):
        return (Text(content, cached),) if content else ()
    if content is None:
        return ()
    if not isinstance(content, list):
        raise Untranslatable(f"{at}.content", "must be a string or a list of parts")
    parts = tuple(
        part
        for index, item in enumerate(content)
        if (part := _part(item, f"{at}.content[{index}]")) is not None
    )
    if cached is not None and parts and isinstance(parts[-1], Text):
        return (*parts[:-1], Text(parts[-1].text, cached))
    return parts


def _part(item: Any, at: str) -> Text | Media | None:
    if isinstance(item, str):
        return Text(item) if item else None
    if not isinstance(item, Mapping):
        raise Untranslatable(at, "must be a part with a `type`")
    cached = item.get("cache_control")
    match item.get("type"):
        case "text" | "input_text" | "output_text":
            text = item.get("text")
            if not isinstance(text, str):
                raise Untranslatable(f"{at}.text", "must be a string")
            document, search_result = _about(item, "document"), _about(item, "search_result")
            return Text(text, cached, "", document, search_result) if text else None
        case "refusal":
            refusal = item.get("refusal")
            return Text(refusal) if isinstance(refusal, str) and refusal else None
        case "image_url":
            return _image(item, at, cached)
        case "input_audio":
            sound = item.get("input_audio")
            sound = sound if isinstance(sound, Mapping) else _NOTHING
            kind = f"audio/{_string(sound, 'format', f'{at}.input_audio')}"
            return Media("audio", kind, _string(sound, "data", f"{at}.input_audio"))
        case "file":
            return _file(item, at, cached)
        case _:
            kinds = "text, image_url, input_audio or file"
            raise Untranslatable(f"{at}.type", f"must be {kinds}")


def _image(item: Mapping[str, Any], at: str, cached: Any) -> Media:
    image = item.get("image_url")
    address = image if isinstance(image, str) else None
    if isinstance(image, Mapping):
        address = image.get("url")
    if not isinstance(address, str):
        raise Untranslatable(f"{at}.image_url.url", "must be a string")
    if address.startswith(("https://", "http://")):
        return Media("image", url=address, cache_control=cached)
    media_type, data = _data_url(address, f"{at}.image_url.url")
    return Media("image", media_type, data, cache_control=cached)


def _file(item: Mapping[str, Any], at: str, cached: Any) -> Media:
    file = item.get("file")
    file = file if isinstance(file, Mapping) else _NOTHING
    if file.get("file_id") is not None:
        rule = "names a file at another provider: send its bytes in `file_data`"
        raise Untranslatable(f"{at}.file.file_id", rule)
    written = _string(file, "file_data", f"{at}.file")
    media_type, data = _data_url(written, f"{at}.file.file_data")
    name = str(file.get("filename") or "")
    about = _about(item, "document")
    return Media("document", media_type, data, "", name, cached, about)


def _about(item: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    about = item.get(name)
    return about if isinstance(about, Mapping) else None


def _data_url(address: str, at: str) -> tuple[str, str]:
    match = _DATA_URL.match(address)
    if match is None:
        raise Untranslatable(at, "must be an http(s) address or `data:TYPE;base64,…`")
    return match[1].lower(), address[match.end() :]


def _string(value: Mapping[str, Any], name: str, at: str) -> str:
    text = value.get(name)
    if not isinstance(text, str) or not text:
        raise Untranslatable(f"{at}.{name}", "must be a string")
    return text


def _signature(value: Mapping[str, Any]) -> str:
    """Google's signature of a thought, where its own OpenAI-like service puts the signature."""
    extra = value.get("extra_content")
    google = extra.get("google") if isinstance(extra, Mapping) else None
    signature = google.get("thought_signature") if isinstance(google, Mapping) else None
    return signature if isinstance(signature, str) else ""
