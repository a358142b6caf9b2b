"""The events of a response's items, one item after the other. Pure.

One item is open at a time: an item of another kind, or the next call, ends the one before. The
arguments of a call of a built-in tool come whole, because the dialect has no pieces of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from router.dialects.json_string import InputString
from router.dialects.responses_items import (
    Identity,
    Item,
    call_item,
    custom_input,
    message_item,
    reasoning_item,
    text_part,
)
from router.dialects.responses_request import ResponsesRequest


@dataclass(slots=True)
class _Reasoning:
    id: str
    texts: list[str] = field(default_factory=list)
    blocks: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class _Message:
    id: str
    parts: list[Item] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)  # of the part that is open
    kind: str = ""  # of the part that is open: output_text or refusal
    logprobs: list[Item] = field(default_factory=list)
    annotations: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class _Call:
    index: Any
    id: str
    name: str
    kind: str
    pieces: list[str] = field(default_factory=list)
    input: InputString = field(default_factory=InputString)


class OutputEvents:
    """Writes the events of items, and gathers the finished items."""

    def __init__(self, request: ResponsesRequest, identity: Identity) -> None:
        self._request, self._identity = request, identity
        self.number = 0  # of the next event
        self.items: list[Item] = []
        self.open: _Reasoning | _Message | _Call | None = None

    def event(self, kind: str, **members: Any) -> bytes:
        event = {"type": kind, "sequence_number": self.number} | members
        self.number += 1
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), orjson.dumps(event))

    def _of_item(self, kind: str, item_id: str, **members: Any) -> bytes:
        at = {"item_id": item_id, "output_index": len(self.items)}
        return self.event(f"response.{kind}", **(at | members))

    def think(self, text: str, blocks: list[Any]) -> Iterator[bytes]:
        if not isinstance(self.open, _Reasoning):
            yield from self.close()
            self.open = _Reasoning(self._identity.item("rs", len(self.items)))
            item = reasoning_item(self._request, self.open.id, "", [], "in_progress")
            yield self._added(item)
        thoughts = self.open
        thoughts.blocks += blocks
        if not text:
            return
        place, at, part = self._place_of_thoughts
        if not thoughts.texts:
            opened = part | {"text": ""}
            yield self._of_item(f"{place}part.added", thoughts.id, part=opened, **at)
        thoughts.texts.append(text)
        kind = part["type"].replace("summary_text", "reasoning_summary_text")
        yield self._of_item(f"{kind}.delta", thoughts.id, delta=text, **at)

    @property
    def _place_of_thoughts(self) -> tuple[str, dict[str, int], dict[str, str]]:
        if self._request.summary:
            return "reasoning_summary_", {"summary_index": 0}, {"type": "summary_text"}
        return "content_", {"content_index": 0}, {"type": "reasoning_text"}

    def open_message(self) -> Iterator[bytes]:
        yield from self.close()
        self.open = _Message(self._identity.item("msg", len(self.items)))
        yield self._added(message_item(self.open.id, [], "in_progress"))

    def open_part(self, kind: str) -> Iterator[bytes]:
        message = self.open
        assert isinstance(message, _Message)
        yield from self._close_part(message)
        message.kind = kind
        part = text_part("") if kind == "output_text" else {"type": "refusal", "refusal": ""}
        index = len(message.parts)
        yield self._of_item("content_part.added", message.id, content_index=index, part=part)

    def speak(self, kind: str, words: str, logprobs: list[Item]) -> Iterator[bytes]:
        if not isinstance(self.open, _Message):
            yield from self.open_message()
        message = self.open
        assert isinstance(message, _Message)
        if message.kind != kind:
            yield from self.open_part(kind)
        message.pieces.append(words)
        message.logprobs += logprobs
        more = {"logprobs": logprobs} if kind == "output_text" else {}
        at = {"content_index": len(message.parts), "delta": words}
        yield self._of_item(f"{kind}.delta", message.id, **at, **more)

    def _close_part(self, message: _Message) -> Iterator[bytes]:
        if not message.kind:
            return
        text, at = "".join(message.pieces), {"content_index": len(message.parts)}
        if message.kind == "output_text":
            part = text_part(text, message.annotations, message.logprobs)
            done: dict[str, Any] = {"text": text, "logprobs": message.logprobs}
        else:
            part = {"type": "refusal", "refusal": text}
            done = {"refusal": text}
        yield self._of_item(f"{message.kind}.done", message.id, **at, **done)
        yield self._of_item("content_part.done", message.id, **at, part=part)
        message.parts.append(part)
        message.kind, message.pieces, message.logprobs = "", [], []

    def call(self, call: Mapping[str, Any]) -> Iterator[bytes]:
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        name, index, call_id = function.get("name"), call.get("index"), call.get("id")
        current = self.open if isinstance(self.open, _Call) else None
        # Some servers give every call the index 0, and tell calls apart by their ids alone.
        same = current is not None and (
            current.index == index and (not name or not call_id or current.id == call_id)
        )
        if not same:
            yield from self.close()
            tool = self._request.tools.tool(str(name or ""))
            current = _Call(index, str(call_id or ""), str(name or ""), tool.kind)
            self.open = current
            if tool.kind in ("function", "custom"):
                yield self._added(self._item_of(current, "in_progress"))
        assert current is not None
        written = function.get("arguments")
        if isinstance(written, str) and written:
            current.pieces.append(written)
            yield from self._call_delta(current, written)

    def _item_of(self, call: _Call, status: str) -> Item:
        place = len(self.items)
        written = "".join(call.pieces)
        item = call_item(self._request, self._identity, place, call.id, call.name, written)
        if item["type"] == "custom_tool_call":
            item["input"] = "" if status == "in_progress" else _input_of(call)
        elif "status" in item:
            item["status"] = status
        return item

    def _call_delta(self, call: _Call, written: str) -> Iterator[bytes]:
        place = len(self.items)
        if call.kind == "function":
            item_id = self._identity.item("fc", place)
            yield self._of_item("function_call_arguments.delta", item_id, delta=written)
        elif call.kind == "custom":
            text = call.input.take(written)
            if text:
                item_id = self._identity.item("ctc", place)
                yield self._of_item("custom_tool_call_input.delta", item_id, delta=text)

    def close(self, status: str = "completed") -> Iterator[bytes]:
        item = self.open
        match item:
            case _Reasoning():
                yield from self._close_reasoning(item, status)
            case _Message():
                yield from self._close_part(item)
                yield from self._done(message_item(item.id, item.parts, status))
            case _Call():
                yield from self._close_call(item, status)
        self.open = None

    def _close_reasoning(self, thoughts: _Reasoning, status: str) -> Iterator[bytes]:
        place, at, part = self._place_of_thoughts
        text = "".join(thoughts.texts)
        if thoughts.texts:
            kind = part["type"].replace("summary_text", "reasoning_summary_text")
            yield self._of_item(f"{kind}.done", thoughts.id, text=text, **at)
            whole = part | {"text": text}
            yield self._of_item(f"{place}part.done", thoughts.id, part=whole, **at)
        item = reasoning_item(self._request, thoughts.id, text, thoughts.blocks, status)
        yield from self._done(item)

    def _close_call(self, call: _Call, status: str) -> Iterator[bytes]:
        item = self._item_of(call, status)
        if call.kind == "function":
            done = {"arguments": item["arguments"], "name": item["name"]}
            yield self._of_item("function_call_arguments.done", item["id"], **done)
        elif call.kind == "custom":
            if not call.input.pieces and item["input"]:
                delta = {"delta": item["input"]}
                yield self._of_item("custom_tool_call_input.delta", item["id"], **delta)
            yield self._of_item("custom_tool_call_input.done", item["id"], input=item["input"])
        elif item["type"] == "function_call":  # it does not fit its tool
            yield self._added(item | {"arguments": "", "status": "in_progress"})
            for step, name in (("delta", "delta"), ("done", "arguments")):
                kind = f"function_call_arguments.{step}"
                yield self._of_item(kind, item["id"], **{name: item["arguments"]})
        else:
            yield self._added(item | {"status": "in_progress"})
            if item["type"] == "shell_call":
                yield from self._commands(item["action"]["commands"])
        yield from self._done(item)

    def _commands(self, commands: list[str]) -> Iterator[bytes]:
        for index, command in enumerate(commands):
            at = {"output_index": len(self.items), "command_index": index}
            kind = "response.shell_call_command"
            yield self.event(f"{kind}.added", **at, command="")
            yield self.event(f"{kind}.delta", **at, delta=command)
            yield self.event(f"{kind}.done", **at, command=command)

    def _added(self, item: Item) -> bytes:
        at = {"output_index": len(self.items), "item": item}
        return self.event("response.output_item.added", **at)

    def _done(self, item: Item) -> Iterator[bytes]:
        at = {"output_index": len(self.items), "item": item}
        yield self.event("response.output_item.done", **at)
        self.items.append(item)

    def annotate(self, notes: list[Item]) -> None:
        if isinstance(self.open, _Message):
            self.open.annotations += notes


def _input_of(call: _Call) -> str:
    """The whole input of a custom tool: the pieces that went out, if any did."""
    return "".join(call.input.pieces) or custom_input("".join(call.pieces))
