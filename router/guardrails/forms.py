"""The texts of a multipart form, for guards. Files, and the names of files, are not read."""

from collections.abc import Sequence

from router.wire.multipart import FormPart, boundary_of, parts_of


def form_texts(body: bytes, content_type: str) -> list[str]:
    """The fields of a form that are no files, in order, each as often as it stands there."""
    return [
        body[part.start : part.end].decode("utf-8", "replace")
        for part in _parts(body, content_type)
    ]


def with_form_texts(body: bytes, content_type: str, texts: Sequence[str]) -> bytes:
    """The form with these texts in place of its own; what did not change keeps its bytes."""
    pieces, last = [], 0
    before = form_texts(body, content_type)
    for part, old, new in zip(_parts(body, content_type), before, texts, strict=True):
        if new != old:
            pieces += [body[last : part.start], new.encode()]
            last = part.end
    return b"".join([*pieces, body[last:]])


def _parts(body: bytes, content_type: str) -> list[FormPart]:
    parts = parts_of(body, boundary_of(content_type))
    return [part for part in parts if part.filename is None and part.name != "model"]
