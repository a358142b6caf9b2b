"""The way of one chat request through the files of the project, call by call.

The request runs in one process: caller, router and backend replica, over real sockets, as in the
tests. Each call of a function of ours is counted by the file that holds the function. A move is two
calls in a row whose functions stand in two files.
"""

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from tests.rig import rig
from tests.upstream import Upstream

ROOT = Path(__file__).parent.parent.parent
_OURS = tuple(f"{ROOT / package}/" for package in ("router", "learner", "sandbox"))
_CONFIGURATION = """
server: {{data: {data}}}
backends:
  small: {{kind: openai, base_url: "{url}"}}
  large: {{kind: openai, base_url: "{url}"}}
  sandbox: {{kind: sandbox}}
  football: {{kind: specialist, folder: "shipped:football"}}
plans:
  fast: {{ask: small}}
  dear: {{ask: large}}
  careful: {{cascade: [small, large], accept: {{regex: "."}}}}
  computed: {{code: sandbox}}
  documents: {{ask: football}}
reuse: {{mode: exact}}
"""


@dataclass
class Calls:
    """Calls of functions of ours, in their order."""

    files: list[str] = field(default_factory=list)
    functions: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, code: CodeType) -> None:
        if code.co_filename.startswith(_OURS):
            file = str(Path(code.co_filename).relative_to(ROOT))
            self.files.append(file)
            self.functions[file, code.co_qualname] += 1

    @property
    def moves(self) -> int:
        return sum(a != b for a, b in zip(self.files, self.files[1:], strict=False))


@contextmanager
def calls() -> Iterator[Calls]:
    """Every call while the context is open, in this thread."""
    made = Calls()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            made.add(frame.f_code)

    sys.setprofile(note)
    try:
        yield made
    finally:
        sys.setprofile(None)


async def chat_request() -> Calls:
    """The second request of a router: the first builds what later requests find."""
    with tempfile.TemporaryDirectory() as data:
        async with (
            Upstream().listening() as up,
            rig(_CONFIGURATION.format(url=up.url, data=data)) as waggle,
        ):
            await waggle.chat("What is the capital of France?")
            with calls() as made:
                answer = await waggle.chat("What is the capital of Spain?")
            assert answer.status == 200, answer.body
    return made


def of_one_request() -> Calls:
    return asyncio.run(chat_request())
