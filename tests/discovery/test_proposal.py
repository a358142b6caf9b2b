"""What is proposed: plans from cheap to strong, a cascade that can say no, efforts; its text."""

import pytest
import yaml

from router.catalog import ModelFacts, Price, PriceAbove
from router.config.load import load
from router.discovery.choosing import candidate
from router.discovery.listing import Listed
from router.discovery.proposal import CascadePlan, propose
from router.discovery.providers import places
from router.discovery.writing import scalar, text_of
from tests.rig import rig
from tests.upstream import Upstream

_NAMES = (
    "ANTHROPIC_API_KEY",
    "OPENAI_API_KEY",
    "MISTRAL_API_KEY",
    "XAI_API_KEY",
    "AZURE_OPENAI_API_KEY",
)
KEYS = {"AZURE_OPENAI_ENDPOINT": "https://mine.openai.azure.com"}
KEYS |= dict.fromkeys(_NAMES, "sk-Secret")


def model(server, name, dear=0.0, *, efforts=(), **more):
    place = next(each for each in places(KEYS) if each.provider.name == server)
    price = Price(input=dear, output=4 * dear)
    facts = ModelFacts(name, server, price, None, (), efforts, "")
    listed = Listed(name, **more)
    return candidate(place, place.provider.title, listed, lambda name, url: facts)


def proposed(*models, dollars=5.0, port=8000):
    return propose(models, dollars_per_day=dollars, port=port)


def written(proposal, tmp_path):
    listed = {each.candidate.title: 9 for each in proposal.backends}
    path = tmp_path / "waggle.yaml"
    path.write_text(text_of(proposal, day="2026-11-27", listed=listed))
    return path


def cascade_of(proposal):
    return next((each for each in proposal.plans if isinstance(each, CascadePlan)), None)


def test_plans_go_from_cheap_to_strong():
    proposal = proposed(model("openai", "big", 5), model("ollama", "tiny"), model("xai", "mid", 1))
    assert [plan.name for plan in proposal.plans] == ["tiny", "mid", "cascade", "big"] or [
        plan.name for plan in proposal.plans
    ] == ["tiny", "cascade", "mid", "big"]


def test_a_claude_that_takes_no_temperature_leaves_it_out_and_an_older_one_keeps_it(tmp_path):
    proposal = proposed(
        model("anthropic", "claude-haiku-4-5", 1), model("anthropic", "claude-opus-5", 5)
    )
    backends = yaml.safe_load(written(proposal, tmp_path).read_text())["backends"]
    left_out = {each["model"]: each.get("leave_out") for each in backends.values()}
    assert left_out == {"claude-haiku-4-5": None, "claude-opus-5": ["temperature", "top_p"]}


def test_local_models_are_ordered_by_size():
    proposal = proposed(model("ollama", "a:13b", size=13.0), model("ollama", "b:3b", size=3.2))
    assert [plan.name for plan in proposal.plans if plan.name != "cascade"] == ["b-3b", "a-13b"]


def test_a_cascade_believes_a_cheap_model_that_says_how_sure_it_is():
    proposal = proposed(model("openai", "small", 0.1), model("openai", "big", 5))
    cascade = cascade_of(proposal)
    assert (cascade.cheap, cascade.strong) == ("small-at-openai", "big-at-openai")
    assert cascade.check == "probability"


def test_else_a_judge_that_is_neither_the_cheap_nor_the_strong_model_checks():
    proposal = proposed(
        model("mistral", "small", 0.1), model("xai", "middle", 1), model("mistral", "big", 5)
    )
    cascade = cascade_of(proposal)
    assert (cascade.check, cascade.judge) == ("judge", "middle-at-xai")


def test_no_model_judges_itself():
    cascade = cascade_of(proposed(model("mistral", "small", 0.1), model("mistral", "big", 5)))
    assert cascade.judge == "big-at-mistral"
    assert cascade.cheap == "small-at-mistral"


def test_a_model_that_reasons_is_not_asked_for_probabilities():
    thinking = model("openai", "small", 0.1, efforts=("low", "medium", "high"))
    cascade = cascade_of(proposed(thinking, model("xai", "middle", 1), model("xai", "big", 5)))
    assert cascade.check == "judge"


@pytest.mark.parametrize(
    "models",
    [
        [("openai", "only", 1.0)],
        [("openai", "one", 1.0), ("xai", "other", 1.1)],
    ],
)
def test_without_a_clearly_cheaper_model_there_is_no_cascade(models):
    assert cascade_of(proposed(*(model(*each) for each in models))) is None


def test_the_middle_model_with_efforts_becomes_an_effort_ladder():
    efforts = ("low", "medium", "high")
    proposal = proposed(
        model("openai", "nano", 0.1, efforts=efforts), model("openai", "mini", 1, efforts=efforts),
        model("openai", "full", 5, efforts=efforts),
    )  # fmt: skip
    names = [plan.name for plan in proposal.plans if plan.name != "cascade"]
    assert names == ["nano", "mini-low", "mini", "mini-high", "full"]


def test_a_plan_falls_back_on_another_provider():
    proposal = proposed(model("openai", "a", 1), model("openai", "b", 2), model("xai", "c", 4))
    fallbacks = {plan.name: plan.fallback for plan in proposal.plans if plan.name != "cascade"}
    assert fallbacks == {"a": "c-at-xai", "b": "c-at-xai", "c": "b-at-openai"}


def test_models_of_one_name_at_two_servers_have_names_of_their_own():
    proposal = proposed(model("openai", "gpt-4o", 2), model("azure", "gpt-4o", 2))
    assert [plan.name for plan in proposal.plans] == ["gpt-4o", "gpt-4o-2"] or [
        plan.name for plan in proposal.plans
    ] == ["gpt-4o-2", "gpt-4o"]


def test_a_model_cannot_take_the_name_of_routing_itself():
    assert [plan.name for plan in proposed(model("openai", "auto", 1)).plans] == ["auto-2"]


def test_what_costs_has_a_bound_and_what_costs_nothing_has_none(tmp_path):
    paid = load(written(proposed(model("openai", "a", 1), dollars=2.5), tmp_path), KEYS)
    assert paid.keys.limits.dollars_per_day == 2.5
    assert paid.objective.budget.dollars_per_day == 2.5
    free = load(written(proposed(model("ollama", "a")), tmp_path), {})
    assert free.keys.limits.dollars_per_day is None
    assert free.objective.budget is None


async def test_the_bound_holds_for_callers_without_a_key():
    """What `waggle init` promises of `keys.limits`: it binds everybody where there is no key."""
    async with Upstream().listening() as upstream:
        text = f"""
backends: {{a: {{kind: openai, base_url: "{upstream.url}", price: {{input: 10, output: 10}}}}}}
keys: {{limits: {{dollars_per_day: 0.003}}}}
plans: {{fast: {{ask: a}}}}
"""
        async with rig(text) as running:
            answers = [await running.chat("hi") for _ in range(4)]
    assert answers[0].status == 200
    assert answers[-1].status == 429


def test_the_file_says_what_the_proposal_says(tmp_path):
    small = model("openai", "small", 0.1, context_window=1000, capabilities=("chat", "json"))
    config = load(written(proposed(small, model("openai", "big", 5)), tmp_path), KEYS)
    backend = config.backends["small-at-openai"]
    assert (backend.model, backend.context_window) == ("small", 1000)
    assert backend.capabilities == ("chat", "json")
    assert backend.price.output == 0.4
    assert backend.api_key == "${OPENAI_API_KEY}"
    assert config.plans["cascade"].accept.probability == 0.8


def test_prices_of_long_prompts_are_written_too(tmp_path):
    tier = PriceAbove(above=200_000, input=2.5, output=15)
    price = Price(input=1.25, output=10, cached_input=0.125, tiers=(tier,))
    proposal = proposed(model("openai", "a", price=price))
    assert load(written(proposal, tmp_path), KEYS).backends["a-at-openai"].price == price


def test_a_port_that_a_model_server_has_is_left_to_it(tmp_path):
    path = written(proposed(model("ollama", "a"), port=8100), tmp_path)
    assert load(path, {}).server.port == 8100
    assert "8000 is taken by a model server" in path.read_text()


def test_no_secret_is_in_the_file(tmp_path):
    proposal = proposed(model("openai", "a", 1), model("xai", "b", 2))
    text = written(proposal, tmp_path).read_text()
    assert "sk-Secret" not in text
    assert "${OPENAI_API_KEY}" in text


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "null",
        "1.5",
        "1e3",
        "0x1f",
        "2026-01-01",
        "a: b",
        "a #b",
        "a:",
        "-a",
        "a b",
        "~",
        "/x",
    ],
)
def test_a_text_that_yaml_would_read_otherwise_is_quoted(text):
    assert yaml.safe_load(f"x: {scalar(text)}") == {"x": text}
    assert yaml.safe_load(f"x: [{scalar(text)}]") == {"x": [text]}


@pytest.mark.parametrize("text", ["gpt-5-mini", "llama3.2:latest", "Qwen/Qwen2.5-7B-Instruct"])
def test_a_usual_name_stays_plain(text):
    assert scalar(text) == text
