"""The promises of every journal: the journal of files, and the tests' fake."""

import asyncio

import pytest

from router.domain import About, Event, PolicyInForce, Refusal, TrialNews, new_id
from router.telemetry.journal import FileJournal, NotDurable
from router.telemetry.metrics import Metrics
from tests.fakes import MemoryJournal
from tests.kills import largest_file
from tests.telemetry.stored import Stored
from tests.telemetry.traces import AT, score, trace
from tests.waiting import until

ABOUT = About(new_id(AT), 1, plan="dear")


class JournalOfFiles:
    """A journal of files, and an analyst's queries that read it back."""

    def __init__(self, folder):
        self.stored = Stored(folder)
        self.journal = FileJournal(folder, "router", Metrics())

    def requests(self):
        return self._column("request_id from requests where plan is not null order by n")

    def refusals(self):
        return self._column("error_type from requests where plan is null order by n")

    def signals(self):
        return self._column("signal_id from all_signals order by n")

    def events(self):
        return self._column("event_id from all_events where kind = 'breaker' order by n")

    def policies(self):
        return self._column("policy_version from all_policies order by n")

    def trials(self):
        return self._column("state from all_trials order by n")

    def full(self):
        return largest_file(0)

    def _column(self, sql):
        return [row[0] for row in self.stored.ask(f"select {sql}")]


class JournalOfLists:
    def __init__(self):
        self.journal = MemoryJournal()

    def requests(self):
        return [trace.request.id for trace in self.journal.traces]

    def refusals(self):
        return [refusal.code for refusal in self.journal.refusals]

    def signals(self):
        return [signal.id for signal in self.journal.signals]

    def events(self):
        return [event.id for event in self.journal.events]

    def policies(self):
        return [policy.version for policy in self.journal.policies]

    def trials(self):
        return [news.state for news in self.journal.trials]

    def full(self):
        return self.journal.full_disk()


@pytest.fixture(params=["files", "memory"])
def kept(request, tmp_path):
    """A journal, and methods that read back what it has."""
    kept = JournalOfFiles(tmp_path) if request.param == "files" else JournalOfLists()
    yield kept
    kept.journal.close()


def test_everything_is_read_back_in_the_order_it_was_written_in(kept):
    journal = kept.journal
    traces = [trace(AT - n) for n in range(20)]  # written in the reverse order of their times
    for n, each in enumerate(traces):
        journal.append(each)
        journal.refuse(Refusal(f"r{n}", AT, "chat", 429, f"code{n}"))
        journal.note(Event(f"e{n}", AT, "breaker", "a", "open", {"why": n}))
        journal.policy(PolicyInForce(f"v{n}", "ladder", {"cuts": [n]}, AT))
        journal.trial(TrialNews("t", "name", f"state{n}", {"n": n}, AT))
    assert kept.requests() == [each.request.id for each in traces]
    assert kept.refusals() == [f"code{n}" for n in range(20)]
    assert kept.events() == [f"e{n}" for n in range(20)]
    assert kept.policies() == [f"v{n}" for n in range(20)]
    assert kept.trials() == [f"state{n}" for n in range(20)]
    assert journal.trouble == ""


async def test_a_signal_is_there_when_keep_returns(kept):
    signals = [score(ABOUT, n / 10) for n in range(10)]
    await kept.journal.keep(signals[:1])
    assert kept.signals() == [signals[0].id]
    kept.journal.say(signals[1:4])
    await kept.journal.keep(signals[4:])
    assert kept.signals() == [signal.id for signal in signals]
    await kept.journal.keep([])
    assert len(kept.signals()) == 10


async def test_many_may_keep_signals_at_once(kept):
    signals = [score(ABOUT, 0.5) for _ in range(200)]
    await asyncio.gather(*(kept.journal.keep([signal]) for signal in signals))
    assert sorted(kept.signals()) == sorted(signal.id for signal in signals)


async def test_on_a_full_disk_keep_acknowledges_nothing_and_may_be_called_again(kept):
    first, second = score(ABOUT, 0.1), score(ABOUT, 0.2)
    await kept.journal.keep([first])
    with kept.full():
        with pytest.raises(NotDurable):
            await kept.journal.keep([second])
        assert kept.signals() == [first.id]
    await kept.journal.keep([second])
    assert kept.signals() == [first.id, second.id]


async def test_a_full_disk_fails_no_other_call_and_costs_no_row(kept):
    journal = kept.journal
    refused = trace()
    with kept.full():
        journal.append(refused)
        journal.refuse(Refusal("r", AT, "chat", 429, "rate_limit_exceeded"))
        journal.note(Event("e", AT, "breaker", "a", "open"))
        journal.policy(PolicyInForce("v", "ladder", {}, AT))
        journal.trial(TrialNews("t", "name", "open", {}, AT))
        journal.say([score(ABOUT, 0.5)])
        assert journal.trouble
    await until(lambda: not journal.trouble)
    assert kept.requests() == [refused.request.id]
    assert kept.refusals() == ["rate_limit_exceeded"]
    assert len(kept.signals()) == 1
    assert (kept.events(), kept.policies(), kept.trials()) == (["e"], ["v"], ["open"])


async def test_a_journal_may_be_closed_twice_and_has_lost_nothing(kept):
    last, signal = trace(), score(ABOUT, 0.5)
    kept.journal.append(last)
    kept.journal.say([signal])
    kept.journal.close()
    kept.journal.close()
    assert kept.requests() == [last.request.id]
    assert kept.signals() == [signal.id]
