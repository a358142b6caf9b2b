"""Reads content blocks of Anthropic's Messages API into parts of a chat message. Pure.

A part keeps what chat lacks beside chat's own members, such as `cache_control` and `document`, so
that a backend of Anthropic's dialect gets the block as it came. No words are kept twice.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from router.dialects.fields import Untranslatable
from router.dialects.messages_notes import EPHEMERAL, Body, Notes, list_at, object_at, string_at

_TEXT = frozenset({"type", "text", EPHEMERAL, "citations"})
_IMAGE = frozenset({"type", "source", EPHEMERAL})
_DOCUMENT = frozenset({"type", "source", EPHEMERAL, "title", "context", "citations"})
_SEARCH = frozenset({"type", "source", "title", "content", EPHEMERAL, "citations"})


def parts_of(content: Any, at: str, notes: Notes) -> list[Body]:
    """The parts of what a tool gave back."""
    return [
        part
        for index, block in enumerate(list_at(content, at))
        for part in part_of(object_at(block, f"{at}[{index}]"), f"{at}[{index}]", notes)
    ]


def part_of(block: Mapping[str, Any], at: str, notes: Notes) -> Iterator[Body]:
    match block.get("type"):
        case "text":
            yield text_of(block, at, notes)
        case "image":
            yield from _image(block, at, notes)
        case "document":
            yield from _document(block, at, notes)
        case "search_result":
            yield from _search_result(block, at, notes)
        case str(kind):
            notes.native(at, f"a block {kind!r:.60}")
        case _:
            raise Untranslatable(f"{at}.type", "must be a string")


def in_short(parts: list[Body]) -> str | list[Body]:
    """The parts, or the words alone where nothing but words is there."""
    if len(parts) == 1 and parts[0].keys() == {"type", "text"}:
        return str(parts[0]["text"])
    return parts


def text_of(block: Mapping[str, Any], at: str, notes: Notes) -> Body:
    notes.members(block, at, _TEXT)
    if block.get("citations"):  # of an earlier answer; the words stay
        notes.leave_out(f"{at}.citations")
    return cached_as({"type": "text", "text": string_at(block, "text", at)}, block, at, notes)


def _image(block: Mapping[str, Any], at: str, notes: Notes) -> Iterator[Body]:
    notes.members(block, at, _IMAGE)
    address = _address(object_at(block.get("source"), f"{at}.source"), f"{at}.source", notes)
    if address:
        part: Body = {"type": "image_url", "image_url": {"url": address}}
        yield cached_as(part, block, at, notes)


def _address(source: Mapping[str, Any], at: str, notes: Notes) -> str:
    """Where the picture is, as an address or with its bytes; empty if chat cannot say it."""
    match source.get("type"):
        case "base64":
            notes.members(source, at, frozenset({"type", "media_type", "data"}))
            data = string_at(source, "data", at)
            return f"data:{string_at(source, 'media_type', at)};base64,{data}"
        case "url":
            notes.members(source, at, frozenset({"type", "url"}))
            return string_at(source, "url", at)
        case str(kind):
            notes.native(at, f"a source {kind!r:.60}")
            return ""
        case _:
            raise Untranslatable(f"{at}.type", "must be a string")


def _document(block: Mapping[str, Any], at: str, notes: Notes) -> Iterator[Body]:
    notes.members(block, at, _DOCUMENT)
    _no_citations(block, at, notes)
    source = object_at(block.get("source"), f"{at}.source")
    about = {name: string_at(block, name, at) for name in ("title", "context") if block.get(name)}
    match source:
        case {"type": "text"}:
            notes.members(source, f"{at}.source", frozenset({"type", "media_type", "data"}))
            words = string_at(source, "data", f"{at}.source")
            part: Body = {"type": "text", "text": words, "document": about}
        case {"type": "base64", "media_type": "application/pdf"}:
            notes.members(source, f"{at}.source", frozenset({"type", "media_type", "data"}))
            data = string_at(source, "data", f"{at}.source")
            file = {
                "filename": about.get("title") or "document.pdf",
                "file_data": f"data:application/pdf;base64,{data}",
            }
            part = {"type": "file", "file": file, "document": about}
        case {"type": str(kind)}:
            notes.native(f"{at}.source", f"a source {kind!r:.60}")
            return
        case _:
            raise Untranslatable(f"{at}.source.type", "must be a string")
    yield cached_as(part, block, at, notes)


def _search_result(block: Mapping[str, Any], at: str, notes: Notes) -> Iterator[Body]:
    """A part for each text of the result, with its number in `search_result`."""
    notes.members(block, at, _SEARCH)
    _no_citations(block, at, notes)
    about = {name: string_at(block, name, at) for name in ("source", "title")}
    texts = list_at(block.get("content"), f"{at}.content")
    for index, text in enumerate(texts):
        place = f"{at}.content[{index}]"
        part = text_of(object_at(text, place), place, notes)
        last = index == len(texts) - 1
        cached = {EPHEMERAL: block[EPHEMERAL]} if last and block.get(EPHEMERAL) else {}
        if cached:
            notes.leave_out(f"{at}.{EPHEMERAL}")
        yield part | {"search_result": about | {"index": index} | cached}


def _no_citations(block: Mapping[str, Any], at: str, notes: Notes) -> None:
    wanted = block.get("citations")
    if isinstance(wanted, Mapping) and wanted.get("enabled"):
        notes.native(f"{at}.citations")


def cached_as(part: Body, block: Mapping[str, Any], at: str, notes: Notes) -> Body:
    if block.get(EPHEMERAL) is None:
        return part
    notes.leave_out(f"{at}.{EPHEMERAL}")
    return part | {EPHEMERAL: object_at(block[EPHEMERAL], f"{at}.{EPHEMERAL}")}
