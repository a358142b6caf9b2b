"""Refining with a critic, and reviewing against the conversation."""

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
        assert "x-waggle-partial" not in answer.headers


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
