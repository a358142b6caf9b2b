"""Backends are plans by their own names: a file may leave `plans` out."""

import json
from contextlib import AsyncExitStack

import pytest

from router.config.config import Config
from router.config.load import load
from router.config.problems import ConfigError
from router.plans.compiled import Plans
from router.routing.ladder import configured_ladder
from tests.rig import rig
from tests.router.scripted import ScriptedModel
from tests.upstream import Upstream

FILE = """
backends:
  strong: {kind: openai, base_url: "http://x/v1", price: {input: 5, output: 5}}
  weak: {kind: openai, base_url: "http://x/v1", price: {input: 1, output: 1}}
  vectors: {kind: openai, base_url: "http://x/v1", capabilities: [embeddings]}
  own: {kind: local, models: {tiny: ./tiny}}
  records: {kind: generator}
  box: {kind: sandbox}
"""


@pytest.fixture
def written(tmp_path):
    def read(text: str) -> Config:
        path = tmp_path / "waggle.yaml"
        path.write_text(text)
        return load(path, {})

    return read


@pytest.mark.parametrize("rest", ["", "plans:\n", "plans: null\n"])
def test_without_plans_every_model_is_a_plan_by_its_own_name(written, rest):
    config = written(FILE + rest)
    assert list(config.plans) == ["strong", "weak", "own"]
    assert configured_ladder(Plans(config)).rungs == ("own", "weak", "strong")
    assert Config.model_validate(config.model_dump(mode="json")) == config


def test_plans_that_are_written_are_all_there_are(written):
    config = written(FILE + "plans: {weak: {ask: weak}, both: {hedge: [weak, strong]}}")
    assert list(config.plans) == ["weak", "both"]


@pytest.mark.parametrize("plan", ["{ask: strong}", "{ask: weak, set: {seed: 1}}", "{code: box}"])
def test_a_plan_may_have_a_backends_name_only_if_it_asks_that_backend_and_nothing_more(
    written, plan
):
    with pytest.raises(ConfigError) as refused:
        written(f"{FILE}plans: {{weak: {plan}}}")
    (problem,) = refused.value.problems
    assert (problem.key, problem.rule) == ("plans.weak", "a backend has this name already")
    assert problem.mend.endswith("let it be {ask: weak} and nothing more.")


def test_a_file_without_plans_and_models_says_what_is_missing(written):
    with pytest.raises(ConfigError) as refused:
        written("backends: {records: {kind: generator}}")
    (problem,) = refused.value.problems
    assert problem.key == "plans"
    assert "at least 1 item" in problem.rule


async def test_callers_name_a_backend_as_before_and_auto_chooses_among_all():
    async with AsyncExitStack() as stack:
        backends, models = {}, {"dear": ScriptedModel("dear"), "cheap": ScriptedModel("cheap")}
        for price, (name, model) in zip((9.0, 1.0), models.items(), strict=True):
            upstream = await stack.enter_async_context(Upstream(model).listening())
            backends[name] = {"kind": "openai", "base_url": upstream.url, "model": f"m-{name}"}
            backends[name]["price"] = {"input": price, "output": price}
        waggle = await stack.enter_async_context(rig(json.dumps({"backends": backends})))
        assert (await waggle.chat("What is it?")).text == "cheap"
        for model in ("dear", "m-dear"):
            assert (await waggle.chat("?", model=model)).text == "dear"
        named = await waggle.chat("?", headers={"x-llm-backend": "dear"})
        assert named.headers["x-waggle-plan"] == "dear"
        listed = [model["id"] for model in (await waggle.get("/v1/models")).json["data"]]
        assert listed == ["auto", "dear", "cheap"]
