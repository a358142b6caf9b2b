"""What plans set: the bytes that the model servers get, and what is refused in a file."""

import json
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import yaml

from router.config.load import load
from router.config.problems import ConfigError
from router.plans.settings import changed_by
from tests.reuse.service import settled
from tests.rig import rig
from tests.router.scripted import ScriptedModel, only, planned
from tests.upstream import Upstream, Wire, answer_well

HIGH = {"ask": "a", "set": {"reasoning_effort": "high", "temperature": 0}}


@asynccontextmanager
async def served(plan, **more):
    """A Waggle with the plan `p` over the server `a`, and what that server gets."""
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(Upstream(answer_well).listening())
        backend = {"kind": "openai", "base_url": upstream.url, "retry": {"times": 0}}
        config = {"backends": {"a": backend}, "plans": {"p": plan}, **more}
        waggle = await stack.enter_async_context(rig(json.dumps(config)))
        yield waggle, upstream


async def test_the_server_gets_the_callers_bytes_with_the_plans_parameters_and_no_other_change():
    body = b'{"model":"p",  "temperature": 1.0e0,"messages":[{"role":"user","content":"\\u00e9"}]}'
    async with served(HIGH) as (waggle, upstream):
        assert (await waggle.post("/v1/chat/completions", body)).status == 200
        assert upstream.seen[0].body == (
            b'{"reasoning_effort":"high","model":"p",  "temperature": 0,'
            b'"messages":[{"role":"user","content":"\\u00e9"}]}'
        )


async def test_a_stream_passes_through_with_the_plans_parameters():
    async with served(HIGH) as (waggle, upstream):
        answer = await waggle.chat("?", stream=True)
        assert answer.status == 200
        assert upstream.seen[0].fields["reasoning_effort"] == "high"
        assert upstream.seen[0].fields["stream"] is True
        # The engine needs no executor: no step of a plan has begun a stream of its own.
        assert b"waggle is at work" not in answer.body


@pytest.mark.parametrize(
    ("plans", "callers", "sent"),
    [
        ({"temperature": 0}, {"temperature": 0.9}, {"temperature": 0}),
        ({"temperature": None}, {"temperature": 0.9}, {"temperature": None}),
        ({"max_tokens": 100}, {}, {"max_tokens": 100}),
        ({"max_tokens": 100}, {"max_tokens": 20}, {"max_tokens": 20}),
        ({"max_tokens": 100}, {"max_tokens": 500}, {"max_tokens": 100}),
        (
            {"max_completion_tokens": 100},
            {"max_tokens": 20},
            {"max_completion_tokens": 20, "max_tokens": None},
        ),
        ({"stop": ["\n"]}, {"stop": "END", "top_p": 0.5}, {"stop": ["\n"], "top_p": 0.5}),
    ],
)
async def test_the_plan_wins_but_never_lifts_the_callers_bound(plans, callers, sent):
    async with served({"ask": "a", "set": plans}) as (waggle, upstream):
        await waggle.chat("?", **callers)
        fields = upstream.seen[0].fields
        assert {name: fields[name] for name in sent} == sent
        assert set(fields) == {"model", "messages", *sent}


@pytest.mark.parametrize("stream", [False, True])
async def test_system_takes_the_place_of_the_callers_and_instruct_goes_beside_it(stream):
    messages = [
        {"role": "system", "content": "the caller's"},
        {"role": "user", "content": "one"},
        {"role": "developer", "content": "the caller's too"},
        {"role": "user", "content": "two"},
    ]
    turns = [messages[1], messages[3]]
    shown = [{"role": "user", "content": "P"}, {"role": "assistant", "content": "A"}]
    prompts = {
        "replaced": ({"system": "S"}, [{"role": "system", "content": "S"}, *turns]),
        "beside": ({"instruct": "I"}, [{"role": "system", "content": "I"}, *messages]),
        "both": (
            {"system": "S", "instruct": "I"},
            [{"role": "system", "content": "S\n\nI"}, *turns],
        ),
        "examples": (
            {"examples": [{"prompt": "P", "answer": "A"}]},
            [messages[0], *shown, *messages[1:]],
        ),
    }
    for plan, sent in prompts.values():
        async with served({"ask": "a", **plan}) as (waggle, upstream):
            body = {"model": "p", "messages": messages, "stream": stream}
            assert (await waggle.post("/v1/chat/completions", body)).status == 200
            assert upstream.seen[0].fields["messages"] == sent


@pytest.mark.parametrize(
    ("kind", "model", "sent"),
    [
        (
            "anthropic",
            "claude-sonnet-4-5",
            lambda body: (body["system"][0]["text"], body["thinking"]["type"], body["max_tokens"]),
        ),
        (
            "gemini",
            "gemini-2.5-flash",
            lambda body: (
                body["systemInstruction"]["parts"][0]["text"],
                "enabled" if body["generationConfig"]["thinkingConfig"]["thinkingBudget"] else "",
                body["generationConfig"]["maxOutputTokens"],
            ),
        ),
    ],
)
async def test_a_backend_of_another_dialect_translates_what_the_plan_sets(kind, model, sent):
    plan = {
        "ask": "a",
        "set": {"reasoning_effort": "low", "max_completion_tokens": 4000},
        "system": "S",
    }
    async with Upstream(answer_well).listening() as upstream:
        backend = {"kind": kind, "base_url": upstream.url.removesuffix("/v1"), "model": model}
        backend |= {"api_key": "${KEY}", "retry": {"times": 0}}
        config = json.dumps({"backends": {"a": backend}, "plans": {"p": plan}})
        async with rig(config) as waggle:
            await waggle.chat("?")
            assert sent(upstream.seen[0].fields) == ("S", "enabled", 4000)


async def test_every_step_of_a_plan_may_have_its_own_parameters():
    cascade = {
        "cascade": [
            {"ask": "a", "set": {"reasoning_effort": "low"}},
            {"ask": "a", "set": {"reasoning_effort": "high"}, "system": "Think."},
        ],
        "accept": {"regex": "^never$"},
    }
    a = ScriptedModel("no")
    async with planned(only(cascade), a=a) as waggle:
        await waggle.chat("?")
        assert [sent["reasoning_effort"] for sent in a.requests] == ["low", "high"]
        assert [sent["messages"][0]["role"] for sent in a.requests] == ["user", "system"]


async def test_a_gate_sends_a_draft_back_with_the_same_parameters():
    plan = {"ask": "a", "set": {"seed": 7}, "system": "S", "gate": {"regex": "^good$"}}
    a = ScriptedModel(["bad", "good"])
    async with planned(only(plan), a=a) as waggle:
        assert (await waggle.chat("?")).text == "good"
        assert [sent["seed"] for sent in a.requests] == [7, 7]
        assert [sent["messages"][0]["content"] for sent in a.requests] == ["S", "S"]


async def test_a_fallback_gets_only_what_it_can_take():
    plan = {"ask": "a", "fallback": ["g"], "set": {"temperature": 0, "seed": 3}}
    more = {"g": {"kind": "generator"}}
    shape = 'Two: {"city": "string"}'
    async with planned(only(plan), more, a=ScriptedModel(status=500)) as waggle:
        first, second = await waggle.chat(shape), await waggle.chat(shape)
        assert first.headers["x-waggle-backend"] == "g"
        # The generator takes the seed, so that the same records come again.
        assert first.text == second.text


async def test_the_answer_and_the_route_say_what_the_plan_set_but_no_words_of_its_prompt():
    async with served({**HIGH, "system": "A secret recipe."}) as (waggle, _):
        answer = await waggle.chat("?", headers={"x-waggle-explain": "true"})
        body = {"model": "auto", "messages": [{"role": "user", "content": "?"}]}
        route = await waggle.post("/v1/route", body)
        shown = [{"ask": "a", "set": HIGH["set"], "system": True}]
        assert answer.json["waggle"]["settings"] == shown
        assert route.json["settings"] == shown
        assert b"secret" not in answer.body + route.body
        policy = waggle.journal.policies[0].settings
        assert policy["plans"]["p"]["set"] == HIGH["set"]


@pytest.mark.parametrize("more", [{}, {"max_latency_ms": 60_000}])  # without and with an executor
async def test_a_refusal_of_what_the_plan_set_tells_the_caller_who_set_it(more):
    async def refuse(wire: Wire) -> None:
        error = {"message": "Unsupported parameter: reasoning_effort", "type": "bad", "code": None}
        await wire.json({"error": error}, status=400)

    async with served({**HIGH, **more}) as (waggle, upstream):
        upstream.script = refuse
        answer = await waggle.chat("?")
        assert answer.status == 400
        assert answer.json["error"]["message"] == "Unsupported parameter: reasoning_effort"
        settings = [{"ask": "a", "set": HIGH["set"]}]
        assert answer.json["waggle"] == {"plan": "p", "settings": settings}


async def test_memory_does_not_repeat_what_the_plan_samples(tmp_path):
    reuse = {"reuse": {"mode": "exact", "keep": "all"}, "server": {"data": str(tmp_path)}}
    for temperature, calls in ((1.5, 2), (0, 1)):
        async with served({"ask": "a", "set": {"temperature": temperature}}, **reuse) as pair:
            waggle, upstream = pair
            for _ in range(2):
                await waggle.chat(f"How far is {temperature}?")
                await settled(waggle)
            assert len(upstream.seen) == calls


async def test_a_caller_who_names_the_plan_gets_its_repeatable_answer_again(tmp_path):
    reuse = {"reuse": {"mode": "exact", "keep": "all"}, "server": {"data": str(tmp_path)}}
    async with served(HIGH, **reuse) as (waggle, upstream):
        for model, calls in (("p", 1), ("auto", 3)):
            for _ in range(2):
                await waggle.chat("How far is it?", model=model, temperature=1.5)
                await settled(waggle)
            # Of `auto`, another plan might have answered with the caller's own temperature.
            assert len(upstream.seen) == calls


async def test_an_answer_of_another_prompt_is_not_given_again(tmp_path):
    reuse = {"reuse": {"mode": "exact", "keep": "all"}, "server": {"data": str(tmp_path)}}
    for system, calls in (("Be brief.", 1), ("Be brief.", 0), ("Be long.", 1)):
        async with served({"ask": "a", "system": system}, **reuse) as (waggle, upstream):
            await waggle.chat("How far is it?")
            await settled(waggle)
            assert len(upstream.seen) == calls


FILE = """
backends:
  gpt: {kind: openai, base_url: "http://x/v1", model: gpt-5}
  own: {kind: local, models: {tiny: ./tiny}}
  records: {kind: generator}
plans:
  p: PLAN
"""


@pytest.mark.parametrize(
    ("plan", "key", "rule", "mend"),
    [
        ("{ask: gpt, set: {temprature: 0}}", "set.temprature", "no parameter is", "temperature?"),
        ("{ask: gpt, set: {model: o3}}", "set.model", "beside `set`", "Use `model:`"),
        ("{ask: gpt, set: {messages: []}}", "set.messages", "the caller's", "`system:`"),
        ("{ask: gpt, set: {stream: true}}", "set.stream", "whether the answer streams", "Leave"),
        ("{ask: gpt, set: {n: 3}}", "set.n", "how many answers", "fan_out"),
        ("{ask: gpt, set: {tools: []}}", "set.tools", "tools are the caller's", "Leave it out"),
        ("{ask: gpt, set: {temperature: 3}}", "set.temperature", "number from 0 to 2", "Change"),
        ("{ask: gpt, set: {reasoning_effort: hi}}", "set.reasoning_effort", "one of none, ", ""),
        ("{ask: gpt, set: {max_tokens: null}}", "set.max_tokens", "would lift", "Change"),
        ("{ask: own, set: {top_k: 3}}", "set.top_k", "kind local does not take it", "top_p"),
        ("{ask: records, set: {temperature: 0}}", "set.temperature", "kind generator", "seed"),
        ("{ask: records, system: Hi}", "system", "no model reads it", "Leave it out"),
        (
            "{ask: records, examples: [{prompt: a, answer: b}]}",
            "examples",
            "no model reads it",
            "Leave it out",
        ),
        (
            "{cascade: [{ask: gpt, set: {n: 2}}, gpt], accept: {regex: x}}",
            "cascade.0.set.n",
            "how many answers",
            "fan_out",
        ),
    ],
)
def test_what_a_plan_may_not_set_is_refused_by_name(tmp_path, plan, key, rule, mend):
    path = tmp_path / "waggle.yaml"
    path.write_text(FILE.replace("PLAN", plan))
    with pytest.raises(ConfigError) as refused:
        load(path, {})
    (problem,) = refused.value.problems
    assert problem.key == f"plans.p.{key}"
    assert rule in problem.rule
    assert mend in problem.mend


CLOUD = """
backends:
  gpt: {kind: openai, base_url: "https://api.openai.com/v1", model: MODEL}
  other: {kind: openai, base_url: "https://api.openai.com/v1", model: gpt-4o}
plans:
  p: {ask: gpt, fallback: [other], set: {reasoning_effort: EFFORT}}
"""


@pytest.mark.parametrize(
    ("model", "effort", "rule"),
    [
        ("gpt-4o", "low", "gpt-4o does not reason, and takes no effort"),
        ("o3", "minimal", "o3 takes the efforts low, medium, high"),
        ("gpt-5", "none", "gpt-5 takes the efforts minimal, low, medium, high"),
        ("gpt-5", "minimal", ""),
        ("a-model-of-next-year", "xhigh", ""),
    ],
)
def test_an_effort_that_the_tables_know_the_model_not_to_take_is_refused(
    tmp_path, model, effort, rule
):
    path = tmp_path / "waggle.yaml"
    path.write_text(CLOUD.replace("MODEL", model).replace("EFFORT", effort))
    if not rule:
        assert load(path, {}).plans["p"].set_ == {"reasoning_effort": effort}
        return
    with pytest.raises(ConfigError) as refused:
        load(path, {})
    (problem,) = refused.value.problems
    assert (problem.key, problem.rule) == ("plans.p.set.reasoning_effort", rule)
    assert problem.line == 6


def test_a_fallback_that_takes_no_effort_gets_none(tmp_path):
    path = tmp_path / "waggle.yaml"
    path.write_text(CLOUD.replace("MODEL", "gpt-5").replace("EFFORT", "high"))
    config = load(path, {})
    given = config.plans["p"].set_ | {"temperature": 0}
    assert changed_by(given, {}, config.backends["gpt"]) == given
    assert changed_by(given, {}, config.backends["other"]) == {"temperature": 0}


def test_a_fallback_that_takes_less_is_no_mistake(tmp_path):
    path = tmp_path / "waggle.yaml"
    path.write_text(FILE.replace("PLAN", "{ask: gpt, fallback: [own], set: {verbosity: low}}"))
    assert load(path, {}).plans["p"].set_ == {"verbosity": "low"}


def test_a_configuration_with_parameters_goes_through_json_unchanged(tmp_path):
    path = Path(tmp_path / "waggle.yaml")
    path.write_text(FILE.replace("PLAN", "{ask: gpt, system: S, set: {seed: 1, stop: [x]}}"))
    config = load(path, {})
    assert type(config).model_validate(config.model_dump(mode="json")) == config
    assert yaml.safe_load(path.read_text())["plans"]["p"]["set"] == config.plans["p"].set_
