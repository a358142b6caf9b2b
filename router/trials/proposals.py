"""The values that a proposal is made from, and the proposal itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from learner.comparison import Goal
from learner.policy import Context
from router.config.config import Config
from router.routing.strategies import Strategy
from router.trials.logged import LoggedDecision
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
    judged_by_kind: Mapping[tuple[str, str], int] = field(default_factory=dict)
    kind_of: Callable[[Context], str] = lambda _: ""  # the kind by which answers are counted

    def tried(self, row: LoggedDecision, plan: str) -> int:
        """The judged answers of the plan on requests of the row's kind."""
        return self.judged_by_kind.get((self.kind_of(row.context(self.lens)), plan), 0)

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
    rules: Mapping[str, Any] = field(default_factory=dict)  # of its trial, as `TrialRules` has them
