"""A model that a script plays, in two dialects, for agents that do a small coding task.

The agents are programs of hundreds of MB, so nothing but `make clients` installs them.

It looks at a file, mends it, runs it, and says what it did. The next step follows from how many
outputs of tools the conversation has, so that a lost output makes the model repeat itself.
"""

import json
import os
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from router.keys import Key
from tests.dialect_servers import AnthropicServer, message, text
from tests.rig import Rig, rig
from tests.upstream import Upstream, Wire, completion, delta

_CLIENTS = os.environ.get("WAGGLE_CLIENTS") or Path(__file__).parents[2] / ".venv-clients"
AGENTS = Path(_CLIENTS) / "agents" / "node_modules" / ".bin"
_BACKENDS = """
backends:
  chat: {{kind: openai, base_url: "{chat}", price: {{input: 1, output: 2}}}}
  claude: {{kind: anthropic, base_url: "{claude}", model: claude-sonnet-4-5, api_key: "${{K}}",
            price: {{input: 1, output: 2}}, leave_out: [verbosity]}}
plans:
  over-chat: {{ask: chat}}
  over-claude: {{ask: claude}}
"""
BROKEN = "def add(a, b):\n    return a - b\n"
MENDED = "def add(a, b):\n    return a + b\n"
TASK = "Mend add in sums.py, and run it."
DONE = "I mended add."
RUN = "python3 -c 'import sums; print(40 + sums.add(1, 1))'"
PATCH = """\
*** Begin Patch
*** Update File: sums.py
@@
 def add(a, b):
-    return a - b
+    return a + b
*** End Patch"""


@dataclass(frozen=True)
class Step:
    """A call of a tool, or the last words."""

    tool: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    words: str = ""


def begin(folder: Path) -> None:
    folder.mkdir()
    (folder / "sums.py").write_text(BROKEN)


@dataclass
class ChatModel:
    """The model behind a server of chat completions."""

    steps: list[Step]
    outputs: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, wire: Wire) -> None:
        self.bodies.append(wire.fields)
        self.outputs = [
            json.dumps(m["content"]) for m in wire.fields["messages"] if m["role"] == "tool"
        ]
        step = self.steps[min(len(self.outputs), len(self.steps) - 1)]
        calls = [
            {"index": 0, "id": f"call_{len(self.outputs)}", "type": "function"}
            | {"function": {"name": step.tool, "arguments": json.dumps(step.arguments)}}
        ]
        answered: dict[str, Any] = {"content": step.words} if step.words else {"tool_calls": calls}
        finish = "stop" if step.words else "tool_calls"
        if not wire.fields.get("stream"):
            answer = completion()
            answer["choices"][0] |= {"message": {"role": "assistant", "content": None} | answered}
            answer["choices"][0]["finish_reason"] = finish
            await wire.json(answer)
            return
        wire.events()
        chunk = delta()
        chunk["choices"][0]["delta"] = answered
        await wire.event(chunk)
        await wire.event(delta(finish=finish))
        await wire.event(delta() | {"choices": [], "usage": completion()["usage"]})
        await wire.event(b"[DONE]")
        await wire.chunk(b"")


@dataclass
class ClaudeModel:
    """The same model behind Anthropic's API, which refuses what the real one refuses."""

    steps: list[Step]
    outputs: list[str] = field(default_factory=list)
    server: AnthropicServer = field(default_factory=AnthropicServer)

    async def __call__(self, wire: Wire) -> None:
        self.outputs = [
            json.dumps(block.get("content"))
            for entry in wire.fields["messages"]
            if isinstance(entry["content"], list)
            for block in entry["content"]
            if block["type"] == "tool_result"
        ]
        step = self.steps[min(len(self.outputs), len(self.steps) - 1)]
        if step.words:
            self.server.answer = message(text(step.words))
        else:
            called = {"type": "tool_use", "id": f"toolu_{len(self.outputs)}"}
            called |= {"name": step.tool, "input": step.arguments}
            self.server.answer = message(called, stop="tool_use")
        await self.server(wire)


@dataclass(frozen=True)
class Served:
    """A Waggle before both models, and the server that plays Anthropic."""

    waggle: Rig
    models: Mapping[str, ChatModel | ClaudeModel]
    anthropic: Upstream


@asynccontextmanager
async def served(
    steps: list[Step], *, plan: str, keys: Sequence[Key] = ()
) -> AsyncIterator[Served]:
    """Run a Waggle over both models, with this line added to its plans."""
    chat, claude = ChatModel(steps), ClaudeModel(steps)
    async with Upstream(chat).listening() as openai, Upstream(claude).listening() as anthropic:
        address = anthropic.url.removesuffix("/v1")
        text = _BACKENDS.format(chat=openai.url, claude=address) + f"  {plan}\n"
        async with rig(text, keys=keys) as waggle:
            yield Served(waggle, {"chat": chat, "claude": claude}, anthropic)


async def run_agent(command: Sequence[str], folder: Path, *, key: str = "none") -> tuple[int, str]:
    """Run an agent in `folder/work`, with a home of its own; its status and what it printed."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    done = await anyio.run_process(
        command,
        cwd=folder / "work",
        env={"PATH": os.environ["PATH"], "HOME": str(home), "WAGGLE_API_KEY": key},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout.decode()
