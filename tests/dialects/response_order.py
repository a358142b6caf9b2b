"""The laws of a stream of Responses events, by the types of the installed `openai` package."""

import json
from typing import Any

from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
LAST = ("response.completed", "response.incomplete", "response.failed")
# What opens and closes a part of an item, and what its pieces must add up to.
_PIECES = {
    "response.output_text": "text",
    "response.refusal": "refusal",
    "response.reasoning_text": "text",
    "response.reasoning_summary_text": "text",
    "response.function_call_arguments": "arguments",
    "response.custom_tool_call_input": "input",
}


def events_in(stream: bytes) -> list[dict[str, Any]]:
    """The events of a stream, each with the name that its line gives it."""
    events = []
    for block in stream.decode().strip().split("\n\n"):
        if block.startswith(":"):
            continue
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        events.append(event)
    return events


def check_response(response: dict[str, Any]) -> None:
    Response.model_validate(response)
    for member in Response.model_fields:  # all that the API always sends
        if Response.model_fields[member].is_required():
            assert member in response, member


def check_stream(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Check that events come in their published order and form; the last response."""
    for event in events:
        _EVENT.validate_python(event)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    kinds = [event["type"] for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] in LAST
    assert not set(kinds[:-1]) & set(LAST)
    items: list[dict[str, Any]] = []
    rest = [event for event in events[2:-1] if event["type"] != "error"]
    while rest:
        rest = _check_item(rest, items)
    response = events[-1]["response"]
    check_response(response)
    if kinds[-1] != "response.failed":
        assert response["output"] == items
    return response


def _check_item(events: list[dict[str, Any]], items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Check the events of the next item, from its beginning to its end; the events behind it."""
    added = events[0]
    assert added["type"] == "response.output_item.added"
    assert added["output_index"] == len(items)
    ends = [n for n, event in enumerate(events) if event["type"] == "response.output_item.done"]
    if not ends:  # the stream failed within this item
        return []
    done = events[ends[0]]
    item = done["item"]
    assert done["output_index"] == len(items)
    assert (added["item"]["id"], added["item"]["type"]) == (item["id"], item["type"])
    pieces: dict[str, str] = {}
    for event in events[1 : ends[0]]:
        assert event["output_index"] == len(items)
        if "item_id" in event:
            assert event["item_id"] == item["id"]
        stem, _, step = event["type"].rpartition(".")
        if step == "delta" and stem in _PIECES:
            pieces[stem] = pieces.get(stem, "") + event["delta"]
        elif step == "done" and stem in _PIECES:
            assert pieces.pop(stem, "") == event[_PIECES[stem]]
            if _PIECES[stem] in ("arguments", "input"):
                assert event[_PIECES[stem]] == item[_PIECES[stem]]
    assert pieces == {}, "a part that was never done"
    _check_parts(events[1 : ends[0]], item)
    items.append(item)
    return events[ends[0] + 1 :]


def _check_parts(events: list[dict[str, Any]], item: dict[str, Any]) -> None:
    parts, open_part = [], False
    for event in events:
        if event["type"].endswith("_part.added"):
            assert not open_part
            open_part = True
        elif event["type"].endswith("_part.done"):
            assert open_part
            open_part = False
            parts.append(event["part"])
        elif event["type"].rpartition(".")[0] in list(_PIECES)[:4]:
            assert open_part, event["type"]
    assert not open_part
    if item["type"] == "message":
        assert item["content"] == parts
    if item["type"] == "reasoning":
        assert item["summary"] + item.get("content", []) == parts
