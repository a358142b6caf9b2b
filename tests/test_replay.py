"""The replay plays what the service runs, on any table, and chooses nothing on what it judges."""

import numpy as np
import polars as pl
import pytest

from experiments.replay.comparing import rivals_table
from experiments.replay.conditions import CASES, under
from experiments.replay.outcomes import Outcomes, read_table
from experiments.replay.players import mix_of
from experiments.replay.playing import COST, Conditions, play
from experiments.replay.saving import savings
from experiments.replay.service import Setup, Waggle
from experiments.replay.sets import half_of
from experiments.replay.streams import stream_of
from learner.policy import Arm
from router.plans.compiled import Plans
from router.routing.case import Surroundings
from router.routing.decide import route
from router.routing.deciders import Deciders
from router.routing.ladder import policy_of

PROMPTS = tuple(f"Write sentence number {n} about the {n % 7} rivers." for n in range(120))


def outcomes_of(quality, cost):
    chance = np.random.default_rng(0)
    size = len(PROMPTS)
    return Outcomes(
        "small",
        PROMPTS,
        tuple("ab"[n % 2] for n in range(size)),
        tuple(Arm(f"org/model {n}") for n in range(len(quality))),
        (chance.random((size, len(quality))) < np.array(quality)).astype(float),
        np.tile(np.array(cost, dtype=float), (size, 1)),
        chance.normal(size=(size, 384)),
    )


@pytest.fixture
def stream(tmp_path):
    outcomes = outcomes_of([0.2, 0.9, 0.5], [0.001, 0.01, 0.1])
    return stream_of(outcomes, 3, tagged=True, cache=tmp_path)


@pytest.fixture
def waggle(stream):
    player = Waggle(stream, Setup())
    yield player
    player.close()


def table_at(path, **columns):
    rows = {
        "prompt": ["p1", "p1", "p2", "p2", "p3"],
        "prompt_id": ["1", "1", "2", "2", "3"],
        "model": ["large", "org/small", "large", "org/small", "large"],
        "score": [1.0, 0.0, 1.0, 1.0, 0.0],
        **columns,
    }
    pl.DataFrame(rows).write_parquet(path)
    return path


def test_only_prompts_with_every_score_are_played_and_the_rest_is_counted(tmp_path):
    outcomes = read_table(table_at(tmp_path / "any.parquet"), tmp_path / "prices.csv")
    assert outcomes.prompts == ("p1", "p2")
    assert "1 prompts lack a score and are left out" in outcomes.notes


@pytest.mark.parametrize(
    ("columns", "prices", "source", "dearness"),
    [
        ({"cost_usd": [1.0, 0.1, 1.0, 0.1, 1.0], "cost_est_usd": [5.0] * 5}, "", "recorded", 1.0),
        ({"cost_usd": [None] * 5, "cost_est_usd": [1.0, 0.1, 1.0, 0.1, 1.0]}, "", "estimates", 1.0),
        ({}, "large,10,10,x\nsmall,0.1,0.1,x\n", "listed prices", 2.0),
        ({}, "large,10,10,x\n", "one price for all models", 0.0),
    ],
)
def test_costs_come_from_the_first_source_that_has_every_model(
    tmp_path, columns, prices, source, dearness
):
    head = "model,input_usd_per_mtok,output_usd_per_mtok,source\n"
    (tmp_path / "prices.csv").write_text(head + prices)
    path = table_at(tmp_path / "any.parquet", **columns)
    outcomes = read_table(path, tmp_path / "prices.csv")
    assert source in outcomes.notes[0]
    assert outcomes.dearness.max() == pytest.approx(dearness)


def test_a_prompt_is_always_in_the_same_half():
    halves = [half_of(prompt) for prompt in PROMPTS]
    assert halves == [half_of(prompt) for prompt in PROMPTS]
    assert set(halves) == {"dev", "held"}


def test_the_cost_term_of_the_services_policy_is_the_recorded_cost(stream, waggle):
    waggle.odds(0)
    for estimate in waggle.choice.estimates:
        dear = stream.outcomes.dearness[waggle.arm_of(estimate.arm)]
        assert estimate.quality - estimate.utility == pytest.approx(COST * dear)


def test_the_replay_decides_as_the_router_does(stream, waggle):
    play(stream, waggle, Conditions())
    deciders = Deciders(policy_of(Plans(waggle.config)), waggle.policy)
    for step in range(0, len(stream), 10):
        around = Surroundings(vector=stream.outcomes.vectors[step])
        decision = route(waggle.plans, deciders, stream.requests[step], around, uniform=0.5)
        waggle.odds(step)
        assert decision.strategy == "bandit"
        assert dict(decision.probabilities) == dict(waggle.choice.distribution)
        row = waggle.feed.answers[step]
        assert (tuple(row.features), row.kind) == (decision.numbers, decision.kind)


def test_the_order_of_plans_in_the_file_differs_from_seed_to_seed(tmp_path):
    outcomes = outcomes_of([0.5] * 5, [0.001] * 5)
    orders = set()
    for seed in range(4):
        player = Waggle(stream_of(outcomes, seed, tagged=False, cache=tmp_path), Setup())
        orders.add(tuple(player.plans.names))
        player.close()
    assert len(orders) > 1


def test_the_services_fold_learns_every_rating_and_nothing_else(stream, waggle):
    play(stream, waggle, Conditions(share=0.5))
    waggle.publish()
    assert len(waggle.feed.answers) == len(stream)
    assert 0 < waggle.fold.state.bandit.learned == len(waggle.feed.ratings) < len(stream)


def test_a_player_counts_by_its_odds_and_not_by_its_draws(stream, waggle):
    played = play(stream, waggle, Conditions())
    assert played.odds.sum(axis=1) == pytest.approx(np.ones(len(stream)))
    assert played.quality == pytest.approx((played.odds * stream.outcomes.quality).sum(axis=1))


def test_a_plan_that_joins_later_gets_nothing_before(stream):
    best = stream.outcomes.best(COST)
    others = [at for at in range(3) if at != best]
    player = Waggle(stream, Setup(guarded=False), others)
    played = play(stream, player, Conditions(joins=True))
    player.close()
    half = len(stream) // 2
    assert played.odds[:half, best].max() == 0
    assert played.odds[half:, best].min() > 0


def test_what_is_known_beforehand_is_not_part_of_the_stream(tmp_path):
    outcomes = outcomes_of([0.2, 0.9, 0.5], [0.001, 0.001, 0.001])
    stream = stream_of(outcomes, 1, tagged=True, cache=tmp_path, early=40, warm=True)
    assert len(stream) == len(PROMPTS) - 40
    assert not {r.id for r in stream.requests} & {r.id for r in stream.earlier.requests}
    figures = under(CASES["warm start of 400 prompts"], stream, Setup(guarded=False))
    cold = under(CASES["cold start"], stream, Setup(guarded=False))
    assert figures["first_200"] > cold["first_200"]


def test_a_mix_costs_what_it_was_asked_to_cost():
    outcomes = outcomes_of([0.2, 0.9], [0.001, 0.01])
    odds, quality = mix_of(outcomes, slice(None), 0.004)
    assert float(odds @ outcomes.cost.mean(axis=0)) == pytest.approx(0.004)
    assert quality == pytest.approx(float(odds @ outcomes.quality.mean(axis=0)))


def test_a_lead_is_told_with_its_interval_and_a_set_counts_once():
    def runs(*values):
        return {"last_fifth_runs": list(values), "all_runs": list(values)}

    main = {
        "one": {"waggle": runs(0.1, 0.3), "random": runs(0.0, 0.0)},
        "one, tags": {"waggle": runs(0.1, 0.3), "random": runs(0.0, 0.0)},
        "two": {"waggle": runs(0.0, 0.0), "random": runs(0.1, 0.1)},
        "alone": {"waggle": runs(9.0, 9.0)},
    }
    row = next(line for line in rivals_table({"main": main}).splitlines() if "random" in line)
    # The leads are .2 and -.1; a mean over streams would be .1.
    assert "| +0.050 | +0.050 | [+0.000, +0.100] | [-0.100, +0.300] |" in row


def test_a_seed_is_judged_at_a_weight_that_other_seeds_chose():
    def run(quality, cost):
        return {part: [quality, cost, 0.8, 1.0, 0.7] for part in ("whole stream", "last fifth")}

    # On even seeds only the weight 1 keeps the quality, on odd seeds only the weight 2.
    points = {
        "1": {seed: run(0.9 if seed % 2 == 0 else 0.5, 0.2) for seed in range(8)},
        "2": {seed: run(0.5 if seed % 2 == 0 else 0.9, 0.2) for seed in range(8)},
    }
    saved = savings(points)["whole stream"]
    assert saved["weights"] == ["2", "1"]
    assert saved["gap"] == pytest.approx(-0.3)


def test_where_no_weight_keeps_the_quality_nothing_is_saved():
    lost = {part: [0.5, 0.1, 0.8, 1.0, 0.4] for part in ("whole stream", "last fifth")}
    saved = savings({"1": dict.fromkeys(range(4), lost)})["last fifth"]
    assert (saved["saved"], saved["gap"]) == (0.0, 0.0)
