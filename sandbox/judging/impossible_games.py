"""Names what is impossible in a game: a die without sides, shares of 120%."""

import math
from collections.abc import Callable, Mapping, Sequence

_MOST_SIMULATED = 20_000_000


def share_problem(**shares: float) -> str:
    for name, share in shares.items():
        if not 0 <= share <= 1:
            return f"a {name.replace('_', ' ')} of {share:.4g} lies outside 0 to 1"
    return ""


def whole_problem(most: float = 100_000, **numbers: float) -> str:
    for name, number in numbers.items():
        if not math.isfinite(number) or number != int(number) or number < 1:
            return f"{number:g} is no number of {name}: it must be whole and above 0"
        if number > most:
            return f"{number:g} {name} are too many: at most {most:,.0f}"
    return ""


def _dice(sides: Sequence[float], **_: object) -> str:
    if not 1 <= len(sides) <= 200:
        return f"{len(sides)} dice cannot be rolled: from 1 to 200"
    return next((p for side in sides if (p := whole_problem(1000, sides=side))), "")


def _pattern(dice: float, sides: float, **_: object) -> str:
    return whole_problem(200, dice=dice, sides=sides)


def _urn(
    counts: Sequence[float], wanted: Sequence[float], replacement: bool = False, **_: object
) -> str:
    for count, number in zip(counts, wanted, strict=True):
        if count != int(count) or number != int(number) or count < 0 or number < 0:
            return "the numbers of the urn must be whole"
        if number > count and not replacement:
            return f"{number:g} cannot be drawn where there are {count:g}, without replacement"
    return whole_problem(2000, balls=sum(counts), drawn=sum(wanted))


def _same(counts: Sequence[float], drawn: float, replacement: bool = False, **_: object) -> str:
    if drawn > sum(counts) and not replacement:
        return f"{drawn:g} cannot be drawn from {sum(counts):g} without replacement"
    return whole_problem(2000, balls=sum(counts), drawn=drawn)


def _bayes(
    prior: float, hit: float, false_alarm: float, negative: bool = False, **_: object
) -> str:
    problem = share_problem(prior=prior, hit_rate=hit, false_alarm_rate=false_alarm)
    ill, well = (1 - hit, 1 - false_alarm) if negative else (hit, false_alarm)
    if not problem and prior * ill + (1 - prior) * well == 0:
        return "the event on which the probability depends never happens"
    return problem


def _shares(shares: Sequence[float], rates: Sequence[float], **_: object) -> str:
    problem = next((p for s in (*shares, *rates) if (p := share_problem(share=s))), "")
    if not problem and abs(sum(shares) - 1) > 1e-9:
        return f"the shares add up to {sum(shares):.4g}, not to 1"
    return problem


def _independent(probabilities: Sequence[float], **_: object) -> str:
    if len(probabilities) > 10_000:
        return "there are too many events"
    return next((p for q in probabilities if (p := share_problem(probability=q))), "")


def _prize(prizes: Sequence[float], probabilities: Sequence[float], cost: float = 0.0) -> str:
    if len(prizes) != len(probabilities) or cost < 0:
        return "each prize needs a probability"
    problem = _independent(probabilities)
    if not problem and sum(probabilities) > 1 + 1e-9:
        return f"the probabilities add up to {sum(probabilities):.4g}, more than 1"
    return problem


def _trials(p: float, confidence: float) -> str:
    if not 1e-6 <= p < 1 or not 0 < confidence < 1:
        return "the probabilities must lie between 0 and 1"
    return ""


def _run(n: float, p: float, length: float, **_: object) -> str:
    return share_problem(probability=p) or whole_problem(trials=n, length=length)


IMPOSSIBLE: Mapping[str, Callable[..., str]] = {
    "dice_sum": _dice,
    "dice_one_of": _dice,
    "dice_pattern": _pattern,
    "dice_sums": _dice,
    "dice_expectation": _dice,
    "run_of_successes": _run,
    "birthdays": lambda people, days=365, **_: whole_problem(people=people, days=days),
    "birthday_of_one": lambda people, days=365, **_: whole_problem(people=people, days=days),
    "birthday_group": lambda probability, days=365: (
        share_problem(probability=probability) or whole_problem(days=days)
    ),
    "poker_hand": lambda **_: "",
    "urn": _urn,
    "urn_same_colour": _same,
    "bayes": _bayes,
    "total_probability": _shares,
    "source_given_event": _shares,
    "independent_events": _independent,
    "trials_needed": _trials,
    "coupon_collector": lambda kinds: whole_problem(kinds=kinds),
    "expected_prize": _prize,
    "expected_count": lambda n, p: (
        share_problem(probability=p) or ("a number of cases cannot be below 0" if n < 0 else "")
    ),
    "simulated_pi": lambda points, **_: whole_problem(_MOST_SIMULATED, points=points),
    "simulated_dice": lambda rolls, sides, **_: (
        whole_problem(1_000_000, rolls=rolls) or _dice(sides)
    ),
    "simulated_flips": lambda experiments, flips, p, **_: (
        share_problem(probability=p)
        or whole_problem(1_000_000, experiments=experiments)
        or whole_problem(500, flips=flips)
    ),
    "simulated_birthdays": lambda experiments, people, days=365, **_: (
        whole_problem(1_000_000, experiments=experiments, days=days)
        or whole_problem(500, people=people)
    ),
}
