"""A soak test of telemetry: kills of its writers and keeper lose, double and hide no row.

    python -m tests.telemetry.soak [--kills 200] [--seed N]

Each writer notes outside the store how many of its rows were acknowledged. Each reader reads the
notes and then queries the store like an analyst: the store must have each noted row once, without
a gap. At the end `waggle telemetry verify` must find nothing. `make soak` runs the soak in full,
the test suite runs a small one.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from rich.progress import Progress

from router.domain import new_id
from router.files import write_whole
from router.telemetry.log import Log, Rotation
from router.telemetry.store.audit import verify
from router.telemetry.store.compact import Tiers
from router.telemetry.store.keep import Keeper, RetentionRules
from tests.telemetry import stored
from tests.waiting import blocking_until

# Small files and short periods, so that sealing, merging and removing overlap.
ROTATION = Rotation(seconds=0.3, rows=400)
RULES = RetentionRules(grace_seconds=5.0, tiers=Tiers(fan_in=3, smallest=1))


def write(folder: Path, name: str) -> None:
    """Append and sync rows for ever; after each sync, note the number of the last row."""
    logs = {
        table: Log(folder / "journal" / table, name, rotation=ROTATION)
        for table in ("requests", "signals")
    }
    acknowledged = {table: folder / "acknowledged" / f"{table}.{name}" for table in logs}
    chance = random.Random(name)
    while True:
        rows = [stored.request(int(time.time() * 1e6)) for _ in range(chance.randint(1, 40))]
        logs["requests"].append_many(rows)
        logs["signals"].append(
            stored.signal(rows[-1], chance.random(), signal_id=new_id(time.time()))
        )
        for table, log in logs.items():
            number = log.sync()
            write_whole(acknowledged[table], str(number).encode())
        time.sleep(chance.random() * 0.01)


def keep(folder: Path) -> None:
    keeper = Keeper(folder, RULES)
    keeper.recover()
    while True:
        keeper.seal()
        keeper.compact()
        keeper.sweep()
        time.sleep(0.1)


def read(folder: Path) -> None:
    """Compare the store with the writers' notes for ever; print each problem, or `ok`."""
    while True:
        before = acknowledged_rows(folder)
        try:
            problem = compare(before, seen(folder))
        except duckdb.Error as error:
            problem = f"reader error: {error}"
        print(problem or "ok", flush=True)


def acknowledged_rows(folder: Path) -> dict[tuple[str, str], int]:
    """The number of the last acknowledged row, for each table and writer."""
    acknowledged = {}
    for path in (folder / "acknowledged").iterdir():
        table, _, writer = path.name.partition(".")
        if not writer.endswith(".new"):
            with suppress(FileNotFoundError, ValueError):
                acknowledged[table, writer] = int(path.read_text())
    return acknowledged


Seen = Mapping[tuple[str, str], tuple[int, int, int, int]]


def seen(folder: Path) -> Seen:
    """Count, smallest, largest and sum of the row numbers, for each table and writer."""
    with duckdb.connect(str(folder / "telemetry.duckdb"), read_only=True) as con:
        rows = [
            ((table, writer), tuple(numbers))
            for table in ("requests", "signals")
            for writer, *numbers in con.execute(
                f"SELECT writer, count(*), min(n), max(n), sum(n) FROM all_{table} GROUP BY writer"
            ).fetchall()
        ]
    return dict(rows)


def compare(acknowledged: Mapping[tuple[str, str], int], rows: Seen) -> str:
    """The first problem in words: rows that are lost, doubled or left out. Empty without any."""
    for (table, writer), last in acknowledged.items():
        there = rows.get((table, writer), (0, 0, 0, 0))
        if there[2] < last:
            return f"{table} of {writer}: {last} were acknowledged, seen {there}"
    for (table, writer), (count, first, last, total) in rows.items():
        if (first, count, total) != (1, last, last * (last + 1) // 2):
            return f"{table} of {writer}: {count} rows from {first} to {last}, sum {total}"
    return ""


@dataclass
class SoakResult:
    kills: int = 0
    looks: int = 0
    rows: int = 0
    writers: int = 0
    problems: list[str] = field(default_factory=list)


class Crew:
    """The processes of this soak, by role."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.generation = 0

    def start(self, role: str) -> None:
        """Start a process, always under a new name, like a restarted router."""
        self.generation += 1
        name = f"{role}-{self.generation}"
        out = (self.folder / "output" / f"{name}.log").open("wb")
        command = [sys.executable, "-m", "tests.telemetry.soak", "--role", role.split(":")[0]]
        self.running[role] = subprocess.Popen(
            [*command, "--folder", str(self.folder), "--name", name.replace(":", "-")],
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        out.close()

    def kill(self, role: str) -> None:
        process = self.running.pop(role)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def problems(self) -> Iterator[str]:
        """The problems that readers printed, and the errors that ended other processes."""
        for path in (self.folder / "output").glob("*.log"):
            lines = path.read_text("utf-8", "replace").splitlines()
            yield from (f"{path.stem}: {line}" for line in lines if line != "ok")

    def looks(self) -> int:
        logs = (self.folder / "output").glob("reader*.log")
        return sum(path.read_text().count("ok\n") for path in logs)


@contextmanager
def crew(folder: Path, writers: int, readers: int) -> Iterator[Crew]:
    for name in ("acknowledged", "output"):
        (folder / name).mkdir()
    Keeper(folder, RULES).recover()
    crew = Crew(folder)
    try:
        for role in (
            "keeper",
            *(f"writer:{n}" for n in range(writers)),
            *(f"reader:{n}" for n in range(readers)),
        ):
            crew.start(role)
        yield crew
    finally:
        for role in list(crew.running):
            crew.kill(role)


def soak(folder: Path, *, kills: int, seed: int, writers: int = 4, readers: int = 8) -> SoakResult:
    chance = random.Random(seed)
    result = SoakResult()
    with crew(folder, writers, readers) as crew_, Progress(transient=True) as progress:
        task = progress.add_task("Killing …", total=kills)
        blocking_until(lambda: len(acknowledged_rows(folder)) >= 2 * writers)
        while result.kills < kills:
            time.sleep(chance.uniform(0.05, 0.8))
            # Half of the kills hit the keeper, because most steps that a kill can interrupt are the
            # keeper's.
            victims = [role for role in crew_.running if not role.startswith("reader")]
            role = "keeper" if chance.random() < 0.5 else chance.choice(victims)
            if crew_.running[role].poll() is not None:
                result.problems.append(f"{role} ended by itself")
                break
            crew_.kill(role)
            crew_.start(role)
            result.kills += 1
            progress.advance(task)
        time.sleep(1.5)  # the readers must also check the last rows
        result.looks = crew_.looks()
        result.problems += crew_.problems()
    acknowledged = acknowledged_rows(folder)
    Keeper(folder, RULES).recover()
    if problem := compare(acknowledged, seen(folder)):
        result.problems.append(f"at the end: {problem}")
    report = verify(folder)
    result.problems += [f"verify: {f.where}: {f.problem}" for f in report.findings]
    result.rows, result.writers = report.rows["requests"], len(acknowledged) // 2
    return result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--role")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--name", default="")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4)))
    given = parser.parse_args()
    match given.role:
        case "writer":
            write(given.folder, given.name)
        case "keeper":
            keep(given.folder)
        case "reader":
            read(given.folder)
        case _:
            print(f"seed {given.seed}")
            with tempfile.TemporaryDirectory() as folder:
                result = soak(Path(folder), kills=given.kills, seed=given.seed)
            print(result)
            sys.exit(bool(result.problems))


if __name__ == "__main__":
    main()
