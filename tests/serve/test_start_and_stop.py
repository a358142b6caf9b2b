"""A stopped service leaves nothing behind. A killed service starts again and has lost nothing."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import openai
import pytest

from router.deployment.processes import born
from tests.serve.running import (
    COMPUTE,
    MEAN,
    SANDBOX,
    WAGGLE,
    configuration,
    end_hard,
    new_service,
    own_service,
)
from tests.waiting import blocking_until, until

REMOVED = """
import pathlib, sys, ray
from router.deployment import cluster
cluster.remove()
assert not ray.is_initialized()
cluster.start_ray(pathlib.Path(sys.argv[1]))
cluster.remove()
ray.shutdown()
"""

pytestmark = pytest.mark.ray


@pytest.mark.alone
def test_control_c_stops_it_and_leaves_no_process_and_no_file_elsewhere(tmp_path, upstream):
    places = (Path("/tmp"), Path.home(), Path.home() / ".cache")
    before = {place: set(place.iterdir()) for place in places if place.is_dir()}
    encoder = "  e: {kind: encoder}\n"  # libraries of models write files in folders of their own
    text = configuration(upstream.url, backends=encoder + SANDBOX, plans=COMPUTE)
    with own_service(tmp_path, text, dashboard=True) as service:
        with openai.OpenAI(base_url=service.url + "/v1", api_key="x") as client:
            assert client.embeddings.create(model="auto", input="x").data
        assert service.run("ask", MEAN).stdout == '{"mean":3.0}\n'
        family = set(service.processes())
        assert service.run("ask", "hi").stdout == "one two three\n"
        assert service.stop(signal.SIGINT) == 0
    assert "Nothing is left running" in service.log
    assert [pid for pid in family if born(pid)] == []
    new = [path for place, old in before.items() for path in set(place.iterdir()) - old]
    assert [path for path in new if "pytest" not in path.name] == []


@pytest.mark.slow
def test_there_is_nothing_to_remove_without_ray_or_without_serve():
    with tempfile.TemporaryDirectory(prefix="w1n-", ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-c", REMOVED, folder]
        on_loopback = {
            **os.environ,
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        }  # as the command does
        done = subprocess.run(
            command, env=on_loopback, capture_output=True, text=True, timeout=200, check=False
        )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
async def test_a_service_whose_command_was_killed_starts_again_at_once(service, upstream):
    """Every router still reuses the solution from before the kill."""

    async def is_exact() -> bool:
        return (await service.chat(MEAN)).headers["x-waggle-reuse"] == "exact"

    text = configuration(upstream.url, backends=SANDBOX, plans=COMPUTE)
    await service.reload(text + "reuse: {mode: exact}\n")
    assert service.run("ask", MEAN).stdout == '{"mean":3.0}\n'
    await until(is_exact)
    assert service.processes("sandbox.cell.nursery")
    family = set(service.processes())
    os.kill(service.process.pid, signal.SIGKILL)
    service.process.wait()
    await until(lambda: not any(map(born, family)))  # before anybody starts it again
    assert "no service runs" in service.run("status", check=False).stderr
    assert "no service runs" in service.run("stop", check=False).stderr
    service.start()
    assert {await is_exact() for _ in range(8)} == {True}
    assert service.run("solutions", "verify").returncode == 0
    assert service.run("ask", "hi").stdout == "one two three\n"


@pytest.mark.slow
@pytest.mark.parametrize("kill", [[signal.SIGINT, signal.SIGINT], [signal.SIGKILL]], ids=str)
def test_a_command_ended_during_its_start_leaves_nothing(tmp_path, upstream, kill):
    """Ctrl-C twice, or kill -9, while Ray starts."""
    service = new_service(tmp_path, configuration(upstream.url))
    with (tmp_path / "serve.log").open("wb") as log:
        command = [WAGGLE, "serve", "-c", service.config]
        service.process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)
    try:
        blocking_until(lambda: service.processes("raylet/raylet"))
        family = service.processes()
        for sign in kill:
            service.process.send_signal(sign)
        service.process.wait(60)
        blocking_until(lambda: not any(map(born, family)))
        assert "no service runs" in service.run("status", check=False).stderr
    finally:
        end_hard(service)
