"""A routing function in its locked worker: how it answers, fails, and is loaded again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

from sandbox.function import CallTimedOut, Function, FunctionFailed, FunctionUnavailable
from sandbox.pool import Pool
from sandbox.runner import RunRefused, Tier
from sandbox.supervisor.parent import Worker, ZygoteLost
from tests.sandbox.siege import descendants
from tests.waiting import until

# A frame of the function's own: `number` finds the number of the call in the worker's frames.
_SEND = """import os, struct, sys, time
    def number(): return sys._getframe(2).f_locals['number']
    def send(body, at=None, size=None, pause=60):
        at = sys._getframe(2).f_locals['number'] if at is None else at
        os.write(3, struct.pack('<IQ', len(body) if size is None else size, at) + body)
        time.sleep(pause)
    """


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
    assert function.call({"x": 1.0}, ["a", "b"], seconds=60) == {"a": 0.5, "b": 0.5}
    assert function.call({"x": 2.0}, ["a"], seconds=60) == {"a": 2.0}
    function.close()


async def test_the_same_calls_draw_the_same_numbers(pool: Pool):
    source = "import random\ndef route(): return random.random()"
    first, second = await _open(pool, source), await _open(pool, source)
    drawn = [first.call(seconds=60) for _ in range(3)]
    assert drawn == [second.call(seconds=60) for _ in range(3)]
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
        function.call(True, seconds=60)
    assert function.call(False, seconds=60) == 1
    function.close()


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        ("while True: pass", CallTimedOut, "deadline"),
        ("import os; os._exit(0)", FunctionFailed, "ended its worker"),
        ("import os; os.write(3, b'\\xff' * 4)", FunctionFailed, "at most 65536"),
        (f"{_SEND}send(b'{{]')", FunctionFailed, "not JSON"),
        (f"{_SEND}send(b'[]')", FunctionFailed, "not an object"),
        (f"{_SEND}send(b'[' * 2000)", FunctionFailed, "not JSON"),
        (f"{_SEND}send(b'{{}}', number() - 1)", FunctionFailed, "nobody asked for"),
        (f"{_SEND}send(b'{{}}', number() + 1)", FunctionFailed, "nobody asked for"),
        (f"{_SEND}send(b'{{}}' * 9, size=2)", FunctionFailed, "nobody asked for"),
        (f"{_SEND}send(b'{{', size=2)\n    while True: pass", CallTimedOut, "deadline"),
        (f"{_SEND}while True: send(b'', size=60000, pause=0.01)", CallTimedOut, "deadline"),
        ("return 'x' * 100_000", FunctionFailed, "at most 65536"),
    ],
)
async def test_a_worker_that_is_late_dead_or_sends_nonsense_is_replaced(
    pool: Pool, body: str, kind: type[FunctionFailed], says: str
):
    function = await _open(pool, f"def route(bad):\n    if not bad: return 1\n    {body}")
    with pytest.raises(kind, match=says):
        function.call(True, seconds=0.1, patience_seconds=60)
    assert function.call(False, seconds=60) == 1  # by the spare, which was loaded beforehand
    with pytest.raises(kind, match=says):
        function.call(True, seconds=0.1, patience_seconds=60)
    with pytest.raises(FunctionUnavailable, match="loaded again"):
        function.call(False, seconds=0.1)

    def answers() -> bool:
        with contextlib.suppress(FunctionFailed):
            return function.call(False, seconds=0.1) == 1
        return False

    await until(answers)
    function.close()


async def test_after_a_reload_another_spare_stands_ready(pool: Pool):
    function = await _open(pool, _LEAVES)
    await pool.start(("stdlib",))
    for _ in range(3):
        before = set(descendants(pool.zygotes["stdlib"]))
        with pytest.raises(FunctionFailed, match="ended its worker"):
            function.call(0, seconds=60)
        assert function.call(1, seconds=60) == 1

        def refilled(before: set[int] = before) -> bool:
            return bool(set(descendants(pool.zygotes["stdlib"])) - before)

        await until(refilled)
        await until(lambda: function.stands_by)
    function.close()


async def test_a_spare_that_spins_before_its_first_call_is_ended(pool: Pool):
    """The source makes its worker spin once it has told that it is loaded."""
    source = """import os, struct, sys
body = b'{"ok": true}'
os.write(3, struct.pack('<IQ', len(body), sys._getframe(2).f_locals['number']) + body)
while True: pass
def route(x): return 1
"""
    function = await _open(pool, source)
    workers = set(descendants(pool.zygotes["stdlib"]))
    await until(lambda: len(workers & set(descendants(pool.zygotes["stdlib"]))) <= 2)
    function.close()


async def test_a_machine_that_cannot_load_a_function_is_not_its_fault():
    pool = Flaky(1)
    for fault in (ZygoteLost("lost"), TimeoutError("slow"), OSError("no descriptors")):
        pool.faults = [fault]
        with pytest.raises(FunctionUnavailable, match=str(fault)):
            await _open(pool, _LEAVES)
    await pool.close()


async def _fails_then_answers(function: Function, says: str) -> None:
    """Call until the function's worker is replaced for this reason, then until it answers."""
    reasons: list[str] = []

    def fails() -> bool:
        try:
            function.call(0, seconds=60)
        except FunctionFailed as error:
            reasons.append(str(error))
        return any(says in reason for reason in reasons)

    await until(fails)
    await until(lambda: _answers(function))


def _answers(function: Function) -> bool:
    with contextlib.suppress(FunctionFailed):
        return function.call(1, seconds=60) == 1
    return False


async def test_an_extra_answer_never_becomes_the_answer_to_the_next_call(pool: Pool):
    source = """import os, struct, sys
def route(x):
    if x == 0:
        at, body = sys._getframe(1).f_locals['number'], b'{"ok": true, "value": "forged"}'
        for later in range(1, 5):
            os.write(3, struct.pack('<IQ', len(body), at + later) + body)
    return x
"""
    function = await _open(pool, source)
    with pytest.raises(FunctionFailed, match="nobody asked for"):
        function.call(0, seconds=60)
    await until(lambda: _answers(function))
    assert [function.call(x, seconds=60) for x in (2, 3, 4)] == [2, 3, 4]
    function.close()


async def test_a_worker_that_spins_after_its_answer_is_ended_even_if_nobody_calls(pool: Pool):
    source = """import os, struct, sys
def route(x):
    if x == 1: return 1
    body = b'{"ok": true, "value": 0}'
    os.write(3, struct.pack('<IQ', len(body), sys._getframe(1).f_locals['number']) + body)
    while True: pass
"""
    function = await _open(pool, source)
    assert function.call(0, seconds=60) == 0
    workers = descendants(pool.zygotes["stdlib"])

    def ended() -> bool:
        return bool(set(workers) - set(descendants(pool.zygotes["stdlib"])))

    await until(ended)
    await until(lambda: _answers(function))
    function.close()


async def test_spins_that_are_short_add_up(pool: Pool):
    source = """import os, struct, sys, time
def route(x):
    if x == 1: return 1
    body, number = b'{"ok": true, "value": 0}', sys._getframe(1).f_locals['number']
    while True:
        os.write(3, struct.pack('<IQ', len(body), number) + body)
        end = time.process_time() + 0.003
        while time.process_time() < end: pass
        length, number = struct.unpack('<IQ', os.read(3, 12))
        os.read(3, length)
"""
    function = await _open(pool, source)
    await _fails_then_answers(function, "worked on after its answer")
    function.close()


@pytest.mark.parametrize(
    ("keeps", "says"),
    [("bytearray(8 << 20)", "MemoryError"), ("b'x' * (8 << 20)", "MemoryError")],
)
async def test_memory_that_calls_leave_behind_is_given_back(pool: Pool, keeps: str, says: str):
    source = f"kept = []\ndef route(x):\n    kept.append({keeps}) if not x else None\n    return 1"
    function = await _open(pool, source)
    await _fails_then_answers(function, says)
    function.close()


async def test_memory_that_grows_slowly_is_noticed_between_calls(pool: Pool):
    function = await _open(
        pool, "kept = []\ndef route(x):\n    kept.append(b'x' * x)\n    return 1"
    )
    for _ in range(10):
        function.call(8 << 20, seconds=60)
    workers = descendants(pool.zygotes["stdlib"])
    await until(lambda: set(workers) - set(descendants(pool.zygotes["stdlib"])))
    await until(lambda: _answers(function))
    function.close()


async def test_a_function_is_opened_again_however_often_that_fails():
    pool = Flaky(1)
    function = await _open(pool, _LEAVES)
    pool.faults = [
        ZygoteLost("lost"), RunRefused("refused"), TimeoutError("slow"), OSError("no descriptors"),
    ]  # fmt: skip
    for _ in range(2):  # the worker, and its spare
        with pytest.raises(FunctionFailed, match="ended its worker"):
            function.call(0, seconds=60)
    with pytest.raises(FunctionUnavailable, match=r"functions unavailable: .* again because"):
        function.call(1, seconds=60)
    await until(lambda: _answers(function))
    assert pool.faults == []
    function.close()
    await pool.close()


_LEAVES = "import os\ndef route(x): return x or os._exit(0)"


class Flaky(Pool):
    """A pool that fails as often as it is given faults."""

    faults: Sequence[Exception] = ()

    async def order(self, tier: Tier, settings: Mapping[str, object]) -> Worker:
        if self.faults:
            fault, *self.faults = self.faults
            raise fault
        return await super().order(tier, settings)


async def test_a_closed_function_leaves_no_worker(pool: Pool):
    await pool.start(("stdlib",))
    function = await _open(pool, "def route(x):\n    while not x: pass\n    return 1")
    with pytest.raises(CallTimedOut):
        function.call(0, seconds=0.05, patience_seconds=60)
    function.close()
    await until(lambda: len(descendants(pool.zygotes["stdlib"])) <= 2)  # the pool's ready workers
    opening = asyncio.ensure_future(function.open())
    await asyncio.sleep(0)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    await until(lambda: len(descendants(pool.zygotes["stdlib"])) <= 2)


class Forgetful(Pool):
    """A pool that forgets a cancel which comes together with its worker, as `wait_for` may."""

    holding, held = False, False

    async def order(self, tier: Tier, settings: Mapping[str, object]) -> Worker:
        worker = await super().order(tier, settings)
        if self.holding:
            self.held = True
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        return worker


async def test_a_function_that_is_closed_while_it_loads_starts_no_zygote_afterwards():
    pool = Forgetful(1)
    function = await _open(pool, "def route(x):\n    while not x: pass\n    return 1")
    pool.holding = True
    with pytest.raises(CallTimedOut):
        function.call(0, seconds=0.05, patience_seconds=60)
    await until(lambda: pool.held)
    loading = asyncio.all_tasks() - {asyncio.current_task()}
    function.close()
    await pool.close()
    pool.holding = False
    await asyncio.gather(*loading, return_exceptions=True)
    assert pool.zygotes == {}
