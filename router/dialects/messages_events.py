"""Writes the chunks of a chat stream as the events of Anthropic's Messages API. Pure.

The order is Anthropic's: `message_start`, `ping`, then block after block, each begun, grown and
stopped, then `message_delta` with the counts, and `message_stop`. Two blocks are never open at
once: pieces of a second call wait while the first one is not whole. The first event estimates the
input; the counts of `message_delta` replace it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from router.dialects.messages_reply import (
    Body,
    Wanted,
    beginning,
    call_identity,
    reasoning_in,
    signed_thoughts,
    stop_of,
    usage_of,
)
from router.dialects.messages_turns import OWN_SIGNATURE

PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_NOTHING: Mapping[str, Any] = {}


@dataclass(slots=True)
class _Block:
    """A content block as far as it has come. `waiting` are deltas that were not sent yet."""

    kind: str  # text, thinking, call
    start: Body
    waiting: list[Body] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)  # of a call, as the pieces came
    read_at: int = 0  # pieces of arguments at which to read them again

    def is_whole(self) -> bool:
        """Whether another block may follow: of a call, whether its arguments are complete."""
        if self.kind != "call":
            return True
        if not self.arguments or not self.arguments[-1].rstrip().endswith("}"):
            return False
        if len(self.arguments) < self.read_at:
            return False
        try:
            orjson.loads("".join(self.arguments))
        except orjson.JSONDecodeError:
            self.read_at = len(self.arguments) * 5 // 4 + 1  # reading stays linear in all pieces
            return False
        return True


class MessageEvents:
    """Turns the chunks of one chat stream into events, one chunk at a time."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._begun = False
        self._number = -1  # of the last block that was begun
        self._open: _Block | None = None
        self._waiting: list[_Block] = []
        self._calls: dict[Any, _Block] = {}
        self._identities: dict[Any, str] = {}
        self._choice: dict[str, Any] = {}  # what the chunks say of the end
        self._refusal = ""
        self._usage: Any = None
        self._note: Body = {}

    def take(self, chunk: Mapping[str, Any]) -> Iterator[bytes]:
        """The events that follow from a chunk."""
        if not self._begun:
            self._begun = True
            yield event("message_start", message=beginning(chunk, self._wanted))
            yield PING
        if chunk.get("usage"):
            self._usage = chunk["usage"]
        if "waggle" in chunk:
            self._note = {"waggle": chunk["waggle"]}
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else _NOTHING
        if not isinstance(choice, dict) or choice.get("index") not in (None, 0):
            return
        delta = choice.get("delta")
        if delta == {} and not choice.get("finish_reason") and not self._usage:
            yield PING  # the model thinks
        elif isinstance(delta, dict):
            yield from self._grow(delta, finishes=bool(choice.get("finish_reason")))
        self._choice |= {n: v for n, v in choice.items() if n != "delta" and v is not None}

    def waits(self, comment: bytes) -> bytes:
        """What keeps the connection open while nothing is said."""
        return PING if self._begun else comment + b"\n\n"

    def end(self) -> Iterator[bytes]:
        """The last events, once the stream has ended as it should."""
        yield from self._close()
        for block in self._waiting:
            yield from self._begin(block)
            yield from self._close()
        stopped = stop_of(
            self._choice, self._wanted, calls=bool(self._calls), refusal=self._refusal
        )
        usage = usage_of(self._usage)
        yield event("message_delta", delta=stopped, usage=usage, **self._note)
        yield event("message_stop")

    def _grow(self, delta: Mapping[str, Any], *, finishes: bool) -> Iterator[bytes]:
        text = reasoning_in(delta)
        if text and self._wanted.thinks:
            yield from self._think(text)
        for block in signed_thoughts(delta):
            yield from self._sign(block)
        content, refusal = delta.get("content"), delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            self._refusal += refusal
            if not finishes:  # the model's own words; those of a filter come with the end
                content = refusal
        if isinstance(content, str) and content:
            yield from self._write("text", {"type": "text", "text": ""}, text_delta(content))
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, dict):
                yield from self._call(call)

    def _think(self, text: str) -> Iterator[bytes]:
        start = {"type": "thinking", "thinking": "", "signature": ""}
        yield from self._write("thinking", start, {"type": "thinking_delta", "thinking": text})

    def _sign(self, block: Body) -> Iterator[bytes]:
        """A whole thought, whose text may have come before it in pieces."""
        signature = {"type": "signature_delta", "signature": str(block.get("signature") or "")}
        if block.get("type") != "thinking":
            yield from self._write("redacted", dict(block), None)
        elif self._open is not None and self._open.kind == "thinking":
            yield self._delta(signature)
            self._open.kind = "signed"
        else:
            start = {"type": "thinking", "thinking": "", "signature": ""}
            text = {"type": "thinking_delta", "thinking": str(block.get("thinking") or "")}
            yield from self._write("signed", start, text if text["thinking"] else None)
            yield from self._write("signed", start, signature)
        last = self._last
        if last is not None and last is self._open:
            yield from self._close()
        elif last is not None:
            last.kind = "ended"

    @property
    def _last(self) -> _Block | None:
        return self._waiting[-1] if self._waiting else self._open

    def _call(self, call: Mapping[str, Any]) -> Iterator[bytes]:
        function = call.get("function")
        function = function if isinstance(function, dict) else _NOTHING
        index, identity = call.get("index"), call.get("id")
        name, piece = function.get("name"), function.get("arguments")
        earlier = self._identities.get(index)
        if isinstance(identity, str) and identity and earlier not in (None, identity):
            index = identity  # some servers give every call the same index
        block = self._calls.get(index)
        if block is None:
            written = call_identity(call, len(self._calls), self._wanted)
            start = {"type": "tool_use", "id": written, "name": str(name or ""), "input": {}}
            block = self._calls[index] = _Block("call", start)
            if isinstance(identity, str) and identity:
                self._identities[index] = identity
            yield from self._turn_to(block)
        if isinstance(piece, str) and piece:
            block.arguments.append(piece)
            delta = {"type": "input_json_delta", "partial_json": piece}
            if block is not self._open:
                block.waiting.append(delta)
                return
            yield self._delta(delta)
            yield from self._advance()

    def _write(self, kind: str, start: Body, delta: Body | None) -> Iterator[bytes]:
        """Add to the last block if it is of this kind, else to a new one."""
        last = self._last
        if last is None or last.kind != kind:
            last = _Block(kind, start)
            yield from self._turn_to(last)
        if delta is None:
            return
        if last is self._open:
            yield self._delta(delta)
        else:
            last.waiting.append(delta)

    def _turn_to(self, block: _Block) -> Iterator[bytes]:
        """Begin a block; it waits while a call before it is not whole."""
        if self._open is not None and not self._open.is_whole():
            self._waiting.append(block)
            return
        yield from self._close()
        yield from self._begin(block)

    def _advance(self) -> Iterator[bytes]:
        """Go on to the blocks that wait, as far as those before them are whole."""
        while self._waiting and self._open is not None and self._open.is_whole():
            yield from self._close()
            yield from self._begin(self._waiting.pop(0))

    def _begin(self, block: _Block) -> Iterator[bytes]:
        self._open, self._number = block, self._number + 1
        yield event("content_block_start", index=self._number, content_block=block.start)
        for delta in block.waiting:
            yield self._delta(delta)
        block.waiting = []

    def _close(self) -> Iterator[bytes]:
        if self._open is None:
            return
        if self._open.kind == "thinking":  # of a backend that signs none
            yield self._delta({"type": "signature_delta", "signature": OWN_SIGNATURE})
        self._open = None
        yield event("content_block_stop", index=self._number)

    def _delta(self, delta: Body) -> bytes:
        return event("content_block_delta", index=self._number, delta=delta)


def text_delta(text: str) -> Body:
    return {"type": "text_delta", "text": text}


def event(kind: str, **members: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), orjson.dumps({"type": kind, **members}))
