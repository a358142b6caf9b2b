"""Plays the service on a stream whose answers are rated rarely, and whose users behave."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.replay.playing import COST, drawn
from experiments.replay.service import MemoryFeed, Setup, Waggle
from experiments.replay.streams import Stream
from experiments.signals.users import Users
from learner.trust import SourceScore
from router.telemetry.feed import Batch, JudgedRequest, Watermark


@dataclass(frozen=True, slots=True)
class Hearing:
    """What the service hears of its answers. Without a strength, no behaviour is noticed."""

    rated: float  # the share of answers that are rated
    strength: float | None = None


class ScoredFeed(MemoryFeed):
    """A feed in which an answer may have several scores at once."""

    def __init__(self) -> None:
        super().__init__()
        self.scored: list[tuple[int, tuple[SourceScore, ...]]] = []

    @property
    def stamp(self) -> tuple[tuple[str, int], ...]:
        return (("requests", len(self.answers)), ("signals", len(self.scored)))

    def judged(self, batch: Batch, mark: Watermark) -> list[JudgedRequest]:  # noqa: ARG002
        low, high = next(iter(batch.ranges.get("signals", {}).values()), (1, 0))
        return [
            JudgedRequest(self.answers[at], (), scores)
            for at, scores in self.scored[low - 1 : high]
        ]


class HearingWaggle(Waggle):
    """The service with such a feed."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream, Setup())
        self.scored = ScoredFeed()
        self.feed = self.scored
        self.fold.feed = self.scored

    def hear(self, scores: tuple[SourceScore, ...]) -> None:
        """Scores of the latest answer."""
        self.scored.scored.append((len(self.scored.answers) - 1, scores))


def figures(stream: Stream, hearing: Hearing) -> dict[str, Any]:
    """Utility over the best single model, on the whole stream and on its second half.

    A step counts what the odds are worth on average. The same answers are rated at 3% and at 30%,
    as far as both rate them.
    """
    outcomes, player = stream.outcomes, HearingWaggle(stream)
    worth = outcomes.quality - COST * outcomes.dearness
    chance = np.random.default_rng(1000 + stream.seed)
    users = Users(hearing.strength or 0.0, np.random.default_rng(2000 + stream.seed))
    utility, ratings = np.zeros(len(stream)), 0
    for step in range(len(stream)):
        odds = player.odds(step)
        utility[step] = float(odds @ worth[step])
        arm = drawn(odds, chance.random())
        quality = float(outcomes.quality[step, arm])
        player.answer(step, arm)
        scores = []
        if chance.random() < hearing.rated:
            scores.append(SourceScore("feedback", "quality", quality, 1.0))
            ratings += 1
        behaviour = users.behaviour(outcomes.tasks[step], quality)
        if behaviour is not None and hearing.strength is not None:
            scores.append(behaviour)
        if scores:
            player.hear(tuple(scores))
    trust = player.fold.state.trust
    player.close()
    over = utility - worth[:, outcomes.best(COST)]
    return {
        "all": float(over.mean()),
        "second_half": float(over[len(over) // 2 :].mean()),
        "ratings": ratings,
        "weight": trust.behaviours_weight(),
        "drifts": sum(kind == "drift" for _, kind, _, _ in player.events),
    }
