"""Which plans belong together: the model that a plan asks, its effort, and its price. Pure."""

from learner.traits import ArmTraits
from router.config.config import Config
from router.plans.compiled import Plans
from router.plans.ordering import effort_of, family_of


def traits_of(config: Config) -> dict[str, ArmTraits]:
    """The traits of every configured plan."""
    plans = Plans(config)
    return {
        name: ArmTraits(family_of(plan, config), effort_of(plan), plans.usual_price(name))
        for name, plan in config.plans.items()
    }
