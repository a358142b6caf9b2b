"""An estimate of the tokens in a chat request, for callers who ask before they send it. Pure.

It counts what any model reads: words, calls, tools, and a fixed share for each picture and for the
bytes of a document. A model's own tokenizer may differ by a third, and more for other scripts.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from router.request.text import tokens_in

_A_MESSAGE = 4  # the marks around it
_A_PICTURE = 1500  # of the usual size; the providers count 85 to 1,600
_BYTES_A_TOKEN_OF_PDF = 30  # a page is about 60 kB, and 2,000 tokens


def tokens_of(fields: Mapping[str, Any]) -> int:
    messages = fields.get("messages") or ()
    tools = fields.get("tools")
    count = tokens_in(orjson.dumps(tools).decode()) if tools else 0
    form = fields.get("response_format")
    count += tokens_in(orjson.dumps(form).decode()) if form else 0
    return count + sum(_A_MESSAGE + sum(_tokens(message)) for message in messages)


def _tokens(message: Mapping[str, Any]) -> Iterator[int]:
    content = message.get("content")
    for part in [content] if isinstance(content, str) else content or ():
        yield _of_part(part)
    for call in message.get("tool_calls") or ():
        yield tokens_in(orjson.dumps(call["function"]).decode())
    for thought in message.get("thinking_blocks") or ():
        yield tokens_in(str(thought.get("thinking") or ""))


def _of_part(part: Any) -> int:
    match part:
        case str(text) | {"text": str(text)}:
            return tokens_in(text)
        case {"image_url": _}:
            return _A_PICTURE
        case {"file": {"file_data": str(data)}}:
            return len(data) * 3 // 4 // _BYTES_A_TOKEN_OF_PDF
        case _:
            return 0
