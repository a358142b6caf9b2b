"""The promises of every memory: the memory that reads catalog and journals, and the tests' fake."""

import asyncio
import time

import pytest

from router.domain import Refusal, new_id
from router.telemetry.journal import FileJournal
from router.telemetry.lookup import CatalogMemory, StoredSignal
from router.telemetry.metrics import Metrics
from tests.fakes import MemoryJournal, MemoryOf
from tests.telemetry.stored import Stored
from tests.telemetry.traces import AT, score, trace


class MemoryOfFiles:
    def __init__(self, folder, wall=time.time):
        Stored(folder)
        self._folder = folder
        self.journal = FileJournal(folder, "router", Metrics())
        self.memory = CatalogMemory(folder, wall=wall)

    def lose(self):
        (self._folder / "telemetry.duckdb").unlink()

    def close(self):
        self.memory.close()
        self.journal.close()


class MemoryOfLists:
    def __init__(self):
        self.journal = MemoryJournal()
        self.memory = MemoryOf(self.journal)

    def lose(self):
        self.memory.away = True

    def close(self):
        self.journal.close()


@pytest.fixture(params=["files", "files of the last minutes", "memory"])
def kept(request, tmp_path):
    """A journal, and the memory that reads it."""
    match request.param:
        case "files":
            kept = MemoryOfFiles(tmp_path)
        case "memory":
            kept = MemoryOfLists()
        case _:
            kept = MemoryOfFiles(tmp_path, wall=lambda: AT + 60)
    yield kept
    kept.close()


async def test_a_request_is_found_by_its_id_as_soon_as_it_was_appended(kept):
    traces = [trace() for _ in range(5)]
    for each in traces:
        kept.journal.append(each)
        stored = await kept.memory.find(each.request.id)
        assert stored.about == each.about
        assert stored.signals == ()


async def test_an_id_that_nobody_used_and_a_request_that_no_plan_answered_are_not_found(kept):
    kept.journal.append(trace())
    kept.journal.refuse(Refusal("refused", AT, "chat", 429, "rate_limit_exceeded"))
    assert await kept.memory.find(new_id(AT)) is None
    assert await kept.memory.find("refused") is None
    assert await kept.memory.find("") is None


async def test_a_request_comes_with_its_own_signals_from_the_oldest_to_the_latest(kept):
    first, second = trace(), trace()
    kept.journal.append(first)
    kept.journal.append(second)
    signals = [
        score(first.about, 0.25, AT + 2, source="judge"),
        score(first.about, None, AT + 5, metric="comment", comment="why?"),
        score(first.about, 1.0, AT + 9, value="true", demonstration="42"),
    ]
    await kept.journal.keep(signals[:1])
    await kept.journal.keep([score(second.about, 0.5, AT + 3)])
    kept.journal.say(signals[1:])
    stored = await kept.memory.find(first.request.id)
    assert stored.signals == tuple(
        StoredSignal(
            signal.id,
            signal.source,
            signal.metric,
            (signal.value, signal.score, signal.comment, signal.demonstration),
            int(signal.at * 1e6),
        )
        for signal in signals
    )
    assert len((await kept.memory.find(second.request.id)).signals) == 1


async def test_many_may_look_at_once_and_each_gets_his_own(kept):
    traces = [trace(AT + n) for n in range(30)]
    for each in traces:
        kept.journal.append(each)
    ids = [each.request.id for each in traces] * 3
    stored = await asyncio.gather(*(kept.memory.find(id_) for id_ in ids))
    assert [each.about.request_id for each in stored] == ids


async def test_a_backend_without_a_judged_answer_has_no_score(kept):
    kept.journal.append(trace())
    assert await kept.memory.scores() == {}


async def test_a_telemetry_that_cannot_be_read_is_a_lookup_error(kept):
    kept.journal.append(trace())
    kept.lose()
    for question in (kept.memory.find("r"), kept.memory.scores()):
        with pytest.raises(LookupError, match="telemetry cannot be read"):
            await question


async def test_scores_follow_the_signals_and_few_signals_move_them_little(kept, now):
    traces = [trace(now + n / 10) for n in range(4)]
    for each in traces:
        kept.journal.append(each)
    await kept.journal.keep([score(each.about, 1.0, now + 5) for each in traces[:2]])
    await kept.journal.keep([score(traces[2].about, 0.0, now + 5)])
    assert await kept.memory.scores() == pytest.approx({"b": 3 / 5})
    await kept.journal.keep([score(traces[2].about, 1.0, now + 6)])
    assert await kept.memory.scores() == pytest.approx({"b": 4 / 5})


@pytest.fixture
def now():
    return time.time() - 60
