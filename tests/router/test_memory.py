"""A process gives its memory back, and a replica that grows beyond its bound ends by itself."""

import asyncio
import subprocess
import sys

import pytest

from router.api.parse import parse_chat
from router.backends.give_back import GiveBack
from router.config.backends import GeneratorSettings, LocalSettings
from router.deployment.replicas.memory_watch import EXIT_CODE, MemoryWatch, own_memory
from router.wire.errors import BadRequest
from tests.waiting import until

GROWS = """
from router.deployment.replicas.memory_watch import MemoryWatch
watch = MemoryWatch(lambda memory, most: print(f"over {most}", flush=True), period_seconds=0.01)
watch.most_mb = 256
kept = [bytearray(b"x") * 2**20 for _ in range(4096)]
while True:
    pass
"""


def test_a_process_that_grows_beyond_its_bound_says_so_and_ends():
    done = subprocess.run(
        [sys.executable, "-c", GROWS], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == EXIT_CODE
    assert done.stdout == "over 256\n"


async def test_a_process_within_its_bound_goes_on():
    ended = []
    watch = MemoryWatch(lambda *_: None, end=ended.append, period_seconds=0.001)
    watch.most_mb = (own_memory() >> 20) + 4096
    await asyncio.sleep(0.05)
    assert ended == []
    watch.most_mb = 1
    await until(lambda: ended == [EXIT_CODE])
    watch.close()


def test_every_kind_has_a_bound_but_models_of_unknown_size():
    assert GeneratorSettings(kind="generator").replica_memory_mb == 2048
    assert LocalSettings(kind="local", models={"m": "folder"}).replica_memory_mb is None


async def test_memory_goes_back_to_the_system_after_a_large_call():
    before = own_memory()
    small = [bytes(2_000) for _ in range(60_000)]  # 120 MB in pieces of the C library's heap
    wall = bytes(2_000)  # stays at the end of the heap, which otherwise shrinks by itself
    small = small[:1]
    GiveBack().after_call(2**21, 0.0)
    await until(lambda: own_memory() - before < 32 << 20)
    del small, wall


@pytest.mark.parametrize("count", [0, -1, 129, 10**9, 100_000, 1.5, True, "2", [1]])
def test_a_number_of_answers_that_is_odd_is_refused(count):
    body = b'{"model": "auto", "messages": [{"role": "user", "content": "hi"}], "n": %s}'
    text = str(count).lower() if not isinstance(count, str) else f'"{count}"'
    with pytest.raises(BadRequest, match="`n` must be an integer from 1 to 128, not"):
        parse_chat(body % text.encode(), {}, request_id="r", key_id="")
