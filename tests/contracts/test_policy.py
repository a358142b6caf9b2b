"""The promises that every policy keeps, whatever rule it follows."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.bandit_learner import Bandit
from learner.controls import Fixed, Ladder
from learner.deciding import BanditPolicy, BanditSettings
from learner.explore import inverse_gap
from learner.pacing import Pacer
from learner.policy import Arm, Choice, Feedback, draw

ARMS = [Arm(name) for name in ("fast", "quality", "premium")]


def _bandit() -> BanditPolicy:
    bandit = Bandit("test")
    bandit.set_arms(ARMS)
    for n in range(30):
        bandit.learn(Feedback(str(n), ARMS[n % 3], {"complexity": n / 3}, n % 2))
    return bandit.policy(fallback=Fixed(ARMS[0])).priced({ARMS[2]: 0.01})


POLICIES = [
    _bandit(),
    replace(_bandit(), settings=BanditSettings(safe_share=0.1), bursts=(ARMS[1],)),
    replace(_bandit(), fallback=None, pacer=Pacer(1.0, 1000), rule=inverse_gap(10.0)),
    Fixed(Arm("quality")),
    Ladder("complexity", (3.0, 6.0), tuple(ARMS)),
    Ladder("complexity", (), (ARMS[0],)),
]
NAMES = [f"{type(policy).__name__}-{n}" for n, policy in enumerate(POLICIES)]
some_arms = st.lists(st.sampled_from([*ARMS, Arm("stranger")]), min_size=1, unique=True)
contexts = st.fixed_dictionaries({"complexity": st.floats(0, 10)})


@pytest.mark.parametrize("policy", POLICIES, ids=NAMES)
@given(context=contexts, arms=some_arms)
def test_a_policy_answers_with_a_distribution_over_the_arms_it_was_given(policy, context, arms):
    distribution = policy.distribution(context, arms)
    assert set(distribution) == set(arms)
    assert sum(distribution.values()) == pytest.approx(1)
    assert min(distribution.values()) >= 0


@pytest.mark.parametrize("policy", POLICIES, ids=NAMES)
@given(context=contexts, arms=some_arms)
def test_the_same_context_gets_the_same_answer(policy, context, arms):
    assert policy.distribution(context, arms) == policy.distribution(context, arms)


weights = st.dictionaries(st.text(min_size=1).map(Arm), st.floats(0, 1e6), min_size=1)


@given(weights.filter(lambda w: any(w.values())), st.floats(0, 1, exclude_max=True))
def test_a_draw_names_an_arm_that_has_weight_and_its_exact_share(weights, uniform):
    choice = draw(weights, uniform)
    assert weights[choice.arm] > 0
    assert choice.propensity == pytest.approx(weights[choice.arm] / sum(weights.values()))


@pytest.mark.parametrize(
    ("uniform", "arm"), [(0.0, "small"), (0.29, "small"), (0.3, "large"), (0.9999999, "large")]
)
def test_each_arm_owns_its_share_of_the_unit_interval(uniform, arm):
    shares = {Arm("never"): 0.0, Arm("small"): 0.3, Arm("large"): 0.7}
    assert draw(shares, uniform).arm == arm


def test_the_largest_uniform_still_draws_an_arm_where_rounding_reaches_the_total():
    shares = {Arm("a"): 0.1, Arm("b"): 0.2, Arm("c"): 0.3}
    assert draw(shares, 1 - 2**-53).arm == "c"


def test_a_distribution_without_weight_cannot_be_drawn_from():
    with pytest.raises(ValueError, match="no arm has any weight"):
        draw({Arm("a"): 0.0}, 0.5)


def test_a_choice_is_a_value():
    assert Choice(Arm("a"), 0.5) == Choice(Arm("a"), 0.5)
