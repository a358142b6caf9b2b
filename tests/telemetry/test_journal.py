"""A router's journal, read back through an analyst's queries."""

import time

import pytest

from router.domain import About, Answered, Event, PolicyInForce, Refusal, new_id
from router.telemetry.journal import FileJournal, NotDurable
from router.telemetry.log import Rotation
from router.telemetry.lookup import CatalogMemory, scores_in
from router.telemetry.metrics import Metrics
from router.telemetry.store.catalog import CATALOG_FILE
from tests.kills import largest_file
from tests.telemetry.stored import Stored, request, signal
from tests.telemetry.traces import AT, score, trace
from tests.waiting import blocking_until, until


@pytest.fixture
def stored(tmp_path):
    return Stored(tmp_path)


@pytest.fixture
def journal(stored):
    journal = FileJournal(stored.folder, "router", Metrics(), rotation=Rotation(1e9))
    yield journal
    journal.close()


def test_a_trace_is_there_for_analysts_the_moment_it_was_appended(stored, journal):
    journal.append(trace())
    (row,) = stored.rows("select * from requests")
    expected = {
        "gen_ai_operation_name": "chat",
        "gen_ai_request_model": "auto",
        "gen_ai_provider_name": "openai",
        "gen_ai_usage_input_tokens": 10,
        "gen_ai_usage_output_tokens": 20,
        "gen_ai_usage_cache_read_input_tokens": 5,
        "key_id": "k1",
        "session": "s1",
        "kind": "question",
        "stream": True,
        "strategy": "bandit",
        "policy_version": "v7",
        "eligible": ["cheap", "dear"],
        "ineligible": {"tiny": "too small"},
        "probabilities": {"cheap": 0.75, "dear": 0.25},
        "plan": "dear",
        "propensity": 0.25,
        "explored": True,
        "backend": "b",
        "status": 200,
        "cost_usd": 0.002,
        "premium_cost_usd": 0.004,
        "latency_ms": 800,
        "ttft_ms": 600,
        "overhead_ms": 1,
        "quality": None,
        "answer_bytes": 99,
        "error": None,
        "v": 1,
    }
    assert {name: row[name] for name in expected} == expected
    features = {name: value for name, value in row["features"].items() if value is not None}
    assert features == {"complexity": 4.0, "code": 4.0}
    attempts = stored.rows("select * from attempts order by step")
    assert [a["backend"] for a in attempts] == ["a", "b"]
    assert [a["error_type"] for a in attempts] == ["upstream", None]


def test_words_are_kept_only_where_that_was_asked_for(stored, journal):
    failed = {"status": 503, "error": "Tried a: they said: hello", "error_type": "no_backend"}
    journal.append(trace(**failed, answer=Answered(99, "abcd")))
    (row,) = stored.rows("select * from requests")
    assert (row["prompt"], row["answer"], row["error"]) == (None, None, None)
    assert (row["error_type"], row["answer_hash"]) == ("no_backend", "abcd")
    for path in stored.folder.rglob("*.jsonl"):
        assert b"hello" not in path.read_bytes()
    journal.append(trace(**failed, keep_prompt=True))
    row = stored.rows("select * from requests order by n")[1]
    assert (row["prompt"], row["answer"]) == ("hello", "the answer")
    assert row["error"] == "Tried a: they said: hello"
    assert row["attempts"][0]["detail"] == "they said: hello"


def test_everything_else_that_happens_has_its_table(stored, journal):
    journal.refuse(Refusal("r1", AT, "chat", 429, "rate_limit_exceeded", "k1"))
    journal.note(Event("e1", AT, "breaker", "a", "open", {"reason": "five in a row"}))
    journal.policy(PolicyInForce("v7", "ladder", {"cuts": [3]}, AT))
    (row,) = stored.rows("select * from requests")
    assert (row["status"], row["error_type"], row["plan"]) == (429, "rate_limit_exceeded", None)
    assert stored.ask("select kind, subject, state, detail->>'reason' from events") == [
        ("breaker", "a", "open", "five in a row")
    ]
    assert stored.ask("select policy_version, settings->'cuts'->>0 from policies") == [("v7", "3")]


async def test_a_signal_is_kept_when_the_call_returns(stored, journal):
    first = trace()
    journal.append(first)
    memory = CatalogMemory(stored.folder)
    before = await memory.find(first.request.id)
    assert before is not None
    assert before.about.plan == "dear"
    await journal.keep([score(before.about, 0.75)])
    assert stored.ask("select quality, quality_source from requests") == [(0.75, "app")]
    after = await memory.find(first.request.id)
    assert [signal.content[1] for signal in after.signals] == [0.75]
    stored.close()
    assert await memory.find(new_id(AT)) is None
    memory.close()


async def test_a_full_disk_fails_no_request_and_refuses_feedback_and_is_reported(
    stored, journal, caplog
):
    about = About("r", 1)
    await journal.keep([score(about, 0.5)])
    with largest_file(50):
        journal.append(trace())
        with pytest.raises(NotDurable):
            await journal.keep([score(about, 0.5)])
        await until(lambda: "telemetry cannot be written" in caplog.text)
        assert journal.trouble
    await until(lambda: not journal.trouble and stored.ask("from events where kind = 'telemetry'"))
    assert stored.value("select count(*) from requests") == 1
    assert stored.value("select count(*) from signals") == 1
    assert stored.value("select state from events where kind = 'telemetry'") == "recovered"


def steps_of_the_clock(stored):
    return stored.rows("select * from events where kind = 'clock'")


def test_a_clock_that_is_set_is_an_event(stored):
    step = 0.0
    journal = FileJournal(stored.folder, "router", Metrics(), wall=lambda: time.time() + step)
    step = -3600.0
    (event,) = blocking_until(lambda: steps_of_the_clock(stored))
    journal.close()
    assert event["state"] == "stepped"
    assert "-3600" in event["detail"]


def test_a_clock_of_the_demos_may_jump(stored):
    now = [AT]
    journal = FileJournal(
        stored.folder, "router", Metrics(), wall=lambda: now[0], watch_clock=False
    )
    now[0] += 86_400
    journal.append(trace())
    journal.close()
    assert steps_of_the_clock(stored) == []


def test_backends_are_scored_by_the_signals_about_their_answers(stored):
    now = int(time.time() * 1e6)
    rows = [request(now - n, backend=name) for n, name in enumerate(["a", "a", "b", "c"])]
    stored.write("requests", rows)
    stored.write("signals", [signal(rows[0], 1.0), signal(rows[1], 1.0), signal(rows[2], 0.0)])
    stored.seal()
    assert dict(scores_in(stored.folder / CATALOG_FILE)) == pytest.approx({"a": 3 / 4, "b": 1 / 3})
