"""Whether the bandit chooses an adopted made plan better than a rule that always takes it.

python -m experiments.growth.serve --seeds 0,1

The planted world is played with the features and the learner of the service and the rule of
`growth.serve: bandit`; nothing else of the service runs. Two instructions are adopted, each
for a pattern, after a trial on half of the pattern's requests. On each request of a pattern both
rules are valued by the truth of the world: what the made plan is worth there, and what the arms are
worth by the bandit's odds. So both are compared on the same requests, and chance has no part in it.

A pattern is a planted kind alone, or holds strangers, which the instruction harms.
"""

import argparse
import json
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.growth.harness import config_of
from experiments.growth.worlds import planted
from experiments.readme import put, table
from learner.bandit_learner import Bandit
from learner.deciding import BanditPolicy
from learner.policy import Arm, Context, Feedback, Outcome, draw
from learner.preference import BALANCED, Estimate
from router.learning.state import kind_in, settings_of
from router.plans.compiled import Plans
from router.request.complexity import complexity
from router.request.context import context_of, numbers, taught
from router.request.lens import ENOUGH, Lens, fitted
from router.request.reading import reading_of
from router.request.terms import terms
from router.routing.ladder import policy_of

HERE = Path(__file__).parent
_PARENT = "small"
_MADE = {"invoice": "invoice-json-1", "hours": "hours-steps-1"}  # by the kind that it lifts
_STRANGERS = {"review": "invoice", "fact": "hours"}  # by the kind in whose pattern they are
_SHARES = (0.0, 0.2, 0.4)  # of strangers
_TRIED, _ANSWERED = 120, 200  # requests of a pattern, on trial and afterwards
_BEFORE = 400  # requests of the whole stream before anything is tried
_EVERY = 40  # requests between two policies
_CONTROL = 0.05


@dataclass(frozen=True, slots=True)
class Valued:
    kind: str
    share: float  # of the made plan, by the bandit
    made: float  # its true utility
    others: float  # of the arms that would answer without it, by their odds

    @property
    def by_bandit(self) -> float:
        return self.share * self.made + (1 - self.share) * self.others


@dataclass
class Play:
    """A stream of the planted world, answered by the bandit and by made plans."""

    world: Any
    bandit: Bandit
    plans: Plans
    lens: Lens
    rates: Mapping[Arm, float]
    chance: random.Random
    policy: BanditPolicy = field(init=False)
    rows: list[Valued] = field(default_factory=list)
    answered: dict[str, int] = field(default_factory=dict)  # requests of each pattern
    count: int = 0

    def __post_init__(self) -> None:
        self._publish()

    def _publish(self) -> None:
        if self.bandit.trees_are_due:
            policy = self.bandit.policy().priced(self.rates)
            self.bandit.grow(policy.prices)
        self.policy = self.bandit.policy(fallback=policy_of(self.plans)).priced(self.rates)

    def answer(self, request: Any, pattern: str) -> None:
        self.count += 1
        if self.count % _EVERY == 0:
            self._publish()
        context = self._context(request)
        estimates = self.policy.estimates(context)
        odds = {estimate.arm: estimate.share for estimate in estimates}
        plan = draw(odds, self.chance.random()).arm
        side = self.chance.random()
        if pattern and self.answered.get(pattern, 0) < _TRIED:
            plan = Arm(_MADE[pattern]) if side < 0.5 else Arm(_PARENT) if side < 0.75 else plan
        elif pattern:
            share = self._valued(request, pattern, context, estimates)
            if side > _CONTROL and self.chance.random() < share:
                plan = Arm(_MADE[pattern])
        self.answered[pattern] = self.answered.get(pattern, 0) + 1
        self._learn(request, context, plan)

    def _valued(
        self, request: Any, pattern: str, context: Context, estimates: Sequence[Estimate]
    ) -> float:
        """Value both rules on the request; returns the share of the made plan."""
        made = self.policy.heir(context, _MADE[pattern], BALANCED, self.rates[Arm(_PARENT)], 0.0)
        if made is None:
            return 1.0
        share = self.policy.share_beside(made, estimates)
        others = sum(each.share * self.worth(each.arm, request) for each in estimates)
        self.rows.append(Valued(request.kind, share, self.worth(made.arm, request), others))
        return share

    def _learn(self, request: Any, context: Context, plan: Arm) -> None:
        context = {name: value for name, value in context.items() if name != "complexity"}
        model, words = model_and_words(plan)
        reply = self.world.answer(request, model, instruct=words)
        spend = reply.usd / self.rates[Arm(model)]
        self.bandit.see(Outcome(plan, context, spend, reply.ms / 1000), kind_in(context))
        self.bandit.learn(Feedback(f"{self.count}", plan, context, float(reply.ok)))

    def worth(self, plan: Arm, request: Any) -> float:
        """The true utility of a plan's answer, by the weights with which the service decides."""
        model, words = model_and_words(plan)
        reply = self.world.answer(request, model, instruct=words)
        p = float(self.world.p(request.kind, model, words, (), request))
        return p - BALANCED.price(reply.usd, reply.ms / 1000)

    def _context(self, request: Any) -> Context:
        reading = reading_of({"messages": [{"role": "user", "content": request.text}]})
        score = complexity(reading, self.plans.weights)
        row = numbers(reading, score, tagged=False, lens=self.lens, vector=None)
        return context_of(row, "", lens=self.lens.number)


def model_and_words(plan: Arm) -> tuple[str, str]:
    """The model that a plan asks, and its instruction."""
    for kind, name in _MADE.items():
        if plan == name:
            return _PARENT, planted.RIGHT_INSTRUCTION[kind]
    return str(plan), ""


def played(seed: int, strangers: float) -> list[Valued]:
    """What both rules are worth on the requests of patterns with so many strangers."""
    world, chance = planted.World(seed, 10_000), random.Random(seed)
    models = [Arm(model) for model in planted.MODELS]
    with tempfile.TemporaryDirectory() as folder:
        config = config_of([str(model) for model in models], folder, {})
    first = world.stream[:ENOUGH]
    readings = [reading_of({"messages": [{"role": "user", "content": r.text}]}) for r in first]
    lens = fitted([terms(r.words) for r in readings], [None] * ENOUGH, [r.kinds for r in readings])
    rates = {
        model: sum(world.answer(r, str(model)).usd for r in first) / len(first) for model in models
    }
    bandit = Bandit(taught(lens.number), settings_of(config))
    bandit.set_arms(models)
    play = Play(world, bandit, Plans(config), lens, rates, chance)
    for request in world.stream[:_BEFORE]:
        play.answer(request, "")
    bandit.heirs.set_arms({Arm(made): Arm(_PARENT) for made in _MADE.values()})
    for request, pattern in _later(world.stream[_BEFORE:], strangers, chance):
        if play.answered.get(pattern, 0) < _TRIED + _ANSWERED or not pattern:
            play.answer(request, pattern)
        if all(play.answered.get(kind, 0) >= _TRIED + _ANSWERED for kind in _MADE):
            break
    return play.rows


def _later(
    stream: Sequence[Any], strangers: float, chance: random.Random
) -> Iterator[tuple[Any, str]]:
    """The requests with their patterns; one in twenty of those that have none."""
    odds = strangers / (1 - strangers) * planted.SHARES["hours"] / planted.SHARES["fact"]
    for request in stream:
        if request.kind in _MADE:
            yield request, request.kind
        elif request.kind in _STRANGERS:
            if chance.random() < odds:
                yield request, _STRANGERS[request.kind]
        elif chance.random() < 0.05:
            yield request, ""


def means(rows: Sequence[Valued]) -> dict[str, Any]:
    sums = {
        "all": sum(row.made for row in rows),
        "bandit": sum(row.by_bandit for row in rows),
        "without": sum(row.others for row in rows),
        "best": sum(max(row.made, row.others) for row in rows),
        "to_strangers": sum(row.share for row in rows if row.kind in _STRANGERS)
        * len(rows)
        / max(sum(row.kind in _STRANGERS for row in rows), 1),
    }
    return {"requests": len(rows), **{name: round(of / len(rows), 4) for name, of in sums.items()}}


def serve_table(result: Mapping[str, Any]) -> str:
    rows = [
        [
            f"{float(strangers):.0%}",
            f"{row['requests']:,}",
            *(f"{row[name]:.3f}" for name in ("all", "bandit", "without", "best")),
            f"{row['to_strangers']:.0%}" if float(strangers) else "",
        ]
        for strangers, row in result["serve"]["by_strangers"].items()
    ]
    heads = ["strangers", "requests", "`all`", "`bandit`", "without", "the better one"]
    return table([*heads, "made plan's share of strangers"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0,1", help="of the planted world, with commas")
    options = parser.parse_args()
    seeds = [int(seed) for seed in options.seeds.split(",")]
    shares = {}
    for strangers in _SHARES:
        rows = [row for seed in seeds for row in played(seed, strangers)]
        shares[f"{strangers}"] = means(rows)
        print(strangers, shares[f"{strangers}"], flush=True)
    path = HERE / "result.json"
    content: dict[str, Any] = json.loads(path.read_text())
    content["serve"] = {"seeds": seeds, "by_strangers": shares}
    path.write_text(json.dumps(content, indent=2) + "\n")
    put("growth serve", serve_table(content), "growth")


if __name__ == "__main__":
    main()
