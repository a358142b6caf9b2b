"""Kills the learner and its lesson at every stage; the next learner goes on. `make bench-kills`

python -m experiments.training.kills.run [--kills 50]

A kill comes at a step that changes a file (an open for writing, a rename, a removal), or, where the
stage computes, at a moment of it. A first lesson without a kill counts the steps and the seconds.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from experiments import readme
from router.config.config import Config
from router.files import lock_if_free
from router.models.features import Asked
from router.models.models import Models
from router.models.registry import Registry
from router.training import head_trainer, run
from router.training.data_sets import DataSets
from router.training.lessons import lesson_run
from router.training.lessons.teaching import Teaching
from router.training.making import DataMaker
from router.training.model_changes import cards
from router.training.workplace import LOCK
from router.trials.director import Director
from tests.fakes import MemoryJournal
from tests.models import made as heads
from tests.telemetry.stored import NOON
from tests.training.lesson_world import RAW, World

HERE = Path(__file__).parent
STAGES = ("data set", "training", "evaluation", "registration", "trial entry")
COMPUTES = ("training", "evaluation")
ROWS = 240
_MOST_SECONDS = 600.0
_LATER = NOON / 1e6 + 7 * 86_400
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass
class Killer:
    """Kills at a step or at a moment of a stage; without either, it counts and measures."""

    folder: Path
    stage: str = ""
    step: int = -1  # that changes a file, from 0
    after: float = 0.0  # seconds
    learner: int = 0  # the process that is killed, too, or alone
    alone: bool = False
    steps: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    now: str = ""
    _since: float = 0.0

    def enter(self, stage: str) -> None:
        self.leave()
        self.now, self._since = stage, time.monotonic()
        if stage == self.stage and self.after:
            threading.Timer(self.after, self.kill).start()

    def leave(self) -> None:
        if self.now:
            self.seconds[self.now] += time.monotonic() - self._since
        self.now = ""

    def kill(self) -> None:
        if self.stage:
            self.stage = ""
            if self.learner:
                os.kill(self.learner, signal.SIGKILL)
            if not self.alone:
                os.kill(os.getpid(), signal.SIGKILL)

    def hears(self, event: str, args: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(args[2], int) and args[2] & _WRITES
        if not self.now or not (writes or event in ("os.rename", "os.remove", "os.rmdir")):
            return
        if str(args[0]).startswith(str(self.folder)):
            self.steps[self.now] += 1
            if self.now == self.stage and self.step == self.steps[self.now] - 1:
                self.kill()

    @contextmanager
    def during(self, stage: str) -> Iterator[None]:
        self.enter(stage)
        try:
            yield
        finally:
            self.leave()


def watched(killer: Killer) -> None:
    """Let the functions of each stage say when they begin and end. Only in a process of its own."""
    sys.addaudithook(killer.hears)

    def inside(owner: Any, name: str, stage: str) -> None:
        whole = getattr(owner, name)

        def part(*args: Any, **kwargs: Any) -> Any:
            with killer.during(stage):
                return whole(*args, **kwargs)

        setattr(owner, name, part)

    def from_then_on(owner: Any, name: str, stage: str) -> None:
        whole = getattr(owner, name)

        def begins(*args: Any, **kwargs: Any) -> Any:
            killer.enter(stage)
            return whole(*args, **kwargs)

        setattr(owner, name, begins)

    inside(DataMaker, "make", "data set")
    inside(run, "train_head", "training")
    vars(run)["TRAINERS"]["head"] = vars(run)["train_head"]
    inside(Teaching, "_end_training", "trial entry")
    from_then_on(head_trainer, "evaluated", "evaluation")
    from_then_on(run, "register", "registration")


class Forked:
    """A lesson in a process that was forked from the learner's, and that it outlives."""

    def __init__(self, folder: Path, killer: Killer) -> None:
        learner = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            killer.learner = learner if killer.stage != "trial entry" else 0
            try:
                lesson_run.main(folder)
                killer.leave()
                keep_counts(killer)
            finally:
                os._exit(0)

    def poll(self) -> int | None:
        done, status = os.waitpid(self.pid, os.WNOHANG)
        return status if done else None

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def keep_counts(killer: Killer) -> None:
    """Keep what was counted, beside the world's folder."""
    path = killer.folder.parent / "counted.json"
    before = json.loads(path.read_text()) if path.is_file() else {"steps": {}, "seconds": {}}
    seconds = {*before["seconds"], *killer.seconds}
    counted = {
        "steps": Counter(before["steps"]) + killer.steps,
        "seconds": {s: before["seconds"].get(s, 0.0) + killer.seconds[s] for s in seconds},
    }
    path.write_text(json.dumps(counted))


def learner(folder: Path, killer: Killer, *, write: bool = False) -> int:
    """A process that teaches until the lesson's plan is tried; its status is 0 if it came there."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        vars(run)["_encoder"] = lambda _job: None  # words are enough
        if write:
            made: Any = World
            world = made(folder, training=_LESSON)
            world.write(ROWS)
            world.stored.close()
            status = 0
        else:
            watched(killer)
            status = 0 if _tried(folder, killer) else 1
            keep_counts(killer)
    finally:
        sys.stdout.flush()
        os._exit(status)


_LESSON = {"triage": {"task": "tickets", "rows": 100}}


def _data(folder: Path) -> dict[str, Any]:
    return {"server": {"data": str(folder), "encoders": str(folder / "none")}}


def _tried(folder: Path, killer: Killer) -> bool:
    """Whether the plan of the lesson is tried after some turns of a learner."""
    config = Config.model_validate(RAW | _data(folder) | {"training": _LESSON})
    begun = time.monotonic()

    def now() -> float:
        """A minute passes in each tenth of a second."""
        return _LATER + 600 * (time.monotonic() - begun)

    director = Director(config, MemoryJournal(), now)
    taught = Teaching(director, config, now, lambda *_, **__: None, lambda at: Forked(at, killer))
    while time.monotonic() - begun < _MOST_SECONDS:
        taught.turn()
        if director.book.made:
            return True
        time.sleep(0.1)
    return False


@dataclass(frozen=True)
class Outcome:
    loads: bool
    serves: bool
    goes_on: bool
    once: bool  # one plan, one version, one data set


def killed(base: Path, folder: Path, killer: Killer) -> tuple[bool, Outcome]:
    """Whether the kill came, and what was so afterwards."""
    shutil.copytree(base, folder)
    came = learner(folder, killer) == -signal.SIGKILL
    models = folder / "models"
    loads, serves = _loads(models), _serves(models)
    goes_on = learner(folder, Killer(folder)) == 0
    _orphan_ended(folder)
    registry = Registry(models)
    registry.follow()
    versions = len(registry.book.models["triage"].versions)
    sets = DataSets(folder / "training" / "data").versions("triage")
    outcome = Outcome(
        loads and _loads(models),
        serves and _serves(models),
        goes_on,
        versions == 1 and len(sets) == 1,
    )
    return came, outcome


def _loads(models: Path) -> bool:
    return all(card is not None for card, *_ in cards(Registry(models)))


def _serves(models: Path) -> bool:
    guess = Models(models).get("before").model.of(Asked(heads.KNOWN["shipping"]))
    return bool(guess.answer == "shipping" and not guess.unsure)


def _orphan_ended(folder: Path) -> None:
    """Wait until a lesson that outlived its learner has ended."""
    begun = time.monotonic()
    while time.monotonic() - begun < _MOST_SECONDS:
        handle = lock_if_free(folder / "training" / "lessons" / "triage" / LOCK)
        if handle is not None:
            os.close(handle)
            return
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    kills = parser.parse_args().kills
    chance = random.Random(11)
    with TemporaryDirectory() as name:
        place = Path(name)
        base = place / "base" / "world"
        learner(base, Killer(base), write=True)
        heads.register(base / "models", name="before")
        (place / "count").mkdir()
        shutil.copytree(base, place / "count" / "world")
        if learner(place / "count" / "world", Killer(place / "count" / "world")) != 0:
            raise RuntimeError("a lesson that nobody kills does not come to a trial")
        counted = json.loads((place / "count" / "counted.json").read_text())
        print(counted, flush=True)
        lines = {stage: Counter[str]() for stage in STAGES}
        for number in range(kills):
            stage = STAGES[number % len(STAGES)]
            folder = place / str(number) / "world"
            killer = Killer(folder, stage, alone=stage != "trial entry" and chance.random() < 0.4)
            if stage in COMPUTES:
                killer.after = chance.uniform(0, 0.9) * counted["seconds"][stage] + 1e-3
            else:
                killer.step = chance.randrange(counted["steps"][stage])
            came, outcome = killed(base, folder, killer)
            print(number, stage, killer.alone, killer.step, came, outcome, flush=True)
            lines[stage]["kills"] += came
            lines[stage]["of the learner alone"] += came and killer.alone
            for what in ("loads", "serves", "goes_on", "once"):
                lines[stage][what] += came and getattr(outcome, what)
            shutil.rmtree(folder.parent)
            (HERE / "result.json").write_text(json.dumps({"stages": lines}, indent=2) + "\n")
    readme.put("kills", table(lines), "training/kills")


def table(lines: dict[str, Counter[str]]) -> str:
    head = [
        "stage",
        "kills",
        "of the learner alone",
        "the registry loads",
        "the last model serves",
        "the next learner comes to the trial",
        "by one version of the data and of the model",
    ]
    names = ("kills", "of the learner alone", "loads", "serves", "goes_on", "once")
    return readme.table(
        head, [[stage, *(str(line[name]) for name in names)] for stage, line in lines.items()]
    )


if __name__ == "__main__":
    main()
