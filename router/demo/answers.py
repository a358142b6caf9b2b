"""The answers of the demo, and a comparison of all strategies on the same requests."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from rich.table import Table

from learner.preference import PRESETS
from router.trials.logged import utility_of

AUTO = "auto"
_LEARNER = "the learner"


@dataclass(frozen=True, slots=True)
class DemoAnswer:
    """The answer of one plan to one request, with its quality and cost."""

    request: int
    model: str  # `auto`, or the name of a plan
    kind: str
    plan: str
    strategy: str
    quality: float
    cost_usd: float
    seconds: float
    ladder: str = ""  # the plan that the rule ladder would choose

    @property
    def utility(self) -> float:
        return utility_of(self.quality, self.cost_usd, self.seconds, PRESETS["balanced"])

    @classmethod
    def read(cls, line: bytes) -> "DemoAnswer":
        fields = orjson.loads(line)
        return cls(model=fields.pop("asked"), **fields)

    def written(self) -> bytes:
        fields = asdict(self)
        return orjson.dumps({"asked": fields.pop("model"), **fields}) + b"\n"


def by_request(answers: Iterable[DemoAnswer]) -> dict[int, dict[str, DemoAnswer]]:
    """The answers to each request, by the model that was asked for."""
    grouped: dict[int, dict[str, DemoAnswer]] = {}
    for answer in answers:
        grouped.setdefault(answer.request, {})[answer.model] = answer
    return grouped


def under_ladder(answers: Mapping[str, DemoAnswer]) -> DemoAnswer:
    """The answer of the plan that the rule ladder would choose."""
    routed = answers[AUTO]
    if routed.strategy in ("computed", "specialist", "last_resort"):  # every policy obeys them
        return answers.get(routed.plan, routed)
    return answers.get(routed.ladder, routed)


def compared(answers: Iterable[DemoAnswer]) -> list[dict[str, Any]]:
    """Each strategy's results on the same requests, best first, and the learner's lead over it."""
    requests = [
        models for models in by_request(answers).values() if AUTO in models and len(models) > 1
    ]
    routed = [models[AUTO] for models in requests]
    strategies = {_LEARNER: routed, "rule ladder": [under_ladder(models) for models in requests]}
    for plan in requests[0] if requests else ():
        if plan != AUTO:
            strategies[f"always {plan}"] = [models[plan] for models in requests]
    rows = [_row(name, brought, routed) for name, brought in strategies.items()]
    return sorted(rows, key=lambda row: -float(row["utility"]))


def _row(name: str, answers: Sequence[DemoAnswer], routed: Sequence[DemoAnswer]) -> dict[str, Any]:
    ahead = [a.utility - b.utility for a, b in zip(routed, answers, strict=True)]
    mean, half = _interval(ahead)
    count = max(len(answers), 1)
    return {
        "strategy": name,
        "requests": len(answers),
        "utility": sum(answer.utility for answer in answers) / count,
        "quality": sum(answer.quality for answer in answers) / count,
        "usd_per_1k": 1000 * sum(answer.cost_usd for answer in answers) / count,
        "seconds": sum(answer.seconds for answer in answers) / count,
        "ahead": mean,
        "ahead_ci95": half,
    }


def _interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and half the width of its 95% interval."""
    count = len(values)
    if count < 2:
        return 0.0, math.inf
    mean = sum(values) / count
    variance = sum((value - mean) ** 2 for value in values) / (count - 1)
    return mean, 1.96 * math.sqrt(variance / count)


def comparison(rows: Iterable[Mapping[str, Any]]) -> Table:
    table = Table(title="The same requests under each strategy", box=None)
    table.add_column("strategy")
    for name in ("utility", "quality", "$ per 1k", "seconds", "the learner is ahead by"):
        table.add_column(name, justify="right")
    for row in rows:
        own = row["strategy"] == _LEARNER
        table.add_row(
            f"[bold]{row['strategy']}[/]" if own else row["strategy"],
            f"{row['utility']:.3f}",
            f"{row['quality']:.3f}",
            f"{row['usd_per_1k']:.4g}",
            f"{row['seconds']:.3f}",
            "" if own else f"{row['ahead']:+.3f} ± {row['ahead_ci95']:.3f}",
        )
    return table


def conclusion(rows: Iterable[Mapping[str, Any]]) -> str:
    """Whether the learner's lead over each other strategy exceeds the lead's 95% interval."""
    behind = [
        row["strategy"]
        for row in rows
        if row["strategy"] != _LEARNER and row["ahead"] <= row["ahead_ci95"]
    ]
    if behind:
        return f"The learner is not clearly above: {', '.join(behind)}."
    return "The learner is above every other strategy, beyond the 95% interval of each."


def learning_curve(answers: Iterable[DemoAnswer]) -> str:
    """The learner's mean utility in each fifth of the stream."""
    routed = sorted((a for a in answers if a.model == AUTO), key=lambda answer: answer.request)
    fifths = [routed[len(routed) * n // 5 : len(routed) * (n + 1) // 5] for n in range(5)]
    means = (sum(a.utility for a in fifth) / max(len(fifth), 1) for fifth in fifths)
    return " → ".join(f"{mean:.3f}" for mean in means)
