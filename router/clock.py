"""Whether the wall clock may be believed when something is to be deleted because of its age.

A clock that was set ahead makes everything look old, and a deletion cannot be taken back. So what
is old waits for a day after a step of the clock, and people have that day to set it right. A
process that has not yet seen a day of its own believes the clock if the newest thing stored is at
most a day old.

Not covered: a clock that stays wrong for more than a day, or by less than a day.
"""

import time
from collections.abc import Callable

DAY = 86_400.0
_STEP_SECONDS = 60.0  # a clock may be corrected by less between two looks


class ClockWatch:
    """Compares the wall clock with a steady clock. Call `look` every few minutes, or more often."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._steady = wall, steady
        self._offset = wall() - steady()
        self._since = steady()
        self.stepped = False  # whether the clock was ever set

    def look(self) -> float:
        """Seconds since the clock was last set, or since this watch began."""
        steady = self._steady()
        offset = self._wall() - steady
        if abs(offset - self._offset) > _STEP_SECONDS:
            self.stepped, self._since = True, steady
        self._offset = offset
        return steady - self._since

    def believed(self, newest: float | None) -> bool:
        """Whether ages may be believed; `newest` is when the newest thing was stored."""
        if self.look() >= DAY:
            return True
        if self.stepped:
            return False
        return newest is None or -_STEP_SECONDS <= self._wall() - newest <= DAY
