"""Runs an analyst's query in a process that can do nothing else: we do not trust the analyst.

The query may read the views and macros of telemetry. It is checked against a list of what is
allowed (`query/tree.py`) before it runs. The process that runs it (`query/process.py`) can open no
file but journals and segments, can write nothing, has no network and no secret, and is bounded in
time, in memory and in the bytes of its answer.

Not covered: a kernel without Landlock and seccomp, as on a Mac. There the list alone keeps a query
from the files of the user that runs Waggle; `waggle doctor` says which locks hold.
"""

import asyncio
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from router.telemetry.query.process import too_long
from router.telemetry.query.tree import QueryRefused

__all__ = ["Bounds", "QueryRefused", "ask", "locks_that_hold"]

_STARTUP_SECONDS = 20.0  # on a busy machine, and until a stubborn function is ended
RESULT_BYTES = 16 * 2**20
_PIECE = 2**16
_ROOT = Path(__file__).parents[2]
_MAIN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from router.telemetry.query.process import main; main()"
)


@dataclass(frozen=True, slots=True)
class Bounds:
    rows: int
    seconds: float
    memory_bytes: int = 256 * 2**20
    result_bytes: int = RESULT_BYTES


async def ask(folder: Path, sql: str | None, bounds: Bounds) -> bytes:
    """Run a query in a process of its own and return the result as JSON. Raises `QueryRefused`.

    Without a query, the process locks itself and returns the names of the locks that hold.
    """
    question = {
        "folder": _absolute(folder),
        "sql": sql,
        "rows": bounds.rows,
        "seconds": bounds.seconds,
        "memory_bytes": bounds.memory_bytes,
        "bytes": bounds.result_bytes,
    }
    output = await _answer(question, bounds)
    if not output:
        most = bounds.memory_bytes // 2**20
        raise QueryRefused(
            f"The query ended its process: it needs more than {most} MiB of memory, or is nested "
            "too deeply."
        )
    if output.startswith(b'{"error"'):
        raise QueryRefused(orjson.loads(output)["error"])
    return output


def _absolute(folder: Path) -> str:
    return str(folder.absolute())


async def locks_that_hold(folder: Path) -> tuple[str, ...]:
    """The locks of a process that runs queries on this machine: see `sandbox.cell.readonly`."""
    return tuple(orjson.loads(await ask(folder, None, Bounds(rows=1, seconds=10.0))))


async def _answer(question: dict[str, Any], bounds: Bounds) -> bytes:
    # The child gets our import paths, because it reads neither our environment nor our folder.
    places = json.dumps([str(_ROOT), *(place for place in sys.path if place)])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-B", "-c", _MAIN, places),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin"},  # without our secrets
        cwd="/",
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(bounds.seconds + _STARTUP_SECONDS):
            process.stdin.write(orjson.dumps(question))
            process.stdin.close()
            output = await _read(process.stdout, most_bytes=bounds.result_bytes + _PIECE)
            status = await process.wait()
    except TimeoutError:
        raise QueryRefused(too_long(bounds.seconds)) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status == -signal.SIGXCPU:
        raise QueryRefused(too_long(bounds.seconds))
    return output


async def _read(stream: asyncio.StreamReader, *, most_bytes: int) -> bytes:
    """All that the process writes, unless it writes more than it may."""
    content = bytearray()
    while piece := await stream.read(_PIECE):
        content += piece
        if len(content) > most_bytes:
            raise QueryRefused("The query's process wrote more than a result may have.")
    return bytes(content)
