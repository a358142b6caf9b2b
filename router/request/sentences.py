"""Hashes of the sentences that a long request brings anew, so that what recurs shows without words.

New is what stands after the last answer: what the user wrote or pasted, and results of tools.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from router.request.text import texts_of

LONG = 600  # characters; a shorter request brings no passage
MOST_HASHES = 16  # the smallest of a request's hashes, so that alike requests keep the same
_LONGEST = 40_000  # characters that are looked at
_LEAST = 40  # characters of a sentence; shorter ones recur by chance
_END = re.compile(r"(?<=[.!?])\s++|\n[ \t]*+\n\s*+")


def new_words(fields: Mapping[str, Any]) -> str:
    """What a request says that no earlier request of its conversation said."""
    messages = fields.get("messages")
    new: list[str] = []
    for message in reversed(messages) if isinstance(messages, list) else ():
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("user", "tool", "function"):
            break
        new = [*texts_of(message), *new]
    return "\n\n".join(new)


def new_part(prompt: str, parts: Sequence[tuple[str, int]]) -> str:
    """The same from a prompt as telemetry keeps it, with the role and the length of each part."""
    begin = len(prompt)
    at = sum(length + 1 for _, length in parts)
    for role, length in reversed(parts):
        at -= length + 1
        if role not in ("user", "tool", "function"):
            break
        begin = at
    return prompt[begin:]


def sentence_hashes(text: str) -> list[str]:
    """The smallest hashes of the sentences of a long text."""
    if len(text) < LONG:
        return []
    return sorted({hash_ for hash_, _, _ in sentences_in(text)})[:MOST_HASHES]


def sentences_in(text: str) -> list[tuple[str, int, int]]:
    """The sentences of a text that are long enough: the hash of each, its begin and its end."""
    text = text[:_LONGEST]
    ends = [(match.start(), match.end()) for match in _END.finditer(text)]
    begins = [0, *(end for _, end in ends)]
    stops = [*(start for start, _ in ends), len(text)]
    sentences = []
    for begin, stop in zip(begins, stops, strict=True):
        words = " ".join(text[begin:stop].lower().split())
        if len(words) >= _LEAST:
            hash_ = blake2b(words.encode("utf-8", "replace"), digest_size=8).hexdigest()
            sentences.append((hash_, begin, stop))
    return sentences
