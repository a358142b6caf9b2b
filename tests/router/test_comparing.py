"""Several plans are asked the same: a bound comes first, and judgements teach."""

import pytest

from router.request.context import context_of
from tests.router.scripted import BAD, ScriptedModel, only, planned, text_of

COMPARE = {"x-waggle-compare": "true"}
TWO = {"p": {"ask": "a"}, "q": {"ask": "b"}}
ASK = [{"role": "user", "content": "Why do bees dance?"}]


async def test_a_compared_answer_has_the_features_that_the_learner_needs_and_a_named_one_has_not():
    async with planned(TWO, a=ScriptedModel("x"), b=ScriptedModel("y")) as waggle:
        compared = await waggle.chat("Why?", model="q", headers=COMPARE)
        await waggle.chat("Why?", model="q", headers={"x-waggle-compare": "false"})
        first, second = (trace.decision for trace in waggle.journal.traces)
    assert text_of(compared) == "y"
    assert compared.headers["x-waggle-strategy"] == "compared"
    assert compared.headers["x-waggle-propensity"] == "1"
    assert context_of(first.numbers, "", lens=0)
    assert first.rates["q"] > 0
    assert second.strategy == "named"
    assert second.numbers == ()


async def test_auto_is_not_compared_with_anything():
    async with planned(TWO, a=ScriptedModel("x"), b=ScriptedModel("y")) as waggle:
        answer = await waggle.chat("Why?", headers=COMPARE)
    assert answer.headers["x-waggle-strategy"] == "ladder"


async def test_another_value_of_the_header_is_refused():
    async with planned(TWO, a=ScriptedModel("x"), b=ScriptedModel("y")) as waggle:
        answer = await waggle.chat("Why?", model="q", headers={"x-waggle-compare": "yes"})
    assert answer.status == 400
    assert answer.error["message"] == "`x-waggle-compare` must be true or false, not 'yes'."


PLANS = {
    "one": {"ask": "a"},
    "cascade": {"cascade": ["a", "b"], "accept": {"judge": "a", "least": 0.8}},
    "chain": {"pipeline": ["a", "b", "a"]},
    "votes": {"fan_out": ["a", "b", "b"], "merge": "vote"},
    "mended": {"refine": {"draft": "a", "critic": "b", "until": 0.9, "max": 2}},
}


@pytest.mark.parametrize("plan", PLANS)
async def test_no_plan_costs_more_than_the_bound_that_route_names(plan):
    """Each call uses 100 tokens of prompt and 50 of answer, as the scripted model reports them."""
    body = {"model": "auto", "messages": ASK, "max_tokens": 50}
    async with planned(only(PLANS[plan]), a=ScriptedModel(BAD), b=ScriptedModel(BAD)) as waggle:
        most = (await waggle.post("/v1/route", body)).json["most_usd"]["p"]
        await waggle.chat(ASK[0]["content"], model="p", max_tokens=50)
        trace = waggle.journal.traces[-1]
    assert len(trace.attempts) >= (1 if plan == "one" else 2)
    assert 0 < trace.cost_usd <= most


async def test_a_plan_with_an_unknown_price_has_no_bound():
    unknown = {"c": {"kind": "openai", "base_url": "http://127.0.0.1:9"}}
    plans = {"p": {"ask": "a"}, "q": {"cascade": ["a", "c"], "accept": {"regex": "x"}}}
    async with planned(plans, more=unknown, a=ScriptedModel("x")) as waggle:
        route = (await waggle.post("/v1/route", {"model": "auto", "messages": ASK})).json
    assert route["most_usd"]["p"] > 0
    assert route["most_usd"]["q"] is None


async def test_the_bound_grows_with_the_answer_that_is_allowed():
    async with planned(TWO, a=ScriptedModel("x"), b=ScriptedModel("y")) as waggle:
        bounds = [
            (await waggle.post("/v1/route", {"model": "auto", "messages": ASK, **more})).json
            for more in ({"max_tokens": 1000}, {"max_tokens": 2000}, {})
        ]
    short, long, any_length = (each["most_usd"] for each in bounds)
    # b costs 10 dollars per million tokens, ten times as much as a.
    assert long["q"] - short["q"] == pytest.approx(0.01)
    assert short["q"] == pytest.approx(10 * short["p"])
    assert any_length["q"] > long["q"]
