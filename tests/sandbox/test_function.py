"""A routing function in its locked worker: how it answers, fails, and is loaded again."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from sandbox.function import CallTimedOut, Function, FunctionFailed
from sandbox.pool import Pool
from tests.waiting import until


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    opened = Pool(1)
    yield opened
    await opened.close()


async def _open(pool: Pool, source: str) -> Function:
    function = Function(pool, source)
    await function.open()
    return function


async def test_a_function_answers_with_json(pool: Pool):
    source = "def route(context, arms): return {arm: context['x'] / len(arms) for arm in arms}"
    function = await _open(pool, source)
    assert function.call({"x": 1.0}, ["a", "b"], seconds=1) == {"a": 0.5, "b": 0.5}
    assert function.call({"x": 2.0}, ["a"], seconds=1) == {"a": 2.0}
    function.close()


async def test_the_same_calls_draw_the_same_numbers(pool: Pool):
    source = "import random\ndef route(): return random.random()"
    first, second = await _open(pool, source), await _open(pool, source)
    drawn = [first.call(seconds=1) for _ in range(3)]
    assert drawn == [second.call(seconds=1) for _ in range(3)]
    assert len(set(drawn)) == 3
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def other(): pass", "KeyError: 'route'"),
        ("def route(:", "SyntaxError"),
        ("import os; os._exit(1)", "ended its worker"),
        ("open('/etc/passwd')", "out of reach"),
        ("while True: pass", "did not answer before its deadline"),
    ],
)
async def test_a_function_that_cannot_be_loaded_says_why(pool: Pool, source: str, says: str):
    with pytest.raises(FunctionFailed, match=says):
        await _open(pool, source)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return 1 / 0", "ZeroDivisionError"),
        ("return {1, 2}", "not JSON serializable"),
        ("return float('nan')", "not JSON compliant"),
        ("import socket; socket.socket()", "PermissionError"),
    ],
)
async def test_an_error_is_reported_and_the_function_stays(pool: Pool, body: str, says: str):
    function = await _open(pool, f"def route(bad):\n    if not bad: return 1\n    {body}")
    with pytest.raises(FunctionFailed, match=says):
        function.call(True, seconds=1)
    assert function.call(False, seconds=1) == 1
    function.close()


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        ("while True: pass", CallTimedOut, "deadline"),
        ("import os; os._exit(0)", FunctionFailed, "ended its worker"),
        ("import os; os.write(3, b'\\xff' * 4)", FunctionFailed, "at most 65536"),
        ("import os; os.write(3, b'\\x02\\0\\0\\0{]')", FunctionFailed, "not JSON"),
        ("return 'x' * 100_000", FunctionFailed, "at most 65536"),
    ],
)
async def test_a_worker_that_is_late_dead_or_sends_nonsense_is_replaced(
    pool: Pool, body: str, kind: type[FunctionFailed], says: str
):
    function = await _open(pool, f"def route(bad):\n    if not bad: return 1\n    {body}")
    with pytest.raises(kind, match=says):
        function.call(True, seconds=0.1)
    with pytest.raises(FunctionFailed, match="loaded again"):
        function.call(False, seconds=0.1)

    def answers() -> bool:
        with contextlib.suppress(FunctionFailed):
            return function.call(False, seconds=0.1) == 1
        return False

    await until(answers)
    function.close()
