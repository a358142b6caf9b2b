"""The real Claude Code does a small coding task through Waggle, over a backend of either dialect.

Claude Code is 230 MB of a program, so nothing but `make clients` installs it. Without it these
tests are skipped.
"""

import os
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from router.cli.connecting import APPS
from router.keys import new_key
from tests.clients.coding import (
    DONE,
    MENDED,
    TASK,
    ChatModel,
    ClaudeModel,
    Step,
    begin,
)
from tests.rig import rig
from tests.upstream import Upstream

ROOT = Path(__file__).parents[2]
CLIENTS = Path(os.environ.get("WAGGLE_CLIENTS") or ROOT / ".venv-clients")
CLAUDE = CLIENTS / "agents" / "node_modules" / ".bin" / "claude"

pytestmark = pytest.mark.skipif(
    not CLAUDE.exists(), reason="Claude Code is not installed: `make clients` installs it"
)
CONFIG = """
backends:
  chat: {{kind: openai, base_url: "{chat}", price: {{input: 1, output: 2}}}}
  claude: {{kind: anthropic, base_url: "{claude}", model: claude-sonnet-4-5, api_key: "${{K}}",
            price: {{input: 1, output: 2}}}}
plans:
  over-chat: {{ask: chat}}
  over-claude: {{ask: claude}}
  translated: {{ask: claude, set: {{max_tokens: 9000}}}}  # so the body goes through its chat form
"""
CHECK = "python3 -c 'import sums; print(40 + sums.add(1, 1))'"


def steps_in(work):
    path = str(work / "sums.py")
    return [
        Step("Read", {"file_path": path}),
        Step("Edit", {"file_path": path, "old_string": "a - b", "new_string": "a + b"}),
        Step("Bash", {"command": CHECK, "description": "Run it"}),
        Step(words=DONE),
    ]


@asynccontextmanager
async def served(work, keys=()):
    chat, claude = ChatModel(steps_in(work)), ClaudeModel(steps_in(work))
    async with Upstream(chat).listening() as openai, Upstream(claude).listening() as anthropic:
        address = anthropic.url.removesuffix("/v1")
        config = CONFIG.format(chat=openai.url, claude=address)
        async with rig(config, keys=keys) as r:
            r.models = {"chat": chat, "claude": claude}
            r.anthropic = anthropic
            yield r


async def run_claude(r, tmp_path, model, *, key="none"):
    """Run Claude Code by the very text that `waggle connect claude-code` prints."""
    *settings, command = APPS["claude-code"].filled(r.url, model).splitlines()
    assert command == "claude"
    command = f"{CLAUDE} -p '{TASK}' --allowedTools Read,Edit,Bash"
    home = tmp_path / "home"
    home.mkdir()
    done = await anyio.run_process(
        ["bash", "-c", "\n".join([*settings, command])],
        cwd=tmp_path / "work",
        env={"PATH": os.environ["PATH"], "HOME": str(home), "WAGGLE_API_KEY": key},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout.decode()


@pytest.mark.parametrize(
    ("model", "backend"),
    [("over-chat", "chat"), ("over-claude", "claude"), ("translated", "claude")],
)
async def test_claude_code_mends_a_file_and_runs_it(tmp_path, model, backend):
    begin(tmp_path / "work")
    async with served(tmp_path / "work") as r:
        status, printed = await run_claude(r, tmp_path, model)
        outputs, traces = r.models[backend].outputs, r.journal.traces
    assert status == 0, printed[-3000:]
    assert (tmp_path / "work" / "sums.py").read_text() == MENDED
    assert DONE in printed
    assert "return a - b" in outputs[0]
    assert "42" in outputs[2]
    assert {trace.request.dialect for trace in traces} == {"messages"}
    assert {(trace.status, trace.backend) for trace in traces} == {(200, backend)}
    assert {trace.request.task for trace in traces} == {"coding"}
    assert len({trace.request.session for trace in traces}) == 1
    assert all(trace.request.session_given for trace in traces)


async def test_anthropics_api_gets_claude_codes_own_bytes_and_headers(tmp_path):
    begin(tmp_path / "work")
    async with served(tmp_path / "work") as r:
        await run_claude(r, tmp_path, "over-claude")
        wires = r.anthropic.seen
    assert {wire.path for wire in wires} == {"/v1/messages"}
    assert all("claude-code-" in wire.headers["anthropic-beta"] for wire in wires)
    assert all(wire.fields["model"] == "claude-sonnet-4-5" for wire in wires)
    assert all(wire.fields["context_management"] for wire in wires)


async def test_claude_code_sends_its_key_where_the_service_has_keys(tmp_path):
    begin(tmp_path / "work")
    text, key = new_key("coder", "2026-01-01T00:00:00+00:00", scopes=("app",))
    async with served(tmp_path / "work", keys=[key]) as r:
        status, printed = await run_claude(r, tmp_path, "over-chat", key=text)
        assert status == 0, printed
        assert {trace.request.key_id for trace in r.journal.traces} == {key.id}
