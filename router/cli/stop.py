"""`waggle stop`: stops the service that uses a data folder."""

import os
import signal
import time

from router.cli.context import CommandContext, in_context
from router.cli.terminal import CommandRefused, out

_PATIENCE_SECONDS = 30.0


@in_context
def stop(here: CommandContext) -> None:
    """Stop the service that uses this data folder."""
    running = here.service
    os.kill(running.pid, signal.SIGTERM)
    until = time.monotonic() + _PATIENCE_SECONDS
    with out.status("Stopping …"):
        while running.alive and time.monotonic() < until:
            time.sleep(0.1)
    if running.alive:
        wrong = f"pid {running.pid} has not ended within {_PATIENCE_SECONDS:.0f} s"
        raise CommandRefused(wrong, "look at the terminal of the service")
    out.print("Stopped.")
