"""The programs for dice, coins, cards, urns, birthdays, Bayes' rule and independent events."""

from collections.abc import Mapping

_ANSWER = 'return {"percentage": 100 * p} if percent else {"probability": p}'

PROGRAMS: Mapping[str, str] = {
    "dice_sum": f"""
def dice_sum(sides, low=None, high=None, low_open=False, high_open=False, outside=False,
             percent=False):
    ways = {{0: 1}}
    for side in sides:
        grown = {{}}
        for total, number in ways.items():
            for face in range(1, int(side) + 1):
                grown[total + face] = grown.get(total + face, 0) + number
        ways = grown

    def inside(total):
        above = low is None or (total > low if low_open else total >= low)
        below = high is None or (total < high if high_open else total <= high)
        return (above and below) != outside

    good = sum(number for total, number in ways.items() if inside(total))
    p = good / sum(ways.values())
    {_ANSWER}
""",
    "dice_one_of": f"""
def dice_one_of(sides, values, percent=False):
    ways = {{0: 1}}
    for side in sides:
        grown = {{}}
        for total, number in ways.items():
            for face in range(1, int(side) + 1):
                grown[total + face] = grown.get(total + face, 0) + number
        ways = grown
    p = sum(ways.get(int(value), 0) for value in set(values)) / sum(ways.values())
    {_ANSWER}
""",
    "dice_pattern": f"""
def dice_pattern(dice, sides, pattern, percent=False):
    dice, sides = int(dice), int(sides)
    if pattern == "all_different":
        p = math.perm(sides, dice) / sides**dice
    elif pattern == "all_same":
        p = sides / sides**dice
    else:
        p = 1 - math.perm(sides, dice) / sides**dice
    {_ANSWER}
""",
    "dice_sums": """
def dice_sums(sides):
    ways = {0: 1}
    for side in sides:
        grown = {}
        for total, number in ways.items():
            for face in range(1, int(side) + 1):
                grown[total + face] = grown.get(total + face, 0) + number
        ways = grown
    every = sum(ways.values())
    return {"sums": sorted(ways), "probabilities": [ways[total] / every for total in sorted(ways)]}
""",
    "dice_expectation": """
def dice_expectation(sides):
    mean = sum((side + 1) / 2 for side in sides)
    variance = sum((side**2 - 1) / 12 for side in sides)
    return {"expected_value": mean, "variance": variance, "sd": variance**0.5}
""",
    "run_of_successes": f"""
def run_of_successes(n, p, length, percent=False):
    # State: how long the run at the end is; the last state holds for ever.
    length = int(length)
    states = np.zeros(length + 1)
    states[0] = 1.0
    for _ in range(int(n)):
        grown = np.zeros(length + 1)
        grown[0] = states[:length].sum() * (1 - p)
        grown[1:] = states[:length] * p
        grown[length] += states[length]
        states = grown
    p = float(states[length])
    {_ANSWER}
""",
    "birthdays": f"""
def birthdays(people, days=365, nobody=False, percent=False):
    different = 1.0
    for i in range(int(people)):
        different *= max(0.0, (days - i) / days)
    p = different if nobody else 1 - different
    {_ANSWER}
""",
    "birthday_of_one": f"""
def birthday_of_one(people, days=365, nobody=False, percent=False):
    p = ((days - 1) / days) ** int(people)
    p = p if nobody else 1 - p
    {_ANSWER}
""",
    "birthday_group": """
def birthday_group(probability, days=365):
    people, different = 1, 1.0
    while 1 - different < probability:
        different *= (days - people) / days
        people += 1
    return {"people": people}
""",
    "poker_hand": f"""
def poker_hand(hand, percent=False):
    comb = math.comb
    straight_flushes = 40
    ways = {{
        "royal_flush": 4,
        "straight_flush": straight_flushes,
        "four_of_a_kind": 13 * 48,
        "full_house": 13 * comb(4, 3) * 12 * comb(4, 2),
        "flush": 4 * comb(13, 5) - straight_flushes,
        "straight": 10 * 4**5 - straight_flushes,
        "three_of_a_kind": 13 * comb(4, 3) * comb(12, 2) * 4**2,
        "two_pair": comb(13, 2) * comb(4, 2) ** 2 * 44,
        "one_pair": 13 * comb(4, 2) * comb(12, 3) * 4**3,
        "same_suit": 4 * comb(13, 5),
    }}[hand]
    p = ways / comb(52, 5)
    {_ANSWER}
""",
    "urn": f"""
def urn(counts, wanted, replacement=False, percent=False):
    counts, wanted = [int(c) for c in counts], [int(w) for w in wanted]
    if replacement:
        p = math.factorial(sum(wanted))
        for count, number in zip(counts, wanted, strict=True):
            p = p * (count / sum(counts)) ** number / math.factorial(number)
        p = float(p)
    else:
        ways = math.prod(math.comb(c, w) for c, w in zip(counts, wanted, strict=True))
        p = ways / math.comb(sum(counts), sum(wanted))
    {_ANSWER}
""",
    "urn_same_colour": f"""
def urn_same_colour(counts, drawn, replacement=False, different=False, percent=False):
    drawn, total = int(drawn), int(sum(counts))
    if replacement:
        p = sum((count / total) ** drawn for count in counts)
    else:
        p = sum(math.comb(int(count), drawn) for count in counts) / math.comb(total, drawn)
    p = 1 - p if different else float(p)
    {_ANSWER}
""",
    "bayes": f"""
def bayes(prior, hit, false_alarm, negative=False, healthy=False, percent=False):
    hit, false_alarm = (1 - hit, 1 - false_alarm) if negative else (hit, false_alarm)
    p = prior * hit / (prior * hit + (1 - prior) * false_alarm)
    p = 1 - p if healthy else p
    {_ANSWER}
""",
    "total_probability": f"""
def total_probability(shares, rates, percent=False):
    p = float(sum(share * rate for share, rate in zip(shares, rates, strict=True)))
    {_ANSWER}
""",
    "source_given_event": f"""
def source_given_event(shares, rates, source, percent=False):
    joint = [share * rate for share, rate in zip(shares, rates, strict=True)]
    p = joint[int(source)] / sum(joint)
    {_ANSWER}
""",
    "independent_events": f"""
def independent_events(probabilities, event, percent=False):
    if event == "all":
        p = math.prod(probabilities)
    elif event == "none":
        p = math.prod(1 - q for q in probabilities)
    elif event == "any":
        p = 1 - math.prod(1 - q for q in probabilities)
    else:
        p = sum(
            q * math.prod(1 - r for j, r in enumerate(probabilities) if j != i)
            for i, q in enumerate(probabilities)
        )
    {_ANSWER}
""",
    "trials_needed": """
def trials_needed(p, confidence):
    trials = max(1, math.ceil(math.log1p(-confidence) / math.log1p(-p) - 1e-12))
    return {"trials": trials}
""",
    "coupon_collector": """
def coupon_collector(kinds):
    return {"expected_number": sum(kinds / i for i in range(1, int(kinds) + 1))}
""",
    "expected_prize": """
def expected_prize(prizes, probabilities, cost=0.0):
    mean = sum(prize * p for prize, p in zip(prizes, probabilities, strict=True))
    return {"expected_value": mean - cost}
""",
    "expected_count": """
def expected_count(n, p):
    return {"expected_count": n * p}
""",
    "simulated_pi": """
def simulated_pi(points, seed):
    rng = np.random.default_rng(int(seed))
    inside, left = 0, int(points)
    while left:
        some = min(left, 1_000_000)
        inside += int((rng.random(some) ** 2 + rng.random(some) ** 2 <= 1).sum())
        left -= some
    return {"pi": 4 * inside / int(points), "points": int(points)}
""",
    "simulated_dice": """
def simulated_dice(rolls, sides, seed, statistic, low=None, high=None, low_open=False,
                   high_open=False, percent=False):
    rng = np.random.default_rng(int(seed))
    totals = np.zeros(int(rolls), dtype=int)
    for side in sides:
        totals += rng.integers(1, int(side) + 1, int(rolls))
    if statistic == "mean":
        return {"mean": float(totals.mean()), "rolls": int(rolls)}
    good = np.ones(int(rolls), dtype=bool)
    if low is not None:
        good &= (totals > low) if low_open else (totals >= low)
    if high is not None:
        good &= (totals < high) if high_open else (totals <= high)
    if percent:
        return {"percentage": 100 * float(good.mean()), "rolls": int(rolls)}
    return {"probability": float(good.mean()), "rolls": int(rolls)}
""",
    "simulated_flips": """
def simulated_flips(experiments, flips, p, seed, low=None, high=None, low_open=False,
                    high_open=False):
    rng = np.random.default_rng(int(seed))
    heads = rng.binomial(int(flips), p, int(experiments))
    good = np.ones(int(experiments), dtype=bool)
    if low is not None:
        good &= (heads > low) if low_open else (heads >= low)
    if high is not None:
        good &= (heads < high) if high_open else (heads <= high)
    return {"probability": float(good.mean()), "experiments": int(experiments)}
""",
    "simulated_birthdays": """
def simulated_birthdays(experiments, people, seed, days=365):
    rng = np.random.default_rng(int(seed))
    shared, left = 0, int(experiments)
    while left:
        some = min(left, 20_000)
        drawn = np.sort(rng.integers(0, int(days), (some, int(people))), axis=1)
        shared += int((np.diff(drawn, axis=1) == 0).any(axis=1).sum())
        left -= some
    return {"probability": shared / int(experiments), "experiments": int(experiments)}
""",
}
