"""Regular expressions from requests and configurations, compiled and searched within bounds."""

import re
import time
from functools import lru_cache
from typing import Any

from router.records.effort import spend

_SECONDS = 0.2
_STEPS_A_SECOND = 100_000  # a slow search counts for as many steps as other work of its length
_MOST_CHARACTERS = 2_000
_MOST_REPEATED = 20_000  # a repeat is compiled into that many copies, of about 250 bytes each
_TOKEN = re.compile(
    r"\\.|\[\^?\]?(?:[^\]\\]++|\\.)*+\]|(?P<comment>\(\?#[^)]*+\))|(?P<flag>\(\?[A-Za-z01]*(?:x|V1))"
    r"|\((?:\?[^()]{0,40}?[:=!>])?|\)|\{\s*+(?P<count>\d*+)\s*+(?:,\s*+\d*+\s*+)?\}|.",
    re.S,
)


class BadPattern(ValueError):
    """The pattern is not a regular expression, or takes too much time or memory."""


def checked(pattern: str) -> None:
    """Raise `BadPattern` if the pattern is no regular expression, or too large when compiled."""
    _compiled(pattern)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    import regex  # imported late: most processes use no pattern

    if len(pattern) > _MOST_CHARACTERS:
        rule = f"has {len(pattern):,} characters, and at most {_MOST_CHARACTERS:,} are allowed"
        raise BadPattern(f"{pattern[:60]!r}... {rule}: make it shorter")
    if (size := _repeated(pattern)) > _MOST_REPEATED:
        rule = f"repeats its parts {size:,} times, and at most {_MOST_REPEATED:,} are allowed"
        raise BadPattern(f"{pattern!r:.80} {rule}: lower the counts in braces")
    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        raise BadPattern(f"{pattern!r:.80} is not a regular expression: {error}") from None


def _repeated(pattern: str) -> int:
    """The parts of a pattern when each repeat such as `{1000}` is written out."""
    sizes, last = [0], 0  # the parts of each open group, and of the part before this token
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if token["comment"]:
            continue
        if token["flag"]:  # brackets and blanks then mean something else than is counted here
            rule = "sets the flag x or V1, with which repeats are not counted: write it without it"
            raise BadPattern(f"{pattern!r:.80} {rule}")
        if text.startswith("("):
            sizes.append(0)
            last = 0
        elif text == ")" and len(sizes) > 1:
            last = sizes.pop()
            sizes[-1] += last
        elif token["count"] is not None:
            # Only the least count costs memory: `a{1,65535}` is compiled into one loop.
            more = last * (max(int(token["count"].lstrip("0")[:9] or 1), 1) - 1)
            sizes[-1] += more
            last += more
        else:
            last = 1
            sizes[-1] += 1
    return sum(sizes)


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern matches anywhere in the text."""
    spend(1 + len(text) // 100)
    begun = time.perf_counter()
    try:
        # With `concurrent`, other threads run meanwhile.
        return bool(_compiled(pattern).search(text, timeout=_SECONDS, concurrent=True))
    except TimeoutError:
        raise BadPattern(f"{pattern!r:.80} takes more than {_SECONDS} s: make it simpler") from None
    finally:
        spend(int((time.perf_counter() - begun) * _STEPS_A_SECOND))
