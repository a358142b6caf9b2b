"""Measures committees of scripted members, beside what arithmetic says of them beforehand.

The members answer yes or no, and "yes" is right. Each member is right with chance p, by itself. A
member that hears another answer than its own thinks again, and is right with chance p, by itself; a
member that hears only its own answer keeps it. So unanimity stays, and the number of right members
is a Markov chain: `theory` follows the chain, and knows nothing of the code that it judges.

The executor of plans runs as in the service. Only the calls are scripted, so nothing takes time.
"""

import math
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from experiments.plans.scripted import played
from router.config.config import Config
from router.plans.compiled import Plans

ACCURACY = 0.8
_PRICE = {"input": 1.0, "output": 1.0}


@dataclass(frozen=True, slots=True)
class Case:
    """A committee: so many members, rounds, and the agreement that ends the rounds."""

    members: int
    rounds: int
    agreement: float | None = None

    @property
    def name(self) -> str:
        stop = "" if self.agreement is None else f", stop at agreement {self.agreement:g}"
        return f"{self.members} members, {self.rounds} round{'s'[: self.rounds - 1]}{stop}"

    @property
    def plan(self) -> dict[str, Any]:
        members = [f"m{n}" for n in range(self.members)]
        stop = {} if self.agreement is None else {"stop": {"agreement": self.agreement}}
        return {"committee": {"members": members, "rounds": self.rounds, **stop}}


CASES = (
    *(Case(3, rounds) for rounds in (1, 2, 3)),
    Case(3, 3, 1.0),
    Case(5, 3),
    Case(5, 3, 0.8),
)


def config() -> Config:
    backend = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1", "price": _PRICE}
    return Config.model_validate(
        {
            "backends": {f"m{n}": backend for n in range(max(case.members for case in CASES))},
            "plans": {f"p{n}": case.plan for n, case in enumerate(CASES)},
        }
    )


_HEARD = re.compile(r'<member number="\d+">\n(.*)\n</member>')


def words(number: int, member: str, turn: int, messages: Sequence[Mapping[str, Any]]) -> str:
    """What a member says in its turn: it thinks again if somebody says something else."""
    if len(messages) > 1:
        own, news = messages[-2]["content"], messages[-1]["content"]
        if set(_HEARD.findall(news)) == {own}:
            return str(own)
    right = random.Random(f"{member} {number} {turn + 1}").random() < ACCURACY
    return "yes" if right else "no"


async def measured(count: int) -> dict[str, Any]:
    plans = Plans(config())
    rows: dict[str, Any] = {}
    for n, case in enumerate(CASES):
        right = calls = 0
        for number in range(count):
            says = partial(words, number)
            text, made = await played(plans, f"p{n}", str(number), f"{number}: yes or no?", says)
            right += text == "yes"
            calls += made
        share = right / count
        rows[case.name] = {
            "asked": count,
            "right": share,
            "right_ci95": 1.96 * math.sqrt(share * (1 - share) / count),
            "calls_per_request": calls / count,
            "theory": theory(case),
        }
    stops = {}
    for case in CASES:
        if case.agreement is not None:
            early, late = rows[case.name], rows[replace(case, agreement=None).name]
            stops[case.name] = {
                "saves_calls": 1 - early["calls_per_request"] / late["calls_per_request"],
                "loses_right": late["right"] - early["right"],
            }
    return {"accuracy_of_a_member": ACCURACY, "committees": rows, "early_stops": stops}


def theory(case: Case) -> dict[str, float]:
    """Right answers and calls, by the chain of the number of right members."""
    n = case.members
    ended = [0.0] * (n + 1)  # the chance to have stopped, by the number of right members
    going = _binomial(n)
    calls = float(n)
    for _ in range(case.rounds - 1):
        for k in range(n + 1):
            if case.agreement is not None and max(k, n - k) / n >= case.agreement:
                ended[k], going[k] = ended[k] + going[k], 0.0
        calls += n * sum(going)
        split = sum(going[1:-1])  # whoever hears another answer thinks again
        after = [split * chance for chance in _binomial(n)]
        after[0] += going[0]
        after[-1] += going[-1]
        going = after
    chances = [a + b for a, b in zip(ended, going, strict=True)]
    return {"right": sum(chances[n // 2 + 1 :]), "calls_per_request": calls}


def _binomial(n: int) -> list[float]:
    return [math.comb(n, k) * ACCURACY**k * (1 - ACCURACY) ** (n - k) for k in range(n + 1)]
