"""What is believed of each plan before any answer of it was judged, and from where. Pure.

The operator's own cards (`objective.cards`) win. Else the card of a plan that asks one model, and
adds no prompt and no fields, is that of its model at its effort by public results: a lower bound.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from router.catalog.cards import ANY, public_cards
from router.config.config import Config
from router.config.parameters import effort_in
from router.config.plans import Ask, Plan

# A card counts as so many answers: an operator's for each of its kinds, a public one in all.
OWN_CARD_ANSWERS, PUBLIC_CARD_ANSWERS = 8.0, 2.0


@dataclass(frozen=True, slots=True)
class Prior:
    """The quality that is believed of a plan, by kind of request or task, or `any`."""

    quality: Mapping[str, float]
    source: Literal["objective.cards", "public results"]
    model: str = ""  # the model whose public results these are
    results: Mapping[str, int] | None = None  # on how many results each kind rests

    @property
    def answers(self) -> float:
        """As how many answers each kind counts."""
        if self.source == "objective.cards":
            return OWN_CARD_ANSWERS
        return PUBLIC_CARD_ANSWERS / len(self.quality)

    @property
    def overall(self) -> float:
        """The quality on all kinds of requests."""
        if ANY in self.quality:
            return self.quality[ANY]
        return sum(self.quality.values()) / len(self.quality)


def priors_of(config: Config) -> dict[str, Prior]:
    """The prior of each plan that has one."""
    priors: dict[str, Prior] = {}
    for name, plan in config.plans.items():
        own = config.objective.cards.get(name)
        prior = Prior(own, "objective.cards") if own else _public(plan, config)
        if prior is not None:
            priors[name] = prior
    return priors


def _public(plan: Plan, config: Config) -> Prior | None:
    if (
        not isinstance(plan, Ask)
        or plan.equals
        or plan.system
        or plan.instruct
        or plan.examples
        or plan.fields is not None
    ):
        return None
    model = plan.model or next(iter(config.backends[plan.ask].aliases), "")
    cards = public_cards(model, effort_in(plan.set_)) if model else {}
    if not cards:
        return None
    quality = {kind: card.quality for kind, card in cards.items()}
    results = {kind: card.results for kind, card in cards.items()}
    return Prior(quality, "public results", model, results)
