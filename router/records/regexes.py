"""Regular expressions from requests and configurations, searched for a bounded time."""

from functools import lru_cache
from typing import Any

_SECONDS = 0.2


class BadPattern(ValueError):
    """The pattern is not a regular expression, or takes too long."""


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    import regex  # imported late: most processes use no pattern

    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise BadPattern(f"{pattern!r} is not a regular expression: {error}") from None


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern matches anywhere in the text."""
    try:
        return bool(_compiled(pattern).search(text, timeout=_SECONDS))
    except TimeoutError:
        raise BadPattern(f"{pattern!r} takes more than {_SECONDS} s: make it simpler") from None
