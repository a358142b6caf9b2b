"""The programs under test, the loads they get, and what was measured."""

import contextlib
import itertools
import json
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from rich.progress import Progress

from experiments.overhead.prompts import MANY, SLOWLY, bodies
from experiments.overhead.service import (
    BANDIT,
    BUILD,
    CHAT,
    LADDER,
    Service,
    body_file,
    build,
    start_load,
)
from experiments.overhead.targets import PEERS, Launcher, Program, bare
from router.deployment.processes import end_descendants
from router.deployment.ray_environment import free_ports


@dataclass(frozen=True, slots=True)
class Load:
    """A kind of load: over how many connections, and what its prompts ask of the model server."""

    connections: int
    streaming: bool = False
    words: str = ""


LOADS = {
    "json, 1": Load(1),
    "json, 64": Load(64),
    "stream, 16": Load(16, True, SLOWLY),
    "tokens, 64": Load(64, True, MANY),
    "json, 16": Load(16),
    "json 50 ms, 16": Load(16, words=SLOWLY),
}
Figures = dict[str, float]  # of one target under one load
Measured = dict[str, dict[str, Figures]]  # by load, then by target


class Target(Protocol):
    """A program that answers chat completions on a port of this machine."""

    @property
    def port(self) -> int: ...
    @property
    def headers(self) -> Sequence[str]: ...
    @property
    def model(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Direct:
    """The model server itself."""

    port: int
    headers: Sequence[str] = ()
    model: str = "auto"


class Bench:
    """One model server, and the programs before it."""

    def __init__(self, folder: Path, *, seconds: float, rounds: int) -> None:
        self.folder = folder
        self.seconds = seconds
        self.rounds = rounds
        [port] = free_ports(1)
        self.direct = Direct(port)
        self._upstream: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        build()
        self._upstream = subprocess.Popen([BUILD / "upstream", str(self.direct.port)])
        return self

    def __exit__(self, *_: object) -> None:
        end_descendants()

    @contextmanager
    def waggle(self, objective: str = BANDIT) -> Iterator[Service]:
        """A Waggle that has learned, and whose answers are judged while it runs."""
        with Service(self._new_folder(), self.direct.port, objective=objective) as service:
            if objective:
                service.learn()
                service.judge_continually()
            yield service

    @contextmanager
    def program(self, name: str, launcher: Launcher) -> Iterator[Program]:
        [port] = free_ports(1)
        folder = self._new_folder()
        program = Program(name, launcher(port, self.direct.port, folder), port, folder)
        try:
            self._wait(program)
            yield program
        finally:
            program.stop()

    def target(self, name: str) -> contextlib.AbstractContextManager[Target]:
        if name == "bare":
            return self.program(name, bare)
        if name in PEERS:
            return self.program(name, PEERS[name])
        return self.waggle(LADDER if name == "ladder" else BANDIT)

    def alone(self, names: Sequence[str], kinds: Sequence[str]) -> Measured:
        """Each program with nothing but the model server beside it."""
        result: Measured = {}
        for name in names:
            with self.target(name) as target:
                seen = self._in_turns({"direct": self.direct, name: target}, kinds, f"{name} alone")
            assert self._upstream is not None
            end_descendants(keep=[self._upstream.pid])
            for kind, figures in seen.items():
                direct = result.setdefault(kind, {})
                direct[f"direct beside {name}"] = figures["direct"]
                direct[name] = figures[name]
        return result

    def together(self, names: Sequence[str], kinds: Sequence[str]) -> Measured:
        """All programs at once, loaded in turn, so that a noisy minute disturbs all of them."""
        with ExitStack() as stack:
            targets: dict[str, Target] = {"direct": self.direct}
            with Progress() as progress:
                for name in progress.track(names, description="starting all"):
                    targets[name] = stack.enter_context(self.target(name))
            return self._in_turns(targets, kinds, "together")

    def _in_turns(self, targets: dict[str, Target], kinds: Sequence[str], title: str) -> Measured:
        seen: dict[tuple[str, str], list[Figures]] = {}
        with Progress() as progress:
            steps = (self.rounds + 1) * len(targets) * len(kinds)
            task = progress.add_task(title, total=steps)
            for number in range(self.rounds + 1):
                for kind in kinds:
                    for name, target in targets.items():
                        progress.update(task, description=f"{title}: {kind}, {name}")
                        # The first round only warms up; the model server needs no long look.
                        brief = number == 0 or name == "direct"
                        measured = self.measure(target, kind, 1.0 if brief else self.seconds)
                        if number:
                            seen.setdefault((kind, name), []).append(measured)
                        progress.advance(task)
        result: Measured = {}
        for (kind, name), runs in seen.items():
            medians = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            medians["failed"] = sum(run["failed"] for run in runs)
            result.setdefault(kind, {})[name] = medians
        return result

    def start_load(self, target: Target, kind: str, seconds: float) -> subprocess.Popen[str]:
        load = LOADS[kind]
        fields = {"stream": True} if load.streaming else {}
        name = f"{kind} {target.model}".replace(",", "").replace(" ", "-")
        file = body_file(self.folder, name, words=load.words, model=target.model, **fields)
        return start_load(target.port, load.connections, seconds, file, target.headers)

    def measure(self, target: Target, kind: str, seconds: float) -> Figures:
        with self.start_load(target, kind, seconds) as loader:
            figures: Figures = json.loads(loader.communicate()[0])
        return figures

    def _new_folder(self) -> Path:
        """A folder with a short name: Ray and HAProxy put sockets below it."""
        folder = self.folder / str(next(self._numbers))
        folder.mkdir()
        return folder

    def _wait(self, program: Program, seconds: float = 120) -> None:
        body = bodies(model=program.model)[0].encode()
        headers = dict(header.split(": ", 1) for header in program.headers)
        request = urllib.request.Request(
            f"http://127.0.0.1:{program.port}{CHAT}",
            body,
            {"content-type": "application/json", **headers},
        )
        deadline = time.monotonic() + seconds
        while True:
            try:
                with urllib.request.urlopen(request, timeout=30) as response:
                    response.read()
                return
            except OSError as error:
                if program.process.poll() is not None or time.monotonic() > deadline:
                    log = program.log.read_text(errors="replace")[-2000:]
                    raise SystemExit(f"{program.name} answers nothing ({error}): {log}") from None
                time.sleep(0.1)
