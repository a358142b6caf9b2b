"""Whether a plan can answer a request at all, given which backends cannot. Pure."""

from collections.abc import Callable

from router.config.config import Config
from router.config.plans import Ask, Cascade, Code, FanOut, Hedge, Pipeline, Step

Refusal = Callable[[str], str]  # why a backend cannot answer, or nothing


def impossible(config: Config, step: Step, refusal: Refusal) -> str:
    """Why no way through the plan leads to an answer, or nothing."""
    plan = config.plan(step)
    match plan:
        case Ask():
            return _none_of({name: refusal(name) for name in plan.backends})
        case Code():
            return _none_of({plan.code: refusal(plan.code)})
        case Cascade():
            return _unless(config, plan.cascade, refusal, 1)
        case Hedge():
            return _unless(config, plan.hedge, refusal, 1)
        case FanOut():
            return _unless(config, plan.fan_out, refusal, plan.quorum)
        case Pipeline():
            return _unless(config, plan.pipeline, refusal, len(plan.pipeline))
    draft = plan.places[0][1]
    return impossible(config, draft, refusal)


def _unless(config: Config, steps: tuple[Step, ...], refusal: Refusal, enough: int) -> str:
    reasons = [reason for one in steps if (reason := impossible(config, one, refusal))]
    return "; ".join(dict.fromkeys(reasons)) if len(steps) - len(reasons) < enough else ""


def _none_of(reasons: dict[str, str]) -> str:
    if not all(reasons.values()):
        return ""
    return "; ".join(f"{name} {reason}" for name, reason in reasons.items())
