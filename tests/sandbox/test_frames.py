"""What a program sends costs the supervisor a bounded amount of memory and of its event loop."""

import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.pool import Pool
from sandbox.runner import Limits, Program
from sandbox.supervisor.frames import BadFrame, FrameTooLarge, decode
from sandbox.supervisor.json_size import json_size

MOST = 32 << 20
LOOP_SECONDS = 0.25  # the attacks took 0.7 to 2.2 s; a bound of 0.05 s would fail on a busy machine
GROWTH_BYTES = 64 << 20

SEND = """
import os, struct, time
def send(header, columns=b''):
    rest = memoryview(struct.pack('<4sII', b'SBX1', len(header), len(columns)) + header + columns)
    while rest:
        rest = rest[os.write(3, rest):]
    time.sleep(60)
def listed(items):
    send(b'{"ok": true, "result": [' + b','.join(items) + b']}')
def column(mark, columns=b''):
    send(b'{"ok": true, "result": ' + mark + b'}', columns)
"""
ATTACKS = [
    (
        "a list of four million rows without columns",
        """column(b'{"$a":0,"d":"|u1","s":[4000000,0],"l":1}')""",
        "a column has one or two dimensions, and one if it becomes a list",
    ),
    (
        "an array of a hundred million rows without columns",
        """column(b'{"$a":0,"d":"|u1","s":[100000000,0]}')""",
        "more than 4194304 cells",
    ),
    (
        "an array of a hundred million columns without rows",
        """column(b'{"$a":0,"d":"|u1","s":[0,100000000]}')""",
        "more than 4194304 cells",
    ),
    (
        "a list of thirty million bytes",
        """column(b'{"$a":0,"d":"|u1","s":[30000000],"l":1}', bytes(30000000))""",
        "more than 4194304 cells",
    ),
    (
        "a list of four million numbers",
        """column(b'{"$a":0,"d":"<f8","s":[4000000],"l":1}', bytes(32000000))""",
        "more than 64 MB of memory",
    ),
    (
        "two hundred thousand columns without cells",
        """listed([b'{"$a":%d,"d":"|u1","s":[0]}' % i for i in range(200000)])""",
        "values in JSON, at most 300000",
    ),
    ("millions of tiny lists", "listed([b'[]'] * 2700000)", "values in JSON, at most 300000"),
    ("millions of tiny objects", "listed([b'{}'] * 2700000)", "values in JSON, at most 300000"),
    ("millions of digits", "listed([b'9'] * 4000000)", "values in JSON, at most 300000"),
    ("millions of texts", "listed([b'\"\"'] * 2700000)", "values in JSON, at most 300000"),
    (
        "objects in objects",
        """listed([b''.join(b'{"%06x":' % (50 * i + j) for j in range(50)) + b'1' + b'}' * 50
for i in range(5800)])""",
        "more than 64 MB of memory",
    ),
    ("a text that one character widens", """listed([b'"' + b'x' * 8000000 + b'"'] )""", ""),
    ("brackets that nothing closes", "column(b'[' * 4000000)", "nested too deep"),
    ("quotes that nothing closes", "column(b'\"' * 8000000)", "result is too large"),
    ("backslashes", "column(b'\\\\' * 8000000)", "cannot be read"),
]  # fmt: skip


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    opened = Pool(1, at_once=1)
    await opened.start(("stdlib",))
    yield opened
    await opened.close()


def _memory_bytes(key: str) -> int:
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(key)).split()[1]) << 10


@pytest.mark.alone
@pytest.mark.parametrize(("name", "sends", "says"), ATTACKS, ids=[name for name, *_ in ATTACKS])
async def test_a_frame_costs_the_supervisor_little(pool: Pool, name: str, sends: str, says: str):
    del name
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before, begun = _memory_bytes("VmRSS"), time.thread_time()
    run = await pool.run(Program(SEND + sends), Limits(wall_seconds=30, cpu_seconds=30))
    assert says in run.error
    assert run.status == (
        "ok" if not says else "output_limit" if "too l" in run.error else "bad_frame"
    )
    assert time.thread_time() - begun < LOOP_SECONDS
    assert _memory_bytes("VmHWM") - before < GROWTH_BYTES
    del run
    assert _memory_bytes("VmRSS") - before < GROWTH_BYTES / 2


@pytest.mark.alone
@pytest.mark.parametrize("descriptor", [3, 1])
async def test_a_program_that_sends_single_bytes_hardly_wakes_the_supervisor(
    pool: Pool, descriptor: int
):
    beginning = (
        "os.write(3, struct.pack('<4sII', b'SBX1', 8000000, 0))\n" if descriptor == 3 else ""
    )
    dribble = f"import os, struct\n{beginning}while True: os.write({descriptor}, b'[')"
    begun = time.thread_time()
    run = await pool.run(Program(dribble), Limits(wall_seconds=3, stdout_bytes=1 << 20))
    assert run.status in ("timeout", "starved", "output_limit")
    assert time.thread_time() - begun < LOOP_SECONDS


async def test_large_honest_results_still_come_back(pool: Pool):
    records = "result = [{'age': i / 7, 'name': f'person {i}', 'k': i} for i in range(60_000)]"
    run = await pool.run(Program(records), Limits(wall_seconds=30))
    assert run.ok, run.error
    assert run.result[-1] == {"age": 59_999 / 7, "name": "person 59999", "k": 59_999}
    numbers = await pool.run(Program("result = list(range(1_000_000))"), Limits(wall_seconds=30))
    assert numbers.result == list(range(1_000_000))
    columns = "import numpy as np\nresult = np.arange(4_000_000.0).reshape(1_000_000, 4)"
    table = await pool.run(Program(columns), Limits(wall_seconds=30))
    assert table.result.shape == (1_000_000, 4)
    assert table.result[-1, -1] == 3_999_999.0


async def test_a_result_that_is_too_large_says_how_to_mend_it(pool: Pool):
    program = Program("result = [{'n': str(i)} for i in range(200_000)]")
    run = await pool.run(program, Limits(wall_seconds=30))
    assert run.status == "output_limit"
    assert run.error == (
        "result is too large: 400003 values in JSON, at most 300000: "
        "return columns as numpy arrays, or fewer of them"
    )


@pytest.mark.parametrize(
    "source",
    [
        "print('\\x1b]0;owned\\x07 a\\u202eb \\x9b2J\\rover')",
        "raise ValueError('\\x1b]0;owned\\x07 a\\u202eb \\x9b2J\\rover')",
        "class E(Exception): pass\nE.__name__ = '\\x1b[2J\\x07\\u202e\\x9b\\r'\nraise E",
        "import os\nos.write(2, b'\\x1b]0;owned\\x07 \\xe2\\x80\\xae \\xc2\\x9b2J\\rover')",
        "compile('\\x1b[2J \\u202e', '\\x1b[2J', 'exec')",
    ],
)
async def test_the_words_of_a_program_cannot_drive_a_terminal(pool: Pool, source: str):
    run = await pool.run(Program(source), Limits(wall_seconds=30))
    words = run.stdout + run.error + run.trace
    assert words
    assert {c for c in words if not c.isprintable()} <= {"\n", "\t"}
    assert "\\x1b" in words


async def test_ordinary_text_stays_as_it_was_printed(pool: Pool):
    run = await pool.run(Program("print('Grüße, 世界 👩\\u200d🔬\\tend')"), Limits(wall_seconds=30))
    assert run.stdout == "Grüße, 世界 👩\u200d🔬\tend\n"


def _array(text: bytes) -> np.ndarray:
    return np.frombuffer(text, np.uint8).copy()


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text()
    | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def _counted(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_counted, inner))


def _depth(value: object) -> int:
    inner = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    )
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


@given(_values, st.booleans(), st.integers(1, 9))
def test_the_count_is_never_below_the_truth(value: object, ascii_only: bool, piece: int):
    text = json.dumps(value).encode() if ascii_only else orjson.dumps(value)
    size = json_size(_array(text), piece_bytes=piece)
    assert _counted(value) <= size.values <= 2 * _counted(value)
    assert size.depth == _depth(value)


@given(st.binary(max_size=200), st.binary(max_size=64))
def test_any_bytes_are_a_result_or_a_bad_frame(header: bytes, columns: bytes):
    with contextlib.suppress(BadFrame):
        decode(_array(header), _array(columns), MOST)


_marks = st.fixed_dictionaries(
    {
        "$a": st.integers(-1, 2),
        "d": st.sampled_from(["<f8", "|b1", "|u1", "|O", "<U9"]),
        "s": st.lists(st.integers(-1, 10**8), max_size=3),
    },
    optional={"l": st.integers(0, 1)},
)


@given(
    st.lists(_marks | st.just({"$f": "nan"}) | st.just({"$i": "9" * 30}), max_size=4), st.binary()
)
def test_any_columns_are_a_result_or_a_bad_frame(marks: list[object], columns: bytes):
    header = orjson.dumps({"ok": True, "result": marks})
    try:
        result = decode(_array(header), _array(columns), MOST).result
    except BadFrame:
        return
    assert len(result) == len(marks)


def test_booleans_and_columns_at_odd_places_are_read():
    header = b'{"ok":true,"result":[{"$a":0,"d":"|b1","s":[3]},{"$a":1,"d":"<f8","s":[2],"l":1}]}'
    columns = bytes([0, 1, 7]) + np.array([1.5, -2.0]).tobytes()
    flags, numbers = decode(_array(header), _array(columns), MOST).result
    assert flags.tolist() == [False, True, True]
    assert numbers == [1.5, -2.0]


@pytest.mark.parametrize("digits", ["9" * 4001, "+1", "--1", "1_0", "\u0663", "", "-"])
def test_a_large_integer_that_is_not_plain_digits_is_refused(digits: str):
    header = orjson.dumps({"ok": True, "result": {"$i": digits}})
    with pytest.raises(BadFrame, match="not written in digits"):
        decode(_array(header), _array(b""), MOST)


def test_every_cell_counts_once_for_all_columns():
    marks = [{"$a": i, "d": "|u1", "s": [1 << 20]} for i in range(5)]
    header = orjson.dumps({"ok": True, "result": marks})
    with pytest.raises(FrameTooLarge, match="4194304 cells"):
        decode(_array(header), _array(bytes(5 << 20)), MOST)
