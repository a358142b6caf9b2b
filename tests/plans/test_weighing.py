"""Plans that ask one of several equal backends, by their weights."""

import json
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from router.config.config import Config
from router.config.load import load
from router.config.problems import ConfigError
from router.plans.compiled import Plans
from router.plans.costs import Size
from router.plans.shown import plan_line
from tests.rig import rig
from tests.router.scripted import ScriptedModel
from tests.upstream import Upstream

WEIGHTS = {"a": 3.0, "b": 1.0}


@asynccontextmanager
async def weighed(plan, weights=WEIGHTS, **statuses):
    """A Waggle with the plan `p` over backends of these weights, and the models behind them."""
    async with AsyncExitStack() as stack:
        models = {name: ScriptedModel(name, status=statuses.get(name, 200)) for name in weights}
        backends = {}
        for name, model in models.items():
            upstream = await stack.enter_async_context(Upstream(model).listening())
            backends[name] = {
                "kind": "openai",
                "base_url": upstream.url,
                "weight": weights[name],
                "retry": {"times": 0},
            }
        config = json.dumps({"backends": backends, "plans": {"p": plan}})
        yield await stack.enter_async_context(rig(config)), models


@pytest.mark.parametrize("more", [{}, {"max_latency_ms": 60_000}])  # without and with an executor
async def test_requests_are_shared_by_weight(more):
    async with weighed({"ask": ["a", "b"], **more}) as (waggle, models):
        for _ in range(120):
            assert (await waggle.chat("?", model="p")).status == 200
        # 90 of 120 are expected; this is six standard deviations wide.
        assert 62 <= len(models["a"].requests) <= 118
        assert len(models["a"].requests) + len(models["b"].requests) == 120


async def test_an_equal_that_fails_is_followed_by_the_others_and_then_by_the_fallback():
    weights = {"a": 1.0, "b": 1.0, "c": 1.0}
    plan = {"ask": ["a", "b"], "fallback": ["c"]}
    async with weighed(plan, weights, a=500) as (waggle, _):
        answers = Counter([(await waggle.chat("?", model="p")).text for _ in range(12)])
        assert answers == {"b": 12}
    async with weighed(plan, weights, a=500, b=500) as (waggle, models):
        assert (await waggle.chat("?", model="p")).text == "c"
        assert len(models["a"].requests) == len(models["b"].requests) == 1


async def test_a_session_that_the_caller_names_stays_with_its_backend():
    async with weighed({"ask": ["a", "b"]}, {"a": 1.0, "b": 1.0}) as (waggle, _):
        for session in ("one", "two", "three"):
            headers = {"x-session-id": session}
            texts = {(await waggle.chat("?", model="p", headers=headers)).text for _ in range(6)}
            assert len(texts) == 1


async def test_a_conversation_that_auto_answers_stays_where_it_began():
    async with weighed({"ask": ["a", "b"]}, {"a": 1.0, "b": 1.0}) as (waggle, _):
        for number in range(8):
            turns = [{"role": "user", "content": f"{number}?"}]
            first = await waggle.chat("", messages=turns)
            turns += [
                {"role": "assistant", "content": first.text},
                {"role": "user", "content": "and then?"},
            ]
            assert (await waggle.chat("", messages=turns)).text == first.text


def config_of(plan, **more):
    backend = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"}
    return Config.model_validate(
        {
            "backends": {
                "a": {**backend, "price": {"input": 1, "output": 1}, **more},
                "b": {**backend, "price": {"input": 5, "output": 5}},
                "c": {**backend, "price": {"input": 9, "output": 9}},
            },
            "plans": {"p": plan},
        }
    )


def test_equals_are_priced_from_the_cheapest_to_the_dearest():
    config = config_of({"ask": ["a", "b"], "fallback": ["c"]})
    cost = Plans(config)["p"].cost(Size(1_000_000, 0))
    assert (cost.least_usd, cost.most_usd) == (1.0, 5.0)
    assert (cost.least_calls, cost.most_calls) == (1, 1)
    assert plan_line(config.plans["p"]) == "ask a or b → c"
    assert Config.model_validate(config.model_dump(mode="json")) == config
    unknown = config_of({"ask": ["a", "b"]}, price=None)
    assert Plans(unknown)["p"].cost(Size()).most_usd is None


@pytest.mark.parametrize(
    ("plan", "key", "says"),
    [
        ({"ask": []}, "plans.p", "at least one"),
        ({"ask": ["a", "a"]}, "plans.p", "twice"),
        ({"ask": ["a", "nobody"]}, "plans.p.ask.1", "called that"),
        ({"ask": ["a", "b"], "set": {"tempratur": 1}}, "plans.p.set.tempratur", "parameter"),
    ],
)
def test_a_mistake_in_a_list_of_equals_is_named(tmp_path, plan, key, says):
    backend = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"}
    path = tmp_path / "waggle.yaml"
    path.write_text(json.dumps({"backends": {"a": backend, "b": backend}, "plans": {"p": plan}}))
    with pytest.raises(ConfigError) as error:
        load(path, {})
    problems = {problem.key: str(problem) for problem in error.value.problems}
    assert says in problems[key]


@pytest.mark.parametrize("weight", [0, -1, "much"])
def test_a_weight_that_shares_nothing_is_refused(tmp_path, weight):
    path = tmp_path / "waggle.yaml"
    backend = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1", "weight": weight}
    path.write_text(json.dumps({"backends": {"a": backend}}))
    with pytest.raises(ConfigError) as error:
        load(path, {})
    assert [problem.key for problem in error.value.problems] == ["backends.a.weight"]
