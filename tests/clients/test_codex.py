"""The real Codex does a small coding task through Waggle, over a backend of either dialect.

Codex is 400 MB of a program, so nothing but `make clients` installs it. Without it these tests are
skipped.
"""

import json
import os
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from router.cli.connecting import APPS
from tests.clients.coding import (
    BROKEN,
    DONE,
    MENDED,
    PATCH,
    RUN,
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
CODEX = CLIENTS / "agents" / "node_modules" / ".bin" / "codex"

pytestmark = pytest.mark.skipif(
    not CODEX.exists(), reason="Codex is not installed: `make clients` installs it"
)
CONFIG = """
backends:
  chat: {{kind: openai, base_url: "{chat}", price: {{input: 1, output: 2}}}}
  claude: {{kind: anthropic, base_url: "{claude}", model: claude-sonnet-4-5, api_key: "${{K}}",
            price: {{input: 1, output: 2}}, leave_out: [verbosity]}}
plans:
  over-chat: {{ask: chat}}
  over-claude: {{ask: claude}}
  gpt-5.5: {{ask: {named}}}  # a model that Codex knows: it offers its own tool for patches
"""
BY_COMMANDS = [
    Step("exec_command", {"cmd": "cat sums.py"}),
    Step("exec_command", {"cmd": f"sed -i 's/a - b/a + b/' sums.py && {RUN}"}),
    Step(words=DONE),
]
BY_PATCH = [
    Step("exec_command", {"cmd": "cat sums.py"}),
    Step("apply_patch", {"input": PATCH}),
    Step("exec_command", {"cmd": RUN}),
    Step(words=DONE),
]


@asynccontextmanager
async def served(steps, *, named="chat"):
    chat, claude = ChatModel(steps), ClaudeModel(steps)
    async with Upstream(chat).listening() as openai, Upstream(claude).listening() as anthropic:
        address = anthropic.url.removesuffix("/v1")
        async with rig(CONFIG.format(chat=openai.url, claude=address, named=named)) as r:
            r.models = {"chat": chat, "claude": claude}
            yield r


async def run_codex(r, tmp_path, model):
    """Run Codex with the settings that `waggle connect codex` writes; what it printed."""
    home, work = tmp_path / "home", tmp_path / "work"
    (home / ".codex").mkdir(parents=True)
    (home / ".codex" / "config.toml").write_text(APPS["codex"].filled(r.url, model))
    begin(work)
    options = ["--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "--json"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "WAGGLE_API_KEY": "none"}
    done = await anyio.run_process(
        [str(CODEX), "exec", *options, TASK],
        cwd=work,
        env=environment,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        check=False,
    )
    printed = done.stdout.decode()
    assert done.returncode == 0, printed[-3000:]
    return printed, (work / "sums.py").read_text()


@pytest.mark.parametrize("backend", ["chat", "claude"])
async def test_codex_mends_a_file_by_commands(tmp_path, backend):
    async with served(BY_COMMANDS) as r:
        printed, program = await run_codex(r, tmp_path, f"over-{backend}")
        outputs = r.models[backend].outputs
        traces = r.journal.traces
    assert program == MENDED
    assert DONE in printed
    assert json.dumps(BROKEN)[1:-1].split("\\n")[0] in outputs[0]
    assert "42" in outputs[1]
    assert {trace.request.dialect for trace in traces} == {"responses"}
    assert {trace.status for trace in traces} == {200}
    assert {trace.backend for trace in traces} == {backend}
    assert len({trace.request.session for trace in traces}) == 1


@pytest.mark.parametrize("backend", ["chat", "claude"])
async def test_codex_mends_a_file_by_its_own_tool_for_patches(tmp_path, backend):
    async with served(BY_PATCH, named=backend) as r:
        printed, program = await run_codex(r, tmp_path, "gpt-5.5")
        outputs = r.models[backend].outputs
    assert program == MENDED
    assert DONE in printed
    assert "Success" in outputs[1]
    assert "42" in outputs[2]
