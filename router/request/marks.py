"""What a message holds beside words: numbers of several sorts, amounts, times, lines, quotes, code.

Only the sorts are kept, never the values. Requests of a kind often share them where they share few
words. Pure.
"""

import re
from zlib import crc32

from router.request.terms import BUCKETS

_NUMBER = re.compile(
    r"""(?P<date>\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4})
    |(?P<time>\d{1,2}:\d\d|\d+\ ?[ap]m\b)
    |(?P<decimal>\d+[.,]\d+)
    |(?P<long>\d{4,})
    |(?P<number>\d+)""",
    re.VERBOSE,
)
_SIGNS = {
    "money": "$€£¥",
    "percent": "%",
    "line": "\n",
    "quote": '"“”„«»',
    "bar": "|",
    "address": "@",
    "code": "{};=_",
    "compared": "<>→",
}
_PAIRS = {"arrow": ("->", ">>", "→"), "link": ("://",)}


def _bucket(name: str) -> int:
    return crc32(f"#{name}".encode()) % BUCKETS


_OF_NUMBER = {name: _bucket(name) for name in _NUMBER.groupindex}
_OF_SIGN = {sign: _bucket(name) for name, signs in _SIGNS.items() for sign in signs}
_OF_PAIR = {pair: _bucket(name) for name, pairs in _PAIRS.items() for pair in pairs}
_DIGITS = frozenset("0123456789")
BUCKETS_OF_MARKS = frozenset((*_OF_NUMBER.values(), *_OF_SIGN.values(), *_OF_PAIR.values()))
MOST_MARKS = len(BUCKETS_OF_MARKS)


def marks(text: str) -> set[int]:
    """The buckets of the sorts of numbers and signs in a text."""
    signs = set(text)
    buckets = {_OF_SIGN[sign] for sign in signs & _OF_SIGN.keys()}
    buckets.update([_OF_PAIR[pair] for pair in _OF_PAIR if pair in text])
    if signs & _DIGITS:
        buckets.update([_OF_NUMBER[match.lastgroup or ""] for match in _NUMBER.finditer(text)])
    return buckets
