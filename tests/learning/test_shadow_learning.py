"""Learning goes on in the shadow: judged answers of plans that callers named teach the learner."""

import pytest

from tests.learning.traffic import Traffic, begun, rebuilt, turned

SHADOW = {
    "named": "dear",
    "plan": "cheap",
    "share": 0.0,
    "strategy": "bandit",
    "policy_version": "v1",
    "probabilities": {"cheap": 1.0, "dear": 0.0},
}


@pytest.mark.parametrize(("shadow", "learned"), [(SHADOW, True), (None, False)])
def test_a_named_answer_teaches_only_if_the_shadow_noted_its_features(
    config, stored, shadow, learned
):
    given = {"shadow": shadow} if shadow else {}
    Traffic(config, stored).send(60, strategy="named", propensity=1.0, **given)
    state = turned(begun(config)).state
    assert bool(state.bandit.learned) is learned
    assert bool(state.judged) is learned


def test_nobody_knows_how_likely_a_named_plan_was(config, stored):
    traffic = Traffic(config, stored)
    traffic.send(60, strategy="named", propensity=1.0, shadow=SHADOW)
    rows = turned(begun(config)).state.bandit.rows.arrays(["cheap", "dear"])
    assert set(rows.propensity) == {0.0}
    traffic.send(60, strategy="shadow", propensity=0.25, shadow={**SHADOW, "share": 0.25})
    rows = turned(begun(config)).state.bandit.rows.arrays(["cheap", "dear"])
    assert set(rows.propensity) == {0.0, 0.25}


def test_a_restarted_learner_knows_the_same(config, stored):
    Traffic(config, stored).send(60, strategy="named", propensity=1.0, shadow=SHADOW)
    fold = turned(begun(config))
    assert rebuilt(config).state.written(0.0) == fold.state.written(0.0)
