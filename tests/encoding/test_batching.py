"""One encoder that many requests use at once."""

import asyncio

import numpy as np
import pytest

from router.encoding.batching import Batching
from tests.encoding.fakes import RecordingEncoder


@pytest.fixture
def encoder():
    return RecordingEncoder()


@pytest.fixture
def batching(encoder):
    made = Batching(encoder)
    yield made
    made.close()


async def test_texts_that_come_while_the_encoder_is_busy_go_in_together(encoder, batching):
    texts = ["x" * n for n in range(1, 60)]
    vectors = await asyncio.gather(*map(batching.encode, texts))
    assert [len(batch) for batch in encoder.batches] == [32, 27]
    assert np.array_equal(vectors, encoder.encode(texts))


async def test_a_batch_that_fails_spoils_no_later_one(encoder, batching):
    with pytest.raises(ValueError, match="no vector for bad"):
        await batching.encode("bad")
    assert np.array_equal(await batching.encode("after"), encoder.encode(["after"])[0])
