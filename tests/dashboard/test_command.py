"""`waggle dashboard`, as an operator types it."""

import contextlib
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.config.config import Config
from router.config.dashboard_options import DashboardOptions
from router.deployment.dashboard_process import Pages
from router.deployment.ray_environment import free_ports
from tests.waiting import blocking_until

WAGGLE = Path(sys.executable).with_name("waggle")


def waggle(*args):
    return CliRunner().invoke(app, [*map(str, args)])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("no/such/folder",), "no/such/folder is no folder: name one that holds telemetry.duckdb"),
        (("--host", "0.0.0.0"), "open to the network, and there is no key: make one with"),
        (("--snapshot", "x.html"), "there is no telemetry in"),
        (("--port", "0"), "greater than or equal to 1"),
    ],
)
def test_impossible_options_are_refused_with_a_reason(tmp_path, monkeypatch, args, message):
    monkeypatch.chdir(tmp_path)
    result = waggle("dashboard", *args)
    assert result.exit_code in (1, 2)
    assert message in " ".join(result.output.split())


def test_a_snapshot_is_written_or_the_command_says_why_not(story, tmp_path):
    path = tmp_path / "week.html"
    result = waggle("dashboard", story, "--snapshot", path, "--theme", "dark")
    assert "The file needs nothing else" in result.output
    text = path.read_text()
    assert 'data-theme="dark"' in text
    assert "<img src=x" not in text
    bare = re.sub(r"<script>.*?</script>", "", text, flags=re.S)  # without Plotly's scripts
    assert len(bare) < len(text) / 4
    assert not re.search(r'(src|href)="https?:', bare)
    result = waggle("dashboard", story, "--snapshot", path, "--last", "2y")
    assert "last=2y is no span of time" in " ".join(result.output.split())
    result = waggle("dashboard", story, "--snapshot", tmp_path / "no" / "x.html")
    assert "cannot be written" in result.output


def _read(url):
    """The body at this URL, or None while nothing listens there."""
    with contextlib.suppress(OSError), urllib.request.urlopen(url) as answer:
        return answer.read()


def test_the_command_takes_the_data_folder_and_ends_with_control_c(story, tmp_path):
    (port,) = free_ports(1)
    command = [WAGGLE, "dashboard", story.parent, "--port", str(port)]
    running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{port}"
    try:
        assert b'"state":"live"' in blocking_until(lambda: _read(f"{url}/data/learning?last=all"))
        taken = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert taken.returncode == 1
        assert "give another --port" in taken.stderr
    finally:
        running.send_signal(signal.SIGINT)
    printed, _ = running.communicate(timeout=30)
    assert running.returncode == 0
    assert url in printed
    assert printed.endswith("Stopped.\n")


@pytest.mark.slow
def test_a_dashboard_that_ends_is_started_again_after_ever_longer_pauses(tmp_path):
    """Here each dashboard ends at once, because its port is taken."""
    config = Config.model_validate(
        {
            "server": {"data": str(tmp_path)},
            "backends": {"g": {"kind": "generator"}},
            "plans": {"p": {"ask": "g"}},
        }
    )
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = {"port": other.getsockname()[1]}
        dashboard = config.dashboard.model_copy(update=settings)
        now = [0.0]
        pages = Pages(config.model_copy(update={"dashboard": dashboard}), clock=lambda: now[0])
        for _ in range(2):
            pages.watch()
            first = pages._process
            assert first is not None
            assert first.wait(60) == 1
            pages.watch()
            assert pages._process is None  # the next start waits
            now[0] += 10
        pages.close()
    log = (tmp_path / "logs" / "dashboard.log").read_text()
    place = f"127.0.0.1:{settings['port']}"
    assert log.count(f"cannot listen at {place}: Address already in use") == 2


def test_a_disabled_dashboard_is_not_started(tmp_path):
    config = Config.model_validate(
        {
            "server": {"data": str(tmp_path), "port": 9100},
            "dashboard": {"enabled": False},
            "backends": {"g": {"kind": "generator"}},
            "plans": {"p": {"ask": "g"}},
        }
    )
    pages = Pages(config)
    pages.watch()
    assert (pages.url, pages._process) == ("", None)
    assert DashboardOptions.of(config).url == "http://127.0.0.1:9150"
    assert DashboardOptions.read(DashboardOptions.of(config).written()) == DashboardOptions.of(
        config
    )
