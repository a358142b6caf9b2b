"""The pool: statuses, seeds, limits, and runs that survive the death of a zygote."""

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from sandbox.pool import Pool
from sandbox.runner import Busy, Limits, Program
from sandbox.supervisor.nursery import Nursery
from tests.sandbox.benign import PROGRAMS
from tests.sandbox.siege import descendants
from tests.sparing import slow_after
from tests.waiting import until

PATIENT = Limits(wall_seconds=60)  # for programs that end by themselves, late on a busy machine


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    opened = Pool(1, limits=PATIENT, at_once=2, queue=2)
    yield opened
    await opened.close()


@pytest.mark.parametrize("level", slow_after(1, [3, 2, 1]))
async def test_programs_in_the_style_of_language_models_run(level: int):
    pool = Pool(level, limits=PATIENT, at_once=4, queue=len(PROGRAMS))
    try:
        runs = await asyncio.gather(*(pool.run(Program(source)) for source in PROGRAMS))
    finally:
        await pool.close()
    failed = [(p, r.error) for p, r in zip(PROGRAMS, runs, strict=True) if r.result is None]
    assert failed == []
    assert len(PROGRAMS) >= 100


@pytest.mark.parametrize(
    ("source", "limits", "status"),
    [
        ("result = 1", Limits(), "ok"),
        ("1 / 0", Limits(), "error"),
        ("while True: pass", Limits(wall_seconds=0.2), "timeout"),
        ("while True: pass", Limits(wall_seconds=9, cpu_seconds=1), "cpu_limit"),
        ("x = bytearray(1 << 30)", Limits(memory_bytes=64 << 20), "memory_limit"),
        ("print('x' * 1000)", Limits(stdout_bytes=500), "output_limit"),
        ("result = list(range(100_000))", Limits(result_bytes=1000), "output_limit"),
        ("import os; os._exit(3)", Limits(), "exit_3"),
        ("import ctypes; ctypes.string_at(0)", Limits(), "signal_11"),
    ],
)
async def test_a_run_ends_with_the_status_of_its_cause(
    pool: Pool, source: str, limits: Limits, status: str
):
    run = await pool.run(Program(source), limits)
    while run.status == "starved":  # the machine was too busy: run it again
        run = await pool.run(Program(source), limits)
    assert run.status == status
    assert run.result == (1 if status == "ok" else None)
    assert run.cpu_seconds > 0
    assert run.peak_bytes > 1 << 20


async def test_a_busy_machine_makes_runs_starved_rather_than_late():
    """Six busy programs share one processor, so that none gets half of it."""
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(everywhere)})
    pool = Pool(1, at_once=6)
    try:
        await pool.start(("stdlib",))
        busy = Program("while True: pass")
        runs = await asyncio.gather(*(pool.run(busy, Limits(wall_seconds=0.5)) for _ in range(6)))
        assert {run.status for run in runs} <= {"starved", "timeout"}
        assert "starved" in {run.status for run in runs}
    finally:
        os.sched_setaffinity(0, everywhere)
        await pool.close()


async def test_the_reason_of_an_error_names_the_line_and_what_to_do(pool: Pool):
    run = await pool.run(Program("x = 1\nimport pandas as pd"))
    assert run.error.startswith("ModuleNotFoundError: pandas is not available in this sandbox")
    assert "use numpy arrays" in run.error
    assert 'File "<program>", line 2' in run.trace
    assert "worker.py" not in run.trace


async def test_a_program_cannot_change_the_clock_that_times_it(pool: Pool):
    program = Program("import time\ntime.time = time.perf_counter = lambda: 0\ntime.sleep(0.2)")
    run = await pool.run(program)
    assert run.seconds >= 0.2


@pytest.mark.parametrize(
    "draw",
    [
        "import random; result = random.random()",
        "import random; result = random.Random().random()",
        "import secrets; result = secrets.token_hex(8)",
        "import uuid; result = str(uuid.uuid4())",
        "import os; result = os.urandom(8).hex()",
        "import numpy as np; result = np.random.normal()",
        "import numpy as np; result = np.random.default_rng().normal()",
        "from scipy import stats; result = stats.norm.rvs()",
    ],
)
async def test_a_seed_fixes_every_source_of_chance(pool: Pool, draw: str):
    first, again, other = [await pool.run(Program(draw, seed=seed)) for seed in (1, 1, 2)]
    assert first.result == again.result != other.result


async def test_columns_of_every_type_arrive_unchanged(pool: Pool):
    source = """
import numpy as np
result = {
    "floats": np.array([1.5, np.nan, np.inf]),
    "ints": np.arange(3),
    "flags": np.array([True, False]),
    "grid": np.ones((2, 3), "f4"),
    "words": np.array(["a", "b"]),
    "list": [0.5] * 20,
    "days": np.array(["2024-01-02"], "M8[D]"),
    "large": 10**30,
    "empty": np.array([]),
}
"""
    result = (await pool.run(Program(source))).result
    np.testing.assert_array_equal(result["floats"], [1.5, np.nan, np.inf])
    assert result["ints"].tolist() == [0, 1, 2]
    assert result["flags"].tolist() == [True, False]
    assert result["flags"].dtype == bool
    assert result["grid"].shape == (2, 3)
    assert result["words"] == ["a", "b"]
    assert result["list"] == [0.5] * 20
    assert result["days"] == ["2024-01-02"]
    assert result["large"] == 10**30
    assert result["empty"].size == 0


async def test_parameters_reach_the_program(pool: Pool):
    run = await pool.run(Program("result = PARAMS['rows'] * 2", {"rows": 21}))
    assert run.result == 42


async def test_a_run_leaves_nothing_to_the_next(pool: Pool):
    poison = """
import builtins, json, sys
builtins.sum = json.dumps = None
sys.meta_path.clear(); sys.modules.clear()
open('/tmp/left', 'w').write('x')
result = 1
"""
    assert (await pool.run(Program(poison))).status in ("ok", "exit_111", "error")
    clean = Program("import os, json; result = [sum([1, 2]), os.path.exists('/tmp/left')]")
    assert (await pool.run(clean)).result == [3, False]


@pytest.mark.parametrize(
    ("ends", "result"),
    [
        ("", [0, 1, 2]),
        ("threads[1].join()", [1, 0, 2]),
        ("while any(t.is_alive() for t in threads): pass", [0, 1, 2]),
        ("raise SystemExit", [0, 1, 2]),
        ("threads[2]._daemonic = True", [0, 1]),
    ],
)
async def test_a_thread_runs_at_the_latest_when_the_program_ends(
    pool: Pool, ends: str, result: list[int]
):
    source = f"""
import threading
result = []
threads = [threading.Thread(target=result.append, args=(i,)) for i in range(3)]
for t in threads: t.start()
{ends}
"""
    assert (await pool.run(Program(source))).result == result


async def test_an_error_in_a_thread_that_nobody_joins_is_the_programs_error(pool: Pool):
    source = "import threading\nresult = 1\nthreading.Thread(target=lambda: 1 / 0).start()"
    run = await pool.run(Program(source))
    assert run.status == "error"
    assert "ZeroDivisionError" in run.error


async def test_a_program_beyond_the_queue_is_refused(pool: Pool):
    slow = Program("import time; time.sleep(0.5); result = 1")
    running = [asyncio.ensure_future(pool.run(slow)) for _ in range(4)]
    await asyncio.sleep(0.05)
    with pytest.raises(Busy, match="try again later"):
        await pool.run(slow)
    assert all(run.ok for run in await asyncio.gather(*running))


async def test_a_cancelled_run_frees_its_place(pool: Pool):
    endless = Program("while True: pass")
    running = [asyncio.ensure_future(pool.run(endless)) for _ in range(4)]
    await asyncio.sleep(0.2)
    for run in running:
        run.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert (await pool.run(Program("result = 1"))).ok


async def test_a_killed_zygote_is_started_again_and_the_run_is_not_lost(pool: Pool):
    await pool.start(("stdlib",))
    slow = asyncio.ensure_future(pool.run(Program("import time; time.sleep(0.4); result = 7")))
    await asyncio.sleep(0.1)
    before = pool.zygotes["stdlib"]
    os.kill(before, signal.SIGKILL)
    assert (await slow).result == 7
    assert pool.zygotes["stdlib"] != before
    assert (await pool.run(Program("result = 8"))).result == 8


async def test_zygotes_live_on_without_their_nursery_and_others_come_from_a_new_one(pool: Pool):
    await pool.start(("stdlib",))
    zygote = pool.zygotes["stdlib"]
    nursery = _parent_of(zygote)
    os.kill(nursery, signal.SIGKILL)
    assert (await pool.run(Program("result = 7"))).result == 7
    assert (await pool.run(Program("import numpy; result = 8"))).result == 8
    assert pool.zygotes["stdlib"] == zygote
    assert _parent_of(pool.zygotes["numpy"]) not in (nursery, os.getpid())


async def test_what_two_tiers_load_is_in_memory_once(pool: Pool):
    await pool.start(("numpy", "scipy"))
    for tier in ("numpy", "scipy"):
        assert _shared_bytes(pool.zygotes[tier]) > 15 << 20


def _parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def _shared_bytes(process: int) -> int:
    """How much that was written, and not read from a file, a process shares with others."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("Shared_Dirty"))


@pytest.mark.parametrize(
    "launched",
    [pytest.param(False, marks=pytest.mark.slow), True],
    ids=["at once", "with a process"],
)
async def test_a_start_that_is_cancelled_leaves_no_process_and_no_socket(launched: bool):
    before, descriptors = set(descendants(os.getpid())), _open_descriptors()
    nursery = Nursery()
    starting = asyncio.ensure_future(nursery.zygote("scipy", 1))
    await asyncio.sleep(0)
    if launched:
        await until(lambda: set(descendants(os.getpid())) - before)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await nursery.close()
    del starting
    gc.collect()  # what was left open would warn now, and a warning fails the test
    assert set(descendants(os.getpid())) <= before
    assert _open_descriptors() <= descriptors


def _open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_programs_that_die_do_not_disturb_others(pool: Pool):
    for _ in range(30):
        runs = await asyncio.gather(
            pool.run(Program("import os; os._exit(1)")), pool.run(Program("result = 1"))
        )
        assert [run.status for run in runs] == ["exit_1", "ok"]


def test_the_tier_is_the_smallest_that_has_all_imports():
    assert Program("import json").tier == "stdlib"
    assert Program("def f():\n    from numpy import random").tier == "numpy"
    assert Program("import scipy.stats as st, numpy").tier == "scipy"
    assert Program("syntax error(").tier == "stdlib"
