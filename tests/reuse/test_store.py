"""The store: solutions survive kills, are judged, replaced, retired and forgotten."""

import contextlib
import os
import random
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from router.config.reuse import Reuse
from router.reuse.calibration import Calibration
from router.reuse.library import duplicates, template, variations
from router.reuse.lifecycle import Rating
from router.reuse.memory_keeper import MemoryKeeper
from router.reuse.solution_store import FILE, SolutionStore, UnreadableStore
from tests.reuse.soak import soak, solution
from tests.sparing import slow_after

NOW = 1_000_000.0


@pytest.fixture
def store(tmp_path):
    made = SolutionStore(tmp_path)
    yield made
    made.close()


def unproven(text: str, request_id: str):
    return replace(solution(text), state="unproven", request_id=request_id, created=NOW)


@pytest.mark.slow
def test_no_acknowledged_solution_is_lost_by_kills(tmp_path):
    report = soak(12, tmp_path, seed=3)
    assert report.problems == []
    assert report.acknowledged > 100


def test_several_writers_at_once_each_get_their_own_ids(tmp_path, store):
    ids: list[int] = []

    def write(name: int) -> None:
        other = SolutionStore(tmp_path)
        for n in range(20):
            ids.extend(other.add([solution(f"{name}.{n}")]))
        other.close()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ids) == list(range(1, 81))
    changes = store.changes(0)
    assert [c.solution for c in changes] == sorted(ids)  # the changes are in the order of their ids


def test_a_file_from_before_plans_had_prompts_is_brought_forward(tmp_path):
    before = SolutionStore(tmp_path)
    (id_,) = before.add([solution("a")])
    before.close()
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as file:
        file.execute("alter table solutions drop column form")
    after = SolutionStore(tmp_path)
    assert after.get(id_).form == ""
    (later,) = after.add([replace(solution("b"), form="f")])
    assert after.get(later).form == "f"
    after.close()


def test_a_rating_proves_a_solution_and_a_bad_one_puts_it_away(store):
    first, second = store.add([unproven("a", "r1"), unproven("b", "r2")])
    assert store.exact(solution("a").exact, NOW) is None
    store.judge([Rating("r1", 1.0, 1.0, "app: score")], expires=NOW + 60)
    assert store.rated() == [first]
    assert store.exact(solution("a").exact, NOW) is None
    assert store.prove(first, "a", "Paris.")
    assert not store.prove(second, "b", "Rome.")  # nobody rated it
    row = store.get(first)
    assert (row.state, row.proof, row.successes) == ("proven", "app: score", 1.0)
    assert (row.request, row.answer) == ("a", "Paris.")
    store.judge([Rating("r2", 0.5, 1.0, "app: score")], expires=NOW + 60)
    assert store.get(second).state == "unproven"
    assert store.judge([Rating("r1", 0.0, 1.0, "app: score")], expires=NOW + 60) == [first]
    assert store.get(first).state == "quarantined"
    assert store.judge([Rating("nobody's", 1.0, 1.0, "x")], expires=NOW + 60) == []


def test_descendants_are_put_away_with_a_wrong_solution(store):
    (root,) = store.add([solution("root")])
    (child,) = store.add([replace(solution("child"), parent=root)])
    (grandchild,) = store.add([replace(solution("grandchild"), parent=child)])
    (other,) = store.add([solution("other")])
    assert store.quarantine(child) == [child, grandchild]
    assert [store.get(n).state for n in (root, other)] == ["proven", "proven"]
    assert store.forget(ids=[root]) == 3


def test_the_newest_answer_to_a_request_stands_for_those_before(store):
    first, second = (store.add([solution("same")])[0] for _ in range(2))
    assert store.exact(solution("same").exact, NOW).id == second
    assert store.get(first).state == "deprecated"
    assert [(c.solution, c.what) for c in store.changes(0)] == [(1, "in"), (2, "in"), (1, "out")]


def test_stale_and_bad_solutions_retire_then_the_least_used_beyond_the_most(store):
    store.add(
        [
            replace(solution("stale"), expires=NOW - 1),
            replace(solution("bad"), failures=3.0),
            unproven("never judged", "r"),
            replace(solution("popular"), uses=9, created=NOW),
            replace(solution("idle"), created=NOW - 86_400 * 20),
            replace(solution("fresh"), uses=1, created=NOW),
        ]
    )
    assert store.retire(NOW + 4000, most=2) == 4
    assert [row.request for row in store.everything()] == ["popular", "fresh"]


def test_only_its_owner_can_read_the_file(store):
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


# Reads and writes solutions in a store, again and again, until its standard input ends.
_READER = """
import contextlib, sqlite3, sys, threading
from pathlib import Path
from router.reuse.solution_store import SolutionStore
from tests.reuse.soak import solution

store = SolutionStore(Path(sys.argv[1]))
ended = threading.Event()

def read():
    while not ended.is_set():
        with contextlib.suppress(sqlite3.Error, ValueError, UnicodeError):
            for stored in store.everything():
                store.exact(stored.exact, 0.0)

def write():
    while not ended.is_set():
        with contextlib.suppress(sqlite3.Error, ValueError, UnicodeError):
            store.add([solution("one more " * 50)])

threads = [threading.Thread(target=work) for work in (read, read, write)]
for thread in threads:
    thread.start()
print("reads", flush=True)
sys.stdin.readline()
ended.set()
for thread in threads:
    thread.join()
"""


@pytest.mark.parametrize("seed", slow_after(2, range(4)))
def test_a_file_that_is_damaged_under_a_process_gives_errors_and_kills_nobody(tmp_path, seed):
    store = SolutionStore(tmp_path)
    ids = store.add([solution(f"number {n} " * 50) for n in range(400)])
    store.forget(ids=[ids[0]])  # brings all rows from the log into the file
    store.close()
    chance = random.Random(seed)
    command = [sys.executable, "-c", _READER, tmp_path]
    pipe = subprocess.PIPE
    readers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    for reader in readers:
        assert reader.stdout.readline() == "reads\n"
    size = store.path.stat().st_size
    for _ in range(8 * (seed % 2)):
        with store.path.open("r+b") as file:
            for _ in range(40):
                file.seek(chance.randrange(100, size))
                file.write(chance.randbytes(1))
        time.sleep(0.05)  # the readers meet this damage before the next
    os.truncate(store.path, chance.randrange(4096, size // 4))
    time.sleep(0.3)
    for reader in readers:
        reader.communicate("\n", timeout=60)
    assert [reader.returncode for reader in readers] == [0, 0]


def test_a_file_that_is_no_store_is_refused_with_a_way_out(tmp_path):
    (tmp_path / "solutions.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(UnreadableStore, match="move it away to begin anew"):
        SolutionStore(tmp_path)


SPEC = {
    "kind": "generate",
    "count": 1000,
    "fields": [{"name": "age", "distribution": {"family": "normal", "parameters": {"mean": 40}}}],
}


def test_programs_that_differ_in_numbers_alone_are_doubles_and_the_better_one_stays():
    other = {**SPEC, "count": 5, "fields": [{**SPEC["fields"][0], "distribution": {
        "family": "normal", "parameters": {"mean": 30}}}]}  # fmt: skip
    assert template(SPEC) == template(other)
    named = {**SPEC, "fields": [{**SPEC["fields"][0], "name": "salary"}]}
    assert template(SPEC) != template(named)
    program = replace(solution("x"), kind="program")
    some = [
        replace(program, id=1, spec=SPEC, failures=2.0),
        replace(program, id=2, spec=other, successes=4.0),
        replace(program, id=3, spec=named),
        replace(program, id=4, spec=SPEC, scope="another key"),
    ]
    assert list(duplicates(some)) == [(1, 2)]


def test_a_program_is_reviewed_with_other_counts_where_the_request_names_one():
    made = replace(solution("x"), request="Generate 1000 users, seed 7", spec=SPEC)
    assert [text for text, _ in variations(made)] == [
        "Generate 333 users, seed 7",
        "Generate 2000 users, seed 7",
    ]
    twice = replace(made, request="1000 users of 1000")
    assert {text for text, _ in variations(twice)} == {twice.request}


class Clocks:
    def __init__(self):
        self.wall, self.steady = NOW, 7.0

    def wait(self, seconds):
        self.wall, self.steady = self.wall + seconds, self.steady + seconds


def keeper_of(store, clocks, folder):
    return MemoryKeeper(
        folder,
        store,
        Reuse(),
        Calibration(0.02),
        open_encoder=None,
        wall=lambda: clocks.wall,
        steady=lambda: clocks.steady,
        tell=lambda *_, **__: None,
        changed=lambda _: None,
    )


@pytest.mark.parametrize("step", [3600 * 3, 86_400 * 2.0001, 4_102_444_800 - NOW])
def test_solutions_that_a_step_of_the_clock_made_old_come_back_with_it(store, tmp_path, step):
    clocks = Clocks()
    keeper = keeper_of(store, clocks, tmp_path)
    ids = store.add([replace(solution("asked"), created=NOW, expires=NOW + 3600)])
    store.add([replace(unproven("waits", "r"), created=NOW)])
    clocks.wait(60)
    keeper.retire()
    clocks.wall += step
    keeper.retire()
    assert store.exact(solution("asked").exact, clocks.wall) is None
    clocks.wall -= step
    keeper.retire()
    assert store.exact(solution("asked").exact, clocks.wall).id == ids[0]
    assert store.counts() == {"proven": 1, "unproven": 1}
    clocks.wait(86_400)
    keeper.retire()
    assert store.counts() == {}


def test_a_keeper_that_starts_with_a_wrong_clock_deletes_no_solution_for_a_day(store, tmp_path):
    clocks = Clocks()
    store.add([replace(solution("asked"), created=NOW, expires=NOW + 3600)])
    clocks.wall += 2 * 86_400
    keeper = keeper_of(store, clocks, tmp_path)
    keeper.retire()
    assert store.counts() == {"proven": 1}
