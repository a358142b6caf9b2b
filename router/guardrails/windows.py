"""A guard that looks for words in a text that arrives in pieces.

The last characters of the text wait until what follows them is known, so a hit of at most that many
characters is seen before its first character goes out. Not covered: a pattern that matches more
characters than the window may be seen when its begin has gone out already.
"""

from collections.abc import Callable

from router.config.guardrails import Guard
from router.guardrails.hits import Hit, hits_in, masked, replaced_hits, window_of

_CONTEXT = 64  # characters before the window that a rule may look back at


class Windowed:
    """One guard over one text. `note` hears of each hit, and raises where the guard blocks."""

    def __init__(self, guard: Guard, note: Callable[[Hit], None]) -> None:
        self._guard, self._note = guard, note
        self._window = window_of(guard)
        self._gone, self._waiting = "", ""

    def take(self, text: str) -> str:
        self._waiting += text
        cut = len(self._waiting) - self._window
        return self._release(cut) if cut > 0 else ""

    def end(self) -> str:
        return self._release(len(self._waiting))

    def _release(self, cut: int) -> str:
        gone, waiting = len(self._gone), self._waiting
        if not waiting:
            return ""
        due = []
        for place in hits_in(self._guard, self._gone + waiting):
            hit = Hit(max(place.start - gone, 0), place.end - gone, place.rule, place.label)
            if hit.end <= 0 or hit.start >= cut:
                continue
            if hit.end > cut:  # it goes out whole, or waits as it may grow
                cut = hit.end if hit.end < len(waiting) else hit.start
            if hit.end <= cut:
                due.append(hit)
                self._note(hit)
        out = waiting[:cut]
        self._gone = (self._gone + out)[-_CONTEXT:]
        self._waiting = waiting[cut:]
        return replaced_hits(out, due, masked) if self._guard.does == "redact" else out


class Chained:
    """Several guards over one text, one after the other."""

    def __init__(self, rewriters: tuple[Windowed, ...]) -> None:
        self._rewriters = rewriters

    def take(self, text: str) -> str:
        for rewriter in self._rewriters:
            text = rewriter.take(text)
        return text

    def end(self) -> str:
        text = ""
        for rewriter in self._rewriters:
            text = rewriter.take(text) + rewriter.end() if text else rewriter.end()
        return text
