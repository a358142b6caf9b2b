"""The real Claude Code does a small coding task through Waggle, over a backend of either dialect.

Where `make clients` did not install Claude Code, these tests are skipped.
"""

import pytest

from router.cli.connecting import APPS
from router.keys import new_key
from tests.clients.coding import AGENTS, DONE, MENDED, TASK, Step, begin, run_agent, served

CLAUDE = AGENTS / "claude"

pytestmark = pytest.mark.skipif(
    not CLAUDE.exists(), reason="Claude Code is not installed: `make clients` installs it"
)
# The body of a request for this plan goes through its chat form.
TRANSLATED = "translated: {ask: claude, set: {max_tokens: 9000}}"
CHECK = "python3 -c 'import sums; print(40 + sums.add(1, 1))'"


def steps_in(work):
    path = str(work / "sums.py")
    return [
        Step("Read", {"file_path": path}),
        Step("Edit", {"file_path": path, "old_string": "a - b", "new_string": "a + b"}),
        Step("Bash", {"command": CHECK, "description": "Run it"}),
        Step(words=DONE),
    ]


def served_in(work, keys=()):
    return served(steps_in(work), plan=TRANSLATED, keys=keys)


async def run_claude(waggle, tmp_path, model, *, key="none"):
    """Run Claude Code by the very text that `waggle connect claude-code` prints."""
    *settings, command = APPS["claude-code"].filled(waggle.url, model).splitlines()
    assert command == "claude"
    command = f"{CLAUDE} -p '{TASK}' --allowedTools Read,Edit,Bash"
    return await run_agent(["bash", "-c", "\n".join([*settings, command])], tmp_path, key=key)


@pytest.mark.parametrize(
    ("model", "backend"),
    [("over-chat", "chat"), ("over-claude", "claude"), ("translated", "claude")],
)
async def test_claude_code_mends_a_file_and_runs_it(tmp_path, model, backend):
    begin(tmp_path / "work")
    async with served_in(tmp_path / "work") as at:
        status, printed = await run_claude(at.waggle, tmp_path, model)
        outputs, traces = at.models[backend].outputs, at.waggle.journal.traces
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
    async with served_in(tmp_path / "work") as at:
        await run_claude(at.waggle, tmp_path, "over-claude")
        wires = at.anthropic.seen
    assert {wire.path for wire in wires} == {"/v1/messages"}
    assert all("claude-code-" in wire.headers["anthropic-beta"] for wire in wires)
    assert all(wire.fields["model"] == "claude-sonnet-4-5" for wire in wires)
    assert all(wire.fields["context_management"] for wire in wires)


async def test_claude_code_sends_its_key_where_the_service_has_keys(tmp_path):
    begin(tmp_path / "work")
    text, key = new_key("coder", "2026-01-01T00:00:00+00:00", scopes=("app",))
    async with served_in(tmp_path / "work", keys=[key]) as at:
        status, printed = await run_claude(at.waggle, tmp_path, "over-chat", key=text)
        assert status == 0, printed
        assert {trace.request.key_id for trace in at.waggle.journal.traces} == {key.id}
