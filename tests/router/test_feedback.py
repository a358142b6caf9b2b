"""`POST /v1/feedback` counts each statement once, and acknowledges only what is on disk."""

import asyncio
import uuid

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.api.feedback import parse_feedback, signals_of
from router.domain import About
from router.keys import new_key
from router.telemetry.lookup import StoredRequest, StoredSignal
from router.wire.errors import BadRequest
from tests.rig import rig

YAML = """
backends: {generator: {kind: generator}}
plans: {generate: {ask: generator}}
"""
RECORD = StoredRequest(About("r", 1_000_000, "", "ladder", "p", "text", "novel"), ())


async def answered(waggle, **headers: str) -> str:
    answer = await waggle.chat('{"name": "string"}', headers=headers)
    assert answer.status == 200
    return answer.headers["x-waggle-request-id"]


@pytest.mark.parametrize(
    ("statement", "metric", "value", "score"),
    [
        ({"score": 0.25}, "score", None, 0.25),
        ({"score": 1}, "score", None, 1.0),
        ({"thumbs": "up"}, "thumbs", None, 1.0),
        ({"thumbs": "down"}, "thumbs", None, 0.0),
        ({"thumbs": True}, "thumbs", None, 1.0),
        ({"metric_name": "solved", "value": True}, "solved", "true", 1.0),
        ({"metric_name": "grade", "value": 0.5}, "grade", "0.5", 0.5),
        ({"metric_name": "seconds_saved", "value": 40}, "seconds_saved", "40", None),
        ({"metric_name": "label", "value": "spam"}, "label", "spam", None),
    ],
)
async def test_a_statement_becomes_a_signal(statement, metric, value, score):
    async with rig(YAML) as waggle:
        request_id = await answered(waggle)
        answer = await waggle.post("/v1/feedback", {"request_id": request_id, **statement})
        assert answer.status == 200, answer.body
        (signal,) = waggle.journal.signals
        assert (signal.metric, signal.value, signal.score) == (metric, value, score)
        assert signal.about.plan == "generate"
        assert signal.about.request_id == request_id
        assert answer.json["signals"] == [signal.id]


async def test_comments_and_demonstrations_are_stored_without_a_score():
    async with rig(YAML) as waggle:
        request_id = await answered(waggle)
        body = {"comment": "too long", "demonstration": {"name": "Ada"}, "score": 0.5}
        answer = await waggle.post("/v1/feedback", {"inference_id": request_id, **body})
        assert answer.json["new"] == 3
        by_metric = {signal.metric: signal for signal in waggle.journal.signals}
        assert by_metric["comment"].comment == "too long"
        assert by_metric["comment"].score is None
        assert by_metric["demonstration"].demonstration == '{"name":"Ada"}'


async def test_the_same_again_changes_nothing_and_gets_the_same_answer():
    async with rig(YAML) as waggle:
        request_id = await answered(waggle)
        body = {"request_id": request_id, "score": 0.5, "comment": "fine"}
        first = await waggle.post("/v1/feedback", body)
        again = await waggle.post("/v1/feedback", body)
        assert (first.json["new"], again.json["new"]) == (2, 0)
        assert first.json["signals"] == again.json["signals"]
        assert len(waggle.journal.signals) == 2


async def test_a_change_of_mind_is_a_later_signal_beside_the_earlier_one():
    async with rig(YAML) as waggle:
        request_id = await answered(waggle)
        waggle.engine.wall = lambda: 2_000_000_000.0
        for score in (1.0, 0.0, 1.0):
            answer = await waggle.post("/v1/feedback", {"request_id": request_id, "score": score})
            assert answer.json["new"] == 1
            waggle.engine.wall = lambda: 1_900_000_000.0  # the clock was set back
        signals = waggle.journal.signals
        assert [signal.score for signal in signals] == [1.0, 0.0, 1.0]
        assert len({signal.id for signal in signals}) == 3
        assert signals[0].at < signals[1].at < signals[2].at


async def test_an_idempotency_key_makes_a_late_retry_the_same():
    async with rig(YAML) as waggle:
        request_id = await answered(waggle)
        good = {"request_id": request_id, "score": 1.0}
        first = await waggle.post("/v1/feedback", good, Idempotency_Key="k1")
        await waggle.post("/v1/feedback", {**good, "score": 0.0})
        retry = await waggle.post("/v1/feedback", good, Idempotency_Key="k1")
        assert retry.json["new"] == 0
        assert retry.json["feedback_id"] == first.json["feedback_id"]
        assert [signal.score for signal in waggle.journal.signals] == [1.0, 0.0]
        other = await waggle.post(
            "/v1/feedback", {"request_id": request_id, "score": 0.3}, Idempotency_Key="k1"
        )
        assert other.status == 422
        assert "came before with something else" in other.error["message"]


def test_two_routers_that_hear_the_same_at_once_write_one_signal():
    feedback = parse_feedback(b'{"request_id": "%b", "score": 0.5}' % str(uuid.uuid4()).encode())
    (first,), _ = signals_of(feedback, RECORD, key_id="", idempotency_key="", at=5.0)
    (second,), _ = signals_of(feedback, RECORD, key_id="", idempotency_key="", at=6.0)
    assert first.id == second.id


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=8))
def test_feedback_that_is_sent_twice_counts_once(scores):
    def signals_after(times: int) -> list[tuple[float | None, str]]:
        record, written = RECORD, []
        for score in scores:
            for _ in range(times):
                body = f'{{"request_id": "{uuid.UUID(int=7)}", "score": {score}}}'.encode()
                feedback = parse_feedback(body)
                new, _ = signals_of(feedback, record, key_id="", idempotency_key="", at=9.0)
                for signal in new:
                    written.append((signal.score, signal.id))
                    content = (signal.value, signal.score, signal.comment, signal.demonstration)
                    at = round(signal.at * 1e6)
                    more = StoredSignal(signal.id, signal.source, signal.metric, content, at)
                    record = StoredRequest(record.about, (*record.signals, more))
        return written

    assert signals_after(1) == signals_after(2)


async def test_two_sources_may_say_the_same_about_one_answer():
    async with rig(YAML) as waggle:
        request_id = await answered(waggle)
        for source in ("app", "user:7"):
            body = {"request_id": request_id, "score": 0.5, "source": source}
            assert (await waggle.post("/v1/feedback", body)).json["new"] == 1
        assert {signal.source for signal in waggle.journal.signals} == {"app", "user:7"}


async def test_an_unknown_request_is_404():
    async with rig(YAML) as waggle:
        unknown = str(uuid.uuid4())
        answer = await waggle.post("/v1/feedback", {"request_id": unknown, "score": 1})
        assert answer.status == 404
        assert unknown in answer.error["message"]


async def test_only_the_key_that_sent_a_request_or_an_admin_may_judge_its_answer():
    mine_text, mine = new_key("mine", "2026-01-01")
    other_text, other = new_key("other", "2026-01-01")
    admin_text, admin = new_key("boss", "2026-01-01", scopes=("admin",))
    async with rig(YAML, keys=[mine, other, admin]) as waggle:
        request_id = await answered(waggle, authorization=f"Bearer {mine_text}")
        body = {"request_id": request_id, "score": 1}
        for text, status in ((other_text, 404), (mine_text, 200), (admin_text, 200)):
            answer = await waggle.post("/v1/feedback", body, authorization=f"Bearer {text}")
            assert answer.status == status
        assert (await waggle.post("/v1/feedback", body)).status == 401


async def test_what_cannot_be_made_durable_is_not_acknowledged():
    async with rig(YAML) as waggle:
        request_id = await answered(waggle)
        waggle.journal.full = True
        body = {"request_id": request_id, "score": 1}
        answer = await waggle.post("/v1/feedback", body)
        assert answer.status == 503
        assert "No space left" in answer.error["message"]
        assert "Send it again" in answer.error["message"]
        ready = await waggle.get("/health/ready")
        assert ready.json["telemetry"] == "not written: No space left on device"
        waggle.journal.full = False
        assert (await waggle.post("/v1/feedback", body)).json["new"] == 1


async def test_while_the_disk_is_full_no_id_is_called_unknown():
    """The row about the request may wait in memory, so that a lookup does not find it."""
    async with rig(YAML) as waggle:
        waggle.journal.full = True
        answer = await waggle.post("/v1/feedback", {"request_id": ID, "score": 1})
        assert answer.status == 503
        assert "telemetry cannot be written (No space left on device)" in answer.error["message"]
        waggle.journal.full = False
        assert (await waggle.post("/v1/feedback", {"request_id": ID, "score": 1})).status == 404


async def test_telemetry_that_cannot_be_read_is_no_reason_to_call_an_id_unknown():
    async with rig(YAML) as waggle:
        request_id = await answered(waggle)
        waggle.memory.away = True
        answer = await waggle.post("/v1/feedback", {"request_id": request_id, "score": 1})
        assert answer.status == 503


ID = str(uuid.UUID(int=1))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"score": 1}, "`request_id` must be the id"),
        ({"request_id": 7, "score": 1}, "not 7"),
        ({"request_id": "x", "score": 1}, "x-waggle-request-id"),
        ({"request_id": ID}, "Say something"),
        ({"request_id": ID, "score": 1.5}, "from 0 (bad) to 1 (good), not 1.5"),
        ({"request_id": ID, "score": "good"}, "`score` must be"),
        ({"request_id": ID, "score": True}, "`score` must be"),
        ({"request_id": ID, "thumbs": "sideways"}, '"up" or "down"'),
        ({"request_id": ID, "metric_name": "x"}, "`value` of `x` must be"),
        ({"request_id": ID, "value": 1}, "`metric_name` must be"),
        ({"request_id": ID, "metric_name": "a b", "value": 1}, "`metric_name` must be"),
        ({"request_id": ID, "comment": ""}, "`comment` must be a text"),
        ({"request_id": ID, "comment": "x" * 70_000}, "70000 characters"),
        ({"request_id": ID, "score": 1, "source": "judge"}, "Waggle itself uses this name"),
        ({"request_id": ID, "score": 1, "source": ""}, "`source` must be"),
        ({"request_id": ID, "scroe": 1}, "`scroe` is not known here"),
    ],
)
async def test_bad_feedback_gets_an_error_that_says_what_is_wrong(body, says):
    async with rig(YAML) as waggle:
        answer = await waggle.post("/v1/feedback", body)
        assert answer.status == 400
        assert says in answer.error["message"]


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(sorted(("request_id", "score", "thumbs", "metric_name", "value", "comment", "source"))), anything))  # fmt: skip # noqa: E501
def test_no_feedback_breaks_the_parser(fields):
    try:
        body = orjson.dumps(fields | {"request_id": ID}, option=orjson.OPT_PASSTHROUGH_SUBCLASS)
    except TypeError:  # orjson refuses some values, as integers beyond 64 bits
        return
    try:
        assert parse_feedback(body).statements
    except BadRequest as refusal:
        assert refusal.status == 400


async def test_many_at_once_are_all_kept():
    async with rig(YAML) as waggle:
        ids = [await answered(waggle) for _ in range(20)]
        posts = [
            waggle.post("/v1/feedback", {"request_id": request_id, "score": 1})
            for request_id in ids
            for _ in "ab"
        ]
        answers = await asyncio.gather(*posts)
        assert {answer.status for answer in answers} == {200}
        assert len({signal.id for signal in waggle.journal.signals}) == 20
