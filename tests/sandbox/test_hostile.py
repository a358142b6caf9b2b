"""The sandbox stops every hostile program, at every level, as root and as an ordinary user."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.sandbox.hostile import ATTACKS
from tests.sandbox.siege import descendants
from tests.sparing import slow_after

ROOT = Path(__file__).parents[2]
NOBODY = 65534


def python_for(who: dict[str, object]) -> list[str]:
    """A Python 3.11 that this user may run; root's own may be closed to others."""
    libraries = os.pathsep.join(place for place in sys.path if place)
    for python in (sys.executable, "/usr/bin/python3.11"):
        command = ["env", f"PYTHONPATH={libraries}", "PYTHONDONTWRITEBYTECODE=1", python]
        check = [*command, "-c", "import numpy, scipy, orjson, sandbox.pool"]
        if not subprocess.run(check, cwd=ROOT, capture_output=True, check=False, **who).returncode:
            return command
    pytest.skip("there is no Python 3.11 that an ordinary user may run")


OURS, ORDINARY = "the user who runs the tests", "an ordinary user"


@pytest.mark.alone
@pytest.mark.parametrize(
    ("level", "user", "every"),
    slow_after(3, [
        *((3, OURS, 1), (2, ORDINARY, 4), (1, OURS, 4)),  # each level, and each user
        *((3, ORDINARY, 1), (2, OURS, 1), (1, OURS, 1), (2, ORDINARY, 1), (1, ORDINARY, 1)),
    ]),
)  # fmt: skip
def test_every_attack_is_stopped_for_its_reason_and_nothing_is_touched(
    level: int, user: str, every: int
):
    become: dict[str, object] = {}
    if user == ORDINARY:
        if os.geteuid() != 0:
            pytest.skip("an ordinary user runs the tests already")
        become = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    command = [*python_for(become), "-m", "tests.sandbox.siege", str(level), str(every)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **become)
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout)
    wrong = [end for end in report["endings"] if not end["as_expected"]]
    assert wrong == []
    assert len(report["endings"]) == len(ATTACKS[level % every :: every]) >= 300 // every
    assert not any(end["leaked"] or end["late"] for end in report["endings"])
    assert report["next_run"] == 42
    assert report["outside_unchanged"]
    assert report["victim_alive"]
    assert report["nobody_connected"]
    assert report["left_over"] <= 3


_SUPERVISOR = """
import asyncio
from sandbox.pool import Pool
from sandbox.runner import Limits, Program

async def main():
    pool = Pool({level}, at_once=4)
    await pool.start(("stdlib",))
    limits = Limits(wall_seconds=60, cpu_seconds=60)
    runs = [asyncio.ensure_future(pool.run(Program(source), limits))
            for source in ("while True: pass", "import time; time.sleep(60)")]
    await asyncio.sleep(0.3)
    print("running", flush=True)
    await asyncio.gather(*runs)

asyncio.run(main())
"""


@pytest.mark.parametrize("level", [3, 2, 1])
def test_nothing_survives_the_supervisors_kill_9(level: int):
    source = _SUPERVISOR.replace("{level}", str(level))
    supervisor = subprocess.Popen(
        [sys.executable, "-c", source], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    assert supervisor.stdout.readline() == "running\n"
    family = descendants(supervisor.pid)
    assert len(family) >= 3  # the zygote and both programs, at least
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    supervisor.stdout.close()
    until = time.monotonic() + 60
    while time.monotonic() < until and any(Path(f"/proc/{p}").exists() for p in family):
        time.sleep(0.05)
    assert [p for p in family if Path(f"/proc/{p}").exists()] == []
