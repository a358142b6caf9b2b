"""The values that a proposal is made from, and the proposal itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from learner.comparison import Goal
from router.config.config import Config
from router.routing.strategies import Strategy
from router.trials.replaying import AskFunction, Replay

if TYPE_CHECKING:
    from learner.deciding import BanditPolicy

REPLAYED = 1500  # logged decisions on which a strategy is replayed


@dataclass(frozen=True, slots=True)
class LearnerView:
    """The learner's present state, as proposals need it."""

    bandit: "BanditPolicy"
    lens: int
    judged: Mapping[str, int]  # judged answers by plan
    scores: Sequence[Mapping[str, Any]] = ()  # rows by kind and plan, for the author's prompt

    def replay(self, config: Config, ask_function: AskFunction | None = None) -> Replay:
        return Replay(config, self.bandit, self.lens, ask_function)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A strategy to try, and the effect that is expected of it."""

    strategy: Strategy
    goal: Goal
    opened_by: str
    effect: str
    share: float = 0.5
