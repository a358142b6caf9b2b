"""Decision trees, grown from a policy, find the planted choices and stay small."""

import numpy as np
import pytest

from learner.decision_tree import DecisionTable, TreeLeaf, chosen, grown, leaves_of
from learner.policy import Arm

A, B, C = Arm("a"), Arm("b"), Arm("c")


def planted(count=3000, noise=0.1, seed=1):
    """A table in which `a` is best for sql, `b` for hard requests, and `c` for all others."""
    chance = np.random.default_rng(seed)
    kinds = chance.choice(["sql", "chat", "poem", "code"], count)
    hard = chance.random(count)
    worth = np.zeros((count, 3))
    worth[:, 0] = np.where(kinds == "sql", 0.9, 0.4)
    worth[:, 1] = np.where(hard > 0.7, 0.8, 0.3)
    worth[:, 2] = 0.6
    worth += chance.normal(0, noise, worth.shape)
    return DecisionTable((A, B, C), worth, {"kind": kinds.tolist()}, {"hard": hard})


def test_a_tree_finds_the_planted_choices():
    tree = grown(planted())
    cases = {("sql", 0.1): A, ("sql", 0.9): A, ("chat", 0.2): C, ("poem", 0.95): B}
    arms = {(k, h): chosen(tree, {"kind": k}, {"hard": h}) for k, h in cases}
    assert arms == cases
    # Three regions, and one leaf more where the cut is not exact.
    assert len(list(leaves_of(tree))) <= 4


def test_words_for_which_the_same_arm_is_better_are_split_off_together():
    chance = np.random.default_rng(1)
    kinds = chance.choice([f"k{n}" for n in range(8)], 2000)
    even = np.isin(kinds, ["k0", "k2", "k4", "k6"])
    worth = np.stack([np.where(even, 0.9, 0.1), np.where(even, 0.1, 0.9)], axis=1)
    tree = grown(DecisionTable((A, B), worth, {"kind": kinds.tolist()}, {}))
    assert len(list(leaves_of(tree))) == 2
    assert set(tree.words) in ({"k0", "k2", "k4", "k6"}, {"k1", "k3", "k5", "k7"})


def test_an_arm_that_is_best_everywhere_leaves_no_branch():
    table = planted()
    worth = np.stack([np.full(500, 0.9), np.full(500, 0.5)], axis=1)
    names = {"kind": list(table.words["kind"][:500])}
    tree = grown(DecisionTable((A, B), worth, names, {"hard": table.numbers["hard"][:500]}))
    assert isinstance(tree, TreeLeaf)
    assert tree.arm == A


@pytest.mark.parametrize("leaves", [1, 2, 3])
def test_a_tree_has_no_more_leaves_than_allowed(leaves):
    assert len(list(leaves_of(grown(planted(), leaves=leaves)))) == leaves


def test_more_branches_are_never_worth_less():
    table = planted()

    def worth(leaves):
        tree = grown(table, leaves=leaves)
        return sum(leaf.count * leaf.worth[leaf.arm] for leaf in leaves_of(tree))

    worths = [worth(n) for n in (1, 2, 3, 6)]
    assert worths == sorted(worths)


def test_a_word_that_was_never_seen_takes_the_other_branch():
    tree = grown(planted())
    assert chosen(tree, {"kind": "never seen"}, {"hard": 0.1}) == C


@pytest.mark.parametrize("seed", range(40))
def test_where_a_word_and_a_number_split_alike_the_word_is_taken(seed):
    chance = np.random.default_rng(seed)
    hard = chance.random(400) < 0.5
    worth = np.stack([np.where(hard, 0.3, 0.9), np.where(hard, 0.8, 0.4)], axis=1)
    worth += chance.normal(0, 0.01, worth.shape)
    words = {"kind": np.where(hard, "sql", "chat").tolist()}
    tree = grown(DecisionTable((A, B), worth, words, {"complexity": 1.6 * hard}))
    assert tree.name == "kind"
