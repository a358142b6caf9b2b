"""Whether a request of Anthropic's Messages comes back whole from its chat form.

Both requests are brought to one spelling (a text is a list of one block, two turns of the same side
are one), and every scalar of the first must be in the second, at its place but for the numbers of
lists, and the texts of the conversation in the same order. What is not there must be named.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from experiments.dialects.message_requests import Json, requests
from router.dialects.anthropic_request import AnthropicOptions, request_of
from router.dialects.fields import Untranslatable
from router.dialects.messages_request import ChatForm, chat_of

_INDEX = re.compile(r"\[\d+\]")
_QUOTED = re.compile(r"`([^`]{1,200})`")


@dataclass
class Comparison:
    """What of one request came back, what was named, and what was lost."""

    carried: int = 0
    named: int = 0
    unnamed: list[str] = field(default_factory=list)


def compared(request: Json, change: Callable[[Json], Json] = dict) -> Comparison:
    """The request beside what came back; `change` stands for a way that loses something."""
    form = chat_of(request)
    options = AnthropicOptions(request["model"])
    back = spelled(request_of(change(dict(form.fields)), options).body)
    left = Counter((_INDEX.sub("", path), repr(value)) for path, value in leaves(back))
    result, names = Comparison(), _names(form)
    for path, value in leaves(spelled(request)):
        plain = _INDEX.sub("", path)
        if left[plain, repr(value)] > 0:
            left[plain, repr(value)] -= 1
            result.carried += 1
        elif any(plain.startswith(name) for name in names):
            result.named += 1
        else:
            result.unnamed.append(f"{path} = {value!r}")
    if not form.only_native and _texts(spelled(request)) != _texts(back):
        result.unnamed.append("the order of the texts")
    return result


def spelled(request: Json) -> Json:
    """A request in the one spelling in which two are compared."""
    messages: list[Json] = []
    for message in request["messages"]:
        role, blocks = message["role"], _blocks(message["content"])
        if role == "system":
            role = "user"
            blocks = [b | {"text": f"<system>\n{b['text']}\n</system>"} for b in blocks]
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += blocks
        else:
            messages.append({"role": role, "content": blocks})
    for message in messages:
        message["content"].sort(key=lambda block: block["type"] != "tool_result")
    written = request | {"messages": messages}
    if "system" in request:
        written["system"] = _blocks(request["system"])
    return written


def leaves(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{at}[{index}]")
    else:
        yield at, value


def _blocks(content: Any) -> list[Json]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [
        block | ({"content": _blocks(block["content"])} if "content" in block else {})
        for block in content
    ]


def _texts(request: Json) -> list[Any]:
    ours = (value for _, value in leaves([request.get("system"), request["messages"]]))
    return [value for value in ours if isinstance(value, str) and "of ours" in value]


def _names(form: ChatForm) -> set[str]:
    """The paths that the caller is told of."""
    native = (match[1] for name in form.only_native if (match := _QUOTED.search(name)))
    return {_INDEX.sub("", name) for name in (*form.left_out, *native)}


def round_trip(count: int) -> dict[str, Any]:
    """The figures over so many generated requests."""
    results, refused = [], 0
    for request in requests(count):
        try:
            results.append(compared(request))
        except Untranslatable:
            refused += 1
    return {
        "requests": count,
        "refused": refused,
        "carried": sum(each.carried for each in results),
        "named": sum(each.named for each in results),
        "unnamed": sum(len(each.unnamed) for each in results),
        "examples": [path for each in results for path in each.unnamed][:20],
    }
