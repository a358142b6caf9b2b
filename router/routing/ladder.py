"""The ladder of rules, and the configured policy, which decides until the bandit has learned."""

from collections.abc import Sequence
from hashlib import blake2b

import orjson

from learner.controls import Fixed, Ladder
from learner.policy import Arm, Policy
from router.config.objective import LadderSettings
from router.domain import PolicyInForce
from router.plans.compiled import Plans


def ladder_of(settings: LadderSettings, rungs: Sequence[str]) -> Ladder:
    """The ladder with these plans as rungs, from cheap to strong."""
    cuts = settings.cuts
    if cuts is None:
        cuts = tuple(round(9 * step / len(rungs), 2) for step in range(1, len(rungs)))
    return Ladder("complexity", cuts, tuple(map(Arm, rungs)))


def configured_ladder(plans: Plans) -> Ladder:
    """The ladder of a configuration. Unless the file names its rungs, they go from the cheapest
    plan to the dearest."""
    return ladder_of(plans.config.objective.ladder, plans.rungs)


def policy_of(plans: Plans) -> Policy:
    """The configured policy, which also decides while the bandit has not learned."""
    objective = plans.config.objective
    if objective.strategy != "ladder" and objective.plan:
        return Fixed(Arm(objective.plan))
    return configured_ladder(plans)


def policy_in_force(plans: Plans, *, at: float) -> PolicyInForce:
    """The record of the configured policy. Equal configurations have equal versions."""
    config = plans.config
    settings = {
        "objective": config.objective.model_dump(mode="json"),
        "plans": {name: plan.model_dump(mode="json") for name, plan in config.plans.items()},
    }
    ladder = configured_ladder(plans)
    # Readers of telemetry compare decisions with the ladder's.
    settings["ladder"] = {"rungs": list(ladder.rungs), "cuts": list(ladder.cuts)}
    text = orjson.dumps(settings, option=orjson.OPT_SORT_KEYS)
    version = blake2b(text, digest_size=6).hexdigest()
    return PolicyInForce(version, config.objective.strategy, settings, at)
