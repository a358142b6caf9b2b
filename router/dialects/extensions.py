"""Members beside OpenAI's that a translated request has in its chat form. Pure.

A request of Anthropic's dialect keeps in its chat form what only Anthropic's API reads: thoughts
with their signatures, marks for its prompt cache, titles of documents. No other kind of backend is
sent them, because a strict server refuses what it does not know. What a model is to read, such as a
document's title, becomes words; how long it is to think becomes an effort that its model takes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import orjson

from router.domain import Call

OF_REQUESTS = frozenset({"thinking", "output_config", "cache_control", "inference_geo"})
OF_MESSAGES = frozenset({"thinking_blocks", "cache_control", "is_error", "block_order"})
OF_TOOLS = frozenset({"cache_control", "input_examples", "eager_input_streaming"})
OF_PARTS = frozenset({"cache_control", "document", "search_result"})
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_BUDGETS = ((4096, "low"), (16_384, "medium"))  # tokens of thinking up to which an effort does

# Each name of the above, and the member of `metadata` that is Anthropic's.
_NAMES = tuple(
    b'"%b"' % name.encode()
    for name in sorted(OF_REQUESTS | OF_MESSAGES | OF_TOOLS | OF_PARTS | {"user_id"})
)
_MEDIA = re.compile(rb'"type"\s*:\s*"(?:image|image_url|file|input_\w+|video\w*|audio\w*|refusal)"')
_OTHERS_ROLE = re.compile(rb'"role"\s*:\s*"(?!system")')
_SYSTEMS_ROLE = re.compile(rb'"role"\s*:\s*"system"')

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Manners:
    """What a backend's model takes: efforts of thinking, a name of the answer's bound, and whether
    it reads what an assistant thought before (OpenAI's servers refuse the member)."""

    efforts: tuple[str, ...] = ()  # from little to much; empty: none, or nobody knows
    bound: str = "max_tokens"
    system_anywhere: bool = False  # whether a system's message may stand behind others
    reads_reasoning: bool = True


def is_plain(body: bytes, manners: Manners) -> bool:
    """Whether `plain` surely changes nothing in a body that Waggle wrote: by its bytes alone, so of
    a body in which a tool or a quotation has such a name, the answer may be no."""
    if any(name in body for name in _NAMES):
        return False
    if (b'"max_completion_tokens"' if manners.bound == "max_tokens" else b'"max_tokens"') in body:
        return False
    if b'"reasoning_content"' in body and not manners.reads_reasoning:
        return False
    if b'"tool"' in body and _MEDIA.search(body) is not None:
        return False
    if manners.system_anywhere:
        return True
    talk = _OTHERS_ROLE.search(body)
    return talk is None or _SYSTEMS_ROLE.search(body, talk.end()) is None


def without_extensions(call: Call, manners: Manners) -> Call:
    fields = orjson.loads(call.body)
    return replace(call, body=orjson.dumps(plain(fields, manners)), extended=False)


def plain(fields: Mapping[str, Any], manners: Manners = Manners()) -> Body:
    """The fields of a request without extensions."""
    kept = {name: value for name, value in fields.items() if name not in OF_REQUESTS}
    effort = _effort(fields, manners.efforts)
    if effort and "reasoning_effort" not in kept:
        kept["reasoning_effort"] = effort
    for bound in ("max_tokens", "max_completion_tokens"):
        if bound in kept and manners.bound not in kept:
            kept[manners.bound] = kept.pop(bound)
    metadata = kept.get("metadata")
    if isinstance(metadata, dict) and "user_id" in metadata:
        kept["metadata"] = {name: each for name, each in metadata.items() if name != "user_id"}
        if not kept["metadata"]:
            del kept["metadata"]
    if isinstance(kept.get("messages"), list):
        messages = _plain_messages(kept["messages"])
        kept["messages"] = messages if manners.system_anywhere else _systems_first(messages)
        if not manners.reads_reasoning:
            unread = frozenset({"reasoning_content"})
            kept["messages"] = [_without(message, unread) for message in kept["messages"]]
    if isinstance(kept.get("tools"), list):
        kept["tools"] = [_without(tool, OF_TOOLS) for tool in kept["tools"]]
    return kept


def _effort(fields: Mapping[str, Any], taken: Sequence[str]) -> str:
    """The effort nearest to what the request says of thinking; empty if it says nothing."""
    config, thinking = fields.get("output_config"), fields.get("thinking")
    wanted = config.get("effort") if isinstance(config, dict) else None
    if isinstance(thinking, dict):
        budget = thinking.get("budget_tokens")
        if thinking.get("type") == "disabled":
            wanted = "none"
        elif wanted is None and isinstance(budget, int):
            wanted = next((effort for most, effort in _BUDGETS if budget <= most), "high")
    if wanted not in _EFFORTS or not taken:
        return ""
    most = _EFFORTS.index(wanted)
    no_more = [each for each in taken if each in _EFFORTS and _EFFORTS.index(each) <= most]
    return no_more[-1] if no_more else taken[0]


def _plain_messages(messages: Sequence[Any]) -> list[Any]:
    """The messages; what a tool gave back beside words follows as the user's, for only words may
    stand in a tool's message."""
    kept: list[Any] = []
    media: list[Body] = []
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if media and role != "tool":
            kept.append({"role": "user", "content": media})
            media = []
        plain_message = _plain_message(message)
        if role == "tool" and isinstance(plain_message.get("content"), list):
            media += _media_apart(plain_message)
        kept.append(plain_message)
    return [*kept, {"role": "user", "content": media}] if media else kept


def _systems_first(messages: Sequence[Any]) -> list[Any]:
    """The messages; the system's words in the middle, which the templates of many models refuse,
    become words of the user, marked as the system's."""
    kept: list[Any] = []
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if role != "system" or all(_is_systems(earlier) for earlier in kept):
            kept.append(message)
            continue
        content = message.get("content")
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        marked = [
            part | {"text": f"<system>\n{part.get('text')}\n</system>"} if _is_text(part) else part
            for part in parts
        ]
        kept.append({"role": "user", "content": marked})
    return kept


def _is_systems(message: Any) -> bool:
    return isinstance(message, dict) and message.get("role") == "system"


def _media_apart(message: Body) -> list[Body]:
    """Take what is no text out of a tool's message, and return it with words that say whose."""
    texts = [part for part in message["content"] if _is_text(part)]
    others = [part for part in message["content"] if not _is_text(part)]
    if not others:
        return []
    message["content"] = texts or "(see the next message)"
    whose = f"The result of the call {message.get('tool_call_id')}:"
    return [{"type": "text", "text": whose}, *others]


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text"


def _plain_message(message: Any) -> Any:
    if not isinstance(message, dict):
        return message
    kept = _without(message, OF_MESSAGES)
    content = kept.get("content")
    if isinstance(content, list):
        kept["content"] = content = [_plain_part(part) for part in content]
    if isinstance(kept.get("tool_calls"), list):
        kept["tool_calls"] = [_without(call, OF_PARTS) for call in kept["tool_calls"]]
    if message.get("is_error"):
        if isinstance(content, list):
            kept["content"] = [{"type": "text", "text": "Error:"}, *content]
        else:
            kept["content"] = f"Error: {content or ''}"
    return kept


def _plain_part(part: Any) -> Any:
    kept = _without(part, OF_PARTS)
    if not isinstance(kept, dict) or kept.get("type") != "text":
        return kept
    document, result = part.get("document"), part.get("search_result")
    if isinstance(document, dict):
        kept["text"] = _marked("document", kept.get("text"), document, ("title", "context"))
    if isinstance(result, dict):
        kept["text"] = _marked("search_result", kept.get("text"), result, ("source", "title"))
    return kept


def _marked(tag: str, text: Any, about: Mapping[str, Any], names: Sequence[str]) -> str:
    members = "".join(f' {name}="{escape(str(about[name]))}"' for name in names if about.get(name))
    return f"<{tag}{members}>\n{text}\n</{tag}>"


def _without(item: Any, names: frozenset[str]) -> Any:
    if not isinstance(item, dict):
        return item
    return {name: value for name, value in item.items() if name not in names}
