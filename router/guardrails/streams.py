"""Changes the texts of a chat stream on their way, also where a text is torn over several pieces.

Each text of a choice, such as its content or the arguments of one tool call, is a channel. Its
rewriter may hold back the last characters. They go out with the next piece of the channel, before
another channel of the choice begins, or with the finish reason; none is lost and none is late.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import orjson

from router.guardrails.placeholders import begun_at, restored
from router.wire.sse import data_of

Channel = tuple[str | int, ...]  # the choice, and the path to the text in its delta
_NO_TEXT = frozenset(
    ("role", "type", "id", "index", "name", "object", "format", "signature", "encrypted_content",
     "call_id", "tool_call_id")
)  # fmt: skip


class Rewriter(Protocol):
    def take(self, text: str) -> str:
        """Take the next piece of the text, and return what may go out."""

    def end(self) -> str:
        """What was held back."""


class Restoring:
    """Puts the words behind placeholders back into one text."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._words, self._held = words, ""

    def take(self, text: str) -> str:
        text = self._held + text
        cut = begun_at(text)
        self._held = text[cut:]
        return restored(text[:cut], self._words)

    def end(self) -> str:
        held, self._held = self._held, ""
        return held


class StreamTexts:
    """The texts of one chat stream, each with a rewriter of its own."""

    def __init__(self, rewriter: Callable[[], Rewriter], *, logprobs: bool) -> None:
        self._make = rewriter
        self._logprobs = logprobs  # whether they may go out: they hold the words of the answer
        self._of: dict[Channel, Rewriter] = {}
        self._open: dict[Any, Channel] = {}  # the channel of each choice that took the last piece

    def pieces(self, piece: bytes) -> bytes:
        """A piece of whole events with other texts; events that change nothing keep their bytes."""
        events = piece.split(b"\n\n")
        return b"\n\n".join(self.event(event) if event else event for event in events)

    def event(self, event: bytes) -> bytes:
        data = data_of(event)
        if not data.startswith(b"{") or b'"choices"' not in data:
            return event
        try:
            chunk = orjson.loads(data)
        except orjson.JSONDecodeError:
            return event
        before = orjson.dumps(chunk)
        for choice in choices_of(chunk):
            self._take(choice)
        after = orjson.dumps(chunk)
        return event if after == before else b"data: " + after

    def _take(self, choice: dict[str, Any]) -> None:
        number, delta = number_of(choice), delta_of(choice)
        ends = choice.get("delta") is None and (number, "text") in self._of
        completes = ends or is_completion(choice)
        if not self._logprobs and choice.get("logprobs") is not None:
            choice["logprobs"] = None
        for path, text in list(texts_of_delta(delta)):
            channel = (number, *path)
            last = self._open.get(number)
            if last is not None and last != channel:
                self._flush(delta, last)
            self._open[number] = channel
            rewriter = self._of.setdefault(channel, self._make())
            put_text(delta, path, rewriter.take(text))
        if choice.get("finish_reason") is not None:
            for channel in [each for each in self._of if each[0] == number]:
                self._flush(delta, channel)
            self._open.pop(number, None)
        if completes:
            choice["text"] = delta.get("text", "")
        elif delta:
            choice["delta"] = delta

    def _flush(self, delta: dict[str, Any], channel: Channel) -> None:
        held = self._of[channel].end()
        if held:
            path = channel[1:]
            put_text(delta, path, get_text(delta, path) + held)

    def rest(self, template: bytes) -> list[bytes]:
        """Events with what is still held back, after a stream without a finish reason."""
        data = data_of(template)
        chunk = orjson.loads(data) if data.startswith(b"{") else {"object": "chat.completion.chunk"}
        events = []
        for channel, rewriter in self._of.items():
            held = rewriter.end()
            if held:
                delta: dict[str, Any] = {}
                put_text(delta, channel[1:], held)
                choice = {"index": channel[0], "delta": delta, "finish_reason": None}
                events.append(b"data: " + orjson.dumps({**chunk, "choices": [choice]}))
        return events


def choices_of(chunk: Mapping[str, Any]) -> list[dict[str, Any]]:
    choices = chunk.get("choices")
    return [each for each in choices if isinstance(each, dict)] if isinstance(choices, list) else []


def is_completion(choice: Mapping[str, Any]) -> bool:
    """Whether a choice is that of a completion, which has its text in the choice itself."""
    return choice.get("delta") is None and isinstance(choice.get("text"), str)


def delta_of(choice: Mapping[str, Any]) -> dict[str, Any]:
    """What a choice adds to its texts; a change of it must be put back for a completion."""
    if is_completion(choice):
        return {"text": choice["text"]}
    delta = choice.get("delta")
    return delta if isinstance(delta, dict) else {}


def number_of(choice: Mapping[str, Any]) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def texts_of_delta(
    value: Any, path: Channel = (), *, empty: bool = False
) -> Iterator[tuple[Channel, str]]:
    """The texts of a delta with their paths; an item of a list counts by its `index`."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, str):
                if (inner or empty) and name not in _NO_TEXT:
                    yield (*path, name), inner
            elif name not in _NO_TEXT:
                yield from texts_of_delta(inner, (*path, name), empty=empty)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from texts_of_delta(inner, (*path, _number(inner, place)), empty=empty)


def _number(item: Any, place: int) -> int:
    index = item.get("index") if isinstance(item, dict) else None
    return index if isinstance(index, int) else place


def get_text(delta: Any, path: Channel) -> str:
    for part in path:
        if isinstance(part, int):
            items = delta if isinstance(delta, list) else []
            delta = next((i for n, i in enumerate(items) if _number(i, n) == part), None)
        else:
            delta = delta.get(part) if isinstance(delta, dict) else None
    return delta if isinstance(delta, str) else ""


def put_text(delta: dict[str, Any], path: Channel, text: str) -> None:
    """Set the text at a path of a delta, which gets what is missing on the way."""
    inner: Any = delta
    for part, following in itertools.pairwise(path):
        if isinstance(part, int):
            item = next((i for n, i in enumerate(inner) if _number(i, n) == part), None)
            if not isinstance(item, list if isinstance(following, int) else dict):
                item = [] if isinstance(following, int) else {"index": part}
                inner.append(item)
            inner = item
        else:
            wanted: type = list if isinstance(following, int) else dict
            if not isinstance(inner.get(part), wanted):
                inner[part] = wanted()
            inner = inner[part]
    last = path[-1]
    if isinstance(last, int):  # a list of plain texts
        inner[last if last < len(inner) else -1 :] = [text]
    else:
        inner[last] = text
