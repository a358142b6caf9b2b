"""The first request after a start finds the patterns compiled that reading it needs."""

import subprocess
import sys

READ = """
import re
import regex
from router.request import statistical

compiled = []
for module in (re, regex):
    compile_ = module.compile
    def counted(*args, compile_=compile_, **more):
        compiled.append(args[0])
        return compile_(*args, **more)
    module.compile = counted
if "warm" in argv:
    statistical.warm()
before = len(compiled)
statistical.interpret(
    "Generate 1000 user records where ages follow a normal distribution with mean 40 and standard "
    "deviation 9, clipped to 20-90",
    cpu_seconds=60,
)
print(len(compiled) - before)
"""


def compiled_by_the_first(*argv: str) -> int:
    """How many patterns a new process compiles when it reads its first request."""
    command = [sys.executable, "-c", f"argv = {list(argv)!r}\n{READ}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
    return int(done.stdout)


def test_a_router_that_was_warmed_compiles_nothing_more_for_its_first_request():
    assert compiled_by_the_first() > 0
    assert compiled_by_the_first("warm") == 0
