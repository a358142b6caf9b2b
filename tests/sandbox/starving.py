"""A processor on which many others run: a process that is put there waits for most of its time."""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.waiting import blocking_until

_HOGS = 16


@contextmanager
def starved(processes: Sequence[int]) -> Iterator[None]:
    """Let these processes share one processor with many that never rest."""
    processor = {min(os.sched_getaffinity(0))}
    # Of a session each, because the kernel shares a processor out among sessions.
    hogs = [
        subprocess.Popen(
            ["/bin/sh", "-c", "read go; while :; do :; done"],
            start_new_session=True,
            stdin=subprocess.PIPE,
        )
        for _ in range(_HOGS)
    ]
    try:
        for process in (*processes, *(hog.pid for hog in hogs)):
            os.sched_setaffinity(process, processor)
        for hog in hogs:  # they begin together, so the first do not delay the others' start
            hog.stdin.close()
        blocking_until(lambda: all(time.clock_gettime(~hog.pid << 3 | 2) > 0.01 for hog in hogs))
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
