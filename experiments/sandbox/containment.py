"""Measures how many hostile programs the sandbox contains, at every level of isolation."""

import asyncio
import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.progress import Progress

from sandbox.pool import Pool
from sandbox.runner import Limits, Program, Run
from sandbox.supervisor.frames import json_value
from tests.sandbox.test_hostile import NOBODY, python_for

ROOT = Path(__file__).parent.parent.parent
CANARY = "canary-1f2e"
TRIVIAL = Program("result = 6 * 7")


def siege(level: int, user: int) -> dict[str, Any]:
    """Run the project's own hostile programs with `tests/sandbox/siege.py`, at one level."""
    account: dict[str, Any] = {}
    if user != os.geteuid():
        account = {"user": user, "group": user, "extra_groups": []}
    command = [*python_for(account), "-m", "tests.sandbox.siege", str(level)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, **account)
    report = json.loads(done.stdout)
    endings = report["endings"]
    contained = sum(ending["as_expected"] and not ending["leaked"] for ending in endings)
    clean = report["outside_unchanged"] and report["victim_alive"] and report["nobody_connected"]
    return {"tried": len(endings), "contained": contained, "machine_as_before": clean}


@contextmanager
def bait() -> Iterator[tuple[dict[str, Any], Callable[[], bool]]]:
    """A secret, a process and sockets for a hostile program to attack.

    Yields the parameters that name them, and a function that says whether all is as before.
    """
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as base,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        secret = Path(base, "secret")
        secret.write_text(CANARY)
        Path(base).chmod(0o777)
        listener.setblocking(False)
        with socket.create_server(("127.0.0.1", 0)) as closed:
            bind_port = closed.getsockname()[1]
        victim = subprocess.Popen(["sleep", "600"])

        def untouched() -> bool:
            alone = [entry.name for entry in Path(base).iterdir()] == ["secret"]
            return secret.read_text() == CANARY and victim.poll() is None and alone

        parameters = {
            "secret_file": str(secret),
            "supervisor_pid": os.getpid(),
            "victim_pid": victim.pid,
            "outside_dir": base,
            "tcp_port": listener.getsockname()[1],
            "udp_port": listener.getsockname()[1],
            "unix_path": str(Path(base, "socket")),
            "abstract": "nobody-listens",
            "bind_port": bind_port,
        }
        try:
            yield parameters, untouched
        finally:
            victim.kill()
            victim.wait()


async def handed_over(level: int, folder: Path) -> dict[str, Any]:
    """Run the hostile programs of a folder; its manifest says what a program must not achieve."""
    cases = json.loads((folder / "manifest.json").read_text())["cases"]
    failed = []
    with bait() as (parameters, untouched):
        pool = Pool(level, at_once=1)
        try:
            for case in cases:
                source = (folder / case["code"]).read_text()
                limits = Limits(wall_seconds=case["wall"])
                begun = time.perf_counter()
                run = await pool.run(Program(source, parameters), limits)
                late = time.perf_counter() - begun > case["wall"] + 0.5
                after = await pool.run(TRIVIAL)
                if not (_contained(case, run, after, late=late) and untouched()):
                    failed.append([case["name"], run.status])
        finally:
            await pool.close()
    return {"tried": len(cases), "contained": len(cases) - len(failed), "failed": failed}


def _contained(case: dict[str, Any], run: Run, after: Run, *, late: bool) -> bool:
    """Whether a run kept the rules of its case, and the pool still answered afterwards."""
    result = json_value(run.result)
    breached = isinstance(result, dict) and result.get("breached") is True
    words = json.dumps([result, run.stdout, run.error, run.trace])
    fine = not breached and not late and after.result == 42 and CANARY not in words
    if "status_not_ok" in case["checks"]:
        fine = fine and not run.ok
    if "stdout_bounded" in case["checks"]:
        fine = fine and len(run.stdout) <= Limits().stdout_bytes
    if "mem_bounded" in case["checks"]:
        fine = fine and run.peak_bytes < 3 << 29
    return fine


async def containment(progress: Progress, hostile: Path) -> dict[str, Any]:
    """Run the hostile programs at every level; if we are root, also as an ordinary user."""
    users = [0, NOBODY] if os.geteuid() == 0 else [os.geteuid()]
    task = progress.add_task("hostile programs", total=3 * len(users) + 3)
    result: dict[str, Any] = {"own": {}, "handed_over": {}}
    for level in (3, 2, 1):
        for user in users:
            name = f"level {level}, {'root' if user == 0 else 'an ordinary user'}"
            result["own"][name] = await asyncio.to_thread(siege, level, user)
            progress.advance(task)
        if (hostile / "manifest.json").is_file():
            result["handed_over"][f"level {level}"] = await handed_over(level, hostile)
        progress.advance(task)
    return result
