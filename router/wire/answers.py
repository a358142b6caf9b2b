"""What is recorded of an answer: its length and hash, and its words only on request."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from router.domain import CHAT_DIALECT, Answered
from router.request.json_body import json_of
from router.wire.native import FORMS, NativeForm, events_in
from router.wire.sse import data_of


@dataclass(frozen=True, slots=True)
class Completion:
    """A complete answer that holds only text, and the model that the answer names."""

    text: str
    model: str


class StreamRecorder:
    """Records the pieces of a stream as they go out. `words` says whether to keep the words, and
    `head` how many bytes of the beginning to keep."""

    def __init__(self, *, words: bool, dialect: str = CHAT_DIALECT, head: int = 0) -> None:
        self._form = FORMS.get(dialect)
        self._size = 0
        self._head, self._head_left = list[bytes](), head
        self._hash = blake2b(digest_size=8)
        self._pieces: list[bytes] | None = [] if words else None

    def take(self, piece: bytes) -> None:
        self._size += len(piece)
        self._hash.update(piece)
        if self._head_left > 0:
            self._head.append(piece)
            self._head_left -= len(piece)
        if self._pieces is not None:
            self._pieces.append(piece)

    def completion(self) -> Completion | None:
        """The answer; None unless it has ended, holds only text, and its words were recorded."""
        if self._form is not None:
            return _native(self._form, self._form.whole_of(events_in(self._data())))
        text, model, ended = "", "", False
        for data in self._data():
            chunk = _object_in(data)
            for choice in chunk.get("choices") or ():
                delta = choice.get("delta") or {}
                if choice.get("index", 0) != 0 or delta.get("tool_calls"):
                    return None
                text += delta.get("content") or ""
                ended = ended or choice.get("finish_reason") == "stop"
            model = model or str(chunk.get("model") or "")
        return Completion(text, model) if ended and text else None

    def answer(self) -> Answered:
        text = None if self._pieces is None else self._text(self._data())
        hash_ = blake2b(text.encode("utf-8", "replace"), digest_size=8) if text else self._hash
        return Answered(self._size, hash_.hexdigest(), text)

    def first_words(self) -> str:
        """The words in the head that is kept."""
        return self._text(_data_in(self._head))

    def _text(self, data: Iterator[bytes]) -> str:
        if self._form is not None:
            return "".join(map(self._form.words_in, events_in(data)))
        return "".join(words for event in data for words in _words(event, "delta"))

    def _data(self) -> Iterator[bytes]:
        return _data_in(self._pieces or ())


def _data_in(pieces: Iterable[bytes]) -> Iterator[bytes]:
    return map(data_of, b"".join(pieces).split(b"\n\n"))


def completion_in(body: bytes, dialect: str = CHAT_DIALECT) -> Completion | None:
    answer = _object_in(body)
    form = FORMS.get(dialect)
    if form is not None:
        return _native(form, answer)
    choices = answer.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
        return None
    message = choices[0].get("message")
    if choices[0].get("finish_reason") != "stop" or not isinstance(message, dict):
        return None
    text = message.get("content")
    if not isinstance(text, str) or not text or message.get("tool_calls"):
        return None
    return Completion(text, str(answer.get("model") or ""))


def answer_text(body: bytes, dialect: str = CHAT_DIALECT) -> str:
    form = FORMS.get(dialect)
    if form is not None:
        return form.words(_object_in(body))
    return "".join(_words(body, "message"))


def choice_texts(body: bytes) -> list[str]:
    """The contents of the choices of a chat's answer, each by itself."""
    choices = _object_in(body).get("choices")
    messages = [
        choice.get("message")
        for choice in (choices if isinstance(choices, list) else ())
        if isinstance(choice, dict)
    ]
    contents = [message.get("content") for message in messages if isinstance(message, dict)]
    return [content for content in contents if isinstance(content, str)]


def _native(form: NativeForm, answer: Mapping[str, Any]) -> Completion | None:
    text = form.only_text(answer)
    return Completion(text, str(answer.get("model") or "")) if text else None


def _object_in(body: bytes) -> dict[str, Any]:
    try:
        value = json_of(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _words(body: bytes, name: str) -> Iterator[str]:
    """The words of an answer: the content of each choice, and the arguments of tool calls."""
    choices = _object_in(body).get("choices")
    for choice in choices if isinstance(choices, list) else ():
        message = choice.get(name) if isinstance(choice, dict) else None
        if not isinstance(message, dict):
            if isinstance(choice, dict) and isinstance(choice.get("text"), str):
                yield choice["text"]  # of a completion without messages
            continue
        if isinstance(message.get("content"), str):
            yield message["content"]
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict) and isinstance(function.get("arguments"), str):
                yield function["arguments"]
