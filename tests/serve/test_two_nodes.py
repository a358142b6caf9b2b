"""The service on an existing Ray cluster, of two nodes with different addresses."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from router.cli.client import ServiceClient
from router.deployment.ray_environment import free_ports
from tests.serve.running import CHAT, HI, WAGGLE
from tests.waiting import blocking_until

pytestmark = [pytest.mark.ray, pytest.mark.slow]

TEXT = """
server: {{port: {port}, data: {data}}}
backends:
  a: {{kind: openai, base_url: "{url}", cpus: 0.6, replicas: {{min: 2, max: 2}}}}
plans: {{fast: {{ask: a}}}}
"""


def ask(url):
    body = json.dumps({"model": "auto", "messages": HI}).encode()
    request = urllib.request.Request(url + CHAT, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())["choices"][0]["message"]["content"]


def ask_again(url):
    """Connect until an answer comes, like a client that has lost its connection.

    The nodes share this machine's port: a connection may still reach the lost node's proxy for a
    moment.
    """

    def answer():
        try:
            return ask(url)
        except urllib.error.HTTPError:
            raise
        except (OSError, http.client.HTTPException):
            return None

    return blocking_until(answer)


@pytest.fixture
def environment():
    """The environment variables that an operator sets on the nodes and for `waggle serve`."""
    return {
        "WAGGLE_TOKEN": "shared-by-all-nodes",
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
        # Else Ray replaces 127.0.0.1 by the outer address.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_SERVE_ENABLE_HA_PROXY": "0",  # two nodes cannot share one machine's ports
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
    }


@contextlib.contextmanager
def running(command, environment, *, ended_by=None, **streams) -> Iterator[subprocess.Popen]:
    """A process that ends with the context: by this signal, or when its input closes."""
    with subprocess.Popen(command, env=environment, **streams) as process:
        try:
            yield process
        finally:
            if ended_by is not None:
                process.send_signal(ended_by)
            else:
                process.stdin.close()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def test_two_nodes_serve_one_application_and_one_may_be_lost(upstream, tmp_path, environment):
    (port,) = free_ports(1)
    url, log = f"http://127.0.0.1:{port}", tmp_path / "log"
    config = tmp_path / "waggle.yaml"
    config.write_text(TEXT.format(port=port, data=tmp_path / "var", url=upstream.url))
    with contextlib.ExitStack() as stack:
        open_ = stack.enter_context
        folder = open_(tempfile.TemporaryDirectory(prefix="w2n-", ignore_cleanup_errors=True))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        script = [sys.executable, Path(__file__).with_name("two_nodes.py"), folder]
        cluster = open_(running(script, environment, text=True, **pipes))
        lines = iter(cluster.stdout.readline, "")
        address = json.loads(next(line for line in lines if line.startswith("{")))["address"]
        output = open_(log.open("w"))
        command = [WAGGLE, "serve", "-c", config, "--ray-address", address]
        streams = {"cwd": tmp_path, "stdout": output, "stderr": output}
        service = open_(running(command, environment, ended_by=signal.SIGINT, **streams))

        def is_up() -> bool:
            assert service.poll() is None, log.read_text()
            if "Try it" not in log.read_text():
                return False
            return ServiceClient(url).get("/health/ready")["backends"]["a"]["replicas"] == 2

        blocking_until(is_up, 120)
        assert {ask(url) for _ in range(20)} == {"hello"}
        cluster.stdin.write("lose\n")
        cluster.stdin.flush()
        assert next(line for line in lines if line == "lost\n")
        assert {ask_again(url) for _ in range(20)} == {"hello"}
