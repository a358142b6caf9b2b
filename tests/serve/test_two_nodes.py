"""The same application on a cluster that is not ours, of two nodes with different addresses."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from router.cli.client import ServiceClient
from tests.serve.conftest import WAGGLE, free_port
from tests.upstream import answer_well

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(180)]

TEXT = """
server: {{port: {port}, data: {data}}}
backends:
  a: {{kind: openai, base_url: "{url}", cpus: 0.6, replicas: {{min: 2, max: 2}}}}
plans: {{fast: {{ask: a}}}}
"""


def ask(port):
    body = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())["choices"][0]["message"]["content"]


def ask_again(port, times=100):
    """As a client does whose connection was to the machine that is gone: dial again.

    The nodes share this machine's port, so the lost one's proxy may still be dialled for a moment.
    """
    for _ in range(times):
        try:
            return ask(port)
        except urllib.error.HTTPError:
            raise
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
    return ask(port)


def replicas(port):
    told = ServiceClient(f"http://127.0.0.1:{port}").get("/health/ready")
    return told["backends"]["a"]["replicas"]


@pytest.fixture
def environment():
    """What the operator of such a cluster sets on its nodes, and beside `waggle serve`."""
    given = {
        "WAGGLE_TOKEN": "shared-by-all-nodes",
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # else 127.0.0.1 means the outer address
        "RAY_SERVE_ENABLE_HA_PROXY": "0",  # two nodes cannot share one machine's ports
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
    }
    return given


def test_two_nodes_serve_one_application_and_one_may_be_lost(background, tmp_path, environment):
    up = background.upstream(answer_well)
    port = free_port()
    config = tmp_path / "waggle.yaml"
    config.write_text(TEXT.format(port=port, data=tmp_path / "var", url=up.url))
    script = Path(__file__).with_name("two_nodes.py")
    with tempfile.TemporaryDirectory(prefix="w2n-", ignore_cleanup_errors=True) as folder:
        with subprocess.Popen(
            [sys.executable, script, folder],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as cluster:
            try:
                lines = iter(cluster.stdout.readline, "")
                told = json.loads(next(line for line in lines if line.startswith("{")))
                command = [WAGGLE, "serve", "-c", config, "--ray-address", told["address"]]
                with (
                    (tmp_path / "log").open("w") as log,
                    subprocess.Popen(
                        command, env=environment, cwd=tmp_path, stdout=log, stderr=log
                    ) as service,
                ):
                    try:
                        wait_for(lambda: "Try it" in (tmp_path / "log").read_text(), service)
                        wait_for(lambda: replicas(port) == 2, service)
                        assert {ask(port) for _ in range(20)} == {"hello"}
                        cluster.stdin.write("lose\n")
                        cluster.stdin.flush()
                        assert next(line for line in lines if line == "lost\n")
                        assert {ask_again(port) for _ in range(20)} == {"hello"}
                    finally:
                        end(service, signal.SIGINT)
            finally:
                cluster.stdin.close()
                end(cluster, None)


def end(process, sign):
    if sign is not None:
        process.send_signal(sign)
    try:
        process.wait(40)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def wait_for(true, service, seconds=60):
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until or service.poll() is not None:
            pytest.fail(f"not in time: exit status {service.poll()}")
        time.sleep(0.2)
