"""Streams whose ratings are rare or late, whose learner knows something beforehand, or in which
something changes halfway: the best model fails, a price falls, a model comes late.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from experiments.replay.measuring import measured
from experiments.replay.outcomes import Outcomes
from experiments.replay.playing import COST, Conditions, Played, play
from experiments.replay.service import Setup, Waggle
from experiments.replay.streams import Stream
from learner.policy import Arm

EARLIER = 400  # prompts that stand before the stream, where something is known beforehand
_NOTICED = 300  # a fall counts as noticed in time within so many requests
_LOOK = 50  # requests over which the share of a plan is averaged
_USED = 0.5  # a change is used once a plan has this part of the share that it has in the end


_USUAL = Conditions()


@dataclass(frozen=True, slots=True)
class Case:
    """A condition, and what is known of the models before the stream begins."""

    conditions: Conditions = _USUAL
    beforehand: str = ""  # `nothing`, `cards` or `warm`: the earlier prompts are set aside
    names_default: bool = False  # the operator names the best single model as the default


CASES: Mapping[str, Case] = {
    "all rated": Case(),
    "30% rated": Case(Conditions(share=0.3)),
    "10% rated": Case(Conditions(share=0.1)),
    "3% rated": Case(Conditions(share=0.03)),
    "none rated": Case(Conditions(share=0.0)),
    "none rated, the best model as default": Case(Conditions(share=0.0), names_default=True),
    "rated 200 later": Case(Conditions(delay=200)),
    "rated 1000 later": Case(Conditions(delay=1000)),
    "cold start": Case(beforehand="nothing"),
    "start with cards": Case(beforehand="cards"),
    "warm start of 400 prompts": Case(beforehand="warm"),
    "best model falls by half": Case(Conditions(drift=True)),
    "the same after a warm start": Case(Conditions(drift=True), "warm"),
    "dearest model gets cheap": Case(Conditions(price_cut=True)),
    "best model comes late": Case(Conditions(joins=True)),
}


def under(case: Case, stream: Stream, setup: Setup) -> dict[str, Any]:
    """The figures of Waggle under a condition. What is known beforehand is of `stream.earlier`."""
    if case.beforehand == "cards" and stream.earlier is not None:
        setup = replace(setup, cards=cards_of(stream.earlier.outcomes))
    outcomes, best = stream.outcomes, stream.outcomes.best(COST)
    if case.names_default:
        setup = replace(setup, default=best)
    arms = [at for at in range(len(outcomes.arms)) if at != best or not case.conditions.joins]
    player = Waggle(stream, setup, arms)
    if case.beforehand == "warm" and stream.earlier is not None:
        player.teach(stream.earlier)
    played = play(stream, player, case.conditions)
    player.close()
    figures = measured(outcomes, played)
    del figures["curve"]
    return figures | _after(played) | _changes(case.conditions, stream, player, played)


def cards_of(outcomes: Outcomes) -> dict[Arm, dict[str, float]]:
    """Each model's mean score on these prompts, as a card without kinds."""
    means = outcomes.quality.mean(axis=0).round(3).tolist()
    return {arm: {"any": mean} for arm, mean in zip(outcomes.arms, means, strict=True)}


def _after(played: Played) -> dict[str, float]:
    """Utility in the second half over the model that is the best single one of that half."""
    half = len(played.utility) // 2
    best = float(played.worth[half:].mean(axis=0).max())
    return {"after": float(played.utility[half:].mean() - best)}


def _changes(
    conditions: Conditions, stream: Stream, player: Waggle, played: Played
) -> dict[str, float]:
    half = len(stream) // 2
    best = stream.outcomes.best(COST)
    drifts = [(at, subject) for at, kind, subject, _ in player.events if kind == "drift"]
    name = player.plan_of(best)
    if conditions.drift:
        noticed = [at - half for at, plan in drifts if at > half and plan == name]
        return {
            "noticed": float(bool(noticed) and noticed[0] <= _NOTICED),
            "false_alarms": float(sum(at <= half for at, _ in drifts)),
        }
    figures = {"false_alarms": float(len(drifts))}
    if conditions.price_cut or conditions.joins:
        arm = int(stream.outcomes.dearness.argmax()) if conditions.price_cut else best
        figures |= _used(played.odds[half:, arm])
    return figures


def _used(shares: Any) -> dict[str, float]:
    """The share of a plan in the end, and after how many requests it had half of that share."""
    final = float(shares[-len(shares) // 2 :].mean())
    if len(shares) < _LOOK or final <= 0:
        return {"final_share": final, "used_after": float(len(shares))}
    means = np.convolve(shares, np.ones(_LOOK) / _LOOK, mode="valid")
    reached = np.flatnonzero(means >= _USED * final)
    after = int(reached[0]) + _LOOK if len(reached) else len(shares)
    return {"final_share": final, "used_after": float(after)}
