"""`python -m experiments.attack.stalls`: how long one caller's body keeps all others waiting.

A whole router runs in this process. A task ticks every 5 ms on its event loop; the longest gap
between two ticks, while a hostile body is parsed, routed, answered and written down, is the stall.
A backend of the test kind answers at once from the same loop, so its share counts too.
"""

import asyncio
import gc
import http.client
import json
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from tests.rig import rig
from tests.upstream import Upstream, Wire, completion

TARGET_SECONDS = 0.25
_TICK_SECONDS = 0.005
_WHERE_SECONDS = 0.06  # a stall of this length is looked at from another thread
_KB, _MB = 1024, 2**20
_CONFIG = """
server: {{data: "{data}"}}
reuse: {{mode: {reuse}}}
backends:
  a: {{kind: openai, base_url: "{url}"}}
  s: {{kind: sandbox}}
  v: {{kind: validator}}
  g: {{kind: generator}}
  e: {{kind: encoder}}
plans: {{p: {{ask: a}}, q: {{code: s}}}}
"""


@dataclass(frozen=True, slots=True)
class Attack:
    name: str
    body: bytes
    path: str = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Stall:
    """The longest time in which the event loop did nothing else, and what it did."""

    attack: Attack
    status: int
    seconds: float
    whole_seconds: float
    where: str


def chat(content: Any, **more: Any) -> bytes:
    body = {"model": "auto", "messages": [{"role": "user", "content": content}]}
    return json.dumps(body | more).encode()


def texts(size: int) -> Iterator[tuple[str, str]]:
    wish = "Generate 100 normal values with mean 3 "
    for name, unit in (
        ("digits", "1"),
        ("letters and dots", "a."),
        ("numbers and commas", "1, "),
        ("lists", "[1, 2] "),
        ("blanks", " "),
        ("empty lines", "\n"),
        ("words", "the mean of age "),
        ("escapes", '\\"'),
        ("Chinese", "\u4e2d\u6587"),
        ("open braces", "{"),
        ("a table", "1,2,3\n"),
    ):
        yield name, (wish + unit * (size // len(unit)))[:size]


def attacks(small: bool = False) -> Iterator[Attack]:
    sizes = (64 * _KB,) if small else (64 * _KB, 128 * _KB, _MB, 8 * _MB - 4096)
    for size in sizes:
        shown = f"{size // _KB} KB" if size < _MB else f"{size / _MB:.0f} MB"
        for name, text in texts(size):
            body = chat(text)
            if len(body) <= 8 * _MB:
                yield Attack(f"{shown} of {name}", body)
        yield from shaped(size, shown)


def shaped(size: int, shown: str) -> Iterator[Attack]:
    """Bodies that are large in their structure rather than in one text."""

    def many(item: str, start: str, end: str) -> bytes:
        count = (size - len(start) - len(end)) // (len(item) + 1)
        return (start + ",".join([item] * count) + end).encode()

    begin, user = '{"model":"auto","messages":[', '{"role":"user","content":"hi"}'
    whole = begin + user + "]"
    yield Attack(f"{shown} of messages", many(user, begin, "]}"))
    part = '{"type":"text","text":"a"}'
    yield Attack(f"{shown} of parts", many(part, begin + '{"role":"user","content":[', "]}]}"))
    tool = '{"type":"function","function":{"name":"f"}}'
    yield Attack(f"{shown} of tools", many(tool, whole + ',"tools":[', "]}"))
    yield Attack(f"{shown} of lists", many("[]", whole + ',"x":[', "]}"))
    yield Attack(f"{shown} of objects", many('{"a":{}}', whole + ',"model2":0,"x":[', "]}"))
    yield Attack(f"{shown} of models", many('{"model":""}', whole + ',"x":[', "]}"))
    yield Attack(f"{shown} of numbers", many("1.5e10", whole + ',"x":[', "]}"))
    row = '{"a":1,"b":2}'
    data = ',"data":['
    mean = whole.replace("hi", "What is the mean of a?")
    yield Attack(f"{shown} of data", many(row, mean + data, "]}"))
    keys = ",".join(f'"k{n}":1' for n in range((size - 200) // 12))
    yield Attack(f"{shown} of keys", f"{whole},{keys}}}".encode())
    yield Attack(f"{shown} of a shape", f'{whole},"shape":{{{keys}}}}}'.encode())
    texts_ = ",".join(['"a b c"'] * min(size // 8, 2048))
    embedding = f'{{"model":"e","input":[{texts_}]}}'
    yield Attack(f"{shown} of embeddings", embedding.encode(), "/v1/embeddings")
    word = f'{{"model":"e","input":"{"a" * (size - 100)}"}}'
    yield Attack(f"{shown} of one word to embed", word.encode(), "/v1/embeddings")


_WARM_UPS = (
    Attack("a warm-up", chat("hi")),
    Attack("a model to load", b'{"model":"e","input":"a"}', "/v1/embeddings"),
)


@dataclass
class Watch:
    """Ticks on the event loop, and looks from another thread at what keeps it."""

    longest: float = 0.0
    where: str = ""
    _last: float = field(default_factory=time.perf_counter)
    _cpu: float = field(default_factory=time.process_time)
    _done: bool = False

    async def __aenter__(self) -> "Watch":
        self._loop_thread = threading.get_ident()
        self._task = asyncio.ensure_future(self._tick())
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._done = True
        await self._task

    def restart(self) -> None:
        self.longest, self.where = 0.0, ""
        self._last, self._cpu = time.perf_counter(), time.process_time()

    async def _tick(self) -> None:
        while not self._done:
            await asyncio.sleep(_TICK_SECONDS)
            now, cpu = time.perf_counter(), time.process_time()
            # On a busy machine a gap may be another program's; it needs CPU time of this process.
            gap = min(now - self._last - _TICK_SECONDS, cpu - self._cpu)
            self.longest = max(self.longest, gap)
            self._last, self._cpu = now, cpu

    def _look(self) -> None:
        while not self._done:
            time.sleep(0.01)
            gap = min(time.perf_counter() - self._last, time.process_time() - self._cpu)
            if gap > max(_WHERE_SECONDS, self.longest):
                frames = sys._current_frames()
                stack = traceback.extract_stack(frames[self._loop_thread])
                ours = [f for f in stack if "/router/" in f.filename or "/sandbox/" in f.filename]
                last = (ours or stack)[-1]
                self.where = f"{Path(last.filename).name}:{last.lineno} {last.name}"


async def answer(wire: Wire) -> None:
    await wire.json(completion())


def send(url: str, attack: Attack) -> int:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)
    headers = {"content-type": "application/json"}
    connection.request("POST", attack.path, attack.body, headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


async def stalls(*, small: bool = False, named: str = "") -> list[Stall]:
    measured = []
    with TemporaryDirectory() as data:
        async with Upstream(answer).listening() as up:
            config = _CONFIG.format(url=up.url, data=data, reuse="exact")
            async with rig(config) as running, Watch() as watch:
                for attack in (*_WARM_UPS, *attacks(small)):
                    if named not in attack.name and attack not in _WARM_UPS:
                        continue
                    up.seen.clear()
                    running.journal.traces.clear()
                    watch.restart()
                    begun = time.perf_counter()
                    status = await asyncio.to_thread(send, running.url, attack)
                    await asyncio.sleep(0.1)
                    whole = time.perf_counter() - begun - 0.1
                    measured.append(Stall(attack, status, watch.longest, whole, watch.where))
                    print(row(measured[-1]), flush=True)
                    if attack in _WARM_UPS:
                        gc.freeze()  # as a replica does after its start
                        gc.set_threshold(50_000, 20, 50)
    return measured[len(_WARM_UPS) :]


def row(stall: Stall) -> str:
    held = "held" if stall.seconds <= TARGET_SECONDS else "TOO LONG"
    times = f"{1000 * stall.seconds:8.0f} {1000 * stall.whole_seconds:8.0f}"
    return f"{times}  {stall.status}  {held:8}  {stall.attack.name:34} {stall.where}"


def main() -> None:
    print("stall ms whole ms status")
    named = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    measured = asyncio.run(stalls(small="--small" in sys.argv, named=named))
    longest = max(measured, key=lambda stall: stall.seconds)
    print(f"longest: {1000 * longest.seconds:.0f} ms, by {longest.attack.name}")
    sys.exit(any(stall.seconds > TARGET_SECONDS for stall in measured))


if __name__ == "__main__":
    main()
