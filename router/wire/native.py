"""Answers that pass through in the caller's own dialect: what is read of them on the way.

Their bytes stay as they came, except that the usage of Responses gains its cost. Read are the
tokens, the words where somebody keeps them, and the end, because a stream without its last event is
a broken one.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from router.domain import Fault, Usage
from router.wire.splice import inserted, object_at, replaced, spans
from router.wire.sse import data_of

_MOST_TOKENS = 10_000_000  # no call uses more tokens; a larger count is ignored
_NOTHING: Mapping[str, Any] = {}
_WORDS = re.compile(rb'"(?:delta|text|partial_json)"\s*+:\s*+"((?:[^"\\]++|\\.)*+)"')


class NativeForm(ABC):
    """How answers of one dialect are read."""

    name: str
    last: frozenset[str]  # the events that end a stream as it should
    counting: frozenset[str]  # the events that tell usage
    passing: frozenset[bytes]  # the names of frequent events that tell nothing but words

    @abstractmethod
    def usage(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """The usage in an answer or in an event, as it stands; empty without one."""

    @abstractmethod
    def counted(self, usage: Mapping[str, Any]) -> Usage | None:
        """The tokens in a usage; None if they are missing or cannot be true."""

    @abstractmethod
    def words(self, answer: Mapping[str, Any]) -> str:
        """The words of a whole answer, and the arguments of its calls of tools."""

    @abstractmethod
    def words_in(self, event: Mapping[str, Any]) -> str:
        """The words that an event of a stream brings."""

    @abstractmethod
    def only_text(self, answer: Mapping[str, Any]) -> str:
        """The text of a complete answer that holds nothing else; empty if it is another one."""

    @abstractmethod
    def whole_of(self, events: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
        """The whole answer that the events of a stream brought; empty if the stream has no end."""

    @abstractmethod
    def broken(self, message: str, code: str) -> bytes:
        """The event that tells the caller that the stream broke."""

    def fault(self, event: Mapping[str, Any]) -> Fault | None:  # noqa: ARG002
        """The failure that an event reports in a way of this dialect's own."""
        return None

    def with_cost(self, body: bytes, usage: Usage, cost_usd: float | None) -> bytes:  # noqa: ARG002
        return body


class MessagesForm(NativeForm):
    """Anthropic's Messages."""

    name = "messages"
    last = frozenset({"message_stop"})
    counting = frozenset({"message_start", "message_delta"})
    passing = frozenset({b"event: content_block_delta"})

    def usage(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        holder = answer.get("message") if answer.get("type") == "message_start" else answer
        usage = holder.get("usage") if isinstance(holder, dict) else None
        return usage if isinstance(usage, dict) else _NOTHING

    def counted(self, usage: Mapping[str, Any]) -> Usage | None:
        names = ("input_tokens", "output_tokens", "cache_read_input_tokens")
        counts = [usage.get(name) or 0 for name in (*names, "cache_creation_input_tokens")]
        if usage.get("input_tokens") is None or not all(map(_may_be_true, counts)):
            return None
        fresh, output, read, written = counts
        return Usage(fresh + read + written, output, read, written_tokens=written)

    def words(self, answer: Mapping[str, Any]) -> str:
        return "".join(
            block.get("text") or orjson.dumps(block.get("input") or {}).decode()
            for block in _dicts(answer.get("content"))
            if block.get("type") in ("text", "tool_use")
        )

    def words_in(self, event: Mapping[str, Any]) -> str:
        delta = event.get("delta")
        if event.get("type") != "content_block_delta" or not isinstance(delta, dict):
            return ""
        text = delta.get("text") or delta.get("partial_json") or ""
        return text if isinstance(text, str) else ""

    def only_text(self, answer: Mapping[str, Any]) -> str:
        blocks = _dicts(answer.get("content"))
        if answer.get("stop_reason") != "end_turn" or not all(
            block.get("type") == "text" for block in blocks
        ):
            return ""
        return "".join(str(block.get("text") or "") for block in blocks)

    def whole_of(self, events: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
        answer: dict[str, Any] = {}
        ended = False
        for event in events:
            match event:
                case {"type": "message_start", "message": dict(message)}:
                    answer = {**message, "content": []}
                case {"type": "content_block_start", "content_block": dict(block)}:
                    answer.setdefault("content", []).append(dict(block))
                case {"type": "content_block_delta", "delta": {"text": str(text)}}:
                    block = answer["content"][-1] if answer.get("content") else {}
                    block["text"] = str(block.get("text") or "") + text
                case {"type": "message_delta", "delta": dict(delta)}:
                    answer |= delta
                case {"type": "message_stop"}:
                    ended = True
        return answer if ended else _NOTHING

    def broken(self, message: str, code: str) -> bytes:  # noqa: ARG002
        error = {"type": "error", "error": {"type": "api_error", "message": message}}
        return b"event: error\ndata: " + orjson.dumps(error) + b"\n\n"


class ResponsesForm(NativeForm):
    """OpenAI's Responses."""

    name = "responses"
    last = frozenset({"response.completed", "response.incomplete"})
    counting = last
    passing = frozenset(
        f"event: response.{part}.delta".encode()
        for part in ("output_text", "function_call_arguments", "reasoning_summary_text")
    )

    def usage(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        holder = answer.get("response") if "response" in answer else answer
        usage = holder.get("usage") if isinstance(holder, dict) else None
        return usage if isinstance(usage, dict) else _NOTHING

    def counted(self, usage: Mapping[str, Any]) -> Usage | None:
        details = usage.get("input_tokens_details")
        details = details if isinstance(details, dict) else _NOTHING
        cached, written = (details.get(f"cache{n}_tokens") or 0 for n in ("d", "_write"))
        counts = [usage.get("input_tokens"), usage.get("output_tokens"), cached, written]
        if not all(map(_may_be_true, counts)):
            return None
        cached = min(cached, counts[0] or 0)
        written = min(written, (counts[0] or 0) - cached)
        return Usage(counts[0] or 0, counts[1] or 0, cached, written_tokens=written)

    def words(self, answer: Mapping[str, Any]) -> str:
        pieces = []
        for item in _dicts(answer.get("output")):
            pieces += [str(part.get("text") or "") for part in _dicts(item.get("content"))]
            pieces.append(str(item.get("arguments") or item.get("input") or ""))
        return "".join(pieces)

    def words_in(self, event: Mapping[str, Any]) -> str:
        kind, delta = str(event.get("type")), event.get("delta")
        brings_words = kind == "response.output_text.delta" or kind.endswith(
            ("arguments.delta", "input.delta")
        )
        return delta if brings_words and isinstance(delta, str) else ""

    def only_text(self, answer: Mapping[str, Any]) -> str:
        items = [i for i in _dicts(answer.get("output")) if i.get("type") != "reasoning"]
        if answer.get("status") != "completed" or [i.get("type") for i in items] != ["message"]:
            return ""
        parts = _dicts(items[0].get("content"))
        if not all(part.get("type") == "output_text" for part in parts):
            return ""
        return "".join(str(part.get("text") or "") for part in parts)

    def whole_of(self, events: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
        for event in events:
            if event.get("type") in self.last and isinstance(event.get("response"), dict):
                answer: Mapping[str, Any] = event["response"]
                return answer
        return _NOTHING

    def broken(self, message: str, code: str) -> bytes:
        error = {"type": "error", "code": code, "message": message, "param": None}
        return b"event: error\ndata: " + orjson.dumps(error) + b"\n\n"

    def fault(self, event: Mapping[str, Any]) -> Fault | None:
        match event:
            case {"type": "error", "message": message}:
                return Fault("upstream", f"the backend said: {str(message)[:300]}")
            case {"type": "response.failed", "response": {"error": dict(error)}}:
                return Fault("upstream", f"the backend said: {str(error.get('message'))[:300]}")
            case {"type": "response.failed"}:
                return Fault("upstream", "the backend said that the response failed")
        return None

    def with_cost(self, body: bytes, usage: Usage, cost_usd: float | None) -> bytes:
        """A response, or an event that holds one, with `usage.cost`; the tokens are an estimate
        where the backend gave none."""
        if not usage.estimated and body.count(b'"usage"') == 1:
            brace = object_at(body, b'"usage"')
            if brace >= 0 and b'"cost"' not in body[brace:]:
                return inserted(body, brace, b'"cost":' + orjson.dumps(cost_usd))
        outer = spans(body, (b'"response"',)).get(b'"response"')
        if outer is not None:
            start, end = outer
            return body[:start] + self.with_cost(body[start:end], usage, cost_usd) + body[end:]
        span = spans(body, (b'"usage"',)).get(b'"usage"')
        cost = {b'"cost"': orjson.dumps(cost_usd)}
        if span is not None and not usage.estimated and body[span[0] : span[0] + 1] == b"{":
            return body[: span[0]] + replaced(body[slice(*span)], cost) + body[span[1] :]
        members = {
            "input_tokens": usage.input_tokens,
            "input_tokens_details": {"cached_tokens": usage.cached_tokens},
            "output_tokens": usage.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": usage.input_tokens + usage.output_tokens,
            "cost": cost_usd,
            "cost_estimated": True,
        }
        return replaced(body, {b'"usage"': orjson.dumps(members)})


FORMS: Mapping[str, NativeForm] = {form.name: form for form in (MessagesForm(), ResponsesForm())}


def native_fault(event: bytes, dialect: str) -> Fault | None:
    """The failure that an event of a stream reports in a way of its dialect's own."""
    form = FORMS.get(dialect)
    return None if form is None else form.fault(_event(data_of(event)))


def _event(data: bytes) -> Mapping[str, Any]:
    try:
        content = orjson.loads(data) if data.startswith(b"{") else _NOTHING
    except orjson.JSONDecodeError:
        return _NOTHING
    return content if isinstance(content, dict) else _NOTHING


def events_in(datas: Iterable[bytes]) -> Iterator[Mapping[str, Any]]:
    return map(_event, datas)


@dataclass(slots=True)
class NativeMeter:
    """Reads token usage from a passing stream. The last event waits for `end`, so that the request
    is recorded before its caller sees the end of the answer."""

    form: NativeForm
    prompt_tokens: int
    cost_of: Callable[[Usage], float | None]
    finished: bool = False
    done: bool = False
    _usage: dict[str, Any] = field(default_factory=dict)
    _characters: int = 0
    _held: bytes = b""

    def passes(self, block: bytes) -> bool:
        """Whether whole events may go to the client as they are, because they bring only words."""
        if b'"error"' in block or b"\r" in block:
            return False
        events = block.count(b"\n\n")
        for name in self.form.passing:
            events -= block.startswith(name + b"\n") + block.count(b"\n\n" + name + b"\n")
        if events:
            return False
        self._characters += sum(map(len, _WORDS.findall(block)))
        return True

    def take(self, event: bytes) -> list[bytes]:
        """Take the next event, and return the events that may now go to the client."""
        if event.partition(b"\n")[0].rstrip() in self.form.passing:
            self._characters += sum(map(len, _WORDS.findall(event)))
            return [event]
        content = _event(data_of(event))
        fault = self.form.fault(content)
        if fault is not None:
            raise fault
        kind = content.get("type")
        self._characters += len(self.form.words_in(content))
        if (
            kind in self.form.counting
        ):  # counts are cumulative, and a later event may leave some out
            latest = self.form.usage(content)
            self._usage |= {name: value for name, value in latest.items() if value is not None}
        if kind in self.form.last:
            self.finished = self.done = True
            self._held = event
            return []
        return [event]

    def end(self) -> list[bytes]:
        """The last event, with the cost where the dialect has a place for it."""
        self.done = True
        if not self._held:
            return []
        usage = self.final_usage()
        lines = self._held.split(b"\n")
        cost_usd = self.cost_of(usage)
        lines = [
            b"data: " + self.form.with_cost(line[5:].strip(), usage, cost_usd)
            if line.startswith(b"data:")
            else line
            for line in lines
        ]
        return [b"\n".join(lines)]

    def final_usage(self) -> Usage:
        usage = self.form.counted(self._usage)
        if usage is not None:
            return usage
        return Usage(self.prompt_tokens, max(self._characters // 4, 1), estimated=True)


def _may_be_true(count: Any) -> bool:
    return type(count) is int and 0 <= count <= _MOST_TOKENS


def _dicts(values: Any) -> list[dict[str, Any]]:
    return [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []
