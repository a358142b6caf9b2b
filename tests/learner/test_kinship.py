"""Arms of one model share what answers say of them; strangers do not."""

import numpy as np
import pytest

from learner.bandit_learner import Bandit
from learner.deciding import BanditSettings
from learner.kinship import alike
from learner.policy import Arm, Feedback
from learner.standing import standing
from learner.traits import ArmTraits

LOW, HIGH, OTHER, PROMPT = (Arm(name) for name in ("low", "high", "other", "prompt"))
TRAITS = {
    LOW: ArmTraits("gpt", 0),
    HIGH: ArmTraits("gpt", 2),
    OTHER: ArmTraits("llama"),
    PROMPT: ArmTraits("gpt"),
}


def test_neighbouring_efforts_are_more_alike_than_distant_ones_and_strangers_not_at_all():
    arms = [LOW, Arm("middle"), HIGH, OTHER, PROMPT]
    matrix = alike(arms, TRAITS | {Arm("middle"): ArmTraits("gpt", 1)})
    assert matrix is not None
    assert matrix[0, 1] > matrix[0, 2] > 0
    assert matrix[0, 4] > 0
    assert not matrix[3, [0, 1, 2, 4]].any()
    assert (matrix.diagonal() == 1).all()


def test_arms_without_relatives_need_no_likeness():
    assert alike([LOW, OTHER], TRAITS) is None
    assert alike([Arm("a"), Arm("b")], {}) is None


@pytest.mark.parametrize("count", [2, 5, 10])
def test_any_number_of_efforts_beside_a_prompt_is_a_likeness_that_can_be(count):
    arms = [Arm(str(n)) for n in range(count)]
    traits = {arm: ArmTraits("m", n) for n, arm in enumerate(arms)} | {PROMPT: ArmTraits("m")}
    matrix = alike([*arms, PROMPT], traits)
    assert np.linalg.eigvalsh(matrix).min() > 0


def test_answers_of_one_effort_move_what_is_expected_of_another_and_not_of_a_stranger():
    weights, good = np.array([80.0, 0, 0, 80]), np.array([72.0, 0, 0, 32])
    arms = [LOW, HIGH, OTHER, Arm("last")]
    shared, apart = (
        standing(weights, good, good, likeness) for likeness in (alike(arms, TRAITS), None)
    )
    assert shared.means[1] > apart.means[1] + 0.05
    assert shared.variances[1] < apart.variances[1]
    assert shared.means[2] == pytest.approx(apart.means[2], abs=0.05)


def test_a_bandit_shares_the_standing_of_related_arms_and_learns_as_before():
    bandit = Bandit("2:0", BanditSettings(safe_share=0.1))
    bandit.set_arms([LOW, HIGH, OTHER])
    for n in range(60):
        bandit.learn(Feedback(str(n), LOW, {}, 0.95, 1.0, 1.0))
        bandit.learn(Feedback(f"o{n}", OTHER, {}, 0.3, 1.0, 1.0))
    related, unrelated = bandit.policy(traits=TRAITS), bandit.policy()
    assert related.standing.means[1] > unrelated.standing.means[1] + 0.02
    assert (related.posterior.means == unrelated.posterior.means).all()
