"""What is remembered of an answer: its length and hash always, its words only where asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from router.domain import Answered
from router.wire.sse import data_of


class Heard:
    """A stream as it went out."""

    def __init__(self, *, words: bool) -> None:
        self._size = 0
        self._hash = blake2b(digest_size=8)
        self._pieces: list[bytes] | None = [] if words else None

    def take(self, piece: bytes) -> None:
        self._size += len(piece)
        self._hash.update(piece)
        if self._pieces is not None:
            self._pieces.append(piece)

    def whole(self) -> "Whole | None":
        """The answer, if its words were kept and it came to a good end."""
        if self._pieces is None:
            return None
        text, model, ended = "", "", False
        for event in b"".join(self._pieces).split(b"\n\n"):
            told = _told(data_of(event))
            choices = told.get("choices") or ()
            for choice in choices:
                delta = choice.get("delta") or {}
                if choice.get("index", 0) != 0 or delta.get("tool_calls"):
                    return None
                text += delta.get("content") or ""
                ended = ended or choice.get("finish_reason") == "stop"
            model = model or str(told.get("model") or "")
        return Whole(text, model) if ended and text else None

    def answer(self) -> Answered:
        text = None
        if self._pieces is not None:
            events = b"".join(self._pieces).split(b"\n\n")
            text = "".join(part for event in events for part in _parts(data_of(event), "delta"))
        return Answered(self._size, self._hash.hexdigest(), text)


@dataclass(frozen=True, slots=True)
class Whole:
    """A completion of words alone, said to its end; and the model that names itself in it."""

    text: str
    model: str


def whole_of(body: bytes) -> Whole | None:
    told = _told(body)
    choices = told.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
        return None
    message = choices[0].get("message")
    if choices[0].get("finish_reason") != "stop" or not isinstance(message, dict):
        return None
    text = message.get("content")
    if not isinstance(text, str) or not text or message.get("tool_calls"):
        return None
    return Whole(text, str(told.get("model") or ""))


def _told(body: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def answer_text(body: bytes) -> str:
    return "".join(_parts(body, "message"))


def _parts(body: bytes, name: str) -> Iterator[str]:
    """The words of each choice of an answer or chunk, the arguments of tools among them."""
    choices = _told(body).get("choices")
    for choice in choices if isinstance(choices, list) else ():
        message = choice.get(name) if isinstance(choice, dict) else None
        if isinstance(message, dict):
            yield from _words(message)


def _words(message: dict[str, Any]) -> Iterator[str]:
    if isinstance(message.get("content"), str):
        yield message["content"]
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and isinstance(function.get("arguments"), str):
            yield function["arguments"]
