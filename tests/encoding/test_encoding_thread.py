"""One encoder that many requests use at once."""

import asyncio
from threading import Event

import numpy as np
import pytest

from router.encoding.encoding_thread import EncodingThread
from tests.encoding.fakes import RecordingEncoder


@pytest.fixture
def encoder():
    return RecordingEncoder()


@pytest.fixture
def thread(encoder):
    made = EncodingThread(encoder)
    yield made
    made.close()


async def test_texts_that_come_at_once_are_encoded_each_alone_and_in_turn(encoder, thread):
    texts = ["x" * n for n in range(1, 60)]
    vectors = await asyncio.gather(*map(thread.encode, texts))
    assert encoder.batches == [[text] for text in texts]
    assert np.array_equal(vectors, encoder.encode(texts))


async def test_a_text_that_fails_spoils_no_other(encoder, thread):
    bad, good = await asyncio.gather(
        thread.encode("bad"), thread.encode("good"), return_exceptions=True
    )
    assert "no vector for bad" in str(bad)
    assert np.array_equal(good, encoder.encode(["good"])[0])


class HeldEncoder(RecordingEncoder):
    """Encodes nothing until `gate` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Event()

    def encode(self, texts):
        self.gate.wait(60)
        return super().encode(texts)


async def test_a_caller_who_leaves_before_its_turn_costs_nothing():
    encoder = HeldEncoder()
    thread = EncodingThread(encoder)
    tasks = [asyncio.ensure_future(thread.encode(f"text {n}")) for n in range(9)]
    await asyncio.sleep(0)
    for task in tasks[1:]:
        task.cancel()
    await asyncio.gather(*tasks[1:], return_exceptions=True)
    encoder.gate.set()
    await thread.encode("after")
    assert encoder.batches == [["text 0"], ["after"]]
    thread.close()
