"""How well the service keeps a budget for each thousand requests."""

from experiments.replay.playing import Conditions, play
from experiments.replay.service import Setup, Waggle
from experiments.replay.streams import Stream

SHARES = (0.3, 0.5, 0.7)  # of the way from the cheapest model's cost to the strongest model's
_WINDOW = 1_000


def paced(stream: Stream, share: float) -> dict[str, float]:
    """What was spent of the budget, and the furthest that spending was ahead of it."""
    outcomes = stream.outcomes
    rates = [outcomes.rates[arm] for arm in outcomes.arms]  # what the service pays for an answer
    strong = int(outcomes.quality.mean(axis=0).argmax())
    budget = _WINDOW * (min(rates) + share * (rates[strong] - min(rates)))
    player = Waggle(stream, Setup(cost_weight=0.0, dollars_per_1k=budget))
    played = play(stream, player, Conditions(), 0.0)
    spent = [answer.cost_usd for answer in player.feed.answers]
    player.close()
    windows = range(_WINDOW, len(spent) + 1, _WINDOW)
    if not windows:
        return {}
    used = [sum(spent[:end]) / (budget * end / _WINDOW) for end in windows]
    quality = float(played.quality[: windows[-1]].mean())
    return {"used": used[-1], "worst_overshoot": max(used) - 1, "quality": quality}
