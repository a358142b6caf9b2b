"""The promises of every runner of programs: the sandbox's pool, at each level of isolation."""

import asyncio
import contextlib

import pytest

from sandbox.pool import Pool
from sandbox.runner import STATUSES, Limits, Program

FAST = Limits(wall_seconds=60)


@pytest.fixture(scope="module", params=[3, 2, 1])
def level(request):
    return request.param


@pytest.fixture
async def runner(level):
    pool = Pool(level, at_once=2, queue=20)
    yield pool
    await pool.close()


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("result = 1 + 1", 2),
        ("result = {'a': [1.5, 'x', None, True]}", {"a": [1.5, "x", None, True]}),
        ("result = PARAMS['x'] * 2", 42),
    ],
)
async def test_the_value_of_result_comes_back(runner, source, result):
    run = await runner.run(Program(source, {"x": 21}), FAST)
    assert run.ok, run
    assert run.result == result


async def test_a_failing_program_is_a_run_not_an_exception(runner):
    run = await runner.run(Program("print('before')\n1 / 0"), FAST)
    assert run.status == "error"
    assert run.result is None
    assert "ZeroDivisionError" in run.error
    assert run.stdout == "before\n"


@pytest.mark.parametrize(
    ("source", "limits", "statuses"),
    [
        # On a busy machine the program may get too little time. The status is then `starved`.
        ("while True: pass", Limits(wall_seconds=0.2), {"timeout", "starved"}),
        ("print('x' * 1000)", Limits(wall_seconds=20, stdout_bytes=500), {"output_limit"}),
        (
            "x = bytearray(1 << 30)",
            Limits(wall_seconds=20, memory_bytes=64 << 20),
            {"memory_limit"},
        ),
    ],
)
async def test_a_limit_ends_a_program_under_its_own_name(runner, source, limits, statuses):
    run = await runner.run(Program(source), limits)
    assert run.status in statuses
    assert statuses <= set(STATUSES)


async def test_what_a_run_used_is_measured(runner):
    run = await runner.run(Program("result = sum(range(10 ** 6))"), FAST)
    assert run.seconds > 0
    assert run.cpu_seconds > 0
    assert run.peak_bytes > 0


async def test_one_seed_gives_one_result(runner):
    source = "import random\nresult = random.random()"
    first, again, other = [await runner.run(Program(source, seed=seed), FAST) for seed in (1, 1, 2)]
    assert first.result == again.result != other.result


async def test_a_program_leaves_nothing_for_the_next(runner):
    source = (
        "import builtins, os\nresult = [hasattr(builtins, 'left'), os.path.exists('left')]\n"
        "builtins.left = 1\nopen('left', 'w').close()"
    )
    for _ in range(3):
        run = await runner.run(Program(source), FAST)
        assert run.result == [False, False], run


async def test_programs_at_once_keep_their_results_apart(runner):
    programs = [Program("result = PARAMS['n'] ** 2", {"n": n}) for n in range(8)]
    runs = await asyncio.gather(*(runner.run(program, FAST) for program in programs))
    assert [run.result for run in runs] == [n * n for n in range(8)]


async def test_a_caller_who_leaves_makes_room_for_the_next(runner):
    tasks = [asyncio.ensure_future(runner.run(Program("while True: pass"), FAST)) for _ in range(4)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    run = await asyncio.wait_for(runner.run(Program("result = 1"), FAST), 60)
    assert run.ok
