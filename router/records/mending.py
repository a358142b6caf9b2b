"""Mends one value: converts its type, or rewrites it in a valid format. Pure.

`NOT_MENDED` marks a value that has no meaning in the wanted form, or more than one.
"""

import datetime as dt
import math
import re
from collections.abc import Sequence
from typing import Any

NOT_MENDED = object()

_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}
# These forms have only one meaning each; 03/04/2020 has two, so it is not mended.
_DATES = ("%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y")


def retyped(value: Any, kinds: str | Sequence[str]) -> Any:
    """Convert the value to the first of these JSON types that fits."""
    results = (_as_type(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds))
    return next((result for result in results if result is not NOT_MENDED), NOT_MENDED)


def _as_type(value: Any, kind: str) -> Any:
    match kind, value:
        case (("integer" | "number"), str()):
            return _number(value, kind)
        case "integer", float() if value.is_integer():
            return int(value)
        case "string", int() | float() if not isinstance(value, bool):
            return repr(value)
        case "boolean", str():
            return _BOOLEANS.get(value.strip().lower(), NOT_MENDED)
        case "array", _ if value is not None and not isinstance(value, list | dict):
            return [value]
        case "null", "" | "null" | "None":
            return None
    return NOT_MENDED


def _number(text: str, kind: str) -> Any:
    text = text.strip().removeprefix("$").removeprefix("€").strip()
    if not _NUMBER.fullmatch(text):
        return NOT_MENDED
    number = float(text.replace(",", ""))
    if math.isinf(number):
        return NOT_MENDED
    whole = number.is_integer() and abs(number) < 2**53
    if kind == "integer":
        return int(number) if whole else NOT_MENDED
    return int(number) if whole and "." not in text else number


def reformatted(value: Any, wanted: str) -> Any:
    """Rewrite a text in a format of JSON Schema; the caller checks again whether it is valid."""
    if not isinstance(value, str):
        return NOT_MENDED
    text = value.strip()
    match wanted:
        case "date":
            return _date(text)
        case "date-time":
            day = _date(text)
            return f"{day}T00:00:00Z" if isinstance(day, str) else text.replace(" ", "T", 1)
        case "email":
            return re.sub(r"\s+", "", text.removeprefix("mailto:")).replace("(at)", "@").strip("<>")
        case "uri":
            is_domain = re.fullmatch(r"(?:[\w-]+\.)+[a-zA-Z]{2,}(?:/\S*)?", text)
            return f"https://{text}" if is_domain else text
        case "uuid":
            digits = re.sub(r"[{}\s-]|urn:uuid:", "", text).lower()
            if not re.fullmatch(r"[0-9a-f]{32}", digits):
                return NOT_MENDED
            return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return text


def _date(text: str) -> Any:
    text = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b", "", text)
    try:
        return dt.datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        pass
    for pattern in _DATES:
        try:
            return dt.datetime.strptime(text, pattern).date().isoformat()  # noqa: DTZ007 - a day
        except ValueError:
            continue
    return NOT_MENDED
