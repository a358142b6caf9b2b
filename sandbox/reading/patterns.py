"""Searches by patterns that are fixed, each within the budget of the reading.

Every pattern is compiled once, and never forgotten. Compiling costs more than most readings, so its
time does not count. For patterns made of a request's own words use `re`, which forgets them.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from sandbox.reading.budget import spend, unspent

Match = re.Match[str]
_SAME = re.NOFLAG


def search(pattern: str, text: str, flags: int = _SAME) -> Match | None:
    spend()
    return _compiled(pattern, flags).search(text)


def match(pattern: str, text: str, flags: int = _SAME) -> Match | None:
    spend()
    return _compiled(pattern, flags).match(text)


def fullmatch(pattern: str, text: str, flags: int = _SAME) -> Match | None:
    spend()
    return _compiled(pattern, flags).fullmatch(text)


def finditer(pattern: str, text: str, flags: int = _SAME) -> Iterator[Match]:
    for each in _compiled(pattern, flags).finditer(text):
        spend()
        yield each


def findall(pattern: str, text: str, flags: int = _SAME) -> list[Any]:
    spend()
    return _compiled(pattern, flags).findall(text)


def split(pattern: str, text: str, flags: int = _SAME) -> list[str]:
    spend()
    return _compiled(pattern, flags).split(text)


def sub(pattern: str, new: str | Callable[[Match], str], text: str, flags: int = _SAME) -> str:
    spend()
    return _compiled(pattern, flags).sub(new, text)


@cache
def _compiled(pattern: str, flags: int) -> "re.Pattern[str]":
    with unspent():
        return re.compile(pattern, flags)
