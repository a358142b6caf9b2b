"""Where a conversation may be cut, so that its oldest items become a summary. Pure functions.

A call of a tool stays with its result, reasoning with what it led to, and a turn of the user is
whole where that leaves enough. What the caller has just sent is never cut.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import accumulate
from typing import Any

import orjson

from router.conversations.kept import Item
from router.request.text import tokens_in

_UNREAD = frozenset(("encrypted_content", "image_url", "file_data", "id", "status", "type"))
_INSTRUCTIONS = ("system", "developer")


def tokens_of(item: Item) -> int:
    """An estimate of the tokens of all words in an item."""
    return sum(tokens_in(text) for text in _texts(item))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, dict):
        for name, part in value.items():
            if name not in _UNREAD:
                yield from _texts(part)


def begins_turn(item: Item) -> bool:
    return item.get("role") == "user"


def is_instruction(item: Item) -> bool:
    return item.get("role") in _INSTRUCTIONS


def cuts(items: Sequence[Item], earlier: int) -> list[int]:
    """Every place among the `earlier` items where a cut tears nothing; falling."""
    calls: dict[Any, int] = {}
    opened = [0] * (
        len(items) + 1
    )  # how many more calls wait for their output than one item before
    for index, item in enumerate(items):
        call, kind = item.get("call_id"), str(item.get("type") or "")
        if not isinstance(call, str):
            continue
        if kind.endswith("_output"):
            opened[calls.pop(call, index) + 1] += 1
            opened[index + 1] -= 1
        else:
            calls[call] = index
    waiting = list(accumulate(opened))
    return [
        index
        for index in range(earlier, 0, -1)
        if not waiting[index] and items[index - 1].get("type") != "reasoning"
    ]


def cut_for(items: Sequence[Item], earlier: int, room: int, *, least: int = 0) -> int | None:
    """How many of the oldest items to summarise, so that those after them take at most `room`
    tokens; None if that is impossible. More than `least`, and as few as possible; a cut before a
    turn of the user comes before a cut within one."""
    after = [0] * (len(items) + 1)
    for index in range(len(items) - 1, -1, -1):
        after[index] = after[index + 1] + tokens_of(items[index])
    fits = [at for at in cuts(items, earlier) if at > least and after[at] <= room]
    between = [at for at in fits if at == len(items) or begins_turn(items[at])]
    return min(between or fits, default=None)


def digests(owner: str, items: Sequence[Item]) -> list[bytes]:
    """A digest of the first n items, for each n from 0: it tells whether a summary fits."""
    running = blake2b(owner.encode(), digest_size=16)
    each = [running.digest()]
    for item in items:
        running.update(orjson.dumps(item) + b"\n")
        each.append(running.digest())
    return each
