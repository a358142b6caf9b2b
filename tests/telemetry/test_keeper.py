"""The keeper's process, beside the router that started it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from router.config.server import TelemetrySettings
from router.telemetry.keeper import KeeperProcess
from tests.waiting import blocking_until


def children_with(words: str) -> list[str]:
    """The children whose command has these words; a command is empty for a moment after a start."""
    children = Path("/proc/thread-self/children").read_text().split()
    return [n for n in children if words in Path(f"/proc/{n}/cmdline").read_text()]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ctrl_c_in_a_terminal_reaches_the_router_and_not_its_keeper(tmp_path):
    """A terminal signals a whole group of processes; the router stops the keeper in good order."""
    keeper = KeeperProcess(tmp_path, TelemetrySettings())
    try:
        (child,) = blocking_until(lambda: children_with(str(tmp_path)))
        assert os.getpgid(int(child)) != os.getpgid(0)
    finally:
        keeper.close()


@pytest.mark.skipif(sys.platform != "linux", reason="a keeper is told when its router ends")
def test_a_keeper_whose_router_died_before_it_began_ends(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    command = [sys.executable, "-m", "router.telemetry.keeper", str(tmp_path / "telemetry"), "{}"]
    subprocess.run([*command, str(dead.pid)], check=True, timeout=300)
    assert not (tmp_path / "telemetry").exists()
