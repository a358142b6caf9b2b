"""Which strategy serves, and which trials a request is part of."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from learner.assignment import Assignment, Slot, assigned, place
from learner.preference import Preference
from router.domain import Request
from router.plans.made import MadePlan
from router.routing.nodes import Node, NodeTrial
from router.routing.strategies import Strategy

HOLDOUT = "holdout"  # the layer in which an adopted strategy is watched


@dataclass(frozen=True, slots=True)
class Believed:
    """What an answer of a made plan is expected to be, cost and take in its pattern."""

    quality: float
    deviation: float  # the standard deviation of the quality
    usd: float
    seconds: float

    def utility(self, preference: Preference) -> float:
        return self.quality - preference.price(self.usd, self.seconds)

    def rounded(self) -> "Believed":
        """To what a reader needs, so that a router hears of a change only where there is one."""
        return Believed(
            round(self.quality, 2),
            round(self.deviation, 2),
            float(f"{self.usd:.2g}"),
            float(f"{self.seconds:.2g}"),
        )


@dataclass(frozen=True, slots=True)
class Live:
    """A running trial. If `current` is None, the serving strategy is the current side."""

    slot: Slot
    name: str
    candidate: Strategy
    current: Strategy | None = None
    shadow: bool = False  # the candidate's choice is recorded but not used
    rival: Strategy | None = None  # decides half of the current side's units


@dataclass(frozen=True, slots=True)
class TrialPart:
    """A request's part in one trial."""

    live: Live
    assignment: Assignment
    rival: bool = False  # whether the rival decides it on the current side


@dataclass(frozen=True, slots=True)
class Steering:
    """The serving strategy, which is also the candidate of `holdout`, and the running trials."""

    serving: Strategy
    holdout: Live | None = None
    lives: tuple[Live, ...] = ()
    version: int = 0
    switched: bool = False  # after a shadow: `auto` answers requests that name a model
    made: tuple[MadePlan, ...] = ()  # the plans that growth made, of the running trials
    nodes: tuple[NodeTrial, ...] = ()  # the trials of written nodes
    believed: Mapping[str, Believed] = field(default_factory=dict)  # of made plans
    chosen: tuple[str, ...] = ()  # adopted made plans that the bandit may choose or not

    def parts(
        self, unit: str, places: Collection[str] = (), made: Collection[str] = ()
    ) -> Sequence[TrialPart]:
        """The trials that a unit is part of. A held-out unit is in no other trial, and a request is
        in no trial of another pattern or task than its `places`. `made` are the made plans that can
        answer it."""
        parts = []
        if self.holdout is not None:
            assignment = assigned(self.holdout.slot, unit)
            if assignment is not None:
                parts.append(TrialPart(self.holdout, assignment))
                if assignment.side == "current":
                    return parts
        for live in self.lives:
            if not live.candidate.concerns(places):
                continue
            assignment = assigned(live.slot, unit)
            if assignment is not None:
                rival = live.rival is not None and live.name in made
                rival = rival and place(f"rival {live.slot.trial}", unit) < 0.5
                parts.append(TrialPart(live, assignment, rival))
        return parts

    def holds_out(self, part: TrialPart) -> bool:
        return part.live is self.holdout

    def strategy(
        self, parts: Sequence[TrialPart], *, flipped: Sequence[TrialPart] = ()
    ) -> Strategy:
        """The strategy for a unit in these trials; the `flipped` trials change sides."""
        base = self.serving
        for part in parts:
            turned = any(part is other for other in flipped)
            candidate = (
                turned if part.live.shadow else (part.assignment.side == "candidate") != turned
            )
            if self.holds_out(part) and not candidate and part.live.current is not None:
                return part.live.current  # a held-out unit is in no other trial
            if candidate:
                base = part.live.candidate.over(base)
            elif part.live.current is not None:
                base = part.live.current
            elif part.rival and part.live.rival is not None:
                base = part.live.rival.over(base)
        return base

    @property
    def functions(self) -> tuple[Strategy | Node, ...]:
        """The routing functions and written nodes in use, which must be loaded before a request
        needs them."""
        lives = [*self.lives, *((self.holdout,) if self.holdout else ())]
        strategies = [self.serving, *(live.candidate for live in lives)]
        strategies += [live.current for live in lives if live.current is not None]
        functions = {s.key: s for s in strategies if s.kind == "function"}
        nodes = [node for t in self.nodes for node in (t.candidate, t.current) if node is not None]
        return (*functions.values(), *{node.key: node for node in nodes}.values())


def unit_of(request: Request) -> str:
    """The unit that is assigned to a side: the conversation, or the request if it has none."""
    if request.session and (request.session_given or request.continues):
        return request.session
    return request.id


def digest_of(unit: str) -> str:
    """What telemetry keeps of a unit."""
    return blake2b(unit.encode(), digest_size=8).hexdigest()
