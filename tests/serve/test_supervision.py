"""The decisions that bring a lost cluster back, and the child process that holds a cluster.

None of these tests starts Ray.
"""

import http.client
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from router.deployment.ingress import Ingress, beside
from router.deployment.processes import born
from router.deployment.proxy import haproxy
from router.deployment.ray_environment import free_ports
from router.deployment.supervision import Supervision
from router.deployment.vital import PRESENT, Restarts
from tests.waiting import blocking_until

GCS, CONTROLLER = "Ray's GCS", "Serve's controller"

# A command whose child holds a cluster of one sleeping process that left the process group.
COMMAND = """
import pathlib, subprocess, sys, time
from router.deployment.cluster_process import ClusterProcess

def start(tell):
    tell("begun")
    sleeper = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    return str(sleeper.pid)

log = pathlib.Path(sys.argv[1])
process = ClusterProcess(start, lambda: None, lambda: None, str, log)
print(process.pid, process.wait_until_up(lambda _: None, lambda: None), flush=True)
time.sleep(1000)
"""


def test_a_vital_process_that_nobody_replaces_is_a_reason_at_once():
    absence = PRESENT.after([GCS], answered=True, now=10)
    assert absence.reason_to_start_again(10) == "Ray's GCS ended"
    assert PRESENT.reason_to_start_again(10) == ""


def test_a_process_that_ray_replaces_is_a_reason_only_when_ray_does_not():
    absence = PRESENT.after([CONTROLLER], answered=True, now=10)
    assert absence.reason_to_start_again(12) == ""
    absence = absence.after([CONTROLLER], answered=True, now=24)
    assert absence.reason_to_start_again(26) == (
        "Serve's controller ended and was not replaced within 15 s"
    )
    assert absence.after([], answered=True, now=26).reason_to_start_again(99) == ""


def test_silence_counts_only_while_nobody_is_up_and_an_unclear_answer_changes_nothing():
    absence = PRESENT.after([], answered=False, now=10)
    absence = absence.after([], answered=None, now=20)
    assert absence.reason_to_start_again(24) == ""
    assert absence.reason_to_start_again(25) == "no router was up for 15 s"
    assert absence.after([], answered=True, now=25).reason_to_start_again(99) == ""
    slow = PRESENT
    for now in range(100):
        slow = slow.after([], answered=None, now=now)
    assert slow.reason_to_start_again(100) == ""


def test_restarts_wait_longer_and_longer_until_they_are_too_many():
    restarts, pauses = Restarts(), []
    while not restarts.too_many:
        restarts = restarts.after(float(len(pauses)))
        pauses.append(restarts.pause_seconds)
    assert pauses == [0, 1, 5, 15, 15, 15]
    assert restarts.summary == "6 times in 1 min"


def test_a_restart_long_ago_no_longer_counts():
    restarts = Restarts()
    for hour in range(24):
        restarts = restarts.after(hour * 3600.0)
        assert restarts.pause_seconds == 0
        assert not restarts.too_many


def test_the_second_haproxy_shares_no_socket_and_no_port_but_the_services():
    written = (
        "global\n    stats socket /h/admin.sock mode 600 level admin\n    maxconn 10\n"
        "    server-state-file /h/state\ndefaults\n    mode http\n"
        "    load-server-state-from-file global\n"
        "frontend prometheus\n    bind 127.0.0.1:9101\n"
        "frontend http_frontend\n    bind 127.0.0.1:8000\n"
        "backend http-waggle\n    server a 127.0.0.1:30000 check\n"
        "listen stats\n  bind 127.0.0.1:8404\n"
    )
    assert beside(written) == (
        "global\n    maxconn 10\ndefaults\n    mode http\n"
        "frontend http_frontend\n    bind 127.0.0.1:8000\n"
        "backend http-waggle\n    server a 127.0.0.1:30000 check\n"
    )


@pytest.mark.skipif(not Path("/proc").exists(), reason="only Linux has /proc")
def test_a_child_ends_everything_of_a_killed_command(tmp_path):
    root = Path(__file__).parents[2]
    command = subprocess.Popen(
        [sys.executable, "-c", COMMAND, tmp_path / "log"],
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
    )
    pids = []
    try:
        pids = [int(pid) for pid in command.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(born, pids))
        os.kill(command.pid, signal.SIGKILL)
        blocking_until(lambda: not any(map(born, pids)))
    finally:
        command.kill()
        command.wait()
        command.stdout.close()
        for pid in filter(born, pids):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.skipif(not haproxy(), reason="no HAProxy is on this machine")
def test_nobody_is_refused_any_more_once_the_service_is_said_to_be_back(tmp_path):
    """The child may see the new HAProxy answer while the refusing one still listens beside it."""
    (port,) = free_ports(1)
    ingress = Ingress(tmp_path / "ray", tmp_path, haproxy(), f"127.0.0.1:{port}")
    ingress.refuse("the cluster is gone")
    refusing = ingress.pid
    kept = http.client.HTTPConnection("127.0.0.1", port)

    def status() -> int:
        kept.request("GET", "/health/live")
        answer = kept.getresponse()
        answer.read()
        return answer.status

    def refused() -> bool:
        try:
            return status() == 503
        except OSError:  # HAProxy does not listen yet
            kept.close()
            return False

    child = SimpleNamespace(pid=os.getpid(), wait_until_up=lambda *_: "address")
    shell = SimpleNamespace(begin=lambda: child, up=lambda _: None, progress=lambda _: None)
    try:
        blocking_until(refused)
        Supervision(SimpleNamespace(), shell, ingress, lambda: ()).start()
        with pytest.raises((http.client.HTTPException, OSError)):
            status()
        assert not born(refusing)
    finally:
        kept.close()
        ingress.leave()
