"""Counts the calls that one chat request makes, file by file.

Caller, router and backend replica run in one process and talk over real sockets, as in the tests.
The count covers every call of a function of the project, in the file that holds the function. A
move is two calls in a row to functions in different files.
"""

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
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
    """All calls of the project's functions, in the order of time."""

    files: list[str] = field(default_factory=list)
    functions: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, code: CodeType) -> None:
        if code.co_filename.startswith(_OURS):
            self.files.append(_file(code))
            self.functions[_file(code), code.co_qualname] += 1

    def of(self, function: Callable[..., Any]) -> int:
        code: CodeType = function.__code__
        return self.functions[_file(code), code.co_qualname]

    @property
    def moves(self) -> int:
        return sum(a != b for a, b in zip(self.files, self.files[1:], strict=False))


def _file(code: CodeType) -> str:
    return str(Path(code.co_filename).relative_to(ROOT))


@contextmanager
def calls() -> Iterator[Calls]:
    """Record every call that this thread makes while the context is open."""
    recorded = Calls()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            recorded.add(frame.f_code)

    sys.setprofile(note)
    try:
        yield recorded
    finally:
        sys.setprofile(None)


async def chat_request() -> Calls:
    """The calls of a router's second request, because the first one opens connections and
    caches."""
    with tempfile.TemporaryDirectory() as data:
        async with (
            Upstream().listening() as up,
            rig(_CONFIGURATION.format(url=up.url, data=data)) as waggle,
        ):
            await waggle.chat("What is the capital of France?")
            with calls() as recorded:
                answer = await waggle.chat("What is the capital of Spain?")
            assert answer.status == 200, answer.body
    return recorded


def of_one_request() -> Calls:
    return asyncio.run(chat_request())
