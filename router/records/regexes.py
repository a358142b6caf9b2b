"""Regular expressions from outside: bounded in time, whatever they say."""

from functools import lru_cache
from typing import Any

_SECONDS = 0.2


class BadPattern(ValueError):
    pass


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    import regex  # by those who meet a pattern; most processes never do

    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise BadPattern(f"{pattern!r} is no regular expression: {error}") from None


def found(pattern: str, text: str) -> bool:
    """Whether it is found anywhere in the text. One that takes too long is an error, not a wait."""
    try:
        return bool(_compiled(pattern).search(text, timeout=_SECONDS))
    except TimeoutError:
        raise BadPattern(f"{pattern!r} takes more than {_SECONDS} s: make it simpler") from None
