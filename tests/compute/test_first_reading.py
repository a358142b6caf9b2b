"""The first request after a start finds everything loaded that reading it needs."""

import subprocess
import sys

READ = """
import sys
from router.request import statistical

if "warm" in argv:
    statistical.warm()
before = set(sys.modules)
statistical.interpret(
    "Generate 1000 user records where ages follow a normal distribution with mean 40 and standard "
    "deviation 9, clipped to 20-90",
    cpu_seconds=60,
)
print(len(set(sys.modules) - before))
"""


def loaded_by_the_first(*argv: str) -> int:
    """How many modules a new process loads when it reads its first request."""
    command = [sys.executable, "-c", f"argv = {list(argv)!r}\n{READ}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
    return int(done.stdout)


def test_a_router_that_was_warmed_loads_nothing_more_for_its_first_request():
    assert loaded_by_the_first() > 0
    assert loaded_by_the_first("warm") == 0
