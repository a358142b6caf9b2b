"""Whether a request fits the windows of what may answer it. Pure functions."""

from collections.abc import Collection
from dataclasses import replace

from router.domain import Request
from router.plans.compiled import Plans
from router.routing.case import Surroundings
from router.routing.eligible import eligible_plans
from router.routing.named import named
from router.wire.errors import Unroutable


def window_for(
    plans: Plans,
    request: Request,
    backend: str,
    allowed: Collection[str] = (),
    *,
    priced_only: bool = False,
    hidden: Collection[str] = (),
) -> int | None:
    """The longest window among the plans that may answer, if the request fits none of them; None
    if it fits, or if it could not be answered within any window either.

    A last resort is no answer to a long conversation, although it has no window.
    """
    around = Surroundings(allowed, priced_only=priced_only, hidden=hidden)
    if _answerable(plans, request, backend, around):
        return None
    stated = {settings.context_window for settings in plans.config.backends.values()}
    for window in sorted((each for each in stated if each is not None), reverse=True):
        reading = replace(request.reading, tokens=window)
        if _answerable(plans, replace(request, reading=reading), backend, around):
            return window
    return None


def _answerable(plans: Plans, request: Request, backend: str, around: Surroundings) -> bool:
    try:
        if named(plans, request, backend, around) is not None:
            return True
        eligible, _ = eligible_plans(
            plans,
            request,
            allowed=around.allowed,
            claims={},
            priced_only=around.priced_only,
            hidden=around.hidden,
        )
    except Unroutable:
        return False
    return any(plan not in plans.last_resorts for plan in eligible)
