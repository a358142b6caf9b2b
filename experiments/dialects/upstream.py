"""A model server that answers at once, in the dialect of the path, whole or as a stream.

python -m experiments.dialects.upstream PORT
"""

import asyncio
import json
import sys
from typing import Any

WORDS = ("The capital ", "of France ", "is Paris.")
_USAGE = {"prompt_tokens": 20, "completion_tokens": 6, "total_tokens": 26}


def _chat(*, stream: bool) -> bytes:
    base = {"id": "c", "created": 1, "model": "m"}
    if not stream:
        message = {"role": "assistant", "content": "".join(WORDS)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return _json(base | {"object": "chat.completion", "choices": [choice], "usage": _USAGE})
    deltas: list[Any] = [({"content": word}, None) for word in WORDS] + [({}, "stop")]
    chunks = [
        base | {"object": "chat.completion.chunk"}
        | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        for delta, finish in deltas
    ]  # fmt: skip
    chunks.append(base | {"object": "chat.completion.chunk", "choices": [], "usage": _USAGE})
    return _stream([*(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks), "data: [DONE]\n\n"])


def _responses(*, stream: bool) -> bytes:
    part = {"type": "output_text", "text": "".join(WORDS), "annotations": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    usage = {"input_tokens": 20, "output_tokens": 6, "total_tokens": 26}
    response = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed"}
    response |= {"model": "m", "output": [item | {"content": [part]}], "usage": usage}
    if not stream:
        return _json(response)
    events: list[dict[str, Any]] = [{"type": "response.created", "response": response}]
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": []}
    events += [{"type": "response.output_text.delta", "delta": w} | place for w in WORDS]
    events.append({"type": "response.completed", "response": response})
    return _stream(
        [
            f"event: {event['type']}\ndata: {json.dumps(event | {'sequence_number': n})}\n\n"
            for n, event in enumerate(events)
        ]
    )


def _messages(*, stream: bool) -> bytes:
    usage = {"input_tokens": 20, "output_tokens": 6}
    message: dict[str, Any] = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m"}
    message |= {"stop_reason": "end_turn", "stop_sequence": None, "usage": usage}
    if not stream:
        return _json(message | {"content": [{"type": "text", "text": "".join(WORDS)}]})
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": message | {"content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ]
    deltas = [{"type": "text_delta", "text": word} for word in WORDS]
    events += [{"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas]
    events.append({"type": "content_block_stop", "index": 0})
    stopped = {"stop_reason": "end_turn", "stop_sequence": None}
    events.append({"type": "message_delta", "delta": stopped, "usage": usage})
    events.append({"type": "message_stop"})
    return _stream([f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events])


def _json(answer: Any) -> bytes:
    body = json.dumps(answer).encode()
    head = (
        f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _stream(events: list[str]) -> bytes:
    head = (
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    chunks = (f"{len(event.encode()):x}\r\n{event}\r\n" for event in events)
    return (head + "".join(chunks) + "0\r\n\r\n").encode()


ANSWERS = {
    (path, stream): answer(stream=stream)
    for path, answer in (
        ("/v1/chat/completions", _chat),
        ("/v1/responses", _responses),
        ("/v1/messages", _messages),
    )
    for stream in (False, True)
}


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            size = int(head.partition("content-length: ")[2].partition("\r\n")[0] or 0)
            body = await reader.readexactly(size)
            streams = b'"stream":true' in body.replace(b" ", b"")
            writer.write(ANSWERS[head.split(" ")[1], streams])
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main(port: int) -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
