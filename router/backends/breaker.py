"""A circuit breaker stops calls to a failing backend, and later tries one probe.

The states are closed, open and half-open. Methods take the time as an argument, in seconds of a
steady clock.
"""

from typing import Literal

from router.config.values import Breaker

State = Literal["closed", "open", "half_open"]

# A caller's own mistake says nothing about the backend's health. A backend counts as failing if
# it refuses Waggle's key, its account has no money left, or it gets too many calls.
_REFUSING = frozenset({401, 402, 403})
_FAILING = frozenset({408, 429})


def failed(status: int) -> bool:
    """Whether a reply with this HTTP status counts as a failure of the backend."""
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
        """Seconds until the breaker lets a call through; 0 means now."""
        if not self._tripped:
            return 0.0
        if now < self._open_until:
            return self._open_until - now
        return min(self._cooldown, 1.0) if self._probing else 0.0

    def enter(self) -> None:
        """Begin a call after `wait` gave 0; in the state half-open, the call is the only probe."""
        if self._tripped:
            self._probing = True

    def succeeded(self) -> None:
        self._in_a_row = 0
        self._tripped = self._probing = False
        self._cooldown = self.settings.cooldown

    def abandoned(self) -> None:
        """End a call that the caller left; such a call counts as neither success nor failure."""
        self._probing = False

    def failed(
        self,
        now: float,
        *,
        status: int = 0,
        retry_after: float | None = None,
        at_once: bool = False,
    ) -> None:
        """Note a failure; `at_once`: rest without waiting for further failures in a row."""
        self._in_a_row += 1
        probe_failed = self._tripped and self._probing
        self._probing = False
        if self._tripped and not probe_failed:
            return  # the call began before the breaker opened
        if probe_failed:
            self._cooldown = min(2 * self._cooldown, self.settings.longest)
        elif not (at_once or status in _REFUSING or self._in_a_row >= self.settings.failures):
            return
        self._tripped = True
        rest = min(retry_after or 0.0, self.settings.longest)
        self._open_until = now + max(self._cooldown, rest)
