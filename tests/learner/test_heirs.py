"""An heir begins as its parent is, and its own answers move it, request by request."""

import pytest

from learner import snapshot
from learner.bandit_learner import Bandit
from learner.policy import Arm, Feedback, Outcome
from learner.preference import BALANCED

SMALL, LARGE, MADE = Arm("small"), Arm("large"), Arm("p1-steps-1")
KIN, STRANGER = {"kind=sums": 1.0}, {"kind=facts": 1.0}


def taught(answers=200, *, heirs=True):
    """Two arms, of which `large` is a little better; and an heir of `small`, if there are any."""
    bandit = Bandit("1")
    bandit.set_arms([SMALL, LARGE])
    if heirs:
        bandit.heirs.set_arms({MADE: SMALL})
    for n in range(answers):
        for context in (KIN, STRANGER):
            judge(bandit, SMALL, context, n % 10 < 6, n)
            judge(bandit, LARGE, context, n % 10 < 7, n)
    return bandit


def judge(bandit, arm, context, good, n):
    id_ = f"{arm}{n}{next(iter(context))}"
    bandit.learn(Feedback(id_, arm, context, float(good)))
    bandit.see(Outcome(arm, context, 1.0, 2.0 if arm == LARGE else 1.0), "")


def heir_answers(bandit, count):
    """The heir is nearly always right on its kin, and hardly ever on strangers."""
    for n in range(count):
        judge(bandit, MADE, KIN, n % 10 < 9, n)
        judge(bandit, MADE, STRANGER, n % 10 < 3, n)


def expected(policy, context):
    estimate = policy.heir(context, MADE, BALANCED, 0.0, 0.0)
    assert estimate is not None
    others = policy.preferring(BALANCED).estimates(context)
    return estimate, policy.share_beside(estimate, others)


def test_an_heir_begins_with_the_quality_and_the_time_of_its_parent():
    bandit = taught()
    inherited = bandit.policy().inherited
    assert inherited.offsets == pytest.approx(0.0)
    assert inherited.expected[""].seconds.tolist() == pytest.approx([1.0])
    assert bandit.policy().heir(KIN, MADE, BALANCED, 0.0, 0.0) is None, "it has shown nothing"


def test_an_heir_is_chosen_where_it_is_better_and_not_where_it_is_worse():
    bandit = taught()
    heir_answers(bandit, 100)
    policy = bandit.policy()
    of_kin, share_of_kin = expected(policy, KIN)
    of_stranger, share_of_stranger = expected(policy, STRANGER)
    assert of_kin.quality == pytest.approx(0.9, abs=0.07)
    assert of_stranger.quality == pytest.approx(0.3, abs=0.07)
    assert share_of_kin == 1.0
    assert share_of_stranger == pytest.approx(0.01)


def test_an_heir_says_nothing_about_other_arms():
    bandit, without = taught(), taught(heirs=False)
    heir_answers(bandit, 50)
    assert bandit.policy().posterior.means.tolist() == without.policy().posterior.means.tolist()
    assert bandit.policy().arms == (SMALL, LARGE)


def test_a_revised_judgement_of_an_heirs_answer_replaces_the_first():
    bandit = taught(20)
    heir_answers(bandit, 30)
    before = Feedback("late", MADE, KIN, 0.0)
    bandit.learn(before)
    worse = bandit.policy().inherited.offsets
    bandit.revise(before, Feedback("late again", MADE, KIN, 1.0))
    assert bandit.policy().inherited.offsets[0][0] > worse[0][0]
    assert bandit.heirs.evidence.weight(MADE) == pytest.approx(61, abs=2)


def test_a_snapshot_keeps_heirs_and_their_removal_forgets_them():
    bandit = taught(50)
    heir_answers(bandit, 50)
    read = snapshot.read(snapshot.written(bandit, at=0.0))
    assert expected(read.policy(), KIN) == expected(bandit.policy(), KIN)
    read.heirs.set_arms({})
    assert read.policy().inherited is None
    read.heirs.set_arms({MADE: SMALL})  # the same name again begins anew
    assert read.heirs.evidence.weight(MADE) == 0
    assert read.heirs.expenses.of(MADE).seen == 0
