"""The traits of plans: which model they ask, and what they are expected to cost."""

import pytest

from learner.traits import ArmTraits
from router.config.config import Config
from router.plans.traits import traits_of

CONFIG = {
    "backends": {
        "gpt": {
            "kind": "openai",
            "base_url": "http://x/v1",
            "model": "gpt-5",
            "price": {"input": 2.0, "output": 10.0},
        },
        "elsewhere": {
            "kind": "openai",
            "base_url": "http://y/v1",
            "model": "openai/GPT-5",
            "price": {"input": 1.0, "output": 5.0},
        },
        "records": {"kind": "generator"},
    },
    "plans": {
        "plain": {"ask": "gpt"},
        "terse": {"ask": "gpt", "instruct": "Be brief."},
        "second": {"ask": "elsewhere"},
        "hard": {"ask": "gpt", "set": {"reasoning_effort": "high"}},
        "easy": {"ask": "gpt", "set": {"reasoning": {"effort": "low"}}},
        "named": {"ask": "gpt", "model": "gpt-5-mini"},
        "both": {"cascade": ["elsewhere", "gpt"], "accept": {"regex": "."}},
        "made": {"ask": "records"},
    },
}


@pytest.fixture(scope="module")
def traits():
    return traits_of(Config.model_validate(CONFIG))


def test_plans_of_one_model_are_one_family_whatever_their_prompt_and_provider(traits):
    assert {traits[name].family for name in ("plain", "terse", "second", "hard")} == {"gpt-5"}
    assert traits["named"].family == "gpt-5-mini"


def test_more_effort_is_a_higher_number(traits):
    assert traits["plain"].effort is None
    assert traits["easy"].effort < traits["hard"].effort


def test_a_plan_that_is_no_single_model_has_no_family(traits):
    assert traits["both"].family == ""
    assert traits["made"].family == ""


def test_the_price_is_that_of_a_thousand_usual_requests(traits):
    # 500 tokens in and 300 out of each call.
    assert traits["plain"].price == pytest.approx(500 * 2e-3 + 300 * 10e-3)
    assert traits["second"].price == pytest.approx(traits["plain"].price / 2)
    # The second call of a cascade may or may not come.
    first, second = traits["second"].price, traits["plain"].price
    assert traits["both"].price == pytest.approx(first + second / 2)
    assert traits["made"].price == 0


def test_an_arm_of_which_nothing_is_known_is_related_to_none():
    assert ArmTraits() == ArmTraits(family="", effort=None, price=None)
