"""A level holds only if its self-test passes. No program runs below the required level."""

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.levels import best_level, try_level

ROOT = Path(__file__).parents[2]
_FIND = """
import asyncio
from sandbox.levels import open_pool
from sandbox.runner import Program, RunRefused

async def main():
    try:
        pool = await open_pool(min_level=1)
    except RunRefused as refused:
        print(refused)
        return
    run = await pool.run(Program("result = 6 * 7"))
    print(f"level {run.level}: {run.result}")
    await pool.close()

asyncio.run(main())
"""


_LOST = """
import asyncio
from sandbox.levels import open_pool
from sandbox.runner import Program, RunRefused
from tests.sandbox.without import refuse

async def run():
    pool = await open_pool(min_level=1)
    try:
        run = await pool.run(Program("result = 6 * 7"))
        print(f"level {run.level}: {run.result}")
    except RunRefused as refused:
        print(refused)
    await pool.close()

asyncio.run(run())
refuse({"unshare": 1})
asyncio.run(run())
"""


@pytest.mark.parametrize("level", [3, 2, 1])
async def test_every_level_holds_on_this_machine(level: int):
    verdict = await try_level(level)
    assert verdict.holds, verdict.why
    assert "ended as they should" in verdict.why


async def test_the_best_level_is_the_highest_that_holds():
    level, verdicts = await best_level()
    assert level == 3
    assert [v.level for v in verdicts] == [3]


@pytest.mark.parametrize(
    ("refused", "says"),
    [
        ("unshare=1", "level 2: 42"),
        ("pivot_root=1", "level 2: 42"),
        ("landlock_create_ruleset=38", "level 1: 42"),
        ("landlock_restrict_self=1", "level 1: 42"),
        ("seccomp=38", "the kernel accepts no system call filter here"),
        ("seccomp=1", "the kernel accepts no system call filter here"),
    ],
)
def test_a_machine_that_refuses_gets_the_next_level_or_none(refused: str, says: str):
    command = [sys.executable, "-m", "tests.sandbox.without", refused, "--"]
    done = subprocess.run(
        [*command, sys.executable, "-c", _FIND],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert says in done.stdout, done.stdout + done.stderr
    if "no system call" in says:
        assert "programs are not run here: level 1 of isolation" in done.stdout


def test_a_later_pool_relies_on_the_level_that_was_found_and_runs_nothing_once_it_is_lost():
    done = subprocess.run(
        [sys.executable, "-c", _LOST], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("level 3: 42\nlevel 3: "), done.stdout + done.stderr
    assert done.stdout.count("42") == 1
