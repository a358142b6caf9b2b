"""Running programs that nobody vouches for: what isolation promises, and what it does not.

Promised: a program reads and writes no file, environment or process of the machine, opens no
socket, starts no process or thread, and ends within its limits; how it ended and what it used are
what the kernel says, never what it says itself. Where the kernel cannot give that, nothing runs.

Not promised: a hole in the kernel, and what can be learnt from a shared processor by timing.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Tier = Literal["stdlib", "numpy", "scipy"]

# What the author of a program is told, man or model. The errors a program meets say the same.
CONTRACT = """\
Write one Python 3.11 program. It runs alone, in a sandbox:
- Put the answer into a variable `result`: numbers, text, booleans, None, lists, dicts with text
  keys, or numpy arrays of one or two dimensions. What it prints is kept, but is not the answer.
- `PARAMS` is a dict with the parameters of the run, if there are any.
- The standard library, numpy and scipy are there. pandas, polars, sklearn, matplotlib and
  everything else are not: use numpy arrays, dicts of columns and the csv module.
- random and numpy.random are seeded by the run: the same seed gives the same numbers.
- `open` works on scratch files in memory, with relative paths or below /tmp. No file of the machine
  can be read, no network reached, no process started. Executors run what they are given in order.
"""

_NUMPY = frozenset({"numpy"})
_SCIPY = frozenset({"scipy"})


@dataclass(frozen=True, slots=True)
class Program:
    """Source, and what it is run with."""

    source: str
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    @property
    def tier(self) -> Tier:
        """The smallest set of libraries that has what it imports."""
        imported = imports(self.source)
        return "scipy" if imported & _SCIPY else "numpy" if imported & _NUMPY else "stdlib"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use."""

    wall_seconds: float = 5.0
    cpu_seconds: int = 5
    memory_bytes: int = 512 << 20
    stdout_bytes: int = 64 << 10
    result_bytes: int = 32 << 20  # of columns; the JSON around them may be a sixteenth of it


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Run:
    """How a program ended. Everything but `result`, `stdout`, `error` and `trace` is what the
    kernel and the clock say; those four are the program's own words."""

    status: str  # see STATUSES, or signal_N, exit_N
    result: Any = None
    stdout: str = ""
    error: str = ""  # "TypeError: ..."
    trace: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    tier: Tier = "stdlib"
    level: int = 0

    @property
    def ok(self) -> bool:
        return self.status == "ok"


STATUSES = {
    "ok": "it ran to its end",
    "error": "it raised an exception",
    "timeout": "it was still running at the deadline",
    "starved": "the machine had no time for it before the deadline",
    "cpu_limit": "it used up its CPU seconds",
    "memory_limit": "it asked for more memory than it may have",
    "violation": "it made a system call that no computation makes",
    "output_limit": "it printed or returned more than is kept",
    "bad_frame": "what it sent is not a result",
}


class RunRefused(Exception):
    """This machine cannot isolate a program as well as was asked for, so none is run."""


class Busy(Exception):
    """As many programs wait as may."""


class Runner(Protocol):
    async def run(self, program: Program, limits: Limits) -> Run: ...


def imports(source: str) -> frozenset[str]:
    """The top-level names of all modules that a program imports, wherever in it."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()  # running it will say what is wrong with it
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return frozenset(names)
