"""Server-sent events: cuts a byte stream into events, and writes usage and cost into the last
event."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from router.domain import Fault, Usage
from router.wire.replica_headers import BROKEN
from router.wire.splice import inserted, object_at, replaced, spans

DONE = b"data: [DONE]\n\n"
END_OF_EVENT = b"\n\n"
_END = re.compile(rb"\r?\n\r?\n")
_FINISHED = re.compile(rb'"finish_reason"\s*:\s*"')
_USAGE = re.compile(rb'"usage"\s*:\s*\{')
_CONTENT = re.compile(rb'"(?:content|arguments|text)"\s*:\s*"((?:[^"\\]++|\\.)*+)"')
_MAX_EVENT = 8 * 2**20
# What no block may hold of which nothing is read. A search for each is quicker than one for all.
_NEWS = (b"[DONE]", b'"error"', b"\r", b"event: x-waggle-broken")
_WRITTEN = ("cache_write_tokens", "cache_creation_tokens")  # as OpenRouter and LiteLLM say it
_MOST_TOKENS = 10_000_000  # no call uses more tokens; a larger count is ignored


class Cutter:
    """Cuts bytes into whole events. An event that grows too large raises a `Fault`."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def cut(self, data: bytes) -> list[bytes]:
        if self._rest:
            # Only the new bytes and the three before them can hold the end of the event.
            since = max(len(self._rest) - 3, 0)
            self._rest += data
            if _END.search(self._rest, since) is None:
                self._check_size()
                return []
            data = bytes(self._rest)
        events = _END.split(data) if b"\r" in data else data.split(b"\n\n")
        self._rest = bytearray(events.pop())
        self._check_size()
        return [event for event in events if event]

    def block(self, data: bytes) -> bytes:
        """The whole events that are here, as they came; the beginning of the next one stays."""
        if not self._rest and data.endswith(b"\n\n"):
            return data
        if b"\r" in data or b"\r" in self._rest:
            return b"".join(event + b"\n\n" for event in self.cut(data))
        self._rest += data
        end = self._rest.rfind(b"\n\n", max(len(self._rest) - len(data) - 1, 0)) + 2
        if end < 2:
            self._check_size()
            return b""
        block = bytes(self._rest[:end])
        del self._rest[:end]
        self._check_size()
        return block

    def _check_size(self) -> None:
        if len(self._rest) > _MAX_EVENT:
            raise Fault("protocol", f"an event of the stream is larger than {_MAX_EVENT} bytes")

    @property
    def rest(self) -> bytes:
        return bytes(self._rest.strip())


def events_of(block: bytes) -> list[bytes]:
    """The events in whole events."""
    events = _END.split(block) if b"\r" in block else block.split(END_OF_EVENT)
    return [event for event in events if event]


def data_of(event: bytes) -> bytes:
    """The payload of an event; empty for a comment."""
    if event.startswith(b"data: ") and b"\n" not in event:
        return event[6:]
    if event.startswith(b"event: "):  # one line for the name, and one for the data
        data = event.partition(b"\n")[2]
        if data.startswith(b"data: ") and b"\n" not in data:
            return data[6:].rstrip(b"\r")
    lines = [line.rstrip(b"\r") for line in event.split(b"\n")]
    return b"\n".join(line[5:].lstrip(b" ") for line in lines if line.startswith(b"data:"))


def broken(event: bytes) -> Fault | None:
    """The failure that this event reports; None if the event is no error."""
    if event.startswith(BROKEN):
        failure = orjson.loads(event[len(BROKEN) :])
        return Fault(failure["fault"], failure["detail"])
    data = data_of(event)
    if data.startswith(b"{") and b'"error"' in data[:200]:
        try:
            error = orjson.loads(data).get("error")
        except orjson.JSONDecodeError:
            return None
        if error:
            message = error.get("message") if isinstance(error, dict) else error
            return Fault("upstream", f"the backend said: {str(message)[:300]}")
    return None


@dataclass(slots=True)
class Meter:
    """Reads token usage from a passing stream, and writes usage and cost into the last chunk.

    A caller who did not ask for usage gets no extra chunk, because `choices: []` breaks naive
    clients. Instead, the chunk with the finish reason waits in the meter until usage is known.
    """

    include_usage: bool
    prompt_tokens: int
    cost_of: Callable[[Usage], float | None]
    usage: Usage | None = None
    finished: bool = False
    done: bool = False
    _held: bytes = b""
    _usage_event: bytes = b""
    _characters: int = 0
    _last: bytes = field(default=b"")

    def passes(self, block: bytes) -> bool:
        """Whether whole events may go to the client as they are, because they bring only words."""
        if self._held or any(map(block.__contains__, _NEWS)):
            return False
        if b'"usage"' in block and _USAGE.search(block) is not None:
            return False
        if _FINISHED.search(block) is not None:
            return False
        self._last = block
        self._characters += sum(map(len, _CONTENT.findall(block)))
        return True

    def take(self, event: bytes) -> list[bytes]:
        """Take the next event, and return the events that may now go to the client."""
        data = data_of(event)
        if data == b"[DONE]":
            self.done = True
            return []
        if not data:
            return [event]
        released, self._held = ([self._held] if self._held else []), b""
        self._last = event
        self._characters += sum(map(len, _CONTENT.findall(data)))
        chunk = self._usage_chunk(data) if _USAGE.search(data) else {}
        finished = bool(_FINISHED.search(data))
        if chunk and chunk.get("choices") == []:
            if self.include_usage:
                self._usage_event = event
            self._held = released.pop() if released else b""
        elif chunk or finished:
            self.finished = self.finished or finished
            self._held = event
        else:
            released.append(event)
        return released

    def end(self) -> list[bytes]:
        """The events that the meter held back, with usage and cost in the last of them."""
        self.done = True
        last = []
        usage = self.final_usage()
        if self.include_usage:
            if self._held:
                last.append(self._held)
            last.append(self._usage_event or self._own_usage_event())
        elif self._held:
            last.append(self._held)
        if last:
            last[-1] = _with_usage(last[-1], usage, self.cost_of(usage))
        return last

    def final_usage(self) -> Usage:
        if self.usage is not None:
            return self.usage
        return Usage(self.prompt_tokens, max(self._characters // 4, 1), estimated=True)

    def _usage_chunk(self, data: bytes) -> dict[str, Any]:
        """The parsed chunk, if it holds usage; otherwise an empty dict."""
        try:
            chunk: dict[str, Any] = orjson.loads(data)
        except orjson.JSONDecodeError:
            return {}
        usage = usage_in(chunk)
        if usage is None:
            return {}
        self.usage = usage
        return chunk

    def _own_usage_event(self) -> bytes:
        """A usage chunk for an upstream that sent none: its last chunk without choices."""
        datas = map(data_of, reversed(self._last.split(b"\n\n")))
        chunk = next(filter(None, datas), b"{}")
        return b"data: " + replaced(chunk, {b'"choices"': b"[]"})


def usage_in(answer: Any) -> Usage | None:
    """The token counts of an answer or chunk; None if they are missing or cannot be true."""
    usage = answer.get("usage") if isinstance(answer, dict) else None
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    details = details if isinstance(details, dict) else {}
    cached = details.get("cached_tokens") or 0
    written = next((details[name] for name in _WRITTEN if details.get(name)), 0)
    counts = [usage.get("prompt_tokens"), usage.get("completion_tokens", 0), cached, written]
    numbers = [n for n in counts if type(n) is int and 0 <= n <= _MOST_TOKENS]
    if len(numbers) != len(counts):
        return None
    cached = min(numbers[2], numbers[0])
    written = min(numbers[3], numbers[0] - cached)
    return Usage(numbers[0], numbers[1], cached, written_tokens=written)


def usage_json(usage: Usage, cost_usd: float | None) -> bytes:
    members = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "cost": cost_usd,
    }
    return orjson.dumps(members | ({"cost_estimated": True} if usage.estimated else {}))


def with_cost(raw: bytes, usage: Usage, cost_usd: float | None) -> bytes:
    """An answer with `usage.cost`, and with estimated usage if the backend reported none. An
    unknown cost is null."""
    if usage.estimated:
        return replaced(raw, {b'"usage"': usage_json(usage, cost_usd)})
    brace = object_at(raw, b'"usage"')
    end = raw.find(b"}", brace)
    cost = orjson.dumps(cost_usd)
    if brace >= 0 and b'"cost"' not in raw[brace:end]:
        return inserted(raw, brace, b'"cost":' + cost)
    span = spans(raw, (b'"usage"',)).get(b'"usage"')
    if span is None:  # the upstream wrote its name with escapes
        return replaced(raw, {b'"usage"': usage_json(usage, cost_usd)})
    start, end = span  # replace the upstream's cost by ours
    return raw[:start] + replaced(raw[start:end], {b'"cost"': cost}) + raw[end:]


def with_own_cost(raw: bytes, usage: Usage, cost_usd: float | None) -> bytes:
    """A completion of Waggle's own, which ends with its usage, with `usage.cost`."""
    whole = usage_json(usage, cost_usd)
    return raw[: raw.rindex(b'"usage":')] + b'"usage":' + whole + b"}"


def _with_usage(event: bytes, usage: Usage, cost_usd: float | None) -> bytes:
    data = data_of(event)
    if b'"usage"' in spans(data, (b'"usage"',)) and _USAGE.search(data):
        return b"data: " + with_cost(data, usage, cost_usd)
    return b"data: " + replaced(data, {b'"usage"': usage_json(usage, cost_usd)})
