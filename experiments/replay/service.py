"""Waggle as the service runs it, without a network: its configuration, its fold, its decision.

The configuration has a plan for each model. Answers and ratings are rows of a feed, as telemetry
would hand them over; the service's own fold reads them, its policies are published at the
service's pace, and the service's own code decides by them. So a change of the learner shows here
without a change of the replay.

Not covered: several routers, calls that fail, and what answers take: each takes a second.
"""

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from experiments.replay.playing import Vector
from experiments.replay.streams import Stream
from learner.policy import Arm
from learner.trust import SourceScore
from router.config.config import Config
from router.learning.fold import Fold
from router.plans.compiled import Plans
from router.plans.costs import OUTPUT_TOKENS, size_of
from router.request.context import FEATURES_VERSION
from router.request.lens import keep
from router.routing.bandit import rates_of
from router.routing.case import Case, Surroundings
from router.routing.deciders import by_bandit
from router.telemetry.feed import AnsweredRequest, Batch, Feed, JudgedRequest, Watermark

EVERY = 20  # answers between two policies: forty requests a second, and news twice a second
_SECONDS = 0.025  # between two requests
_START = 1_780_000_000.0
_WRITER = "replay"


@dataclass(frozen=True, slots=True)
class Setup:
    """How an operator runs the service: what the configuration says beside the plans."""

    guarded: bool = True
    default: int | None = None  # the model that the operator names as the default
    cost_weight: float = 0.1
    every: int = EVERY
    cards: Mapping[Arm, Mapping[str, float]] = field(default_factory=dict)  # by model and kind
    dollars_per_1k: float | None = None


class MemoryFeed(Feed):
    """A feed of answers and ratings that were never written to a disk."""

    def __init__(self) -> None:
        self.answers: list[AnsweredRequest] = []
        self.ratings: list[tuple[int, SourceScore]] = []  # the number of the answer, and its score

    @property
    def stamp(self) -> tuple[tuple[str, int], ...]:
        return (("requests", len(self.answers)), ("signals", len(self.ratings)))

    def beyond(self, mark: Watermark, *, since_micros: int = 0) -> Batch:  # noqa: ARG002
        ranges: dict[str, dict[str, tuple[int, int]]] = {}
        for table, size in self.stamp:
            read = mark.read[table].get(_WRITER, 0)
            ranges[table] = {_WRITER: (read + 1, size)} if size > read else {}
        return Batch(ranges)

    def rows(self, batch: Batch) -> list[AnsweredRequest]:
        low, high = batch.ranges.get("requests", {}).get(_WRITER, (1, 0))
        return self.answers[low - 1 : high]

    def judged(self, batch: Batch, mark: Watermark) -> list[JudgedRequest]:  # noqa: ARG002
        low, high = batch.ranges.get("signals", {}).get(_WRITER, (1, 0))
        return [
            JudgedRequest(self.answers[at], (), (score,))
            for at, score in self.ratings[low - 1 : high]
        ]


class Waggle:
    """A player that is the service: configuration, fold and decision."""

    def __init__(self, stream: Stream, setup: Setup, arms: Sequence[int] = ()) -> None:
        self.stream, self.setup = stream, setup
        self.rates = stream.outcomes.rates
        self.arms = list(arms or range(len(stream.outcomes.arms)))
        # The order of the file means nothing: it differs from seed to seed.
        shuffled = np.random.default_rng(500 + stream.seed).permutation(len(stream.outcomes.arms))
        self._order = shuffled.tolist()
        self.events: list[tuple[int, str, str, str]] = []  # answers before it, kind, subject, state
        self._home = Path(tempfile.mkdtemp(prefix="replay-", dir=_memory()))
        self._names = _plan_names(stream.outcomes.arms)
        self._index = {name: at for at, name in enumerate(self._names)}
        self._steps: dict[int, int] = {}  # the answer of each step
        self.feed = MemoryFeed()
        self._configure()
        self.fold = Fold(self.config, 0, self._note, self._wall)
        self.fold.feed = self.feed
        self.fold.begin()
        self._with_lens = False
        if stream.fitted_at == 0:
            self._use_lens()
        self.publish()

    def place_of(self, plan: str) -> int:
        """The place of a plan's model among the models of the set."""
        return self._index[plan]

    def close(self) -> None:
        shutil.rmtree(self._home, ignore_errors=True)

    def plan_of(self, arm: int) -> str:
        return self._names[arm]

    def arm_of(self, plan: str) -> int:
        return self._index[plan]

    def odds(self, step: int) -> Vector:
        stream = self.stream
        case = Case(
            self.plans,
            stream.requests[step],
            Surroundings(policy_version="replay", lens=stream.lens),
            [Arm(name) for name in self.plans.names],
            {},
            stream.features[step],
        )
        self.choice = by_bandit(case, self.policy)
        odds = np.zeros(len(stream.outcomes.arms))
        for arm, share in self.choice.distribution.items():
            odds[self._index[arm]] = share
        return odds

    def answer(self, step: int, arm: int) -> None:
        """An answer was given; the fold will see what it cost."""
        stream, name = self.stream, self._names[arm]
        features, request = stream.features[step], stream.requests[step]
        rates = rates_of(self.plans, [Arm(name)], size_of(request))
        row = {
            "request_id": request.id,
            "ts_micros": int(self._wall() * 1e6),
            "plan": name,
            "kind": request.task or features.kind,
            "strategy": "bandit",
            "features": features.numbers,
            "features_version": FEATURES_VERSION,
            "cost_usd": rates[name],
            "rate_usd": rates[name],
            "latency_ms": 1000.0,
            "failed": False,
            "abandoned": False,
            "questions_usd": 0.0,
            "questions_ms": 0.0,
            "propensity": self.choice.distribution[Arm(name)],
            "probabilities": dict(self.choice.distribution),
            "vector": stream.outcomes.vectors[step],
        }
        parts = {part.name for part in fields(AnsweredRequest)}
        self._steps[step] = len(self.feed.answers)
        self.feed.answers.append(AnsweredRequest(**{k: v for k, v in row.items() if k in parts}))
        if not self._with_lens and len(self.feed.answers) >= stream.fitted_at:
            self._use_lens()
        if len(self.feed.answers) % self.setup.every == 0:
            self.publish()

    def learn(self, step: int, arm: int, quality: float) -> None:  # noqa: ARG002
        """The app rates the answer of a step."""
        rating = SourceScore("feedback", "quality", quality, 1.0)
        self.feed.ratings.append((self._steps[step], rating))

    def teach(self, rows: Stream) -> None:
        """Scores of every model on some prompts, as `waggle warm` hands them over."""
        lesson = [
            {
                "features": features.numbers,
                "kind": request.task or features.kind,
                "scores": dict(zip(self._names, scores.tolist(), strict=True)),
            }
            for features, request, scores in zip(
                rows.features, rows.requests, rows.outcomes.quality, strict=True
            )
        ]
        folder = self.config.learner_folder / "warm"
        folder.mkdir(parents=True, exist_ok=True)
        lens = self.stream.lens.number if self.stream.lens else 0
        content = orjson.dumps({"at": _START, "lens": lens, "rows": lesson})
        (folder / "lesson.json").write_bytes(content)
        self.publish()

    def reprice(self, rates: Mapping[Arm, float]) -> None:
        """The operator changes prices in the configuration."""
        self.rates = {**self.rates, **rates}
        self._reconfigure()

    def join(self, arm: int) -> None:
        """The operator adds a plan to the configuration."""
        self.arms.append(arm)
        self._reconfigure()

    def _configure(self) -> None:
        arms, setup = self.stream.outcomes.arms, self.setup
        listed = [at for at in self._order if at in self.arms]
        backends = {
            f"model-{at}": {
                "kind": "openai",
                "base_url": "http://127.0.0.1:9/v1",
                "model": str(arms[at]),
                "price": {"input": 0, "output": self.rates[arms[at]] * 1e6 / OUTPUT_TOKENS},
            }
            for at in listed
        }
        learning: dict[str, Any] = {"encode": True}
        if not setup.guarded:
            learning["explore"] = 1.0
        objective: dict[str, Any] = {
            "strategy": "bandit",
            "weights": {"cost": setup.cost_weight, "latency": 0.0},
            "learning": learning,
            "cards": {
                name: dict(setup.cards[arm])
                for arm, name in zip(arms, self._names, strict=True)
                if arm in setup.cards
            },
        }
        if setup.default in self.arms:
            objective["plan"] = self._names[setup.default]
        if setup.dollars_per_1k is not None:
            objective["budget"] = {"dollars_per_1k": setup.dollars_per_1k}
        self.config = Config.model_validate(
            {
                "server": {"data": str(self._home)},
                "backends": backends,
                "plans": {self._names[at]: {"ask": f"model-{at}"} for at in listed},
                "objective": objective,
            }
        )
        self.plans = Plans(self.config)

    def _reconfigure(self) -> None:
        self._configure()
        self.fold.reconfigure(self.config)
        self.publish()

    def publish(self) -> None:
        while self.fold.turn():
            pass
        self.policy = self.fold.policy(self._wall())

    def _use_lens(self) -> None:
        self._with_lens = True
        lens = self.stream.lens
        if lens is not None:
            keep(lens, self.config.learner_folder)
            self.fold.state.use_lens(lens.number)

    def _note(self, kind: str, subject: str, state: str, **_: Any) -> None:
        self.events.append((len(self.feed.answers), kind, str(subject), state))

    def _wall(self) -> float:
        return _START + _SECONDS * len(self.feed.answers)


def _plan_names(arms: Sequence[Arm]) -> list[str]:
    """A name of a plan for each model, as the configuration allows them."""
    plain = [re.sub(r"[^A-Za-z0-9._-]", "-", str(arm)).strip(".-_")[:48] for arm in arms]
    return [name if plain.count(name) == 1 else f"{name}-{at}" for at, name in enumerate(plain)]


def _memory() -> str | None:
    """A folder in memory, where there is one: the fold syncs its log to the disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
