"""How an answer ended, where it ended badly: refused, or cut off. Pure.

An answer is a refusal by its finish reason, or by its first words, in the languages of
`phrases.py`. An answer that calls tools is no refusal, whatever its words.

Not covered: a refusal that begins with other words, and one inside a long answer.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from router.domain import Usage
from router.signals.phrases import REFUSED, flat, phrases
from router.wire.answers import answer_text

Ending = Literal["", "refused", "cut"]
_REASON = re.compile(
    rb'"(?:finish_reason|stop_reason|reason)"\s{0,3}:\s{0,3}"'
    rb'(length|max_tokens|max_output_tokens|model_context_window_exceeded|content_filter|refusal)"'
)
_REFUSAL = re.compile(rb'"type"\s{0,3}:\s{0,3}"refusal"|"refusal"\s{0,3}:\s{0,3}"')
_CALLS = re.compile(
    rb'"tool_calls"\s{0,3}:\s{0,3}\[|"type"\s{0,3}:\s{0,3}"(?:tool_use|function_call)"'
)
# Cheap signs that one of the above may be found: most pieces of a stream hold none.
_MAY_REASON = re.compile(rb'reason"\s{0,3}:\s{0,3}"')
_MAY_CALL = (b'"tool_calls"', b'"tool_use"', b'"function_call"')
_OPENING = 160  # characters of an answer in which the words of a refusal stand
_MOST_TOKENS = 1_000  # of an answer that may be nothing but a refusal
_REFUSED = re.compile(rf"(?:^|(?<=[\s,.!;:]))(?={phrases(REFUSED)})")
_HEAD_BYTES = 8_192  # of a stream, in which its first words stand


@dataclass(slots=True)
class EndingReader:
    """Takes the pieces of an answer as they pass, or a whole answer as one piece. It reads nothing
    unless somebody wants to know."""

    wanted: bool = True
    _reason: Ending = ""
    _calls: bool = False

    @property
    def head_bytes(self) -> int:
        """How much of the beginning of a stream must be kept for its first words."""
        return _HEAD_BYTES if self.wanted else 0

    def take(self, piece: bytes) -> None:
        if not self.wanted:
            return
        self._reason = self._reason or _reason_in(piece)
        self._calls = self._calls or (
            any(map(piece.__contains__, _MAY_CALL)) and _CALLS.search(piece) is not None
        )

    def ending(self, output_tokens: int, first_words: Callable[[], str]) -> Ending:
        """How the answer ended; `first_words` is called only if they are needed."""
        if not self.wanted or self._reason or self._calls or output_tokens > _MOST_TOKENS:
            return self._reason
        return "refused" if _REFUSED.search(flat(first_words()[:_OPENING])) else ""


def ending_of(body: bytes, dialect: str, usage: Usage) -> Ending:
    """How a whole answer ended."""
    reader = EndingReader()
    reader.take(body)
    return reader.ending(usage.output_tokens, lambda: answer_text(body, dialect))


def _reason_in(piece: bytes) -> Ending:
    reason = _REASON.search(piece) if _MAY_REASON.search(piece) is not None else None
    if reason is not None:
        return "refused" if reason[1] in (b"content_filter", b"refusal") else "cut"
    return "refused" if b'"refusal"' in piece and _REFUSAL.search(piece) else ""
