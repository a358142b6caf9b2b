"""A request with what its guards made of it: other fields, body and reading. Pure."""

from collections.abc import Sequence
from dataclasses import replace

import orjson

from router.config.guardrails import Guard
from router.domain import Fields, Guarded, Reading, Request
from router.guardrails.forms import form_texts, with_form_texts
from router.guardrails.json_names import says_twice
from router.request.reading import reading_of
from router.request.statistical import read_beside
from router.wire.errors import BadRequest
from router.wire.multipart import boundary_of, parts_of, texts_in

_WORDS = ("prompt", "input", "query")  # the fields with the words of what is passed through


def with_fields(
    request: Request, fields: Fields, native: Fields | None, guards: Sequence[Guard]
) -> Request:
    """The request with these fields. What stands twice in its body was read once, so a backend
    gets only what was read."""
    changed = fields != request.fields
    twice = says_twice(request.body, request.fields)
    if request.native is not None:
        twice = twice or says_twice(request.native.body, native)
    hidden = native is not None and _acted(request)
    reads = changed or twice or hidden or any(guard.after for guard in guards)
    if reads and request.native is not None and request.native.needs:
        raise _only_native(request.native.needs, guards)
    guarded = replace(request.guarded or Guarded(), reads=reads)
    request = replace(request, guarded=guarded)
    if not changed:
        return replace(request, body=orjson.dumps(fields)) if twice else request
    reading = _reading(request, fields)
    request = replace(request, body=orjson.dumps(fields), fields=fields, reading=reading)
    read_beside(request)
    return request


def with_form(request: Request, fields: Fields) -> Request:
    """The form with the texts that guards left."""
    if fields["prompt"] == form_texts(request.body, request.media):
        return request
    body = with_form_texts(request.body, request.media, fields["prompt"])
    texts = texts_in(body, parts_of(body, boundary_of(request.media)))
    return replace(request, body=body, fields=texts, reading=_reading(request, texts))


def _reading(request: Request, fields: Fields) -> Reading:
    if request.operation in ("chat", "embeddings"):
        return reading_of(fields)
    values = [fields.get(name) for name in _WORDS]
    texts = [value for value in values if isinstance(value, str)]
    texts += [text for value in values if isinstance(value, list) for text in value
              if isinstance(text, str)]  # fmt: skip
    return reading_of({"messages": [{"role": "user", "content": "\n".join(texts)}]})


def _acted(request: Request) -> bool:
    """Whether a guard redacted something, in the inner form or beside it."""
    notes = request.guarded.notes if request.guarded is not None else ()
    return any(note.outcome == "redacted" for note in notes)


def _only_native(needs: Sequence[str], guards: Sequence[Guard]) -> BadRequest:
    """The refusal of a request that only its own bytes say in full: guards read another form."""
    names, guarding = ", ".join(needs), ", ".join(guard.name for guard in guards)
    message = (
        f"Guards ({guarding}) read or change this request or its answer, and `{names}` can only be "
        "passed on as it was written, unread. Leave it out, or use a key without these guards."
    )
    return BadRequest(message, needs[0])
