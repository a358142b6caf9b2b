"""Whose fault is a late answer: the worker's own, or that of a machine that was busy elsewhere?

A worker's own time is the time for which it ran, and the time for which it slept in the middle of
a call. Own time does not grow while the worker waits for a processor or for a page of its memory,
nor while a hypervisor runs somebody else. The kernel counts it, in the worker's process, and we
read it from outside: whatever a worker sent about itself, its function could forge.

Not covered: after a thousand calls in time, a sleep that ends before the deadline goes unnoticed in
the first late call. From then on, sleeps are counted call by call.
"""

import os
import time
from dataclasses import dataclass

from sandbox.supervisor.parent import Worker, process_file

_OWN_SHARE = 0.9  # of a deadline; own time beyond it makes a late answer the worker's fault
_ASLEEP = b"STt"  # states of a process that waits by its own will, or was stopped
_STATE, _PAGE_WAITS = 0, 9  # the places of these fields in /proc/PID/stat, after the name
_SLEEPS = b"\nvoluntary_ctxt_switches:"
_SUSPECTED_CALLS = 1000  # after a late call, whose sleeps are counted; that costs 12 µs a call


@dataclass(frozen=True, slots=True)
class _Waits:
    """How often a worker went to sleep, waits for pages left out, and whether it sleeps now."""

    sleeps: int
    asleep: bool


@dataclass(frozen=True, slots=True)
class CallStart:
    """A call, and what its worker had used when the call began."""

    at: float  # on the monotonic clock
    seconds: float  # until its deadline
    cpu_seconds: float
    queued_seconds: float
    waits: _Waits | None  # None: not counted


class OwnTime:
    """Measures a worker's own time. A function that only computes never sleeps in a call."""

    def __init__(self, worker: Worker) -> None:
        self._process = worker.process_id
        self._clock = ~worker.process_id << 3 | 2  # the kernel's number of a process's CPU clock
        self._schedule = os.open(f"/proc/{worker.process_id}/schedstat", os.O_RDONLY)
        self._suspected = _SUSPECTED_CALLS  # a new worker is suspected too

    def close(self) -> None:
        os.close(self._schedule)

    def cpu_seconds(self) -> float:
        return time.clock_gettime(self._clock)

    def begin(self, seconds: float) -> CallStart:
        waits = None
        if self._suspected:
            self._suspected -= 1
            waits = self._waits()
        at, queued = time.monotonic(), self._queued_seconds()
        return CallStart(at, seconds, self.cpu_seconds(), queued, waits)

    def at_fault(self, call: CallStart) -> bool:
        """Whether an unanswered call is late because of the worker, which ran or slept for the time
        that it had."""
        self._suspected = _SUSPECTED_CALLS
        return self.ran_too_long(call) or (
            self._slept(call, self._waits())
            and time.monotonic() - call.at - self._queued_seconds() + call.queued_seconds
            >= _OWN_SHARE * call.seconds
        )

    def ran_too_long(self, call: CallStart) -> bool:
        return self.cpu_seconds() - call.cpu_seconds >= _OWN_SHARE * call.seconds

    def _slept(self, call: CallStart, now: _Waits) -> bool:
        """Whether the worker sleeps, or did so since it took the call, for which it had to wait."""
        if now.asleep:
            return True
        before = call.waits
        if before is None:
            return False
        # A worker that was not asleep yet waited for the call, and was woken once too early by us.
        return now.sleeps > before.sleeps + (0 if before.asleep else 2)

    def _queued_seconds(self) -> float:
        """For how long the worker was ready to run and had no processor."""
        return int(os.pread(self._schedule, 100, 0).split()[1]) / 1e9

    def _waits(self) -> _Waits:
        fields = process_file(self._process, "stat").rpartition(b")")[2].split()
        status = process_file(self._process, "status")
        at = status.index(_SLEEPS) + len(_SLEEPS)
        sleeps = int(status[at : status.index(b"\n", at)])
        return _Waits(sleeps - int(fields[_PAGE_WAITS]), fields[_STATE] in _ASLEEP)
