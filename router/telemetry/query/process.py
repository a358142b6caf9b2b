"""The process that runs one query of an analyst: locked first, then asked.

It reads the manifest, locks itself so that it can only read journals and segments, and makes views
and macros of its own over them. Their files are named relative to the folder of telemetry: the
process knows no path of this machine that a query could show.
"""

import os
import re
import resource
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import orjson

from router.telemetry.query.rows import encoded
from router.telemetry.query.statement import checked
from router.telemetry.query.tree import QueryRefused
from router.telemetry.query.utc import know_utc
from router.telemetry.store import catalog, manifest
from sandbox.cell import lockdown, readonly

_FOLDERS = (Path("journal"), Path("segments"))
_USER_ID = 64101  # no account has this id
_ITSELF = 48 * 2**20  # what the process needs without a query
_RESERVE = 64 * 2**20  # what DuckDB does not count, and the rows as JSON
_MIB = 2**20
_MADE = re.compile(r"CREATE OR REPLACE VIEW (\w+) ")


def main() -> None:
    know_utc()
    answers = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing but the answer goes to the router
    question = orjson.loads(sys.stdin.buffer.read())
    try:
        output = answer(question)
    except MemoryError:
        output = orjson.dumps({"error": _too_much(question["memory_bytes"])})
    except (QueryRefused, manifest.Damaged) as refusal:
        output = orjson.dumps({"error": str(refusal)})
    except Exception as error:  # a fault of this machine or of Waggle, without its paths
        fault = f"No query can be run here ({type(error).__name__}): run `waggle doctor`."
        output = orjson.dumps({"error": fault})
    with open(answers, "wb") as pipe:  # noqa: PTH123
        pipe.write(output)
    os._exit(0)  # nothing is left to tidy up


def answer(question: dict[str, Any]) -> bytes:
    memory, seconds = question["memory_bytes"], question["seconds"]
    con, locks = locked(Path(question["folder"]), memory_bytes=memory, seconds=seconds)
    if question["sql"] is None:
        return orjson.dumps(locks)
    timer = threading.Timer(seconds, con.interrupt)
    timer.daemon = True
    timer.start()
    try:
        cursor = con.execute(checked(con, question["sql"]))
        return encoded(cursor, most_rows=question["rows"], most_bytes=question["bytes"])
    except duckdb.InterruptException:
        raise QueryRefused(too_long(seconds)) from None
    except duckdb.Error as error:
        if isinstance(error, duckdb.OutOfMemoryException) or "llocation fail" in str(error):
            raise QueryRefused(_too_much(memory)) from None
        raise QueryRefused(str(error)) from None
    finally:
        timer.cancel()
        timer.join()


def locked(
    folder: Path, *, memory_bytes: int, seconds: float
) -> tuple[duckdb.DuckDBPyConnection, tuple[str, ...]]:
    """Lock this process for good. Return a database with our views, and the locks that hold."""
    try:
        os.chdir(folder)
        views = catalog.in_memory(Path(), manifest.load(Path()))
        con = _database(memory_bytes - _ITSELF - _RESERVE)  # DuckDB reads /proc when it begins
        _limit(memory_bytes, seconds)
        locks = readonly.lock(_FOLDERS, user_id=_USER_ID)
    except FileNotFoundError:
        raise QueryRefused("There is no telemetry yet: ask again in a few seconds.") from None
    _fill(con, views)
    return con, locks


def _database(memory_bytes: int) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{memory_bytes // _MIB}MiB",
            "threads": 1,
            "async_threads": 0,  # the locks hold for this thread and for threads it starts later
            "temp_directory": "",
            "python_enable_replacements": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        },
    )


def _fill(con: duckdb.DuckDBPyConnection, views: Sequence[str]) -> None:
    """Make our views over the files in the current folder, and lock the configuration.

    A view whose files cannot be read fails when it is used, and hides no other.
    """
    con.execute("SET enable_progress_bar = false")
    for statement in views:
        try:
            con.execute(statement)
        except duckdb.Error as error:
            if (view := _MADE.match(statement)) is None:
                raise
            con.execute(catalog.failing_view(view[1], str(error)))
    con.execute("SET allowed_directories = ['journal/', 'segments/']")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def too_long(seconds: float) -> str:
    return f"The query took longer than {seconds:g} s: ask for less, or a shorter time."


def _too_much(memory_bytes: int) -> str:
    return (
        f"The query needs more than telemetry.sql_memory_bytes = {memory_bytes // _MIB} MiB: ask "
        "for less, or use `waggle sql` on the machine of the service."
    )


def _limit(memory_bytes: int, seconds: float) -> None:
    cpu = int(seconds) + 5
    limits = {resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0, resource.RLIMIT_CPU: cpu}
    if sys.platform == "linux":
        _, data = lockdown.address_space()
        limits[resource.RLIMIT_DATA] = data + memory_bytes - _ITSELF
    for which, bound in limits.items():
        resource.setrlimit(which, (bound, bound))
