"""A computed answer is reused only with its proof, and tells that proof."""

import pytest

from router.telemetry.rows import request_row
from tests.compute.computing import give
from tests.reuse.service import bare, rig, settled

MEAN = "What is the mean of [1, 2, 6]?"


@pytest.mark.parametrize("level", ["rerun", "unverified"])
@pytest.mark.parametrize("keep", ["proven", "all"])
async def test_an_answer_that_is_not_proven_is_not_reused(data, level: str, keep: str):
    async with rig(bare(data, keep=keep)) as waggle:
        sandbox = give(waggle, level)
        for run in (1, 2):
            answer = await waggle.chat(MEAN)
            assert answer.headers["x-waggle-reuse"] == "novel"
            assert answer.headers["x-waggle-verified"] == level
            assert sandbox.runs == run
            await settled(waggle)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_remembered_answer_tells_the_level_that_proved_it(data, stream: bool):
    async with rig(bare(data)) as waggle:
        sandbox = give(waggle, "agreed", "sorted")
        await waggle.chat(MEAN, stream=stream)
        await settled(waggle)
        again = await waggle.chat(MEAN, stream=stream)
        assert (again.headers["x-waggle-reuse"], sandbox.runs) == ("exact", 1)
        assert again.headers["x-waggle-verified"] == "agreed; unchecked: sorted"
        row = request_row(waggle.journal.traces[-1])
        assert (row["level"], row["unchecked"]) == ("agreed", 1)


async def test_a_proven_answer_stays_when_a_later_answer_is_not_proven(data):
    async with rig(bare(data)) as waggle:
        give(waggle, "spec")
        await waggle.chat(MEAN)
        await settled(waggle)
        give(waggle, "rerun")
        fresh = await waggle.chat(MEAN, headers={"cache-control": "no-cache"})
        assert fresh.headers["x-waggle-verified"] == "rerun"
        await settled(waggle)
        assert (await waggle.chat(MEAN)).headers["x-waggle-verified"] == "spec"
