"""Waggle notices what users do next, and takes it for no rating."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from router.config.config import Config
from router.config.signals import SignalSource
from router.domain import Usage
from router.signals.behaviours import behaviour_of
from router.signals.endings import ending_of
from router.signals.next_step import hashed, next_step
from tests.fakes import LosableHive
from tests.rig import rig
from tests.router.scripted import NEVER, ScriptedModel, planned
from tests.waiting import until

TWO = {
    "backends": {"a": {"kind": "generator"}, "b": {"kind": "generator"}},
    "plans": {"p": {"ask": "a"}, "q": {"ask": "b"}},
}
NOTICES = (SignalSource(kind="behaviour"),)
GENERATES = """
backends: {generator: {kind: generator}}
plans: {generate: {ask: generator}}
"""


def noticing(waggle):
    engine = waggle.engine
    engine.reconfigure(engine.config.model_copy(update={"signals": NOTICES}))
    return waggle


def behaviours(waggle):
    return [
        (s.metric, s.score, s.weight, s.about.request_id)
        for s in waggle.journal.signals
        if s.source == "implicit"
    ]


@pytest.mark.parametrize(
    ("before", "now", "behaviour"),
    [
        ("Name three rivers of Peru", "name three  rivers of peru", "retried"),
        ("Name three rivers of Peru", "Which three rivers are there in Peru?", "rephrased"),
        ("Name three rivers of Peru", "Thanks, that is all.", "thanked"),
        ("Name three rivers of Peru", "muchas gracias!", "thanked"),
        ("Name three rivers of Peru", "Thank you, but which of them is the longest?", ""),
        ("Name three rivers of Peru", "Write a haiku about autumn", ""),
        ("Name three rivers of Peru", "Name three rivers of Chile", "edited"),
        ("Name thre rivers of Peru", "Name three rivers of Peru", "edited"),
        ("Name three rivers of Peru", "Now name three rivers of Chile", ""),
        ("Name three rivers of Peru", "That's wrong, one of them is in Chile", "corrected"),
        ("Name three rivers of Peru", "Thanks, but that's wrong.", "corrected"),
        ("Name three rivers of Peru", "Thanks! And now three lakes, please.", "thanked"),
        ("Name three rivers of Peru", "no thanks", ""),
        ("Name three rivers of Peru", "No, thank you", ""),
        ("Name three rivers of Peru", "again", "retried"),
        ("Nenne drei Flüsse in Peru", "Das stimmt nicht, der Rhein liegt in Europa", "corrected"),
        ("Nenne drei Flüsse in Peru", "Danke, aber das ist falsch", "corrected"),
        ("Nenne drei Flüsse in Peru", "nein danke", ""),
        ("Nenne drei Flüsse in Peru", "nochmal bitte", "retried"),
        ("Cite trois fleuves", "Merci, mais ce n'est pas correct", "corrected"),
        ("Di tres ríos de Perú", "eso está mal", "corrected"),
        ("Назови три реки", "Нет, это неверно", "corrected"),
        ("说出三条河", "不对,再想想", "corrected"),
        ("说出三条河", "谢谢", "thanked"),
        ("川を三つ挙げて", "違います", "corrected"),
        ("강 세 개를 말해 줘", "다시 해줘", "retried"),
        ("Hi", "Write an essay on how to say thanks", ""),
        ("Hi", "How do I find out what is wrong with my car?", ""),
        ("Hi", "Can you read this log? Thanks in advance!", ""),
        ("", "", ""),
    ],
)
def test_what_a_user_did_next_is_read_from_two_messages(before, now, behaviour):
    assert next_step(hashed(before), now) == behaviour


def test_no_word_of_a_message_is_remembered_only_a_bounded_number_of_hashes():
    message = "Name the longest rivers of Peru " * 200
    assert b"Peru" not in hashed(message)
    assert len(hashed(" ".join(f"word{n}" for n in range(10_000)))) <= 8 + 32 * 4


async def test_another_router_notices_what_the_user_does_next():
    hive, config = LosableHive(), json.dumps(TWO | {"signals": [{"kind": "behaviour"}]})
    async with rig(config, hive=hive) as first, rig(config, hive=hive, name="r2") as second:
        answer = await first.chat('{"city": "string"}')
        await first.background.exchange()
        await second.background.exchange()
        await second.chat('{"city": "string"}')
        request_id = answer.headers["x-waggle-request-id"]
        assert behaviours(second) == [("retried", 0.0, 0.0, request_id)]


HELLO = ({"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"})
USER, OTHER = "Name three rivers of Peru", "Name three rivers of Chile"


def user(text):
    return {"role": "user", "content": text}


def assistant(text, *calls):
    return {"role": "assistant", "content": text} | ({"tool_calls": list(calls)} if calls else {})


def call(command):
    arguments = json.dumps({"command": command})
    return {"id": "c1", "type": "function", "function": {"name": "bash", "arguments": arguments}}


def result(text, **more):
    return {"role": "tool", "tool_call_id": "c1", "content": text} | more


LISTS = assistant("", call("ls"))
ASKED, FAILED = user(USER), result("bash: ls: command not found")


@asynccontextmanager
async def two_models(**settings):
    plans = {"p": {"ask": "a"}, "q": {"ask": "b"}}
    models = {"a": ScriptedModel(**settings), "b": ScriptedModel(**settings)}
    async with planned(plans, **models) as waggle:
        yield noticing(waggle)


async def sent(waggle, *messages, **more):
    body = {"model": "auto", "messages": list(messages)} | more
    answer = await waggle.post("/v1/chat/completions", body)
    assert answer.status == 200, answer.body
    return answer.headers["x-waggle-request-id"]


@pytest.mark.parametrize(
    ("first", "second", "behaviour"),
    [
        # The last message replaced, as clients do it when a user edits a message.
        ([*HELLO, ASKED], [*HELLO, user(OTHER)], "edited"),
        ([*HELLO, ASKED], [*HELLO, ASKED], "retried"),
        # Another question of a row behind the same examples is no edit.
        ([*HELLO, ASKED], [*HELLO, user("What is a lens?")], ""),
        ([ASKED], [ASKED, assistant("Loire"), user("That's wrong.")], "corrected"),
        ([ASKED], [ASKED, assistant("Loire"), user("Thanks!")], "thanked"),
        ([ASKED], [ASKED, assistant("Loire"), user("How long is it?")], "continued"),
        # The thanks are for an answer that Waggle did not give.
        ([user("Hi")], [*HELLO, ASKED, assistant("Loire"), user("Thanks!")], ""),
        ([ASKED], [ASKED, LISTS, result("ls: error: exit code 2")], "tool_failed"),
        ([ASKED], [ASKED, LISTS, result("no luck", is_error=True)], "tool_failed"),
        # A step of an agent is not the same message sent again.
        ([ASKED], [ASKED, LISTS, result("a.py b.py")], ""),
        (
            [ASKED, LISTS, FAILED],
            [ASKED, LISTS, FAILED, LISTS, result("a.py")],
            "",
        ),
    ],
)  # fmt: skip
async def test_what_a_request_shows_follows_from_its_own_messages(first, second, behaviour):
    async with two_models() as waggle:
        request_id = await sent(waggle, *first)
        await sent(waggle, *second)
        expected = [(behaviour, float(behaviour in ("thanked", "continued")), 0.0, request_id)]
        assert behaviours(waggle) == (expected if behaviour else [])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("says", "behaviour"),
    [
        ("I'm sorry, but I can't help with that.", "refused"),
        ("Es tut mir leid, aber ich kann dir nicht helfen.", "refused"),
        ("抱歉,我无法提供这些信息。", "refused"),
        ("Paris. I cannot recommend its museums enough.", ""),
    ],
)
async def test_an_answer_that_refuses_is_noticed_by_its_words(says, behaviour, stream):
    async with two_models(says=says) as waggle:
        request_id = await sent(waggle, ASKED, stream=stream)
        assert behaviours(waggle) == ([(behaviour, 0.0, 0.0, request_id)] if behaviour else [])


@pytest.mark.parametrize(
    ("reason", "behaviour"),
    [("length", "cut"), ("content_filter", "refused"), ("stop", ""), ("tool_calls", "")],
)
def test_the_finish_reason_says_that_an_answer_was_cut_or_refused(reason, behaviour):
    chat = {
        "choices": [{"message": {"content": '"finish_reason": "length"'}, "finish_reason": reason}]
    }
    assert ending_of(json.dumps(chat).encode(), "chat", Usage(1, 1)) == behaviour


@pytest.mark.parametrize(
    ("dialect", "body", "behaviour"),
    [
        ("messages", {"content": [], "stop_reason": "refusal"}, "refused"),
        ("messages", {"content": [], "stop_reason": "max_tokens"}, "cut"),
        ("messages", {"content": [], "stop_reason": "end_turn"}, ""),
        ("responses", {"output": [], "incomplete_details": {"reason": "max_output_tokens"}}, "cut"),
        ("responses", {"output": [{"content": [{"type": "refusal"}]}]}, "refused"),
    ],
)  # fmt: skip
def test_the_end_of_an_answer_is_read_in_every_dialect(dialect, body, behaviour):
    assert ending_of(json.dumps(body).encode(), dialect, Usage(1, 1)) == behaviour


@pytest.mark.parametrize(
    ("metric", "behaviour"),
    [("retry", "retried"), ("Regenerated", "retried"), ("copied", "copied"), ("solved", "")],
)
def test_a_metric_of_feedback_may_name_a_behaviour(metric, behaviour):
    assert behaviour_of(metric) == behaviour


async def test_a_request_that_is_sent_again_is_an_implicit_signal_about_the_first_answer():
    plans = {"p": {"ask": "a"}, "q": {"ask": "b"}}
    async with planned(plans, a=ScriptedModel(), b=ScriptedModel()) as waggle:
        noticing(waggle)
        first = await waggle.chat("Name three rivers of Peru")
        assert behaviours(waggle) == []
        await waggle.chat("Name three rivers of Peru")
        request_id = first.headers["x-waggle-request-id"]
        assert behaviours(waggle) == [("retried", 0.0, 0.0, request_id)]


async def test_who_asks_again_and_names_another_plan_has_asked_again():
    plans = {"p": {"ask": "a"}, "q": {"ask": "b"}}
    async with planned(plans, a=ScriptedModel(), b=ScriptedModel()) as waggle:
        noticing(waggle)
        first = await waggle.chat("Name three rivers of Peru")
        await waggle.chat("Name three rivers of Peru", model="q")
        request_id = first.headers["x-waggle-request-id"]
        assert behaviours(waggle) == [("retried", 0.0, 0.0, request_id)]


async def test_a_caller_who_hangs_up_has_abandoned_the_answer():
    plans = {"p": {"ask": "a"}, "q": {"ask": "b"}}
    slow = ScriptedModel(seconds=NEVER)
    async with planned(plans, a=slow, b=slow) as waggle:
        noticing(waggle)
        asking = asyncio.create_task(waggle.chat("Name three rivers of Peru"))
        await until(lambda: slow.requests)
        asking.cancel()
        await until(lambda: behaviours(waggle))
        ((behaviour, score, _, _),) = behaviours(waggle)
        assert (behaviour, score) == ("abandoned", 0.0)


async def test_a_caller_who_names_the_plan_may_ask_as_often_as_she_likes():
    async with planned({"p": {"ask": "a"}}, a=ScriptedModel()) as waggle:
        noticing(waggle)
        for _ in range(3):
            await waggle.chat("Name three rivers of Peru", model="p")
        assert behaviours(waggle) == []


async def test_behaviours_are_noticed_unless_the_configuration_says_otherwise():
    assert any(source.kind == "behaviour" for source in Config.model_validate(TWO).signals)
    plans = {"p": {"ask": "a"}, "q": {"ask": "b"}}
    async with planned(plans, a=ScriptedModel(), b=ScriptedModel()) as waggle:
        engine = waggle.engine
        engine.reconfigure(engine.config.model_copy(update={"signals": ()}))
        for _ in range(2):
            await waggle.chat("Name three rivers of Peru")
        assert behaviours(waggle) == []


@pytest.mark.parametrize(
    ("statement", "metric", "score"),
    [
        ({"metric_name": "regenerated", "value": True}, "retried", 0.0),
        ({"metric_name": "edited", "value": 0.25}, "edited", 0.75),
        ({"metric_name": "copied", "value": True}, "copied", 1.0),
        ({"metric_name": "copied", "value": False}, "copied", 0.0),
    ],
)
async def test_an_app_that_reports_what_its_user_did_gives_no_rating(statement, metric, score):
    async with rig(GENERATES) as waggle:
        answer = await waggle.chat('{"name": "string"}')
        request_id = answer.headers["x-waggle-request-id"]
        answer = await waggle.post("/v1/feedback", {"request_id": request_id, **statement})
        assert answer.status == 200, answer.body
        assert behaviours(waggle) == [(metric, score, 0.0, request_id)]
        again = await waggle.post("/v1/feedback", {"request_id": request_id, **statement})
        assert again.json["new"] == 0


async def test_a_behaviour_that_is_a_text_is_refused():
    async with rig(GENERATES) as waggle:
        answer = await waggle.chat('{"name": "string"}')
        body = {
            "request_id": answer.headers["x-waggle-request-id"],
            "metric_name": "copied",
            "value": "all of it",
        }
        refused = await waggle.post("/v1/feedback", body)
        assert refused.status == 400
        assert "what a user did" in refused.json["error"]["message"]


@pytest.mark.parametrize("more", [{"weight": 0.5}, {"share": 0.5}, {"plans": ("p",)}])
def test_a_behaviour_takes_no_weight_because_its_weight_is_measured(more):
    with pytest.raises(ValueError, match="its weight is measured"):
        SignalSource(kind="behaviour", **more)
