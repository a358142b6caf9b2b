"""Decides within an agent's session: stay with its plan, escalate to another, or come back.

The estimates are those of the session's present context, and the prices count prompt caches, so the
cache that a move loses, and the cache that a plan still has from earlier turns, are in the utility.

- A session that is stuck (the same thing failed again) is drawn anew from the policy's odds. That
  is how escalating is learned: the odds say how often a try is worth it.
- Any other session stays, unless another plan is worth clearly more: so it comes back from a strong
  plan once it is no longer stuck.
- After a move it settles for some turns first, so it does not flap.

Pure. The odds are exact: what is drawn has the drawn odds, what is settled has the odds 1.
"""

from dataclasses import dataclass

from learner.policy import Arm, Distribution
from router.domain import Home, Trajectory
from router.routing.bandit import STAYS, Chosen

SETTLES = 2  # turns that a session stays after a move
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
    own = next((e for e in choice.estimates if e.arm == here), None)
    if own is not None:
        best = max(choice.estimates, key=lambda estimate: estimate.utility)
        gain = best.utility - own.utility
        unsure = (best.deviation**2 + own.deviation**2) ** 0.5
        if best.arm != here and gain >= STAYS + unsure:
            why = f"{best.arm} is worth {gain:.3f} more than {here} here, prompt caches counted"
            return SessionStep({best.arm: 1.0}, MOVED, why)
    return SessionStep({here: 1.0}, STICKY, f"the session goes on where it is; {choice.reason}")


def trouble(trajectory: Trajectory) -> str:
    """What shows that a session is stuck."""
    signs = (
        (trajectory.errors_in_row, "errors in a row"),
        (trajectory.failing_in_row, "failing test runs in a row"),
        (trajectory.repeats, "repeats of a call"),
    )
    return ", ".join(f"{count} {sign}" for count, sign in signs if count >= 2)
