"""Users whose behaviour depends noisily on how good an answer was.

A world of our own making, not recorded users. `strength` alone ties behaviour to quality: how much
likelier users complain, ask again, rephrase or edit after a wholly bad answer than after a wholly
good one. How often users of a kind of request do so anyway has nothing to do with quality, and
differs by kind.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from learner.trust import IMPLICIT, SourceScore

_STAYS = 0.7  # the share of answers after which the user goes on in the conversation
_ANYWAY = 0.02, 0.25  # how often users ask again whatever the answer, by kind of request
_THANKS, _GRATEFUL = 0.05, 0.4  # thanks anyway, and how much more by strength and quality
_BAD = (("corrected", 0.35), ("rephrased", 0.25), ("retried", 0.25), ("edited", 0.15))
_GOOD = {"thanked", "continued"}


@dataclass(frozen=True, slots=True)
class Users:
    strength: float
    chance: np.random.Generator

    def behaviour(self, task: str, quality: float) -> SourceScore | None:
        """What the user did after an answer, as Waggle notices it; None if nothing was noticed."""
        stays, bad, which, thanks = self.chance.random(4).tolist()
        if stays >= _STAYS:
            return None
        if bad < min(_anyway(task) + self.strength * (1 - quality), 1.0):
            return _noticed(_drawn(which))
        grateful = _THANKS + _GRATEFUL * self.strength * quality
        return _noticed("thanked" if thanks < grateful else "continued")


def _anyway(task: str) -> float:
    low, high = _ANYWAY
    share: Any = blake2b(task.encode("utf-8", "replace"), digest_size=1).digest()[0] / 255
    return low + (high - low) * float(share)


def _drawn(uniform: float) -> str:
    for name, share in _BAD:
        uniform -= share
        if uniform < 0:
            return name
    return _BAD[-1][0]


def _noticed(name: str) -> SourceScore:
    return SourceScore(IMPLICIT, name, float(name in _GOOD), 0.0)
