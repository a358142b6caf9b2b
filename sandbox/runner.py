"""Running untrusted programs: what isolation promises, and what it does not.

Promised: a program reads and writes no file, environment or process of the machine, opens no
socket, starts no process or thread, and ends within its limits. The kernel, not the program, says
how it ended and what it used. Where the kernel cannot isolate a program, no program runs.

Not promised: protection against a hole in the kernel, or against a program that learns something
by timing a shared processor.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Tier = Literal["stdlib", "numpy", "scipy"]

# Instructions for people and models who write programs. Errors in the sandbox say the same.
CONTRACT = """\
Write one Python 3.11 program. It runs alone, in a sandbox:
- Put the answer into a variable `result`: numbers, text, booleans, None, lists, dicts with text
  keys, or numpy arrays of one or two dimensions. Printed text is kept, but is not the answer.
- `PARAMS` is a dict with the parameters of the run, if there are any.
- The standard library, numpy and scipy are available. pandas, polars, sklearn, matplotlib and all
  other libraries are not: use numpy arrays, dicts of columns and the csv module.
- The run seeds random and numpy.random: the same seed gives the same numbers.
- `open` works on scratch files in memory, with relative paths or paths below /tmp. The program
  cannot read the machine's files, use a network or start a process. Executors run their tasks one
  after another.
"""

_NUMPY = frozenset({"numpy"})
_SCIPY = frozenset({"scipy"})


@dataclass(frozen=True, slots=True)
class Program:
    """The source of a program, with its parameters and its seed."""

    source: str
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    @property
    def tier(self) -> Tier:
        """The smallest set of libraries that contains all imports of the program."""
        imported = imports(self.source)
        return "scipy" if imported & _SCIPY else "numpy" if imported & _NUMPY else "stdlib"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much time, memory and output one run may use."""

    wall_seconds: float = 5.0
    cpu_seconds: int = 5
    memory_bytes: int = 512 << 20
    stdout_bytes: int = 64 << 10
    result_bytes: int = 32 << 20  # for a result in columns; a result in JSON may have a quarter


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Run:
    """How a program ended.

    The program itself wrote `result`, `stdout`, `error` and `trace`. All other values come from the
    kernel and the clock.
    """

    status: str  # a key of STATUSES, or signal_N, or exit_N
    result: Any = None
    stdout: str = ""
    error: str = ""  # for example "TypeError: ..."
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
    "ok": "the program ran to its end",
    "error": "the program raised an exception",
    "timeout": "the program was still running at the deadline",
    "starved": "the machine gave the program too little time before the deadline",
    "cpu_limit": "the program used up its CPU seconds",
    "memory_limit": "the program requested more memory than its limit",
    "violation": "the program made a system call that no computation makes",
    "output_limit": "the program printed or returned more than the limit",
    "bad_frame": "the program sent something that is not a result",
}


class RunRefused(Exception):
    """This machine cannot isolate programs at the required level, so it runs none."""


class Busy(Exception):
    """The queue of waiting programs is full."""


class Runner(Protocol):
    async def run(self, program: Program, limits: Limits) -> Run: ...


def imports(source: str) -> frozenset[str]:
    """The top-level names of all modules that a program imports anywhere."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()  # the run reports the syntax error
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return frozenset(names)
