"""Placeholders for redacted words, such as `[EMAIL_1]`, and the way back.

The same words get the same placeholder within a request, numbered in the order of their first
place, so a conversation that grows keeps its placeholders. A number that the request itself writes
is left out, so a placeholder never stands for what the caller wrote.

Words with a quote, a backslash or a control sign are redacted around these signs. A placeholder can
therefore be put back at any depth of JSON by plain replacement.
"""

import re
from collections.abc import Callable, Mapping

_LIKE = re.compile(r"\[[A-Z][A-Z0-9]{0,15}_[0-9]{1,6}\]")
_UNSAFE = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029]+')
# The end of a text that may be the begin of a placeholder.
_BEGUN = re.compile(r"\[(?:[A-Z][A-Z0-9]{0,15}(?:_[0-9]{0,6})?)?$")
LONGEST = 26  # characters of a placeholder


class Placeholders:
    """The placeholders of one request. `written` gives all texts of the request, to see which
    placeholders it writes itself."""

    def __init__(self, written: Callable[[], str]) -> None:
        self._written = written
        self._taken: frozenset[str] | None = None
        self._of: dict[str, str] = {}
        self._numbers: dict[str, int] = {}

    @property
    def words(self) -> Mapping[str, str]:
        """The words behind each placeholder."""
        return {placeholder: words for words, placeholder in self._of.items()}

    def redacted(self, words: str, label: str) -> str:
        """What stands in place of these words."""
        pieces, last = [], 0
        for unsafe in _UNSAFE.finditer(words):
            pieces += [self._placeholder(words[last : unsafe.start()], label), unsafe.group()]
            last = unsafe.end()
        return "".join([*pieces, self._placeholder(words[last:], label)])

    def _placeholder(self, words: str, label: str) -> str:
        if not words:
            return ""
        if words not in self._of:
            if self._taken is None:
                self._taken = frozenset(_LIKE.findall(self._written()))
            placeholder = ""
            while not placeholder or placeholder in self._taken:
                number = self._numbers[label] = self._numbers.get(label, 0) + 1
                placeholder = f"[{label}_{number}]"
            self._of[words] = placeholder
        return self._of[words]


def restored(text: str, words: Mapping[str, str]) -> str:
    """A text with the words behind its placeholders; others' placeholders stay."""
    return _LIKE.sub(lambda match: words.get(match.group(), match.group()), text)


def begun_at(text: str) -> int:
    """Where the last characters of a text may begin a placeholder; the length if they do not."""
    match = _BEGUN.search(text, max(len(text) - LONGEST, 0))
    return match.start() if match else len(text)
