"""What routers are told of trials: who serves, who is tried on whom. A value, swapped whole."""

from collections.abc import Sequence
from dataclasses import dataclass

from learner.assignment import Assignment, Slot, assigned
from router.domain import Request
from router.routing.strategies import Strategy

HOLDOUT = "holdout"  # the layer in which an adopted strategy is watched


@dataclass(frozen=True, slots=True)
class Live:
    """A trial as routers carry it out. Without `current`, that is what serves."""

    slot: Slot
    name: str
    candidate: Strategy
    current: Strategy | None = None
    shadow: bool = False  # it is asked what it would do, and not followed


@dataclass(frozen=True, slots=True)
class TrialPart:
    """A request's part in one trial."""

    live: Live
    told: Assignment


@dataclass(frozen=True, slots=True)
class Steering:
    """`serving` is also the candidate of `holdout`, where there is one."""

    serving: Strategy
    holdout: Live | None = None
    lives: tuple[Live, ...] = ()
    version: int = 0

    def parts(self, unit: str) -> Sequence[TrialPart]:
        """The trials that a unit is in. Who is held out is in no other."""
        found = []
        if self.holdout is not None:
            told = assigned(self.holdout.slot, unit)
            if told is not None:
                found.append(TrialPart(self.holdout, told))
                if told.side == "current":
                    return found
        for live in self.lives:
            told = assigned(live.slot, unit)
            if told is not None:
                found.append(TrialPart(live, told))
        return found

    def holds_out(self, part: TrialPart) -> bool:
        return part.live is self.holdout

    def strategy(
        self, parts: Sequence[TrialPart], *, flipped: Sequence[TrialPart] = ()
    ) -> Strategy:
        """What decides for a unit in these parts; with some of them on their other side."""
        base = self.serving
        for part in parts:
            turned = any(part is one for one in flipped)
            candidate = turned if part.live.shadow else (part.told.side == "candidate") != turned
            if self.holds_out(part) and not candidate and part.live.current is not None:
                return part.live.current  # who is held out is in no other
            if candidate:
                base = part.live.candidate.over(base)
            elif part.live.current is not None:
                base = part.live.current
        return base

    @property
    def functions(self) -> tuple[Strategy, ...]:
        """Those of its strategies that are code, and must be ready before they are asked."""
        lives = [*self.lives, *((self.holdout,) if self.holdout else ())]
        told = [self.serving, *(live.candidate for live in lives)]
        told += [live.current for live in lives if live.current is not None]
        return tuple({one.key: one for one in told if one.kind == "function"}.values())


def unit_of(request: Request) -> str:
    """A conversation, or else the request alone, is what falls on one side or the other."""
    if request.session and (request.session_given or request.continues):
        return request.session
    return request.id
