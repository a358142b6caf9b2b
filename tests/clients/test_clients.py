"""The clients that `waggle connect` names, against a running Waggle, as they are installed.

The clients need other versions of packages than Waggle does, so they live in `.venv-clients`, which
`make clients` makes. Without it these tests are skipped, and only the requests' shapes are tested.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from router.cli.connecting import APPS

ROOT = Path(__file__).parents[2]
CLIENTS = Path(os.environ.get("WAGGLE_CLIENTS") or ROOT / ".venv-clients")
PROGRAMS = Path(__file__).parent / "programs"
PLANS = ("auto", "fast", "uncounted", "piped", "voted", "stepped")
HELLO = {"plain": "hello", "stream": "hello"}

pytestmark = pytest.mark.skipif(
    not (CLIENTS / "bin" / "python").exists(),
    reason="the clients are not installed: `make clients` installs them and runs these tests",
)


def run(command, folder, *, key="none"):
    """Run a client's program with nothing of this process's environment but the path."""
    environment = {
        **{"PATH": f"{CLIENTS / 'bin'}:/usr/bin:/bin", "HOME": str(folder), "NO_COLOR": "1"},
        **{"WAGGLE_API_KEY": key, "OPENAI_API_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        **{"DO_NOT_TRACK": "1", "LANGSMITH_TRACING": "false", "ANONYMIZED_TELEMETRY": "false"},
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def report(client, served, tmp_path):
    program = PROGRAMS / f"with_{client}.py"
    command = [CLIENTS / "bin" / "python", program, served.url, "fast", *PLANS]
    return json.loads(run(command, tmp_path).splitlines()[-1])


@pytest.mark.parametrize(
    "app", ["openai", "langchain", "llamaindex", "dspy", "litellm", "agents-sdk"]
)
def test_the_program_that_connect_prints_runs_as_it_is(served, tmp_path, app):
    program = tmp_path / "program.py"
    program.write_text(APPS[app].filled(served.waggle.url, "auto"))
    before = len(served.waggle.journal.traces)
    printed = run([CLIENTS / "bin" / "python", program], tmp_path)
    assert "hello" in printed
    traces = served.waggle.journal.traces[before:]
    assert traces
    assert {trace.request.task for trace in traces} == {"my-task"}
    assert {trace.request.model for trace in traces} == {"auto"}
    assert {trace.status for trace in traces} == {200}


def test_feedback_goes_through_openais_client(served, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(APPS["openai"].filled(served.waggle.url, "fast"))
    before = len(served.waggle.journal.signals)
    printed = run([CLIENTS / "bin" / "python", program], tmp_path)
    signals = served.waggle.journal.signals[before:]
    [signal] = [signal for signal in signals if signal.source not in ("implicit", "outcome")]
    assert (signal.metric, signal.score) == ("thumbs", 1.0)
    assert "plan fast cost 0.0002" in printed


def test_curl_sends_what_connect_prints(served, tmp_path):
    printed = run(["bash", "-c", APPS["curl"].filled(served.waggle.url, "fast")], tmp_path)
    assert json.loads(printed)["choices"][0]["message"]["content"] == "hello"


def test_openais_client_reads_all_that_waggle_sends(served, tmp_path):
    seen = report("openai", served, tmp_path)
    assert {"auto", "fast", "own"} <= set(seen["models"])
    assert (seen["retrieved"], seen["missing"]) == ("auto", "model_not_found")
    called = {"city": "Paris"}
    assert seen["tools"] == {
        **{"arguments": called, "streamed": called},
        **{"after": "hello", "parsed": "Paris"},
    }
    assert seen["together"] == ["hello"] * 5
    expected = HELLO | {"finish": "stop", "usage": True}
    assert seen["of"] == dict.fromkeys(PLANS, expected)


def test_langchain_reads_all_that_waggle_sends(served, tmp_path):
    seen = report("langchain", served, tmp_path)
    called = {"city": "Paris"}
    assert seen["tools"] == {
        **{"arguments": called, "streamed": called},
        **{"after": "hello", "parsed": "Paris"},
    }
    expected = HELLO | {"async": "hello", "batch": ["hello", "hello"]}
    expected |= {"usage": True, "stream usage": True}
    assert seen["of"] == dict.fromkeys(PLANS, expected)


def test_llamaindex_reads_all_that_waggle_sends(served, tmp_path):
    seen = report("llamaindex", served, tmp_path)
    called = {"city": "Paris"}
    assert seen["tools"] == {"arguments": called, "streamed": called}
    assert seen["of"] == dict.fromkeys(PLANS, HELLO | {"complete": "hello"})


def test_dspy_reads_all_that_waggle_sends(served, tmp_path):
    seen = report("dspy", served, tmp_path)
    expected = {"plain": "hello", "predict": "hello", "reason": "hello", "usage": True}
    assert seen["of"] == dict.fromkeys(PLANS, expected)


def test_litellm_reads_all_that_waggle_sends(served, tmp_path):
    seen = report("litellm", served, tmp_path)
    called = {"city": "Paris"}
    assert seen["tools"] == {"arguments": called, "streamed": called}
    assert seen["of"] == dict.fromkeys(PLANS, HELLO | {"usage": True})


def test_aider_asks_with_the_file_that_connect_writes(served, tmp_path):
    if not (CLIENTS / "bin" / "aider").exists():
        pytest.skip("aider is not among the clients that are installed")
    (tmp_path / ".aider.conf.yml").write_text(APPS["aider"].filled(served.waggle.url, "auto"))
    quiet = ("--no-git", "--no-check-update", "--analytics-disable", "--yes-always", "--no-pretty")
    before = len(served.waggle.journal.traces)
    command = [CLIENTS / "bin" / "aider", *quiet, "--message", "/ask Why do bees dance?"]
    printed = run(command, tmp_path)
    assert "hello" in printed
    trace = served.waggle.journal.traces[before]
    assert (trace.request.model, trace.request.stream, trace.status) == ("auto", True, 200)
