"""Routes: where routing alone does it, a pattern gets a plan of the configuration.

A trial that a made plan lost shows that the words which were added do little. If a configured plan
is worth more in the pattern than what serves, that plan is tried in the whole pattern. It stays as
made plans do: by a trial, beside a control, and it can go back.
"""

from router.config.config import Config
from router.growth.traffic import PatternTraffic, error_of, much_is_new
from router.trials.book import Book
from router.trials.made_trials import ENDED_BY_HAND, state_of

ROUTE = "route"
_LEAST_GAIN = 0.05  # utility that the route might add to a request
_LEAST_JUDGED = 20  # answers of the plan in the pattern
_SURE = 1.64  # standard errors by which it must seem better: the best of a few seems too good


def routed_to(book: Book, config: Config, traffic: PatternTraffic) -> tuple[str, float] | None:
    """The configured plan that may be better for a pattern in which made plans did nothing, and the
    utility that it might add; None if nothing speaks for a route."""
    before = [made for made in book.made.values() if made.pattern == traffic.pattern]
    states = {made.name: state_of(book, made.name) for made in before}
    kept_out = any(made.kind == "spawn" and states[made.name] == "kept" for made in before)
    if not kept_out or any(state == "adopted" for state in states.values()):
        return None
    preference = config.objective.preference
    worth = {
        plan: traffic.utility(plan, preference)
        - _SURE * error_of(traffic.quality(plan), max(record.judged_lately, 1.0))
        for plan, record in traffic.plans.items()
        if plan in config.asking and record.judged >= _LEAST_JUDGED
    }
    tried = {
        made.parent
        for made in before
        if made.kind == ROUTE
        and (states[made.name] in ENDED_BY_HAND or not much_is_new(made, traffic))
    }
    best = max(worth.keys() - tried, key=lambda plan: worth[plan], default="")
    gain = worth[best] - traffic.utility_now(preference) if best else 0.0
    return (best, gain) if gain >= _LEAST_GAIN else None
