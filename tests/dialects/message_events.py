"""The events of Anthropic's Messages API, held against the types of its own library, in order.

`in_order` accepts the order that Anthropic publishes and no other: `message_start`; then block
after block, each begun with the next index, grown by deltas of its kind, and stopped;
`message_delta`; `message_stop`. A `ping` may come anywhere after the start.
"""

import json

from anthropic._models import construct_type
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

EVENT = TypeAdapter(RawMessageStreamEvent)
DELTAS = {
    "text": {"text_delta", "citations_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "tool_use": {"input_json_delta"},
    "redacted_thinking": set(),
}


def events_in(stream):
    """The events of a stream, each with the name that stands before it."""
    events = []
    for block in stream.decode().split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if lines:
            name, data = lines
            content = json.loads(data.removeprefix("data: "))
            assert name == f"event: {content['type']}"
            events.append(content)
    return events


def checked(events):
    """The whole message that the events make, as Anthropic's library puts it together."""
    in_order(events)
    message, buffers = None, {}
    for event in events:
        if event["type"] not in ("ping", "message_stop"):
            built = construct_type(type_=RawMessageStreamEvent, value=event)
            message = accumulate_event(event=built, current_snapshot=message, json_bufs=buffers)
    return Message.model_validate(message.to_dict()).to_dict()


def in_order(events):
    """`AssertionError` if the form or the order of the events is wrong."""
    state, index, kind = "before", -1, ""
    for event in events:
        if event["type"] == "ping":
            assert state != "before", "a ping before message_start"
            continue
        EVENT.validate_python(event)
        match state, event["type"]:
            case "before", "message_start":
                assert event["message"]["content"] == []
                assert event["message"]["stop_reason"] is None
                state = "between"
            case "between", "content_block_start":
                index, kind = index + 1, event["content_block"]["type"]
                assert event["index"] == index
                assert kind in DELTAS
                state = "within"
            case "within", "content_block_delta":
                assert event["index"] == index
                assert event["delta"]["type"] in DELTAS[kind], (kind, event)
            case "within", "content_block_stop":
                assert event["index"] == index
                state = "between"
            case "between", "message_delta":
                assert event["delta"]["stop_reason"]
                state = "counted"
            case "counted", "message_stop":
                state = "ended"
            case _:
                raise AssertionError(f"{event['type']} in the state {state}")
    assert state == "ended", f"the stream ended {state}"
