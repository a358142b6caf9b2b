"""A model's name means a plan if it is surely the same model; what is not sure is left out."""

import pytest

from router.config.config import Config
from router.outcomes.names import BadMapping, match, names_of_plans

# Pairs that were written down from public tables, before the matching was.
SAME = [
    ("claude-3-haiku-20240307", "claude-3-haiku"),
    ("anthropic/claude-3-haiku", "claude-3-haiku-20240307"),
    ("anthropic_claude-3.5-sonnet", "claude-3-5-sonnet-20240620"),
    ("Claude 3.5 Sonnet", "claude-3-5-sonnet-latest"),
    ("gpt-4o-2024-05-13", "gpt-4o"),
    ("openai_o3-mini", "o3-mini"),
    ("meta-llama_Meta-Llama-3-8B-Instruct", "llama-3-8b"),
    ("Qwen/Qwen2.5-7B-Instruct", "qwen2.5-7b"),
    ("mistralai_mistral-small-3.1-24b-instruct", "mistral-small-3.1-24b"),
    ("google_gemma-3-27b-it", "gemma-3-27b"),
    ("deepseek_deepseek-r1", "deepseek-r1"),
    ("gpt-4-turbo-2024-04-09", "gpt-4-turbo"),
    ("databricks-dbrx-instruct", "dbrx"),
]
OTHERS = [
    ("claude-3-haiku-20240307", "claude-3.5-haiku"),
    ("gpt-4o-mini", "gpt-4o"),
    ("gpt-4-1106-preview", "gpt-4"),
    ("gpt-4-0613", "gpt-4-0125"),
    ("gpt-3.5-turbo-0125", "gpt-4-turbo"),
    ("llama-3.1-8b-instruct", "llama-3-8b"),
    ("llama-3.3-70b", "llama-3-70b"),
    ("qwen2.5-7b-instruct", "qwen2.5-72b"),
    ("gemini-1.5-flash-preview-0514", "gemini-1.5-pro"),
    ("mixtral-8x22b", "mixtral-8x7b"),
    ("deepseek_deepseek-r1", "deepseek-coder-6.7b"),
    ("llama3-chatqa-1.5-8b", "llama-3-8b"),
    ("command-r-plus", "command-r"),
]


@pytest.mark.parametrize(("model", "plan_model"), SAME)
def test_one_model_is_known_by_its_many_names(model, plan_model):
    assert match([model], {"p": ("p", plan_model)}, {}).plans == {model: ("p",)}


@pytest.mark.parametrize(("model", "plan_model"), OTHERS)
def test_another_model_is_never_taken_for_it(model, plan_model):
    assert match([model], {"p": ("p", plan_model)}, {}).plans == {}


def test_of_two_names_the_one_that_needs_less_dropped_is_meant_and_the_other_is_named():
    exact = match(["claude-3-haiku", "claude-3-haiku-20240307"], {"p": ("claude-3-haiku",)}, {})
    assert exact.plans == {"claude-3-haiku": ("p",)}
    assert exact.unsure == {"claude-3-haiku-20240307": "looks like p, and claude-3-haiku more so"}


def test_two_names_that_fit_as_well_are_both_unsure():
    models = ["gpt-4o-2024-05-13", "gpt-4o-2024-08-06"]
    matches = match(models, {"p": ("gpt-4o",)}, {})
    assert matches.plans == {}
    assert matches.unsure[models[0]] == f"looks like p, and so does {models[1]}"


def test_the_operators_own_pairs_win_and_must_exist():
    plans = {"p": ("p", "gpt-4o"), "q": ("q",)}
    matches = match(["gpt-4o", "z", "y"], plans, {"z": "p"})
    assert matches.plans == {"z": ("p",)}
    assert matches.unmatched == ("gpt-4o", "y")
    with pytest.raises(BadMapping, match="the plans are p, q"):
        match(["z"], plans, {"z": "r"})
    with pytest.raises(BadMapping, match="the models are z"):
        match(["z"], plans, {"w": "p"})


def test_a_plan_is_meant_by_its_name_its_backend_and_its_backends_model():
    config = Config.model_validate(
        {
            "backends": {
                "cloud": {"kind": "openai", "base_url": "http://x/v1", "model": "gpt-4o"},
                "other": {"kind": "generator"},
            },
            "plans": {
                "fast": {"ask": "cloud"},
                "briefly": {"ask": "cloud", "instruct": "Be brief."},
                "cold": {"ask": "cloud", "set": {"temperature": 0}},
                "hard": {"ask": "cloud", "set": {"reasoning_effort": "high"}},
                "prompted": {"ask": "cloud", "system": "Be brief."},
                "both": {"cascade": ["other", "cloud"], "accept": {"judge": "cloud"}},
            },
        }
    )
    assert names_of_plans(config) == {
        "fast": ("fast", "cloud", "gpt-4o"),
        "briefly": ("briefly",),
        "cold": ("cold", "cloud", "gpt-4o"),
        "hard": ("hard", "gpt-4o-high"),
        "prompted": ("prompted",),
        "both": ("both",),
    }
