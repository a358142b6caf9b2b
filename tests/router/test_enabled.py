"""A backend that is switched off: it stays in the file, and nothing is sent to it."""

import json
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from tests.rig import rig
from tests.router.scripted import GOOD, ScriptedModel
from tests.upstream import Upstream

OFF = "switched off (enabled: false)"


@asynccontextmanager
async def switched(plans, off, **models):
    """A Waggle over these models, of which `off` is switched off."""
    async with AsyncExitStack() as stack:
        backends = {}
        for name, model in models.items():
            upstream = await stack.enter_async_context(Upstream(model).listening())
            backends[name] = {
                "kind": "openai",
                "base_url": upstream.url,
                "enabled": name != off,
                "price": {"input": 0, "output": 0},
                "retry": {"times": 0},
            }
        more = {"guardrails": [GUARD]} if "guard" in models else {}
        text = json.dumps({"backends": backends, "plans": plans, **more})
        yield await stack.enter_async_context(rig(text))


GUARD = {
    "name": "safety",
    "kind": "classifier",
    "ask": "guard",
    "question": "unsafe: harm.",
    "labels": ["safe", "unsafe"],
    "allow": ["safe"],
    "on_error": "mark",
}


async def test_its_plans_are_ineligible_by_name_and_others_answer():
    plans = {"p": {"ask": "a"}, "q": {"ask": "b"}}
    a = ScriptedModel()
    async with switched(plans, "a", a=a, b=ScriptedModel("from b")) as waggle:
        answer = await waggle.chat("?")
        assert answer.text == "from b"
        assert OFF in waggle.journal.traces[-1].decision.ineligible["p"]
        for target in ("p", "a"):
            answer = await waggle.chat("?", model=target)
            assert answer.status == 400
            assert OFF in answer.error["message"]
        answer = await waggle.post(
            "/v1/chat/completions",
            {"model": "auto", "messages": [{"role": "user", "content": "?"}]},
            x_llm_backend="a",
        )
        assert OFF in answer.error["message"]
        assert a.requests == []


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        ({"ask": "a", "fallback": ["b"]}, "from b"),
        ({"ask": "b", "fallback": ["a"]}, "from b"),
        ({"cascade": ["a", "b"], "accept": {"regex": "."}}, "from b"),
        ({"hedge": ["a", "b"]}, "from b"),
        ({"fan_out": ["a", "b"], "merge": "vote"}, "from b"),
        ({"committee": {"members": ["a", "b", "c"], "rounds": 1}}, "from b"),
    ],
)
async def test_a_plan_that_can_do_without_it_answers(plan, text):
    a, c = ScriptedModel(), ScriptedModel("from b")
    async with switched({"p": plan}, "a", a=a, b=ScriptedModel("from b"), c=c) as waggle:
        assert (await waggle.chat("?")).text == text
        assert a.requests == []


@pytest.mark.parametrize(
    "plan",
    [
        {"ask": "b", "gate": {"judge": "a"}},
        {"refine": {"draft": "b", "critic": "a"}},
        {"review": {"draft": "b", "reviewer": "a"}},
        {"fan_out": ["b", "b"], "merge": "fuse", "by": "a"},
        {"pipeline": ["b", "a"]},
        {"pipeline": ["b", {"refine": {"draft": "b", "critic": "a"}}]},
        {"committee": {"members": ["b", "b"], "chair": "a"}},
    ],
)
async def test_a_plan_that_cannot_do_without_it_is_ineligible(plan):
    a, b = ScriptedModel(GOOD), ScriptedModel()
    async with switched({"p": plan, "q": {"ask": "b"}}, "a", a=a, b=b) as waggle:
        assert (await waggle.chat("?")).status == 200
        trace = waggle.journal.traces[-1]
        assert trace.decision.plan == "q"
        assert OFF in trace.decision.ineligible["p"]
        assert a.requests == []


async def test_not_even_a_guard_sends_it_anything():
    guard = ScriptedModel("safe")
    async with switched(
        {"p": {"ask": "b"}}, "guard", guard=guard, b=ScriptedModel("from b")
    ) as waggle:
        assert (await waggle.chat("?")).text == "from b"
        assert guard.requests == []


async def test_the_health_of_the_service_says_that_it_is_off_and_calls_that_no_trouble():
    async with switched({"p": {"ask": "b"}}, "a", a=ScriptedModel(), b=ScriptedModel()) as waggle:
        health = (await waggle.get("/health/ready")).json
        assert health["backends"]["a"]["state"] == "off"
        assert health["status"] == "ready"


def test_check_names_it_and_the_plans_that_answer_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "waggle.yaml").write_text(
        """
backends:
  a: {kind: openai, base_url: "http://127.0.0.1:1/v1", enabled: false}
  b: {kind: openai, base_url: "http://127.0.0.1:1/v1"}
plans: {p: {ask: a}, q: {ask: a, fallback: [b]}}
"""
    )
    result = CliRunner().invoke(app, ["check"], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    lines = [line for line in result.output.splitlines() if OFF in line]
    assert len(lines) == 2
    assert "a is " + OFF in " ".join(lines[0].split()).replace("├── ", "")
    assert "answers nothing: a is " + OFF in lines[1]
