"""One stream of recorded answers as the service runs it, and the same stream with planted changes.

At chosen places the process forks: a child goes on with the changed model, the parent without. So
each change is compared with the same past, and the past is played once. What changes is the model
that the learner served most before that place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from experiments.drift.rivals import Answer, Notice, noticed_by
from experiments.replay.outcomes import Matrix
from experiments.replay.playing import COST, drawn
from experiments.replay.service import Setup, Waggle
from experiments.replay.streams import Stream

IN_TIME = 300  # a change counts as noticed in time within so many requests
_SERVED = 200  # requests over which the most served model is chosen
OURS = "Waggle"
STARTS = ("cold", "warm")


@dataclass(frozen=True, slots=True)
class Plant:
    """A change of a model, and the request from which on it holds."""

    kind: str
    place: int

    def changed(self, scores: Matrix, chance: np.random.Generator) -> Matrix:
        """The model's scores from that place on."""
        half = chance.random(len(scores)) < 0.5
        match self.kind:
            case "half of its answers score nothing":
                return np.where(half, 0.0, scores)
            case "each score is halved":
                return scores / 2
            case "half of its missing score comes":
                return scores + np.where(half, 1 - scores, 0.0)
        raise ValueError(f"there is no change {self.kind!r}; the changes are {', '.join(KINDS)}")


FALLS = ("half of its answers score nothing", "each score is halved")
RISE = "half of its missing score comes"
KINDS = (*FALLS, RISE)


def plants_of(stream: Stream) -> list[Plant]:
    """Places in the second half, with as many requests after them as the stream allows."""
    half = len(stream) // 2
    chance = np.random.default_rng([stream.seed, len(stream), 7])
    places = chance.integers(half, max(len(stream) - IN_TIME, half + 1), 2).tolist()
    return [Plant(FALLS[0], places[0]), Plant(FALLS[1], places[1]), Plant(RISE, places[0])]


@dataclass
class Run:
    """A stream that is being played."""

    stream: Stream
    player: Waggle
    quality: Matrix
    chance: np.random.Generator
    answers: list[Answer] = field(default_factory=list)
    odds: list[Any] = field(default_factory=list)

    def play(self, steps: range) -> None:
        for step in steps:
            odds = self.player.odds(step)
            arm = drawn(odds, self.chance.random())
            quality = float(self.quality[step, arm])
            self.player.answer(step, arm)
            self.player.learn(step, arm, quality)
            self.answers.append(Answer(step + 1, arm, quality))
            self.odds.append(odds)

    def served(self) -> int:
        return int(np.mean(self.odds[-_SERVED:], axis=0).argmax())

    def notices(self) -> dict[str, list[Notice]]:
        """Each change that somebody noticed, with the number of answers until then."""
        self.player.publish()
        ours = [
            Notice(at, self.player.arm_of(plan))
            for at, kind, plan, _ in self.player.events
            if kind == "drift"
        ]
        return {OURS: ours, **noticed_by(self.answers)}


def begun(stream: Stream, *, warm: bool) -> Run:
    player = Waggle(stream, Setup())
    chance = np.random.default_rng(1000 + stream.seed)
    run = Run(stream, player, stream.outcomes.quality.copy(), chance)
    if warm and stream.earlier is not None:
        player.teach(stream.earlier)
        scores = stream.earlier.outcomes.quality
        run.answers = [
            Answer(0, arm, quality) for row in scores.tolist() for arm, quality in enumerate(row)
        ]
    return run


def planted(stream: Stream, *, warm: bool) -> dict[str, Any]:
    """False alarms of the stream as it is, and how late each planted change was noticed."""
    run = begun(stream, warm=warm)
    changes = []
    at = 0
    for plant in sorted(plants_of(stream), key=lambda plant: plant.place):
        run.play(range(at, plant.place))
        at = plant.place
        changes.append(_apart(run, plant))
    run.play(range(at, len(stream)))
    alarms = {name: len(notices) for name, notices in run.notices().items()}
    run.player.close()
    return {"requests": len(stream), "false_alarms": alarms, "changes": changes}


def _apart(run: Run, plant: Plant) -> dict[str, Any]:
    """What comes of a change, played in a child of this process."""
    context = get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_changed, args=(run, plant, theirs))
    child.start()
    result: dict[str, Any] = ours.recv()
    child.join()
    return result


def _changed(run: Run, plant: Plant, pipe: Connection) -> None:
    arm = run.served()
    chance = np.random.default_rng([run.stream.seed, plant.place])
    before = float(run.quality[: plant.place, arm].mean())
    run.quality[plant.place :, arm] = plant.changed(run.quality[plant.place :, arm], chance)
    end = min(plant.place + IN_TIME, len(run.stream))
    run.play(range(plant.place, end))
    later = [answer for answer in run.answers if answer.at > plant.place]
    notices = run.notices()
    pipe.send(
        {
            "kind": plant.kind,
            "place": plant.place,
            "best": arm == run.stream.outcomes.best(COST),
            "quality": before,
            "answers": sum(answer.arm == arm for answer in later),
            "requests": len(later),
            "after": {name: _delay(seen, arm, plant.place) for name, seen in notices.items()},
        }
    )


def _delay(notices: Sequence[Notice], arm: int, place: int) -> int | None:
    return next((n.at - place for n in notices if n.arm == arm and n.at > place), None)
