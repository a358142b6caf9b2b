"""A late answer counts against a function only if the function, not the machine, was slow."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from sandbox.function import CallHeldUp, CallOverslept, CallTimedOut, Function, FunctionFailed
from sandbox.pool import Pool
from tests.sandbox.siege import descendants
from tests.sandbox.starving import starved
from tests.waiting import until

SECONDS = 0.05
ECHO = "def route(x):\n    for _ in range(250_000): pass\n    return x"  # some milliseconds of work


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    opened = Pool(1)
    await opened.start(("stdlib",))
    yield opened
    await opened.close()


def workers(pool: Pool) -> set[int]:
    return set(descendants(pool.zygotes["stdlib"]))


async def _held_up(function: Function, pool: Pool) -> None:
    """Starve the function until the machine holds up a call, which then waits for its answer."""

    def held_up() -> bool:
        try:
            function.call("early", seconds=SECONDS)
        except CallHeldUp as error:
            assert "the machine was too busy" in str(error)
            return True
        return False

    with starved(sorted(workers(pool))):
        await until(held_up)


async def test_a_function_that_the_machine_made_late_keeps_its_worker(pool: Pool):
    function = Function(pool, ECHO)
    await function.open()
    before = workers(pool)
    await _held_up(function, pool)
    assert workers(pool) == before
    function.close()


async def test_an_answer_that_was_held_up_never_becomes_the_answer_to_a_later_call(pool: Pool):
    function = Function(pool, ECHO)
    await function.open()
    await _held_up(function, pool)

    def answers() -> list[str]:
        with contextlib.suppress(CallHeldUp):
            return [function.call(word, seconds=60) for word in ("first", "second")]
        return []

    assert await until(answers) == ["first", "second"]
    function.close()


async def test_a_patient_caller_gets_the_answer_of_a_starved_function(pool: Pool):
    function = Function(pool, ECHO)
    await function.open()
    with starved(sorted(workers(pool))):
        words = [function.call(n, seconds=SECONDS, patience_seconds=60) for n in range(3)]
    assert words == list(range(3))
    function.close()


@pytest.mark.parametrize(
    ("body", "sleeps"),
    [
        ("while True: pass", False),
        ("time.sleep(60)", True),
        ("time.sleep(0.049)\n    while True: pass", False),
        ("while True: time.sleep(0.001)", True),
        ("while time.process_time() < begun + 0.2: pass", False),
        ("os.read(3, 1)", True),
    ],
)
async def test_a_function_that_runs_for_its_time_is_at_fault_and_one_that_sleeps_is_replaced(
    pool: Pool, body: str, sleeps: bool
):
    source = "import os, time\ndef route():\n    begun = time.process_time()\n    "
    function = Function(pool, source + body)
    await function.open()
    with pytest.raises(CallTimedOut, match="did not answer before its deadline") as late:
        function.call(seconds=SECONDS, patience_seconds=60)
    if sleeps:  # no other fault: it may sleep at the end of a wait
        assert isinstance(late.value, CallOverslept)
    function.close()


async def test_a_fault_that_shows_after_the_call_is_reported_to_the_next_call(pool: Pool):
    """The processor is busy for so long that the call ends before the function can be blamed."""
    function = Function(pool, "def route(x):\n    while not x: pass\n    return x")
    await function.open()
    with starved(sorted(workers(pool))), pytest.raises(CallHeldUp):
        function.call(0, seconds=SECONDS)
    faults: list[CallTimedOut] = []

    def reported() -> bool:
        try:
            function.call(1, seconds=60)
        except CallTimedOut as error:
            faults.append(error)
        except FunctionFailed:
            return False
        return bool(faults)

    await until(reported)
    assert len(faults) == 1
    function.close()
