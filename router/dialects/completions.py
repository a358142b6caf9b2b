"""Answers in OpenAI's dialect, as the backends of foreign dialects write them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import orjson

DONE = b"data: [DONE]\n\n"
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class BadAnswer(Exception):
    """The server's answer is not in its own dialect; or the server reports a failure in it."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """The tokens of a call. `prompt` holds those that the cache gave and those it took in."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    cache_written: int = 0
    reasoning: int = 0

    @property
    def usage(self) -> dict[str, Any]:
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "prompt_tokens_details": {
                "cached_tokens": self.cached,
                "cache_write_tokens": self.cache_written,
            },
            "completion_tokens_details": {"reasoning_tokens": self.reasoning},
        }


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers of a call."""

    text: str = ""
    finish: str = "stop"
    tool_calls: Sequence[Mapping[str, Any]] = ()
    refusal: str | None = None
    reasoning: str = ""
    logprobs: Any = None
    more: Mapping[str, Any] = field(default_factory=dict)  # further members of the message
    stop: Mapping[str, Any] = field(default_factory=dict)  # what else is known of its end

    def at(self, index: int) -> dict[str, Any]:
        silent = not self.text and bool(self.tool_calls)
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None if silent else self.text,
            "refusal": self.refusal,
        }
        if self.tool_calls:
            message["tool_calls"] = list(self.tool_calls)
        if self.reasoning:
            message["reasoning_content"] = self.reasoning
        return {
            "index": index,
            "message": message | dict(self.more),
            "logprobs": self.logprobs,
            "finish_reason": self.finish,
            **self.stop,
        }


def completion_of(base: Mapping[str, Any], choices: Sequence[Choice], counts: TokenCounts) -> bytes:
    members = {
        **base,
        "object": "chat.completion",
        "choices": [choice.at(index) for index, choice in enumerate(choices)],
        "usage": counts.usage,
    }
    return orjson.dumps(members)


def chunk_of(
    base: Mapping[str, Any],
    delta: Mapping[str, Any],
    *,
    index: int = 0,
    finish: str | None = None,
    logprobs: Any = None,
    stop: Mapping[str, Any] = _NOTHING,
) -> bytes:
    choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish, **stop}
    members = {**base, "object": "chat.completion.chunk", "choices": [choice]}
    return b"data: " + orjson.dumps(members) + b"\n\n"


def usage_chunk(base: Mapping[str, Any], counts: TokenCounts) -> bytes:
    members = {
        **base,
        "object": "chat.completion.chunk",
        "choices": [],
        "usage": counts.usage,
    }
    return b"data: " + orjson.dumps(members) + b"\n\n"


def function_call(identity: str, name: str, arguments: str) -> dict[str, Any]:
    return {
        "id": identity,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def count(value: Any) -> int:
    """A count of tokens; 0 if the server gives none that can be true."""
    return value if type(value) is int and value >= 0 else 0
