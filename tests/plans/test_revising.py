"""Refining with a critic, and reviewing against the conversation."""

import pytest

from router.plans.criticism import compared
from tests.router.scripted import BAD, GOOD, ScriptedModel, only, planned, steps_of, text_of


async def test_refining_goes_on_until_the_critic_is_content():
    plan = only({"refine": {"draft": "a", "critic": "c", "fixer": "b", "until": 0.8, "max": 3}})
    critic = ScriptedModel([BAD, GOOD])
    b = ScriptedModel("better")
    async with planned(plan, a=ScriptedModel("draft"), b=b, c=critic) as waggle:
        assert text_of(await waggle.chat("?")) == "better"
        assert "too vague" in b.last
        assert steps_of(waggle) == [
            ("refine.draft", "a", 0),
            ("refine.critic", "c", 1),
            ("refine.fixer", "b", 2),
            ("refine.critic", "c", 3),
        ]


async def test_refining_without_success_ends_with_the_premium_backend():
    refine = {"draft": "a", "critic": "c", "until": 0.8, "max": 2, "finally": "d"}
    a, critic, d = ScriptedModel("draft"), ScriptedModel(BAD), ScriptedModel("premium")
    async with planned(only({"refine": refine}), a=a, c=critic, d=d) as waggle:
        answer = await waggle.chat("?")
        assert text_of(answer) == "premium"
        assert len(a.requests) == 3
        assert "draft" in d.requests[0]["messages"][-2]["content"]  # it mends the best draft
        assert "too vague" in d.last
        # Its answer is graded too, and was found no better.
        assert answer.headers["x-waggle-partial"] == "critic"
        assert [role for role, _, _ in steps_of(waggle)][-2:] == [
            "refine.finally",
            "refine.critic",
        ]


@pytest.mark.parametrize(
    ("grades", "answer", "partial"),
    [
        ((0.3, 0.9), "final", None),
        ((0.3, 0.6), "final", "critic"),
        ((0.6, 0.3), "draft 2", "critic"),  # what is worse than the best draft does not go out
    ],
)
async def test_the_last_answer_is_checked_and_the_best_goes_out(grades, answer, partial):
    scores = [f'{{"score": {score}, "problems": "p"}}' for score in (0.1, *grades)]
    refine = {"draft": "a", "critic": "c", "until": 0.8, "max": 1, "finally": "d"}
    models = {
        "a": ScriptedModel(["draft 1", "draft 2"]),
        "c": ScriptedModel(scores),
        "d": ScriptedModel("final"),
    }
    async with planned(only({"refine": refine}), **models) as waggle:
        reply = await waggle.chat("?")
        assert text_of(reply) == answer
        assert reply.headers.get("x-waggle-partial") == partial
        assert "draft 2" in models["d"].requests[0]["messages"][-2]["content"]


async def test_several_critics_must_all_be_content_and_the_fixer_hears_each():
    refine = {"draft": "a", "critic": ["c", "d"], "fixer": "b", "max": 2}
    c = ScriptedModel([GOOD, GOOD])
    d = ScriptedModel(['{"score": 0.1, "problems": "no source"}', GOOD])
    b = ScriptedModel("better")
    async with planned(only({"refine": refine}), a=ScriptedModel("x"), b=b, c=c, d=d) as waggle:
        assert text_of(await waggle.chat("?")) == "better"
        assert "d: no source" in b.last
        assert sorted(role for role, _, _ in steps_of(waggle)) == [
            "refine.critic.0",
            "refine.critic.0",
            "refine.critic.1",
            "refine.critic.1",
            "refine.draft",
            "refine.fixer",
        ]


async def test_a_critic_that_fails_is_passed_over_while_another_grades():
    refine = {"draft": "a", "critic": ["c", "d"]}
    models = {"c": ScriptedModel(status=500), "d": ScriptedModel(GOOD)}
    async with planned(only({"refine": refine}), a=ScriptedModel("x"), **models) as waggle:
        answer = await waggle.chat("?")
        assert text_of(answer) == "x"
        assert "x-waggle-partial" not in answer.headers


@pytest.mark.parametrize(
    ("draft", "document", "score"),
    [
        ("The mean is 3.5 and n is 4.", '{"mean": 3.5, "count": 4}', 1.0),
        ("about 3.50", '{"mean": 3.501}', 1.0),  # a draft rounds
        ("The mean is 3.7, n is 4.", '{"mean": 3.5, "count": 4}', 0.5),
        ("1,250 pieces", '{"sum": 1250}', 1.0),
        ("I cannot say.", '{"mean": 3.5}', 0.0),
        ("yes", "Yes.", 1.0),
        ("1e999 or 4", '{"mean": 4}', 1.0),
    ],
)
def test_a_program_compares_its_figures_with_those_of_the_draft(draft, document, score):
    opinion = compared(draft, document)
    assert opinion.score == score
    assert bool(opinion.problems) is (score < 1)


def test_a_program_that_draws_data_has_no_opinion_of_a_draft():
    assert compared("3", str(list(range(200)))).score is None


async def test_a_critic_that_computes_sends_a_wrong_figure_back():
    refine = {"draft": "a", "critic": ["c", {"code": "s"}], "max": 1}
    a = ScriptedModel(["The mean is 5.", "The mean is 4."])
    sandbox = {"s": {"kind": "sandbox"}}
    models = {"a": a, "c": ScriptedModel(GOOD)}
    async with planned(only({"refine": refine}), sandbox, **models) as waggle:
        answer = await waggle.chat("What is the mean of 2, 4 and 6?")
        assert text_of(answer) == "The mean is 4."
        assert "computed" in a.last
        assert "4" in a.last
        assert "x-waggle-partial" not in answer.headers
        assert "x-waggle-verified" not in answer.headers  # it checked the answer, and gave none
        assert ("refine.critic.1", "s", 1) in steps_of(waggle)
        a.requests.clear()
        answer = await waggle.chat("Why do bees dance?")  # nothing to compute: no opinion
        assert text_of(answer) == "The mean is 5."
        assert "x-waggle-partial" not in answer.headers


async def test_a_member_that_computes_speaks_once_and_its_words_stand():
    members = ["a", "b", {"code": "s", "role": "computes"}]
    plan = only({"committee": {"members": members, "rounds": 2, "chair": "c"}})
    models = {"a": ScriptedModel("5"), "b": ScriptedModel("5"), "c": ScriptedModel("4")}
    async with planned(plan, {"s": {"kind": "sandbox"}}, **models) as waggle:
        assert text_of(await waggle.chat("What is the mean of 2, 4 and 6?")) == "4"
        backends = [backend for _, backend, _ in steps_of(waggle)]
        assert backends.count("s") == 1
        assert 'role="computes"' in models["a"].last
        assert 'role="computes"' in models["c"].last


async def test_refining_without_success_answers_with_its_best_round_marked_as_partial():
    scores = [f'{{"score": {score}, "problems": "p"}}' for score in (0.3, 0.6, 0.1)]
    plan = only({"refine": {"draft": "a", "critic": "c", "until": 0.8, "max": 2}})
    async with planned(plan, a=ScriptedModel(["1", "2", "3"]), c=ScriptedModel(scores)) as waggle:
        answer = await waggle.chat("?")
        assert text_of(answer) == "2"
        assert answer.headers["x-waggle-partial"] == "critic"


async def test_a_review_sends_back_an_answer_that_contradicts_the_conversation():
    plan = only({"review": {"draft": "a", "reviewer": "r", "max": 1}})
    a = ScriptedModel(["it is red", "it is blue"])
    reviewer = ScriptedModel(['{"score": 0, "problems": "blue was agreed"}', '{"score": 1}'])
    async with planned(plan, a=a, r=reviewer) as waggle:
        assert text_of(await waggle.chat("which colour?")) == "it is blue"
        assert "blue was agreed" in a.last
        assert "which colour?" in reviewer.last
        reviewer.says = '{"score": 0, "problems": "still red"}'
        answer = await waggle.chat("which colour?")
        assert answer.headers["x-waggle-partial"] == "review"
