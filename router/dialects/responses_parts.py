"""What messages and outputs hold, as the parts of chat: text, images, files, sounds. Pure."""

from collections.abc import Mapping
from typing import Any

from router.dialects.carrying import Notes, listed, mapping, string
from router.dialects.fields import Untranslatable

_BREAKPOINT = "prompt_cache_breakpoint"


def contents(content: Any, at: str, notes: Notes) -> str | list[dict[str, Any]]:
    if isinstance(content, str):
        return content
    parts = []
    for index, value in enumerate(listed(content, at)):
        place = f"{at}[{index}]"
        part = _part(mapping(value, place), place, notes)
        if part is not None:
            parts.append(part)
    if len(parts) == 1 and set(parts[0]) == {"type", "text"}:
        return str(parts[0]["text"])
    return parts


def _part(part: Mapping[str, Any], at: str, notes: Notes) -> dict[str, Any] | None:
    written: dict[str, Any]
    match part.get("type"):
        case "input_text" | "output_text" | "text" | "summary_text":
            read: tuple[str, ...] = ("text",)
            written = {
                "type": "text",
                "text": string(part.get("text"), f"{at}.text", empty=True),
            }
        case "refusal":
            read = ("refusal",)
            refusal = string(part.get("refusal"), f"{at}.refusal", empty=True)
            written = {"type": "refusal", "refusal": refusal}
        case "input_image":
            read, image = ("image_url", "detail", "file_id"), _image(part, at, notes)
            if image is None:
                return None
            written = {"type": "image_url", "image_url": image}
        case "input_file":
            read, file = ("file_data", "filename", "file_id", "file_url"), _file(part, at, notes)
            if file is None:
                return None
            written = {"type": "file", "file": file}
        case "input_audio":
            read = ("input_audio",)
            sound = mapping(part.get("input_audio"), f"{at}.input_audio")
            written = {"type": "input_audio", "input_audio": dict(sound)}
        case kind:
            kinds = "input_text, output_text, refusal, input_image, input_file or input_audio"
            raise Untranslatable(f"{at}.type", f"must be {kinds}, not {kind!r:.60}")
    empty = {name for name in ("annotations", "logprobs") if not part.get(name)}
    notes.leave_out_rest("input.content", part, ("type", _BREAKPOINT, *read, *empty))
    mark = part.get(_BREAKPOINT)
    return written | ({_BREAKPOINT: mark} if mark is not None else {})


def _image(part: Mapping[str, Any], at: str, notes: Notes) -> dict[str, Any] | None:
    if part.get("image_url") is None:
        rule = "an image at OpenAI: send its address or its bytes in `image_url`"
        if part.get("file_id") is None:
            raise Untranslatable(f"{at}.image_url", "must be an address or `data:TYPE;base64,…`")
        notes.need_native(f"{at}.file_id", rule)
        return None
    image = {"url": string(part.get("image_url"), f"{at}.image_url")}
    detail = part.get("detail")
    if detail is not None and detail != "auto":
        image["detail"] = string(detail, f"{at}.detail")
    return image


def _file(part: Mapping[str, Any], at: str, notes: Notes) -> dict[str, Any] | None:
    rule = "no counterpart in chat: send its bytes in `file_data`"
    names = ("file_data", "file_id", "filename")
    file = {
        name: string(part[name], f"{at}.{name}") for name in names if part.get(name) is not None
    }
    if part.get("file_url") is not None:
        notes.need_native(f"{at}.file_url", rule)
        return None
    if "file_data" not in file and "file_id" not in file:
        raise Untranslatable(at, "must have `file_data`, as `data:TYPE;base64,…`")
    return file
