"""Leaving a failing backend alone: closed, open, then half-open for one probe.

The breaker reads no clock: every method that needs the time takes it, in seconds of a steady clock.
"""

from typing import Literal

from router.config.values import Breaker

State = Literal["closed", "open", "half_open"]

# A caller's own mistake says nothing about the backend's health. A backend that refuses Waggle's
# key, has no money left or is overrun is as good as down.
_REFUSING = frozenset({401, 402, 403})
_FAILING = frozenset({408, 429})


def failed(status: int) -> bool:
    """Whether an answer with this status counts against the backend."""
    return status >= 500 or status in _REFUSING or status in _FAILING


class CircuitBreaker:
    def __init__(self, settings: Breaker) -> None:
        self.settings = settings
        self._in_a_row = 0
        self._open_until = 0.0
        self._cooldown = settings.cooldown
        self._tripped = False
        self._probing = False

    def state(self, now: float) -> State:
        if not self._tripped:
            return "closed"
        return "open" if now < self._open_until else "half_open"

    def wait(self, now: float) -> float:
        """Seconds until a call may be tried; 0 means now."""
        if not self._tripped:
            return 0.0
        if now < self._open_until:
            return self._open_until - now
        return min(self._cooldown, 1.0) if self._probing else 0.0

    def enter(self) -> None:
        """Begin a call that need not wait. In the state half-open the call is the only probe."""
        if self._tripped:
            self._probing = True

    def succeeded(self) -> None:
        self._in_a_row = 0
        self._tripped = self._probing = False
        self._cooldown = self.settings.cooldown

    def abandoned(self) -> None:
        """The caller left before the call ended: it counts as neither success nor failure."""
        self._probing = False

    def failed(self, now: float, *, status: int = 0, retry_after: float | None = None) -> None:
        self._in_a_row += 1
        probe_failed = self._tripped and self._probing
        self._probing = False
        if self._tripped and not probe_failed:
            return  # a call from before the breaker opened
        if probe_failed:
            self._cooldown = min(2 * self._cooldown, self.settings.longest)
        elif self._in_a_row < self.settings.failures and status not in _REFUSING:
            return
        self._tripped = True
        rest = min(retry_after or 0.0, self.settings.longest)
        self._open_until = now + max(self._cooldown, rest)
