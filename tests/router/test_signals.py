"""Checks, tests, documents and judges score answers, and no request waits for a score."""

import asyncio
import json

import pytest

from router.config.signals import SignalSource
from router.signals.judgements import by_its_words, preferred, supported
from tests.router.scripted import ScriptedModel, planned

SHAPE = {"name": "string", "age": "int 18..90"}


async def judged(waggle, *args, **more):
    answer = await waggle.chat(*args, **more)
    assert answer.status == 200, answer.body
    await waggle.engine.assessor.idle()
    signals, waggle.journal.signals = waggle.journal.signals, []
    return {signal.metric: (signal.source, signal.score) for signal in signals}


@pytest.mark.parametrize("stream", [False, True])
async def test_json_and_its_schema_are_checked_in_answers_to_requests_for_json(stream):
    a = ScriptedModel('{"name": "Ann", "age": 30}')
    async with planned({"p": {"ask": "a"}}, a=a) as waggle:
        good = {"json": ("check", 1.0), "schema": ("check", 1.0)}
        assert await judged(waggle, "one", shape=SHAPE, stream=stream) == good
        a.says = 'Sure: {"name": "Ann", "age": 3}'
        bad = {"json": ("check", 0.5), "schema": ("check", 0.0)}
        assert await judged(waggle, "one", shape=SHAPE, stream=stream) == bad
        a.says = "I would rather not"
        none = {"json": ("check", 0.0), "schema": ("check", 0.0)}
        assert await judged(waggle, "one", shape=SHAPE, stream=stream) == none
        assert await judged(waggle, "hello", stream=stream) == {}
        # The trace keeps no text of this answer.
        assert waggle.journal.traces[-1].answer.text is None


@pytest.mark.parametrize(
    ("source", "text", "score"),
    [
        ({"kind": "regex", "regex": "^yes"}, "yes!", 1.0),
        ({"kind": "regex", "regex": "^yes"}, "no", 0.0),
        ({"kind": "rules", "rules": ["a < b"]}, '[{"a": 1, "b": 2}, {"a": 3, "b": 2}]', 0.5),
        ({"kind": "rules", "rules": ["a < b"]}, "no JSON", 0.0),
    ],
)
def test_an_answer_that_can_be_checked_gets_a_score(source, text, score):
    assert by_its_words(SignalSource(**source), {}, text).score == score


def test_records_that_are_only_well_formed_look_unreal():
    source, fields = SignalSource(kind="realism"), {"shape": {"name": "string"}}
    real = '[{"name": "Ana Ruiz", "email": "ana.ruiz@example.org", "age": 30}]'
    filled = '[{"name": "string", "email": "john@example.org", "age": 300}]'
    made_up = '[{"ordered": "2024-05-02", "delivered": "2024-04-02", "qty": 2, "total": 9}]'
    assert by_its_words(source, fields, real).score == 1
    assert by_its_words(source, fields, filled).score < 0.5
    assert by_its_words(source, fields, made_up).score < 1
    assert by_its_words(source, fields, '[{"x": 1}]') is None
    assert by_its_words(source, {}, "It rains.") is None


def test_a_pattern_that_never_ends_gives_no_judgement():
    source = SignalSource(kind="regex", regex="(a+)+$")
    assert by_its_words(source, {}, "a" * 5000 + "b") is None


SAME = "same length"


@pytest.mark.parametrize(
    ("first", "second", "served", "other", "score"),
    [
        ("first", "second", SAME, SAME, 1.0),
        ("second", "first", SAME, SAME, 0.0),
        ("first", "first", SAME, SAME, 0.5),  # the judge prefers a position, not an answer
        ("second", "second", SAME, SAME, 0.5),
        ("equal", "equal", SAME, SAME, 0.5),
        ("first", "equal", SAME, SAME, 0.75),
        ("first", "second", "x" * 160, "x" * 10, 0.75),  # a longer winner scores less
        ("first", "second", "x" * 10, "x" * 160, 1.0),
        ("second", "first", "x" * 10, "x" * 160, 0.25),
        ("", "second", SAME, SAME, None),
    ],
)
def test_a_judge_is_asked_in_both_orders_and_length_is_no_merit(
    first, second, served, other, score
):
    judgement = preferred(first, second, served, other)
    assert (judgement.score if judgement else None) == score


async def test_a_judge_compares_with_another_backend_and_its_cost_is_reported():
    def judge(fields):
        return json.dumps({"better": _place_of("served", fields["messages"][-1]["content"])})

    signals = [{"kind": "judge", "by": "j", "against": "b", "weight": 0.3}]
    plans = {"p": {"ask": "a"}}
    async with planned(
        plans, None, a=ScriptedModel("served"), b=ScriptedModel("rivals"), j=ScriptedModel(judge)
    ) as waggle:
        _with(waggle, signals)
        assert await judged(waggle, "?", model="p") == {"judge": ("judge", 1.0)}
        events = [event for event in waggle.journal.events if event.kind == "signal"]
        assert [event.detail["backend"] for event in events] == ["b", "j", "j"]
        assert all(event.detail["cost_usd"] > 0 for event in events)
        assert len(waggle.journal.traces) == 1  # the judge's calls write no trace


@pytest.mark.parametrize(
    ("answers", "no_store", "rival"),
    [(True, False, "rivals"), (False, False, None), (True, True, None)],
)
async def test_a_rivals_answer_is_kept_only_where_answers_are(answers, no_store, rival):
    def judge(fields):
        return json.dumps({"better": _place_of("served", fields["messages"][-1]["content"])})

    models = {"a": ScriptedModel("served"), "b": ScriptedModel("rivals"), "j": ScriptedModel(judge)}
    async with planned({"p": {"ask": "a"}}, None, **models) as waggle:
        _with(waggle, [{"kind": "judge", "by": "j", "against": "b"}])
        kept = waggle.engine.config.telemetry.model_copy(update={"answers": answers})
        waggle.engine.reconfigure(waggle.engine.config.model_copy(update={"telemetry": kept}))
        await waggle.chat("?", model="p", **({"store": False} if no_store else {}))
        await waggle.engine.assessor.idle()
        assert [signal.rival for signal in waggle.journal.signals] == [rival]


def _place_of(word, text):
    return "first" if text.index(word) < text.index("</first>") else "second"


def _with(waggle, signals):
    sources = tuple(SignalSource(**source) for source in signals)
    waggle.engine.reconfigure(waggle.engine.config.model_copy(update={"signals": sources}))


async def test_a_judge_scores_a_random_share_of_answers():
    signals = [{"kind": "judge", "by": "j", "share": 0.25}]
    judge = ScriptedModel('{"score": 0.7}')
    async with planned({"p": {"ask": "a"}}, a=ScriptedModel("x"), j=judge) as waggle:
        _with(waggle, signals)
        draws = iter([0.9, 0.1, 0.9, 0.9])
        waggle.engine.assessor.uniform = lambda: next(draws)
        seen = [await judged(waggle, "?", model="p") for _ in range(4)]
        assert seen == [{}, {"judge": ("judge", 0.7)}, {}, {}]


PROGRAM = "```python\ndef double(x):\n    return {}\n```"


async def test_an_answers_program_is_run_against_the_tests_that_came_with_the_request():
    signals = [{"kind": "tests", "by": "box"}]
    more = {"box": {"kind": "sandbox"}}
    a = ScriptedModel(PROGRAM.format("2 * x"))
    metadata = {"tests": "assert double(2) == 4\nassert double('a') == 'aa'"}
    async with planned({"p": {"ask": "a"}}, more, a=a) as waggle:
        _with(waggle, signals)
        assert await judged(waggle, "write it", metadata=metadata) == {"tests": ("check", 1.0)}
        a.says = PROGRAM.format("4")
        assert await judged(waggle, "write it", metadata=metadata) == {"tests": ("check", 0.0)}
        a.says = "```python\nresult = 'passed'\nraise SystemExit\n```"
        assert await judged(waggle, "write it", metadata=metadata) == {"tests": ("check", 0.0)}
        assert await judged(waggle, "write it") == {}


def test_an_answer_that_is_not_in_its_documents_is_not_supported():
    passages = ["A penalty is taken from the spot eleven metres (twelve yards) from goal."]
    right = supported("The penalty spot is twelve yards, eleven metres, from the goal.", passages)
    wrong = supported("Quarterbacks throw touchdown passes across midfield stadiums.", passages)
    assert right.score > 0.8
    assert wrong.score < 0.2
    assert supported("Yes.", passages) is None


async def test_a_judge_that_fails_gives_no_signal_and_no_request_waits_for_it():
    signals = [{"kind": "judge", "by": "j"}]
    async with planned(
        {"p": {"ask": "a"}}, a=ScriptedModel("x"), j=ScriptedModel("slow", seconds=0.4)
    ) as waggle:
        _with(waggle, signals)
        answer = await asyncio.wait_for(waggle.chat("?", model="p"), 60)
        assert answer.status == 200
        assert not waggle.journal.signals
        await waggle.engine.assessor.idle()
        assert not waggle.journal.signals


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ({"kind": "judge"}, "needs `by`"),
        ({"kind": "json", "by": "x"}, "takes no `by`"),
        ({"kind": "regex"}, "`regex` belongs"),
        ({"kind": "rules", "rules": ["x ==="]}, "is no rule"),
        ({"kind": "json", "share": 0}, "greater than 0"),
    ],
)
def test_an_impossible_source_is_refused_with_the_reason(source, says):
    with pytest.raises(ValueError, match=says):
        SignalSource(**source)
