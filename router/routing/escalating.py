"""Decides within an agent's session: stay with its plan, escalate to another, or come back.

The estimates are those of the session's present context, and the prices count prompt caches, so the
cache that a move loses, and the cache that a plan still has from earlier turns, are in the utility.

- A session that is stuck (the same thing failed again) is drawn anew from the policy's odds. That
  is how escalating is learned: the odds say how often a try is worth it.
- Any other session stays, unless another plan is worth more: so it comes back from a strong plan
  once it is no longer stuck. Where that is in doubt, the policy's odds of another plan are spread
  over the turns that a move is likely to last: a session tries it about as often as a request.
- After a move it settles for some turns first, so it does not flap.

Pure. The odds are exact: what is drawn has the drawn odds, what is settled has the odds 1.
"""

from dataclasses import dataclass

from learner.policy import Arm, Distribution
from router.domain import Home, Trajectory
from router.routing.bandit import Chosen

SETTLES = 2  # turns that a session stays after a move
MOVES_FOR = 0.01  # the least gain in utility for which a session that is not stuck moves
_MOST_AHEAD = 10
_TRIED = 0.05  # odds of a plan from which on a session that is not stuck may try it
ESCALATE, MOVED, STICKY = "escalate", "moved", "sticky"


@dataclass(frozen=True, slots=True)
class SessionStep:
    """The odds of each plan for the next turn of a session, the rule that gave them, and why."""

    odds: Distribution
    strategy: str
    reason: str


def next_step(trajectory: Trajectory, home: Home, choice: Chosen) -> SessionStep:
    """What a session does next. `choice` is the policy's, at prices that count prompt caches."""
    here = Arm(home.plan)
    if len(home.turns) > home.stayed and home.stayed < SETTLES:
        turns = "one turn" if home.stayed == 1 else f"{home.stayed} turns"
        return SessionStep({here: 1.0}, STICKY, f"the session moved {turns} ago, and settles first")
    if trajectory.stuck:
        why = f"the session is stuck ({trouble(trajectory)}), so it is decided anew"
        return SessionStep(choice.distribution, ESCALATE, f"{why}: {choice.reason}")
    worth = {estimate.arm: estimate.utility for estimate in choice.estimates}
    # The odds count what is sure of contexts, and the estimates do not.
    best = max(choice.distribution, key=lambda arm: choice.distribution[arm])
    gain = worth.get(best, 0.0) - worth.get(here, 0.0)
    if best != here and gain >= MOVES_FOR and here in worth:
        why = f"{best} is worth {gain:.3f} more than {here} here, prompt caches counted"
        return SessionStep({best: 1.0}, MOVED, why)
    others = {arm: odds for arm, odds in choice.distribution.items() if arm != here}
    tried = {arm: odds / turns_ahead(trajectory) for arm, odds in others.items() if odds > _TRIED}
    why = f"the session goes on where it is; {choice.reason}"
    if not tried:
        return SessionStep({here: 1.0}, STICKY, why)
    odds = {**dict.fromkeys(others, 0.0), **tried, here: 1 - sum(tried.values())}
    return SessionStep(odds, ESCALATE, why)


def turns_ahead(trajectory: Trajectory) -> int:
    """The turns that a move is likely to last: a session that had many will have many more."""
    return min(max(trajectory.turns, SETTLES), _MOST_AHEAD)


def trouble(trajectory: Trajectory) -> str:
    """What shows that a session is stuck."""
    signs = (
        (trajectory.errors_in_row, "errors in a row"),
        (trajectory.failing_in_row, "failing test runs in a row"),
        (trajectory.repeats, "repeats of a call"),
    )
    return ", ".join(f"{count} {sign}" for count, sign in signs if count >= 2)
