"""The ladder of rules, and the configured policy, which decides until the bandit has learned."""

from collections.abc import Sequence
from hashlib import blake2b

import orjson

from learner.controls import Fixed, Ladder
from learner.policy import Arm, Policy
from router.config.config import Config
from router.config.objective import LadderSettings
from router.domain import PolicyInForce


def ladder_of(settings: LadderSettings, plans: Sequence[str]) -> Ladder:
    """The ladder. If the settings name no rungs, its rungs are the plans in the order of the
    file."""
    rungs = settings.rungs or tuple(plans)
    cuts = settings.cuts
    if cuts is None:
        cuts = tuple(round(9 * step / len(rungs), 2) for step in range(1, len(rungs)))
    return Ladder("complexity", cuts, tuple(map(Arm, rungs)))


def policy_of(config: Config) -> Policy:
    """The configured policy, which also decides while the bandit has not learned."""
    if config.objective.strategy != "ladder" and config.objective.plan:
        return Fixed(Arm(config.objective.plan))
    return ladder_of(config.objective.ladder, config.asking)


def policy_in_force(config: Config, *, at: float) -> PolicyInForce:
    """The record of the configured policy. Equal configurations have equal versions."""
    settings = {
        "objective": config.objective.model_dump(mode="json"),
        "plans": {name: plan.model_dump(mode="json") for name, plan in config.plans.items()},
    }
    text = orjson.dumps(settings, option=orjson.OPT_SORT_KEYS)
    version = blake2b(text, digest_size=6).hexdigest()
    ladder = ladder_of(config.objective.ladder, config.asking)
    # Readers of telemetry compare decisions with the ladder's.
    settings["ladder"] = {"rungs": list(ladder.rungs), "cuts": list(ladder.cuts)}
    return PolicyInForce(version, config.objective.strategy, settings, at)
