"""What is believed of plans beforehand: by the operator's cards, or by public results."""

import csv
from pathlib import Path

import pytest

from experiments.catalog.cards import Card, bounds, cards, read
from experiments.catalog.results import Result
from router.catalog.cards import TABLE, public_cards
from router.config.config import Config
from router.plans.compiled import Plans
from router.plans.priors import priors_of
from router.request.kinds import SORTS

MOST_USED = Path(__file__).parents[2] / "experiments" / "catalog" / "most_used.csv"


def configured(plans, cards=None, **models) -> Config:
    price = {"input": 1, "output": 1}
    backends = {
        name: {"kind": "openai", "base_url": "http://x/v1", "model": model, "price": price}
        for name, model in models.items()
    }
    objective = {"cards": cards or {}}
    return Config.model_validate({"backends": backends, "plans": plans, "objective": objective})


def test_the_table_is_what_the_script_makes_of_the_results_and_names_its_sources():
    lines = TABLE.read_text().splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    made = cards(read())
    assert [tuple(row.values()) for row in rows] == [tuple(map(str, card)) for card in made]
    sources = {result.source for result in read()}
    assert sources == {line[2:].partition(":")[0] for line in lines[: len(sources)]}
    assert {card.kind for card in made} <= {"any", *SORTS}


def test_a_card_is_a_lower_bound_that_rises_with_the_number_of_results():
    tests = [f"test-{n}" for n in range(8)]
    scores = {"often": 80.0, "weak": 40.0}
    results = [Result(m, "", test, s, "x") for m, s in scores.items() for test in tests]
    results.append(Result("once", "", tests[0], 80.0, "x"))
    bound = bounds(results)
    assert bound["weak", ""][0] < bound["once", ""][0] < bound["often", ""][0] < 0.8
    assert (bound["often", ""][1], bound["once", ""][1]) == (8, 1)


def test_who_was_tried_on_easy_tests_only_gets_no_better_card_for_it():
    results = [
        *(Result("a", "", f"hard-{n}", 30.0, "x") for n in range(6)),
        *(Result("a", "", f"easy-{n}", 90.0, "x") for n in range(6)),
        *(Result("b", "", f"easy-{n}", 90.0, "x") for n in range(6)),
    ]
    bound = bounds(results)
    assert bound["b", ""][0] <= bound["a", ""][0]


@pytest.mark.parametrize(
    "name",
    [
        "gpt-4o-mini",
        "gpt-4o-mini-2024-07-18",
        "openai/gpt-4o-mini",
        "GPT-4o-mini",
        "openai/gpt-4o-mini:free",
    ],
)
def test_one_model_has_one_card_whatever_its_provider_calls_it(name):
    assert public_cards(name) == public_cards("gpt-4o-mini") != {}


@pytest.mark.parametrize(
    "name", ["gpt-4o-mini-tts", "gpt-4", "my-gpt-5", "", "mistral-large-latest"]
)
def test_of_a_model_that_is_not_in_the_table_nothing_is_believed(name):
    assert public_cards(name) == {}


def test_an_effort_that_nobody_measured_has_the_card_of_the_next_lower_effort():
    assert public_cards("gpt-5", "xhigh") == public_cards("gpt-5", "high")
    assert public_cards("gpt-5", "none") == {}
    assert public_cards("gpt-5") == public_cards("gpt-5", "medium")
    low, high = public_cards("gpt-5-mini", "low"), public_cards("gpt-5-mini", "high")
    assert low["any"].quality < high["any"].quality


def test_most_of_the_models_that_people_use_most_have_a_card():
    models = {row["model"] for row in csv.DictReader(MOST_USED.read_text().splitlines())}
    with_card = {model for model in models if public_cards(model)}
    assert len(with_card) >= 0.75 * len(models), sorted(models - with_card)


def test_the_operators_own_card_wins_and_counts_more():
    config = configured({"p": {"ask": "a"}, "q": {"ask": "a"}}, {"p": {"any": 0.9}}, a="gpt-5")
    priors = priors_of(config)
    assert (priors["p"].overall, priors["p"].source) == (0.9, "objective.cards")
    assert priors["q"].source == "public results"
    assert priors["q"].answers * len(priors["q"].quality) < priors["p"].answers


def test_a_plan_that_is_more_than_a_model_has_no_public_card():
    plans = {
        "plain": {"ask": "a"},
        "hard": {"ask": "a", "set": {"reasoning_effort": "high"}},
        "prompted": {"ask": "a", "system": "S"},
        "instructed": {"ask": "a", "instruct": "I"},
        "both": {"hedge": ["a", "b"]},
        "unknown": {"ask": "b"},
    }
    priors = priors_of(configured(plans, a="gpt-5", b="a-model-of-mine"))
    assert set(priors) == {"plain", "hard"}
    assert priors["hard"].overall > priors["plain"].overall


def test_models_of_one_price_stand_on_the_ladder_by_their_public_results():
    plans = {"strong": {"ask": "s"}, "weak": {"ask": "w"}, "mid": {"ask": "m"}}
    compiled = Plans(configured(plans, s="gpt-5", w="gpt-4o-mini", m="gpt-4.1"))
    assert compiled.rungs == ("weak", "mid", "strong")
    assert compiled.premium == "strong"


def test_a_card_is_a_tuple_of_the_tables_columns():
    assert Card._fields == ("model", "effort", "kind", "quality", "results")
