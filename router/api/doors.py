"""The doors of what is passed through: `/v1/completions`, `/v1/rerank`, images, sounds and more.

A door checks what routing, limits and prices rest on, and no more: every other field goes to the
backend as it came. A form passes byte for byte, except for the name of the model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from router.api.parse import ceiling, model_in, names_in, parse_body
from router.domain import Operation, Request
from router.request.kind_of_value import kind_of_value
from router.request.reading import reading_of
from router.routing.named import AUTO
from router.wire.errors import BadRequest
from router.wire.multipart import FORM, FormPart, boundary_of, is_form, parts_of, texts_in

_MOST_FIELDS = 2**20  # bytes of all fields of a form that are no files


@dataclass(frozen=True, slots=True)
class Door:
    """One path. `words` is the field whose words cost something, `files` are the fields of a form
    of which one must be a file, and without `any_model` the caller must name a model."""

    path: str
    operation: Operation
    words: str = ""
    listed: bool = False  # whether `words` may be a list, too
    files: tuple[str, ...] = ()
    any_model: bool = False
    streams: bool = False  # whether every answer is passed on in pieces, as it comes

    @property
    def media(self) -> tuple[str, ...]:
        return (FORM,) if self.files else ()

    def parse(
        self, body: bytes, headers: Mapping[bytes, bytes], *, request_id: str, key_id: str
    ) -> Request:
        kind = headers.get(b"content-type", b"")
        media = ""
        if is_form(kind):
            media = kind.decode("latin-1")
            fields = self._form(body, boundary_of(media))
        else:
            fields = parse_body(body)
        if self.any_model and not fields.get("model"):
            fields["model"] = AUTO
        words = self._words(fields)
        streaming = self.streams or _flag(fields)
        options = fields.get("stream_options")
        return Request(
            id=request_id,
            body=body,
            fields=fields,
            model=model_in(fields),
            stream=streaming,
            include_usage=isinstance(options, dict) and options.get("include_usage") is True,
            session="",
            session_given=False,
            continues=False,
            reading=reading_of({"messages": [{"role": "user", "content": words}]}),
            key_id=key_id,
            operation=self.operation,
            path=self.path,
            media=media,
            task=self.operation,
            max_cost_usd=ceiling(headers, b"x-waggle-max-cost", "dollars", least=0.0),
            region=headers.get(b"x-waggle-region", b"").decode("latin-1").strip(),
            only=names_in(headers, b"x-waggle-plans"),
        )

    def _form(self, body: bytes, boundary: bytes) -> dict[str, Any]:
        """The texts of a form that has a file where one must be."""
        parts = parts_of(body, boundary)
        _check_parts(parts)
        if not any(part.filename is not None and part.name in self.files for part in parts):
            name = self.files[0]
            raise BadRequest(f"The form needs a file in the field `{name}`.", name)
        return dict(texts_in(body, parts))

    def _words(self, fields: Mapping[str, Any]) -> str:
        """The words of the request, which must be there unless they come beside files."""
        if not self.words:
            return ""
        value = fields.get(self.words)
        if value is None and self.files:
            return ""
        if isinstance(value, str) and value:
            return value
        if self.listed and isinstance(value, list) and value:
            return "\n".join(text for text in value if isinstance(text, str))
        rule = "a text or a list that is not empty" if self.listed else "a text that is not empty"
        raise BadRequest(f"`{self.words}` must be {rule}, not {kind_of_value(value)}.", self.words)


DOORS = (
    Door("/completions", "completions", words="prompt", listed=True),
    Door("/rerank", "rerank", words="query"),
    Door("/moderations", "moderations", words="input", listed=True, any_model=True),
    Door("/images/generations", "image_generation", words="prompt", any_model=True),
    Door("/images/edits", "image_generation", "prompt", files=("image", "image[]"), any_model=True),
    Door("/images/variations", "image_generation", files=("image", "image[]"), any_model=True),
    Door("/audio/speech", "speech", words="input", streams=True),
    Door("/audio/transcriptions", "transcription", words="prompt", files=("file",)),
    Door("/audio/translations", "transcription", words="prompt", files=("file",)),
)


def _check_parts(parts: tuple[FormPart, ...]) -> None:
    names = [part.name for part in parts]
    if names.count("model") > 1:
        raise BadRequest("The form names `model` more than once.", "model")
    if any(part.name == "model" and part.filename is not None for part in parts):
        raise BadRequest("The field `model` of the form must be a text, not a file.", "model")
    size = sum(part.size for part in parts if part.filename is None)
    if size > _MOST_FIELDS:
        rule = f"at most {_MOST_FIELDS} bytes together"
        raise BadRequest(f"The fields of the form that are no files may have {rule}.")


def _flag(fields: Mapping[str, Any]) -> bool:
    """Whether the answer shall be a stream; a form writes it as a word."""
    value = fields.get("stream")
    if isinstance(value, str) and value.lower() in ("true", "false", "1", "0", ""):
        return value.lower() in ("true", "1")
    if value is not None and not isinstance(value, bool):
        raise BadRequest(f"`stream` must be true or false, not {kind_of_value(value)}.", "stream")
    return bool(value)
