"""Which backend is asked about pairs, and when a question is worth its cost."""

import pytest
import yaml

from learner.preference import PRESETS
from router.config.load import load
from router.config.problems import ConfigError
from router.engine.verifying import Expected, worth_asking
from router.plans.compiled import Plans

BACKENDS = {
    "big": {"kind": "openai", "base_url": "http://x/v1", "model": "vendor/large-2"},
    "small": {"kind": "local", "models": {"tiny": "/models/tiny", "other": "/models/other"}},
    "records": {"kind": "generator"},
}
RECORDS = "only a model can answer a question, and records is of kind generator"
PLANS = {
    "ask": {"ask": "big"},
    "cheap": {"ask": "small", "model": "other", "fallback": ["big"]},
    "mock": {"ask": "records"},
    "both": {"pipeline": ["small", "big"]},
}


def configured(tmp_path, name):
    path = tmp_path / "waggle.yaml"
    path.write_text(
        yaml.safe_dump({"backends": BACKENDS, "plans": PLANS, "reuse": {"verifier": name}})
    )
    return load(path, {})


@pytest.mark.parametrize(
    ("name", "rule", "mend"),
    [
        ("smal", "no backend, model or plan is called that", "Did you mean small?"),
        ("both", "the verifier answers with one call, and this plan makes several", "one backend"),
        (
            "records",
            "only a model can answer a question, and records is of kind generator",
            "local",
        ),
        ("mock", RECORDS, "local"),
    ],
)
def test_a_check_says_what_cannot_verify_and_what_can(tmp_path, name, rule, mend):
    with pytest.raises(ConfigError) as error:
        configured(tmp_path, name)
    (problem,) = error.value.problems
    assert (problem.key, problem.rule) == ("reuse.verifier", rule)
    assert mend in problem.mend


@pytest.mark.parametrize(
    ("name", "chain", "model"),
    [
        ("big", ("big",), "big"),
        ("vendor/large-2", ("big",), "vendor/large-2"),
        ("tiny", ("small",), "tiny"),
        ("other", ("small",), "other"),
        ("cheap", ("small", "big"), "other"),
        ("ask", ("big",), "big"),
    ],
)
def test_a_backend_a_model_or_a_plan_of_one_call_may_be_named(tmp_path, name, chain, model):
    verifier = Plans(configured(tmp_path, name)).verifier
    assert (verifier.chain, verifier.model) == (chain, model)


@pytest.mark.parametrize(
    ("saved", "question", "asks"),
    [
        (Expected(0.01), Expected(0.0001), True),
        (Expected(0.0001), Expected(0.0001), False),
        (Expected(0.0, 3.0), Expected(0.0), False),  # a question whose time nobody knows
        (Expected(0.0, 3.0), Expected(0.0, 0.5), True),
        (Expected(0.0, 0.5), Expected(0.0, 3.0), False),
        (Expected(0.01, 1.0), Expected(0.0001, 1.2), True),
        (Expected(0.0002, 0.2), Expected(0.0001, 30.0), False),
    ],
)
def test_a_question_is_asked_if_what_it_saves_is_dearer(saved, question, asks):
    assert worth_asking(saved, question, PRESETS["balanced"]) == asks


def test_a_caller_in_a_hurry_weighs_time_more():
    saved, question = Expected(0.003, 0.5), Expected(0.0005, 1.0)
    assert worth_asking(saved, question, PRESETS["cheap"])
    assert not worth_asking(saved, question, PRESETS["fast"])
