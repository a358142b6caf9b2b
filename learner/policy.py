"""Contexts, arms and feedback; the protocols of a policy and a learner; and the draw between arms.

A policy answers with a distribution and draws nothing. The same context always gets the same
answer, so the probability of the chosen arm is exact: off-policy evaluation divides by that number,
so it is logged with every choice and never estimated later.

In this package an arm is only a name; no module here knows what an arm does.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NewType, Protocol

Arm = NewType("Arm", str)
# Numbers by name. The part of a name before `=` or `.` is its group: `task=sql`, `lex.3`.
Context = Mapping[str, float]
Distribution = Mapping[Arm, float]


@dataclass(frozen=True, slots=True)
class Choice:
    """An arm, and the probability it had of being chosen."""

    arm: Arm
    propensity: float


@dataclass(frozen=True, slots=True)
class Feedback:
    """The quality of an arm's answer in a context. Feedback with the same id counts once."""

    id: str
    arm: Arm
    context: Context
    quality: float
    weight: float = 1.0
    propensity: float = 0.0  # how likely the arm was to be chosen; 0 if that is not known
    answer: str = ""  # the answer that was judged; by default each id is another answer
    watched: bool = True  # whether it may show that the arm has drifted: behaviours alone may not


@dataclass(frozen=True, slots=True)
class Outcome:
    """The expense of an answer, which is known whether or not the answer is judged."""

    arm: Arm
    context: Context
    spend: float  # a multiple of the arm's own rate
    seconds: float
    failed: bool = False


class Policy(Protocol):
    def distribution(self, context: Context, arms: Sequence[Arm]) -> Distribution: ...


class Learner(Protocol):
    def learn(self, feedback: Feedback) -> None: ...
    def policy(self) -> Policy:
        """The policy at this moment; later feedback does not change it."""


def group_of(name: str) -> str:
    for index, letter in enumerate(name):
        if letter in "=.":
            return name[:index]
    return name


def draw(distribution: Distribution, uniform: float) -> Choice:
    """Choose the arm whose part of the distribution contains `uniform`, a number in [0, 1).

    The weights need not sum to one.
    """
    arm, share, _ = _place(distribution, uniform)
    return Choice(arm, share)


def draw_beside(choices: Distribution, others: Distribution, uniform: float) -> Arm:
    """What is chosen from `others` with the luck with which `draw` chooses from `choices`: as often
    as the odds of both allow, the same arm.

    Over all numbers in [0, 1) each of the `others` is chosen by its weight. That both choose
    differently is as likely whichever of the two is called `choices`.
    """
    arm, share, place = _place(choices, uniform)
    whole, other_whole = sum(choices.values()), sum(others.values())
    kept = min(others.get(arm, 0.0) / other_whole / share, 1.0)
    if kept >= 1 or place < kept:
        return arm
    gained = {
        other: weight / other_whole - choices.get(other, 0.0) / whole
        for other, weight in others.items()
    }
    more = {other: gain for other, gain in gained.items() if gain > 0}
    return draw(more, (place - kept) / (1 - kept)).arm if more else arm


def _place(distribution: Distribution, uniform: float) -> tuple[Arm, float, float]:
    """The arm in whose part `uniform` lies, the size of the part, and where in it, from 0 to 1."""
    weighted = [(arm, weight) for arm, weight in distribution.items() if weight > 0]
    if not weighted:
        raise ValueError(f"cannot draw from {dict(distribution)!r}: no arm has any weight")
    edges = list(accumulate(weight for _, weight in weighted))
    # `uniform * total` may round up to the total, which belongs to the last arm.
    index = min(bisect_right(edges, uniform * edges[-1]), len(weighted) - 1)
    arm, weight = weighted[index]
    place = (uniform * edges[-1] - (edges[index] - weight)) / weight
    return arm, weight / edges[-1], min(max(place, 0.0), 1.0)
