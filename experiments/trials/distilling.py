"""Measures how much of the bandit's gain a routing function of at most thirty lines keeps.

The bandit learns the first four fifths of a stream from its own choices. A tree is then fitted to
the bandit's estimates for each arm. Both decide the last fifth without learning, and are compared
with the best single model.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.replay.alone import LearnerAlone
from experiments.replay.outcomes import Outcomes, contexts
from experiments.replay.playing import COST
from learner.decision_tree import DecisionTable, chosen, grown, leaves_of
from learner.policy import Context
from router.routing.function_contract import lint
from router.trials.writing import code_of


def distilled(outcomes: Outcomes, seed: int, *, leaves: int = 9) -> dict[str, Any]:
    order = np.random.default_rng(seed).permutation(len(outcomes.prompts)).tolist()
    seen = contexts(outcomes, order, tagged=True)
    cut = len(order) * 4 // 5
    early, late = order[:cut], order[cut:]
    player = LearnerAlone(outcomes)
    player.play(early, seen, seed)
    policy = player.policy()
    arms = outcomes.arms
    worth = np.array([[e.utility for e in policy.estimates(seen[at], arms)] for at in early])
    words, numbers = _inputs(outcomes, seen, early)
    tree = grown(DecisionTable(arms, worth, words, numbers), leaves=leaves, least=0.0005)
    source = code_of(tree, f"Distilled from {len(early):,} answers.")
    truth = outcomes.quality - COST * outcomes.dearness
    single = int(truth[early].mean(axis=0).argmax())
    bandit = [float(_odds(policy, seen[at], outcomes) @ truth[at]) for at in late]
    words, numbers = _inputs(outcomes, seen, late)
    function = []
    for n, at in enumerate(late):
        request_words = {name: column[n] for name, column in words.items()}
        request_numbers = {name: float(column[n]) for name, column in numbers.items()}
        arm = chosen(tree, request_words, request_numbers)
        function.append(float(truth[at, arms.index(arm)]))
    best = float(truth[late, single].mean())
    gain, kept = float(np.mean(bandit)) - best, float(np.mean(function)) - best
    return {
        "seed": seed,
        "bandit": gain,
        "function": kept,
        "share": kept / gain if gain else None,
        "lines": source.count("\n"),
        "leaves": len(list(leaves_of(tree))),
        "lint": lint(source),
        "source": source,
    }


def _odds(policy: Any, context: Context, outcomes: Outcomes) -> Any:
    shares = policy.distribution(context, outcomes.arms)
    return np.array([shares[arm] for arm in outcomes.arms])


def _inputs(
    outcomes: Outcomes, seen: Sequence[Context], rows: Sequence[int]
) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """The words and the numbers that a routing function may read, as columns over the requests."""
    languages = [next((n[9:] for n in seen[at] if n.startswith("language=")), "") for at in rows]
    words = {"kind": [outcomes.tasks[at] for at in rows], "language": languages}
    names = sorted({name for at in rows[:500] for name in seen[at] if name.startswith("part.")})
    numbers = {
        name.removeprefix("part."): np.array([seen[at].get(name, 0.0) for at in rows])
        for name in names
    }
    return words, numbers
