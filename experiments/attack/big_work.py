"""`python -m experiments.attack.big_work`: small requests that ask for endless work.

Each request goes to a service that runs, while a small honest request is sent over and over. The
table shows the answer's status and seconds, how far the memory of any one process grew, how much
of that was given back, and the longest time that the honest request took. A request is held if its
answer is no 5xx, no process grew by more than 256 MB, and the memory came back.

    python -m experiments.attack.big_work                       # starts a service
    python -m experiments.attack.big_work --url URL --pid PID   # attacks a service that runs
    python -m experiments.attack.big_work --cases FILE          # one JSON object a line: path, body
"""

import argparse
import json
import os
import resource
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.served import service
from router.deployment.processes import descendants

CHAT, EMBEDDINGS = "/v1/chat/completions", "/v1/embeddings"
MOST_GROWTH_MB, MOST_STALL_SECONDS, LONGEST_SECONDS = 256.0, 0.25, 30.0
_PAGE = resource.getpagesize()
_SETTLE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Case:
    """A hostile request; `leaves_after`: the seconds after which its caller hangs up."""

    why: str
    path: str
    body: Mapping[str, Any]
    leaves_after: float = LONGEST_SECONDS


@dataclass(frozen=True, slots=True)
class Outcome:
    case: Case
    status: int  # 0: the caller left
    seconds: float
    growth_mb: float
    kept_mb: float
    stall_seconds: float

    @property
    def held(self) -> bool:
        grew_little = self.growth_mb <= MOST_GROWTH_MB and self.kept_mb <= MOST_GROWTH_MB / 4
        return self.status < 500 and grew_little


def _chat(
    why: str, *, prompt: str = "x", leaves_after: float = LONGEST_SECONDS, **fields: Any
) -> Case:
    messages = [{"role": "user", "content": prompt}]
    return Case(why, CHAT, {"model": "generate", "messages": messages, **fields}, leaves_after)


def _schema(why: str, schema: Mapping[str, Any]) -> Case:
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    return _chat(why, response_format=wanted)


def _nested(inner: Any, *counts: int) -> Any:
    for count in counts:
        inner = [inner, count]
    return inner


def cases() -> Iterator[Case]:
    """The requests that a stranger sent, and the ones that such a person would try next."""
    number, text = {"type": "number"}, {"type": "string"}
    yield _chat("an array of 10^9", shape=[{"a": "int"}, 10**9])
    yield _chat("1000 x 1000 x 1000", shape=_nested({"a": "int"}, 1000, 1000, 1000))
    row = {"type": "array", "minItems": 10**4, "items": number}
    yield _schema("10^4 x 10^4", {"type": "array", "minItems": 10**4, "items": row})
    long = {"type": "object", "properties": {"a": {**text, "minLength": 10**9}}}
    yield _schema("minLength 10^9", long)
    yield _chat("10^12 records", shape={"a": "int"}, prompt="10^12 records please")
    yield _chat("n 10^9", n=10**9, shape={"a": "int"})
    wide = {f"f{n}": "string" for n in range(40)}
    yield _chat("a large honest job", shape=wide, count=10_000)
    yield _chat("a large job, left", shape=wide, count=10_000, leaves_after=2.0)
    yield _chat("a large stream, left", shape=wide, count=10_000, stream=True, leaves_after=2.0)
    yield _chat("one record of 10^6 values", shape=_nested("int", 1000, 990), leaves_after=10.0)
    empty: list[Any] = [{}] * 10_000
    yield _chat(
        "10^4 records to fill, left", model="enricher", records=empty, shape=wide, leaves_after=5.0
    )
    yield _chat(
        "2 x 10^6 tiny records", model="enricher", records=[{}] * 2_000_000, shape={"a": "int"}
    )
    loop = "every(items, every(items, every(items, every(items, it < 5))))"
    items = [{"items": [1] * 300}]
    yield _chat(
        "nested loops in a rule, left",
        model="validator",
        records=items,
        rules=[loop],
        leaves_after=5.0,
    )
    branches = {"$schema": "x", "anyOf": [{"type": "null"}] * 9_000}
    yield _chat("9000 branches over 1 MB", model="validator", records=["y" * 10**6], shape=branches)
    pattern = {"type": "object", "properties": {"a": {"pattern": "(x{1000}){1000}"}}}
    yield _chat("a pattern of 10^6", model="validator", records=[{"a": "x"}], shape=pattern)
    yield _chat("slow to mend", model="validator", prompt="['" * 200_000, rules=["a > 0"])
    yield Case(
        "2048 long texts, left",
        EMBEDDINGS,
        {"model": "encoder", "input": ["a b c " * 500] * 2048},
        10.0,
    )
    yield Case("one text of 7 MB", EMBEDDINGS, {"model": "encoder", "input": "hello " * 1_200_000})
    yield Case("2 x 10^5 texts", EMBEDDINGS, {"model": "encoder", "input": ["x"] * 200_000})
    yield Case(
        "dimensions 10^9", EMBEDDINGS, {"model": "encoder", "input": "x", "dimensions": 10**9}
    )


def cases_in(file: Path) -> Iterator[Case]:
    """Cases that somebody else wrote: `make` is a Python literal or `body` a JSON object."""
    for line in file.read_text().splitlines():
        row = json.loads(line)
        body = row["body"] if "body" in row else eval(row["make"])
        yield Case(row["why"], row["path"], body)


@dataclass(slots=True)
class _Watch:
    """The memory of each process of the service, and a small honest request, over and over."""

    url: str
    pid: int
    peaks: dict[int, int] = field(default_factory=dict)
    stall: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def memory(self) -> dict[int, int]:
        return {pid: _own_memory(pid) for pid in (self.pid, *descendants(self.pid))}

    def start(self) -> list[threading.Thread]:
        threads = [threading.Thread(target=work) for work in (self._look, self._ask)]
        for thread in threads:
            thread.start()
        return threads

    def stop(self, threads: Sequence[threading.Thread]) -> None:
        self._stop.set()
        for thread in threads:
            thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.1):
            for pid, memory in self.memory().items():
                self.peaks[pid] = max(memory, self.peaks.get(pid, 0))

    def _ask(self) -> None:
        honest = {"model": "generate", "messages": [{"role": "user", "content": "x"}]}
        while not self._stop.wait(0.1):
            begun = time.monotonic()
            _status(self.url + CHAT, {**honest, "shape": {"a": "int"}, "seed": 1}, LONGEST_SECONDS)
            self.stall = max(self.stall, time.monotonic() - begun)


def attacked(url: str, pid: int, case: Case) -> Outcome:
    """Send one hostile request, and measure the service meanwhile and afterwards."""
    watch = _Watch(url, pid)
    before = watch.memory()
    threads = watch.start()
    begun = time.monotonic()
    status = _status(url + case.path, case.body, case.leaves_after)
    seconds = time.monotonic() - begun
    time.sleep(_SETTLE_SECONDS)
    watch.stop(threads)
    after = watch.memory()
    grown = [watch.peaks[pid] - before.get(pid, watch.peaks[pid]) for pid in watch.peaks]
    kept = [after[pid] - before.get(pid, after[pid]) for pid in after]
    return Outcome(case, status, seconds, max(grown) / 2**20, max(kept) / 2**20, watch.stall)


def _status(url: str, body: Mapping[str, Any], seconds: float) -> int:
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            until = time.monotonic() + seconds
            while answer.read1(2**16):
                if time.monotonic() > until:
                    return 0
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _own_memory(pid: int) -> int:
    try:
        resident, shared = map(int, Path(f"/proc/{pid}/statm").read_text().split()[1:3])
    except (OSError, ValueError):
        return 0
    return (resident - shared) * _PAGE


def report(outcome: Outcome) -> str:
    case = outcome.case
    return (
        f"{'held' if outcome.held else 'NOT HELD':8} {outcome.status:4} {outcome.seconds:6.1f} s "
        f"{outcome.growth_mb:7.0f} MB {outcome.kept_mb:6.0f} MB kept "
        f"{outcome.stall_seconds * 1000:7.0f} ms  {case.why}"
    )


def attack(url: str, pid: int, tried: Sequence[Case]) -> list[Outcome]:
    outcomes = []
    _status(url + EMBEDDINGS, {"model": "encoder", "input": "warm"}, LONGEST_SECONDS)
    for case in tried:
        outcomes.append(attacked(url, pid, case))
        print(report(outcomes[-1]), flush=True)
    print(f"tried {len(outcomes)}, held {sum(outcome.held for outcome in outcomes)}")
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url")
    parser.add_argument("--pid", type=int)
    parser.add_argument("--cases", type=Path)
    given = parser.parse_args()
    tried = list(cases_in(given.cases) if given.cases else cases())
    if given.url:
        attack(given.url, given.pid, tried)
        return
    with service() as (url, _):
        attack(url, os.getpid(), tried)


if __name__ == "__main__":
    main()
