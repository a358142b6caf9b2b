"""How likely each arm should be, given a context, and what came of it.

A policy answers with a distribution and draws nothing, so the same context always gets the same
answer and the probability of the arm that is tried is known exactly. Off-policy evaluation divides
by that number, which is why it is logged with every choice instead of being estimated later.

Nothing here knows what an arm is. To this package it is a name.
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
    """How good an arm proved in a context. What is said again under the same id counts once."""

    id: str
    arm: Arm
    context: Context
    quality: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is always seen, whether or not anybody said how good it was."""

    arm: Arm
    context: Context
    spend: float  # how many times the arm's own rate it took
    seconds: float
    failed: bool = False


class Policy(Protocol):
    def distribution(self, context: Context, arms: Sequence[Arm]) -> Distribution: ...


class Learner(Protocol):
    def learn(self, feedback: Feedback) -> None: ...
    def policy(self) -> Policy:
        """As it stands; later feedback does not touch it."""


def group_of(name: str) -> str:
    for index, letter in enumerate(name):
        if letter in "=.":
            return name[:index]
    return name


def draw(distribution: Distribution, uniform: float) -> Choice:
    """Choose the arm in whose share of the distribution `uniform`, in [0, 1), falls.

    The weights need not sum to one.
    """
    weighted = [(arm, weight) for arm, weight in distribution.items() if weight > 0]
    if not weighted:
        raise ValueError(f"cannot draw from {dict(distribution)!r}: no arm has any weight")
    edges = list(accumulate(weight for _, weight in weighted))
    # uniform * total may round up to total itself; the last arm owns that edge.
    index = min(bisect_right(edges, uniform * edges[-1]), len(weighted) - 1)
    arm, weight = weighted[index]
    return Choice(arm, weight / edges[-1])
