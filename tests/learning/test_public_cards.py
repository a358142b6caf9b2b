"""Public results are believed weakly: from the first judged answer, until answers overrule them."""

import pytest

from learner.policy import Arm
from router.request.context import context_of
from tests.learning.traffic import Traffic, begun, configured, features_of, turned

MODELS = """
server: {{data: {data}}}
backends:
  a: {{kind: openai, base_url: "http://x/v1", model: gpt-4o-mini, price: {{input: 1, output: 1}}}}
  b: {{kind: openai, base_url: "http://x/v1", model: gpt-5, price: {{input: 1, output: 1}}}}
plans: {{cheap: {{ask: a}}, dear: {{ask: b}}}}
objective: {{strategy: bandit, learning: {{snapshots: 3, snapshot_seconds: 1}}{more}}}
"""


@pytest.fixture
def config(tmp_path):
    return configured(tmp_path, yaml=MODELS)


def weights(fold):
    return {arm: sums.weight for arm, sums in fold.state.bandit.evidence.arms.items()}


def best(fold) -> str:
    context = context_of(features_of("sql request 3"), "sql", lens=0)
    estimates = fold.policy(0.0).priced({}).estimates(context)
    return max(estimates, key=lambda estimate: estimate.quality).arm


def test_until_an_answer_is_judged_the_default_decides_and_no_card_takes_its_place(config, stored):
    fold = turned(begun(config))
    assert set(weights(fold).values()) == {0.0}


def test_with_the_first_judged_answer_each_public_card_counts_as_two_answers(config, stored):
    traffic = Traffic(config, stored)
    while not any(weights(fold := turned(begun(config))).values()):
        traffic.send(1)
    assert min(weights(fold).values()) == pytest.approx(2)
    assert max(weights(fold).values()) <= 3
    assert best(fold) == "dear"


def test_answers_overrule_public_results(config, stored):
    traffic = Traffic(config, stored)
    traffic.send(60, good=lambda plan, task: plan == "cheap")
    assert best(turned(begun(config))) == "cheap"


def test_the_operators_own_cards_count_at_once_and_in_place_of_public_ones(tmp_path, stored):
    own = ", cards: {cheap: {any: 0.95}}"
    fold = turned(begun(configured(tmp_path, own, MODELS)))
    assert weights(fold) == {Arm("cheap"): 8.0, Arm("dear"): 0.0}
