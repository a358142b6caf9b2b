"""Reads the fields of a multipart form, and changes one field without touching another byte.

The reading is strict: what two readers could understand differently is refused, so that the model
that was checked here is the model that the backend sees.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from router.wire.errors import BadRequest

FORM = "multipart/form-data"
_MOST_PARTS = 128
_MOST_HEADERS = 8 * 2**10  # bytes of the headers of one part
_BOUNDARY = re.compile(rb"""[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]""")
_BOUNDARY_IN = re.compile(r';[ \t]{0,3}boundary=(?:"([^"]{1,70})"|([^;\s"]{1,70}))', re.I)
_NAMED = re.compile(rb';[ \t]{0,3}(name|filename)="((?:[^"\\]|\\.)*+)"', re.I)
_DISPOSITION = re.compile(rb"(?:^|\r\n)content-disposition:[ \t]{0,3}form-data(;[^\r\n]*+)", re.I)
_ENCODED = re.compile(rb"content-transfer-encoding:[ \t]{0,3}(?!binary|8bit|7bit|[ \t])", re.I)


@dataclass(frozen=True, slots=True)
class FormPart:
    """One field of a form: where its content stands, and the name of its file if it is one."""

    name: str
    filename: str | None
    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


def is_form(content_type: bytes) -> bool:
    return content_type.partition(b";")[0].strip().lower() == FORM.encode()


def boundary_of(content_type: str) -> bytes:
    """The boundary that a content type names; `BadRequest` if it names none that is right."""
    match = _BOUNDARY_IN.search(content_type)
    boundary = (match[1] or match[2]).encode("latin-1", "replace") if match else b""
    if not _BOUNDARY.fullmatch(boundary):
        rule = "name a boundary of 1 to 70 letters, digits or marks"
        raise BadRequest(f"`Content-Type` must {rule}, as {FORM}; boundary=xyz.", "content-type")
    return boundary


def parts_of(body: bytes, boundary: bytes) -> tuple[FormPart, ...]:
    """The parts of a form, in their order; `BadRequest` if it is malformed."""
    line = b"--" + boundary
    if not body.startswith(line):
        raise BadRequest("The form must begin with its boundary, as `Content-Type` names it.")
    parts: list[FormPart] = []
    at = len(line)
    while not body.startswith(b"--", at):
        if not body.startswith(b"\r\n", at):
            raise BadRequest("A boundary of the form must end its line, with CR and LF.")
        if len(parts) == _MOST_PARTS:
            raise BadRequest(f"The form has more than {_MOST_PARTS} parts: send fewer.")
        part = _part(body, at + 2, b"\r\n" + line, len(parts) + 1)
        parts.append(part)
        at = part.end + 2 + len(line)
    return tuple(parts)


def _part(body: bytes, at: int, following: bytes, number: int) -> FormPart:
    head_end = body.find(b"\r\n\r\n", at, at + _MOST_HEADERS)
    if head_end < 0:
        rule = f"headers of at most {_MOST_HEADERS} bytes, and then an empty line"
        raise BadRequest(f"Part {number} of the form must begin with {rule}.")
    head = body[at:head_end]
    dispositions = _DISPOSITION.findall(head)
    named = _NAMED.findall(dispositions[0]) if len(dispositions) == 1 else []
    names = {name.lower(): value.decode("utf-8", "replace") for name, value in named}
    if len(names) < len(named) or not names.get(b"name"):
        rule = 'Content-Disposition: form-data; name="…"'
        raise BadRequest(f"Part {number} of the form must have one header `{rule}`.")
    name = names[b"name"]
    if _ENCODED.search(head):
        raise BadRequest(f"The field `{name}` must come as it is, without a transfer encoding.")
    end = body.find(following, head_end + 2)
    if end < 0:
        raise BadRequest(f"The form ends within the field `{name}`: its last boundary is missing.")
    return FormPart(name, names.get(b"filename"), min(head_end + 4, end), end)


def texts_in(body: bytes, parts: Sequence[FormPart]) -> dict[str, str]:
    """The fields of a form that are no files. A field that stands twice has its last value."""
    return {
        part.name: body[part.start : part.end].decode("utf-8", "replace")
        for part in parts
        if part.filename is None
    }


def with_field(body: bytes, boundary: bytes, name: str, value: bytes) -> bytes:
    """The form with another value of one field. A field that is missing comes first."""
    for part in parts_of(body, boundary):
        if part.name == name:
            return body[: part.start] + value + body[part.end :]
    head = b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n' % (boundary, name.encode())
    return head + value + b"\r\n" + body
