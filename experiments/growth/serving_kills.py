"""Kills a serving router, its learner or both with SIGKILL while plans and programs grow.

python -m experiments.growth.serving_kills --times 50

A router and a learner run in processes of their own, on the data folder of one service: the router
serves an outsider's stream, and the learner finds patterns, makes plans and adopts them. At a
random moment one of them is killed, or both with everything that they started. Then a process that
knows nothing reads what is left, the killed ones start again, and the stream goes on.

What must hold: each answered request is one row of telemetry; what a process said it had made is
there, and no adopted plan is less than adopted; each plan that routers would get is whole, with the
words of its examples; each kept program compiles, and its line is there; no request fails; and a
killed router leaves no process behind.
"""

import argparse
import ast
import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import Any, TextIO

import duckdb

from experiments.demo import world_service
from experiments.growth.harness import BEGIN, WorldBackend, config_of
from experiments.growth.harness import Scene as GrowthScene
from experiments.growth.worlds import library, planted
from experiments.readme import put, table
from router.config.config import Config
from router.demo.in_process import Clock, InProcessService, in_process_service
from router.learning.publisher import Publisher
from router.plans.made import compiled_from
from router.reuse.solution_store import SolutionStore
from router.routing.messages import NewsRequest, Published
from router.telemetry.journal import FileJournal
from router.telemetry.metrics import Metrics
from router.telemetry.store.catalog import CATALOG_FILE
from router.trials.director import Director
from router.trials.made_trials import state_of

HERE = Path(__file__).parent
_SHORTEST, _LONGEST = 0.2, 3.0  # seconds of service before a kill
_KINDS, _REQUESTS = ("invoice", "triage", "spanish"), 50_000  # of the planted world
_SETTLE_EVERY = 4  # requests between two waits for the memory
_PATIENCE = 180.0  # seconds until a started process serves


class PlantedRoom:
    """Plans grow: three kinds of the planted world alone, in which examples help, so that patterns
    are found and plans are adopted within the seconds that the kills leave."""

    name = "plans"
    pause_seconds = 0.05  # between requests, so that a learner that lives for a second keeps up
    grows_first = (3, 400)  # made plans, and then requests, before the first kill

    def __init__(self) -> None:
        self.world = planted.World(0, _REQUESTS)
        self.world.stream = [r for r in self.world.stream if r.kind in _KINDS]
        self.scene = GrowthScene(self.world, self.world.answer)

    def config(self, folder: str) -> Config:
        growth = {"least_alike": 10, "explore": 0.5, "alpha": 0.4}
        changes = {"growth": growth, "telemetry": {"seal_seconds": 1}}
        return config_of([*planted.MODELS], folder, changes)

    def furnish(self, waggle: InProcessService) -> None:
        for name in planted.MODELS:
            waggle.hosts[name].backend = WorldBackend(name, self.scene)

    def begin(self, request: Any) -> None:
        self.scene.begin(request)


class LibraryRoom:
    """Programs are written and kept: the world whose requests repeat."""

    name = "programs"
    pause_seconds = 0.0
    grows_first = (0, 0)

    def __init__(self) -> None:
        self.world = library.World(0)
        by_text = {request.text: request for request in self.world.stream}
        self.scene = world_service.Scene(self.world, by_text=by_text)

    def config(self, folder: str) -> Config:
        config = world_service.config_of(library.MODELS, folder, start="large")
        return config.model_copy(
            update={"telemetry": config.telemetry.model_copy(update={"seal_seconds": 1})}
        )

    def furnish(self, waggle: InProcessService) -> None:
        for name in library.MODELS:
            waggle.hosts[name].backend = world_service.WorldModel(name, self.scene)
        waggle.hosts[world_service.AUTHOR].backend = world_service.WorldAuthor(self.scene)

    def begin(self, request: Any) -> None:
        self.scene.request = request


Room = PlantedRoom | LibraryRoom


# -- the processes --------------------------------------------------------------------------------


@dataclass
class LearnerElsewhere:
    """Stands for the learner in the router's process, and reaches it by a socket."""

    socket: str
    clock: Clock

    def turn(self) -> bool:
        return False

    def news(self, request: NewsRequest) -> Published:
        with Client(self.socket, "AF_UNIX") as connection:
            connection.send((self.clock.now, request))
            published: Published = connection.recv()
            return published

    def close(self) -> None:
        pass


def learner(room: Room, folder: str, socket: str, tell: Callable[..., None]) -> None:
    """Learn for ever, and tell the state of each made plan once it is durable."""
    config, clock = room.config(folder), Clock(BEGIN)
    journal = FileJournal(config.telemetry_folder, "learner", Metrics(), wall=clock)
    publisher = Publisher(config, journal, clock)

    def answer() -> None:
        with Listener(socket, "AF_UNIX") as listener:
            tell(ready=True)
            while True:
                with contextlib.suppress(EOFError, OSError), listener.accept() as connection:
                    now, request = connection.recv()
                    clock.now = max(clock.now, now)
                    connection.send(publisher.news(request))

    threading.Thread(target=answer, daemon=True).start()
    before: dict[str, str] = {}
    while True:
        publisher.turn()
        book = publisher.director.book
        states = {name: state_of(book, name) for name in book.made}
        if states != before:
            tell(made=states)
            before = states
        time.sleep(0.05)


async def router(
    room: Room, folder: str, socket: str, first: int, tell: Callable[..., None]
) -> None:
    """Serve the stream from request `first` on, and tell what was answered and what was kept."""
    stream, clock = room.world.stream, Clock(BEGIN + room.world.stream[first].at)
    remote: Any = LearnerElsewhere(socket, clock)
    async with in_process_service(
        room.config(folder), clock=clock, seed=first, publisher=remote
    ) as waggle:
        room.furnish(waggle)
        await waggle.ready()
        for n, request in enumerate(stream[first:], first):
            clock.now = max(clock.now, BEGIN + request.at)
            with contextlib.suppress(OSError, EOFError):  # the learner is dead: serve on
                await waggle.learn()
            room.begin(request)
            reply = await waggle.ask(request.text)
            trace = reply.trace
            tell(n=n, id=trace.request.id, status=reply.status, plan=trace.decision.plan)
            waggle.judge(trace, float(room.world.check(request, reply.text)))
            await asyncio.sleep(room.pause_seconds)
            if n % _SETTLE_EVERY == 0 and waggle.engine.recall is not None:
                await waggle.settled()
                store = waggle.engine.recall.memory.store
                if store is not None:
                    tell(kept=[s.id for s in store.everything("kind = 'program'")])


# -- what is left ---------------------------------------------------------------------------------


def looked_at(room: Room, folder: str, lives: "Lives", tell: Callable[..., None]) -> None:
    """Read what is left, as a process that was just started."""
    config = room.config(folder)
    journal = FileJournal(config.telemetry_folder, "look", Metrics())
    director = Director(config, journal, time.time)
    book, steering = director.book, director.steering
    states = {name: state_of(book, name) for name in book.made}
    lost = [name for name in lives.made if name not in states]
    lost += [
        name
        for name, state in lives.made.items()
        if state == "adopted" and states.get(name) in ("made", "waiting", "running", "decided")
    ]
    half, served = [], steering.made if steering is not None else ()
    for made in served:
        try:
            compiled_from(config, made)
        except ValueError as error:
            half.append(str(error))
        examples = made.plan.get("examples", [])
        if not all(isinstance(e, dict) and e.get("prompt") and e.get("answer") for e in examples):
            half.append(f"{made.name} lacks the words of its examples")
    names = {*config.plans, *config.backends, *book.made}
    half += [f"{plan} answered and is in no book" for plan in lives.plans - names]
    journal.close()
    half += [*_half_programs(config, lives, lost)]
    rows = _rows(config)
    tell(
        made=len(states),
        adopted=sum(state == "adopted" for state in states.values()),
        half=half,
        lost=lost,
        missing=sum(rows[id_] == 0 for id_ in lives.answered),
        doubled=sum(rows[id_] > 1 for id_ in lives.answered),
    )


def _half_programs(config: Config, lives: "Lives", lost: list[str]) -> Iterator[str]:
    if not (config.reuse_folder).exists():
        return
    store = SolutionStore(config.reuse_folder)
    yield from store.damage()
    programs = {s.id: s for s in store.everything("kind = 'program'")}
    lost += [f"program {id_}" for id_ in lives.programs if id_ not in programs]
    for id_, solution in programs.items():
        if solution.state != "proven":
            continue
        root = programs.get(solution.parent or id_)
        try:
            whole = root is not None and "solve" in solution.program
            ast.parse(solution.program)
        except SyntaxError:
            whole = False
        if not whole or not solution.answer or not solution.request:
            yield f"program {id_} is not whole"


def _rows(config: Config) -> Counter[str]:
    path = str(config.telemetry_folder / CATALOG_FILE)
    for _ in range(50):  # the keeper may be replacing the file
        with contextlib.suppress(duckdb.Error), duckdb.connect(path, read_only=True) as con:
            query = "select request_id, count(*) from requests group by all"
            return Counter(dict(con.execute(query).fetchall()))
        time.sleep(0.1)
    raise RuntimeError(f"{path} cannot be read")


# -- the driver -----------------------------------------------------------------------------------


@dataclass
class Child:
    """A forked process in a session of its own, and the lines that it told."""

    pid: int
    lines: TextIO
    heard: list[dict[str, Any]] = field(default_factory=list)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        for line in self.lines:
            if line.endswith("\n"):
                self.heard.append(json.loads(line))

    def until_heard(self, count: int = 1) -> None:
        deadline = time.monotonic() + _PATIENCE
        while len(self.heard) < count:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError(f"process {self.pid} told {len(self.heard)} lines and ended")
            time.sleep(0.02)

    def kill(self, *, whole: bool) -> None:
        if whole:
            os.killpg(self.pid, signal.SIGKILL)
        else:
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._thread.join(10)

    def left_behind(self) -> list[str]:
        """What the process started that is alive a while after its death; it is ended then."""
        alive: list[str] = []
        for _ in range(100):
            alive = alive_in(self.pid)
            if not alive:
                return []
            time.sleep(0.1)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return alive


def alive_in(group: int) -> list[str]:
    """The commands of a process group that run; what has ended and waits for its parent is dead."""
    commands = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] not in "ZX":
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                commands.append(f"{fields[0]} {command[:120]}")
    return commands


def forked(work: Callable[[Callable[..., None]], Any]) -> Child:
    """Run the work in a forked process; what it tells comes through a pipe, line by line."""
    read, write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write)
        return Child(pid, os.fdopen(read))
    code = 1
    try:
        os.setsid()
        os.close(read)

        def tell(**fields: Any) -> None:
            os.write(write, json.dumps(fields).encode() + b"\n")

        work(tell)
        code = 0
    except BaseException as error:
        print(f"{error!r}", file=sys.stderr, flush=True)
        raise
    finally:
        os._exit(code)


@dataclass
class Lives:
    """What the processes of one service told in all their lives."""

    room: Room
    folder: str
    answered: set[str] = field(default_factory=set)
    made: dict[str, str] = field(default_factory=dict)
    programs: set[int] = field(default_factory=set)
    plans: set[str] = field(default_factory=set)
    failed: int = 0
    next: int = 0
    learner: Child | None = None
    router: Child | None = None
    sockets: int = 0

    def begin(self) -> None:
        """Start what is not running, and wait until it serves."""
        if self.learner is None:
            self.sockets += 1
            socket = self.socket
            self.learner = forked(lambda tell: learner(self.room, self.folder, socket, tell))
            self.learner.until_heard()
        if self.router is None:
            first, socket = self.next, self.link
            self.router = forked(
                lambda tell: asyncio.run(router(self.room, self.folder, socket, first, tell))
            )
        self.router.until_heard(len(self.router.heard) + 1)

    def grow(self, plans: int, requests: int) -> None:
        """Serve until so many plans are made, and then so many requests more."""
        self.begin()
        deadline, needed = time.monotonic() + _PATIENCE, 0
        while len(self.answered) < needed or not needed:
            time.sleep(0.2)
            self._take()
            if time.monotonic() > deadline:
                break
            if not needed and len(self.made) >= plans:
                needed = len(self.answered) + requests

    @property
    def link(self) -> str:
        """The one name of the learner's socket, which outlives each learner."""
        return f"{self.folder}/learner.sock"

    @property
    def socket(self) -> str:
        with contextlib.suppress(FileNotFoundError):
            Path(self.link).unlink()
        return self.link

    def kill(self, which: str) -> list[str]:
        """Kill the router, the learner or all; returns what they left behind."""
        ended: list[Child] = []
        if which in ("router", "all") and self.router is not None:
            self.router.kill(whole=which == "all")
            ended.append(self.router)
        if which in ("learner", "all") and self.learner is not None:
            self.learner.kill(whole=which == "all")
            ended.append(self.learner)
        self._take()
        if self.router in ended:
            self.router = None
        if self.learner in ended:
            self.learner = None
        return [command for child in ended for command in child.left_behind()]

    def _take(self) -> None:
        for child in (self.router, self.learner):
            lines = list(child.heard) if child is not None else []
            for line in lines:
                if "id" in line:
                    self.answered.add(line["id"])
                    self.plans.add(line["plan"])
                    self.failed += line["status"] != 200
                    self.next = max(self.next, line["n"] + 1)
                self.made |= line.get("made", {})
                self.programs |= set(line.get("kept", ()))
            if child is not None:
                del child.heard[: len(lines)]

    def looked_at(self) -> dict[str, Any]:
        look = forked(lambda tell: looked_at(self.room, self.folder, self, tell))
        look.until_heard()
        os.waitpid(look.pid, 0)
        return look.heard[0]


@contextmanager
def service(room: Room) -> Iterator[Lives]:
    with tempfile.TemporaryDirectory() as folder:
        lives = Lives(room, folder)
        try:
            yield lives
        finally:
            lives.kill("all")


def measured(times: int, longest: float = _LONGEST) -> dict[str, Any]:
    chance = random.Random(1)
    total: Counter[str] = Counter()
    notes: list[str] = []
    for room, share in ((PlantedRoom(), times // 2), (LibraryRoom(), times - times // 2)):
        with service(room) as lives:
            lives.grow(*room.grows_first)
            for n in range(share):
                lives.begin()
                time.sleep(chance.uniform(_SHORTEST, longest))
                which = chance.choice(("router", "learner", "all"))
                behind = lives.kill(which)
                left = lives.looked_at()
                total["left_behind"] += len(behind)
                total["kills"] += 1
                total[f"of {which}"] += 1
                total["half_made"] += len(left["half"])
                total["lost"] += len(left["lost"])
                total["rows_missing"] += left["missing"]
                total["rows_doubled"] += left["doubled"]
                notes += behind + left["half"] + left["lost"]
                print(room.name, n + 1, which, left, len(lives.answered), file=sys.stderr)
            lives.begin()
            total["requests"] += len(lives.answered)
            total["requests_failed"] += lives.failed
            total["plans_made"] += left["made"]
            total["plans_adopted"] += left["adopted"]
            total["programs_kept"] += len(lives.programs)
    return {**total, "notes": [without_folders(note) for note in notes[:20]]}


def without_folders(note: str) -> str:
    """The note with the last name of each path alone: a result names no folder of the machine."""
    return " ".join(word.rpartition("/")[2] for word in note.split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--longest", type=float, default=_LONGEST, help="seconds between kills")
    options = parser.parse_args()
    result = measured(options.times, options.longest)
    path = HERE / "result.json"
    content: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(content | {"serving_kills": result}, indent=2) + "\n")
    put("growth kills", readme_table(result), "growth")
    print(json.dumps(result))


def readme_table(result: Mapping[str, Any]) -> str:
    rows = [[name.replace("_", " "), str(n)] for name, n in result.items() if name != "notes"]
    return table(["kill -9 while serving", "count"], rows)


if __name__ == "__main__":
    main()
