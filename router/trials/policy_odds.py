"""Works out the odds that a policy would have given each plan, for logged requests.

The odds come from what was logged, never from what the learner knows today: it learned from the
very rows that an estimate would weigh, and would look better than it is. So `bandit` means the
bandit as it decided then, on the requests that it decided alone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from learner.policy import Arm, Distribution
from router.config.config import Config
from router.config.plan_steps import whole
from router.config.problems import unknown
from router.plans.compiled import Plans
from router.routing.function_contract import Unanswered, looks_at, opinion
from router.routing.ladder import configured_ladder
from router.routing.strategies import Strategy, policy_for
from router.trials.book import Book, Rejected
from router.trials.drawn_rows import DrawnRow
from router.trials.gates import LoadedFunction
from router.trials.replaying import AskFunction

OddsOf = Callable[[DrawnRow], Distribution | None]  # None: the row cannot tell


def named_policy(name: str, book: Book) -> Strategy:
    """The strategy with this name; the name of a plan means always that plan."""
    strategies = book.strategies
    if f"always-{name}" in strategies and name in book.config.asking:
        return strategies[f"always-{name}"]
    if name in strategies or book.latest(name) is not None:
        return book.strategy(name).over(book.serving)
    plans = [plan for plan in book.config.plans if f"always-{plan}" in strategies]
    rule, mend = unknown("plan or strategy", name, [*plans, *strategies])
    raise Rejected(f"{name}: {rule}. {mend}")


@contextmanager
def odds_of(strategy: Strategy, config: Config) -> Iterator[OddsOf]:
    """The odds of a strategy for each row. Raises `Rejected` if no log can tell them."""
    if strategy.within:
        raise Rejected(
            f"{strategy.key}: a plan that was made for a pattern is judged by its own trial: "
            "waggle growth list"
        )
    if strategy.kind == "bandit":
        if strategy.settings or strategy.without or strategy.instead:
            raise Rejected(
                f"{strategy.key}: the log holds the odds of `bandit` itself, not of a bandit with "
                f"other settings or plans: try it with `waggle trial new NAME --candidate "
                f"{strategy.key}`"
            )
        yield _logged_odds
    elif strategy.kind == "function":
        with LoadedFunction(strategy, config.trials.function_ms / 1000) as ask_function:
            yield _odds_of_function(strategy, config, ask_function)
    else:
        yield _odds_by_rule(strategy, config)


def _logged_odds(row: DrawnRow) -> Distribution | None:
    return row.odds if row.decided_by == "bandit" else None


def _odds_by_rule(strategy: Strategy, config: Config) -> OddsOf:
    policy = policy_for(strategy, configured_ladder(Plans(config)))
    reads = strategy.kind == "ladder"  # the others look at no request

    def odds(row: DrawnRow) -> Distribution | None:
        context = row.context
        if context is None and reads:
            return None
        usable = _usable(row, strategy, config)
        return _instead(policy.distribution(context or {}, usable), strategy) if usable else None

    return odds


def _odds_of_function(
    strategy: Strategy, config: Config, ask_function: AskFunction | None
) -> OddsOf:
    if ask_function is None:
        raise Rejected(f"{strategy.key}: routing functions cannot run here")

    def odds(row: DrawnRow) -> Distribution | None:
        usable = _usable(row, strategy, config)
        # A function may have been written from the rows before it, and would look too good on them.
        if row.ts_micros < strategy.at * 1e6 or row.numbers is None or not usable:
            return None
        arguments = row.function_arguments
        if any(name not in arguments[0] for name in looks_at(strategy.source)):
            return None
        try:
            answer = ask_function(strategy, arguments)
            return _instead(opinion(answer, usable, strategy.source), strategy)
        except Unanswered:
            return None

    return odds


def _usable(row: DrawnRow, strategy: Strategy, config: Config) -> list[Arm]:
    """The plans that could answer: logged as eligible, or not there yet when the row was logged."""
    logged = [arm for arm in row.odds if whole(arm) in config.plans]
    there = {whole(arm) for arm in row.odds} | row.ineligible
    later = [Arm(plan) for plan in config.asking if plan not in there]
    eligible = [*logged, *later]
    return [arm for arm in eligible if whole(arm) not in strategy.without] or eligible


def _instead(odds: Distribution, strategy: Strategy) -> Distribution:
    instead = strategy.instead
    return {Arm(instead.get(arm, arm)): share for arm, share in odds.items()} if instead else odds
