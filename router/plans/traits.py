"""Which plans belong together: the model that a plan asks, its effort, and its price. Pure."""

from learner.traits import ArmTraits
from router.config.config import Config
from router.config.parameters import EFFORTS, effort_in
from router.config.plans import Ask, Plan
from router.plans.compiled import CompiledPlan, Plans
from router.plans.costs import Size


def traits_of(config: Config) -> dict[str, ArmTraits]:
    """The traits of every configured plan."""
    plans = Plans(config)
    return {
        name: ArmTraits(family_of(plan, config), effort_of(plan), usual_price(plans[name]))
        for name, plan in config.plans.items()
    }


def family_of(plan: Plan, config: Config) -> str:
    """The model that a plan asks, without its provider; empty for a plan that is no single model.

    A prompt or a setting of the plan changes the arm, but not the family. The same model at two
    providers is one family.
    """
    if not isinstance(plan, Ask):
        return ""
    settings = config.backends[plan.ask]
    model = plan.model or next(iter(settings.aliases), "")
    return model.rpartition("/")[2].lower()


def effort_of(plan: Plan) -> int | None:
    """How much effort a plan sets for its model: 0 is the least; None if it sets none."""
    effort = effort_in(plan.set_) if isinstance(plan, Ask) else ""
    return EFFORTS.index(effort) if effort in EFFORTS else None


def usual_price(plan: CompiledPlan) -> float | None:
    """Expected dollars for 1,000 requests of usual size: midway between least and most."""
    cost = plan.cost(Size())
    return 1000 * (cost.least_usd + cost.most_usd) / 2
