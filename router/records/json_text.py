"""Finds the JSON document in a model's answer, even among other words.

A document with syntax errors is mended by guessing, so its content is uncertain. A correct document
is never changed.
"""

import re
from typing import Any

import orjson
from json_repair.json_parser import JSONParser

from router.records.effort import spend

_FENCE = re.compile(r"```(?:json)?[^\S\n]*+\n(.*?)```", re.S)
_MOST_MENDED = 500_000  # characters; the parser that mends is slow
_STEPS_A_CHARACTER = 10  # of the parser; texts that models write take two to four


class NoJson(ValueError):
    """The text has no JSON object or array that can be read."""


def json_in(text: str) -> Any:
    """Read the JSON of an answer: the whole text, its first fenced block, or a part of the text."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    fenced = _FENCE.search(text)
    inner = fenced[1] if fenced else text
    starts = [at for at in (inner.find("{"), inner.find("[")) if at >= 0]
    if not starts:
        raise NoJson("the answer holds no JSON")
    if len(inner) > _MOST_MENDED:
        raise NoJson(f"the answer holds no JSON that can be read, in {len(inner):,} characters")
    try:
        document = _Mender(inner[min(starts) :]).parse()
    except (ValueError, RecursionError) as error:
        raise NoJson(f"the answer holds no JSON that can be read: {error}") from None
    if not isinstance(document, dict | list) or not document:
        raise NoJson("the answer holds no JSON that can be read")
    return document


class _Mender(JSONParser):
    """The parser that mends, which takes quadratic time on some texts and here gives up on them."""

    def __init__(self, text: str) -> None:
        super().__init__(text, None, False)
        self._left = 1_000 + len(text) * _STEPS_A_CHARACTER

    def get_char_at(self, count: int = 0) -> str | None:
        self._count()
        return super().get_char_at(count)

    def skip_to_character(self, character: str | list[str], idx: int = 0) -> int:
        self._count(10)
        return super().skip_to_character(character, idx)

    def _count(self, steps: int = 1) -> None:
        self._left -= steps
        if self._left < 0:
            raise NoJson("the answer holds no JSON that can be read in bounded time")
        if self._left % 1_000 < steps:
            spend(100)
