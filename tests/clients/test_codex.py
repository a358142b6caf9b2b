"""The real Codex does a small coding task through Waggle, over a backend of either dialect.

Where `make clients` did not install Codex, these tests are skipped.
"""

import json

import pytest

from router.cli.connecting import APPS
from tests.clients.coding import (
    AGENTS,
    BROKEN,
    DONE,
    MENDED,
    PATCH,
    RUN,
    TASK,
    Step,
    begin,
    run_agent,
    served,
)

CODEX = AGENTS / "codex"

pytestmark = pytest.mark.skipif(
    not CODEX.exists(), reason="Codex is not installed: `make clients` installs it"
)
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


async def run_codex(waggle, tmp_path, model):
    """Run Codex with the settings that `waggle connect codex` writes; what it printed."""
    settings = tmp_path / "home" / ".codex"
    settings.mkdir(parents=True)
    (settings / "config.toml").write_text(APPS["codex"].filled(waggle.url, model))
    begin(tmp_path / "work")
    options = ["--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "--json"]
    status, printed = await run_agent([str(CODEX), "exec", *options, TASK], tmp_path)
    assert status == 0, printed[-3000:]
    return printed, (tmp_path / "work" / "sums.py").read_text()


def named(backend):
    """A plan named like a model that Codex knows: to it Codex offers its own tool for patches."""
    return f"gpt-5.5: {{ask: {backend}}}"


@pytest.mark.parametrize("backend", ["chat", "claude"])
async def test_codex_mends_a_file_by_commands(tmp_path, backend):
    async with served(BY_COMMANDS, plan=named("chat")) as at:
        printed, program = await run_codex(at.waggle, tmp_path, f"over-{backend}")
        outputs = at.models[backend].outputs
        traces = at.waggle.journal.traces
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
    async with served(BY_PATCH, plan=named(backend)) as at:
        printed, program = await run_codex(at.waggle, tmp_path, "gpt-5.5")
        outputs = at.models[backend].outputs
    assert program == MENDED
    assert DONE in printed
    assert "Success" in outputs[1]
    assert "42" in outputs[2]
