"""`python -m tests.sandbox.siege 3` runs every hostile program at level 3, as the current user.

With a second number, such as 4, it runs every fourth. It prints a JSON report of how each run
ended, and of the state of the machine afterwards.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sandbox.pool import Pool
from sandbox.runner import Limits, Program, Run
from sandbox.supervisor.frames import json_value
from tests.sandbox.hostile import ATTACKS, Attack

_SECRET = "canary-5d1c"
_AT_ONCE = 4
_TRIES = 5


def descendants(process: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    family = [process]
    for parent in family:
        family += [child for child, of in parents.items() if of == parent]
    return family[1:]


async def besiege(level: int, every: int = 1) -> dict[str, object]:
    attacks = ATTACKS[level % every :: every]
    # Not below /tmp, because inside the sandbox /tmp is a folder in memory.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as base:
        Path(base).chmod(0o755)
        outside = Path(base, "outside")
        outside.mkdir()
        outside.chmod(0o777)
        secret = outside / "secret"
        secret.write_text(_SECRET)
        before = _look(outside)
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        victim = subprocess.Popen(["sleep", "300"])
        pool = Pool(level, at_once=_AT_ONCE, queue=len(attacks))
        try:
            await pool.start()
            places = {
                "secret": str(secret),
                "outside": str(outside),
                "port": listener.getsockname()[1],
                "victim": victim.pid,
            }
            endings = await asyncio.gather(*(_attack(pool, a, places) for a in attacks))
            after = await pool.run(Program("result = 6 * 7"))
            return {
                "uid": os.geteuid(),
                "endings": endings,
                "next_run": after.result,
                "outside_unchanged": before == _look(outside),
                "victim_alive": victim.poll() is None,
                "nobody_connected": _silent(listener),
                "left_over": await _left_over(pool),
            }
        finally:
            await pool.close()
            listener.close()
            victim.kill()
            victim.wait()


async def _attack(pool: Pool, attack: Attack, places: dict[str, object]) -> dict[str, object]:
    limits = Limits(wall_seconds=1.5, memory_bytes=256 << 20)
    began = time.monotonic()
    for _ in range(_TRIES):
        run = await pool.run(Program(attack.at(**places)), limits)
        if run.status not in ("starved", "timeout") or attack.status == "timeout":
            break  # else the attack had too little time on a busy machine
    return {
        "name": attack.name,
        "as_expected": as_expected(attack, run),
        "ended": f"{run.status}: {run.error or run.result!r}"[:200],
        "leaked": _SECRET in json.dumps([json_value(run.result), run.stdout, run.error, run.trace]),
        "late": run.seconds > limits.wall_seconds + 0.5,
        "waited": time.monotonic() - began,
    }


def as_expected(attack: Attack, run: Run) -> bool:
    ended = {run.status, run.status.partition("_")[0] + "_"}
    if run.status == "starved":  # on a busy machine: the deadline stopped the program
        ended.add("timeout")
    return attack.status in ended and attack.why in (str(run.result) if run.ok else run.error)


async def _left_over(pool: Pool) -> int:
    """The largest number of processes below a zygote. Two idle workers and one more are normal."""
    await asyncio.sleep(0.5)
    return max(len(descendants(process)) for process in pool.zygotes.values())


def _look(folder: Path) -> list[object]:
    entries = [folder, *sorted(folder.iterdir())]
    return [(e.name, e.stat().st_mode, e.stat().st_nlink, e.stat().st_size) for e in entries]


def _silent(listener: socket.socket) -> bool:
    try:
        listener.accept()
    except BlockingIOError:
        return True
    return False


if __name__ == "__main__":
    print(json.dumps(asyncio.run(besiege(*map(int, sys.argv[1:])))))
