"""Prompts with the scores of plans, as `waggle warm` teaches them, from a table of outcomes.

A plan's score is the mean of the scores of the models that mean this plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from router.outcomes.names import NameMatches
from router.outcomes.scores import Scale
from router.outcomes.table import OutcomeTable


@dataclass(frozen=True, slots=True)
class ScoredPrompt:
    """A prompt, the caller's name for its kind, and the score of each plan that answered it."""

    prompt: str
    task: str
    scores: Mapping[str, float]


def scored_prompts(
    table: OutcomeTable, matches: NameMatches, scale: Scale
) -> tuple[ScoredPrompt, ...]:
    """Every prompt that a matched plan has a score for, in the order of the table."""
    scores: dict[tuple[str, str, str], dict[str, list[float]]] = {}
    words: dict[tuple[str, str, str], tuple[str, str]] = {}
    for answer in table.answers:
        plans = matches.plans.get(answer.model, ()) if answer.prompt else ()
        for plan in plans:
            words.setdefault(answer.item, (answer.prompt, answer.task))
            by_plan = scores.setdefault(answer.item, {})
            by_plan.setdefault(plan, []).append(scale.share(answer.score))
    return tuple(
        ScoredPrompt(*words[item], {plan: round(sum(s) / len(s), 6) for plan, s in by_plan.items()})
        for item, by_plan in scores.items()
    )
