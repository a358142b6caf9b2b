"""Where growth makes less: a plan for two patterns, a plan without a stage, and plans in doubt.

A trial proves each: a simpler plan must be no worse, within `growth.epsilon` of utility. What is
proposed here is simpler whatever the numbers say, so nothing has to be hoped for.
"""

import re
from collections.abc import Collection, Iterator, Mapping

from router.config.config import Config
from router.config.plan_steps import LESS, simpler, stages
from router.growth.spawning import LARGE, recipe_of
from router.growth.traffic import PatternTraffic, PlanRecord, Traffic, much_is_new
from router.plans.made import MadePlan, as_written
from router.trials.book import Book, Trial
from router.trials.made_trials import ENDED_BY_HAND, alive, state_of

_MOST_STAGE_TRIALS = 8  # at a time
_SERVES = 0.3  # of a pattern's requests, for a plan whose stages are looked at
_LEAST_JUDGED = 30  # answers of that plan there
_LATELY = 8.0  # answers, later ones counting more, after which another plan is known in a pattern
_REST_SECONDS = 2 * 86_400.0  # between two doubts of a plan


def merged(book: Book) -> Iterator[MadePlan]:
    """A plan for two patterns, in the place of a plan for each, if the two are of the same form.

    A plan with examples of two patterns is not mixed with a third one's: it would lose some.
    """
    trial_on = {trial.pattern for trial in book.live if trial.pattern}
    grown = [book.made[trial.name] for trial in book.grown]
    free = [
        made
        for made in grown
        if made.kind not in ("route", "model")
        and not made.stands_for
        and not made.mixes
        and trial_on.isdisjoint(made.patterns)
    ]
    for at, kept in enumerate(free):
        for other in free[at + 1 :]:
            name = f"{kept.pattern}-{other.pattern}-{_form(kept)}"
            if _same_form(kept, other) and not _tried_before(book, kept, other):
                versions = sum(made.name.startswith(f"{name}-") for made in book.made.values())
                yield MadePlan(
                    f"{name}-{versions + 1}",
                    other.pattern,
                    kept.parent,
                    kept.plan,
                    kind="merge",
                    author=kept.author,
                    evidence=f"{kept.name} and {other.name} are of the same form: "
                    f"{_what_may_do(kept)}",
                    version=versions + 1,
                    scope=kept.scope,
                    others=(*kept.patterns, *other.others),
                    merges=(kept.name, other.name),
                )
                return  # one at a time: the next may merge the result


def without_stages(book: Book, config: Config, traffic: Traffic) -> Iterator[MadePlan]:
    """Plans without one of their stages, for a pattern in which they answer much."""
    live = alive(book)
    room = _MOST_STAGE_TRIALS - sum(made.kind == "stage" for made in _on_trial(book))
    room = min(room, config.growth.most_plans - len(live))
    for each in sorted(traffic.patterns.values(), key=lambda each: -each.share):
        if room <= 0:
            return
        if each.share < LARGE or any(
            made.kind == "stage" and each.pattern in made.patterns for made in live
        ):
            continue
        made = _without_stage(book, config, each, live)
        if made is not None:
            room -= 1
            yield made


def dominated(book: Book, config: Config, traffic: Traffic, at: float) -> Iterator[tuple[str, str]]:
    """Adopted plans beside which another plan lately did as well, and is as cheap; and why."""
    preference = config.objective.preference
    for trial in book.grown:
        each, made = traffic.patterns.get(trial.pattern), book.made[trial.name]
        rested = at - max(trial.since, trial.shared_at) >= _REST_SECONDS
        if each is None or trial.name not in each.plans or made.stands_for or not rested:
            continue
        worth = each.utility(trial.name, preference)
        others = {
            plan: each.utility(plan, preference)
            for plan, record in each.plans.items()
            if plan in config.asking and record.lately >= _LATELY
        }
        best = max(others, key=lambda plan: others[plan], default="")
        if best and others[best] >= worth:
            yield (
                trial.name,
                f"{best} was worth {others[best]:.3f} there lately, and {trial.name} {worth:.3f}: "
                "half go to the control until it is known",
            )


def _without_stage(
    book: Book, config: Config, traffic: PatternTraffic, live: Collection[MadePlan]
) -> MadePlan | None:
    records: Mapping[str, PlanRecord] = traffic.plans
    total = sum(record.lately for record in records.values())
    for plan, record in sorted(records.items(), key=lambda pair: -pair[1].lately):
        if record.lately < _SERVES * total or record.judged < _LEAST_JUDGED:
            return None
        for stage in stages(plan, config.plans) if plan in config.asking else ():
            name = f"{traffic.pattern}-{_plain(plan)}-less-{_plain(stage)}"
            before = [made for made in book.made.values() if made.name.startswith(f"{name}-")]
            if any(made in live or not _may_come_again(book, made, traffic) for made in before):
                continue
            simple = simpler(f"{plan}{LESS}{stage}", config.plans)
            assert simple is not None
            return MadePlan(
                f"{name}-{len(before) + 1}",
                traffic.pattern,
                plan,
                as_written(simple),
                kind="stage",
                evidence=f"{plan} without {stage}: {record.judged:,} of its answers to "
                f"{traffic.pattern} are judged",
                version=len(before) + 1,
                alike=traffic.judged,
                stands_for=plan,
            )
    return None


def _may_come_again(book: Book, made: MadePlan, traffic: PatternTraffic) -> bool:
    return state_of(book, made.name) not in ENDED_BY_HAND and much_is_new(made, traffic)


def _on_trial(book: Book) -> list[MadePlan]:
    trials: list[Trial] = [trial for trial in book.live if trial.pattern]
    return [book.made[trial.name] for trial in trials]


def _same_form(made: MadePlan, other: MadePlan) -> bool:
    """Whether either plan could answer the other's requests: the same parent, recipe and owner."""
    same = (made.parent, _form(made), made.scope) == (other.parent, _form(other), other.scope)
    return same and ("examples" in made.plan or dict(made.plan) == dict(other.plan))


def _form(made: MadePlan) -> str:
    return recipe_of(made) if made.kind == "spawn" else made.name.rsplit("-", 2)[1]


def _what_may_do(kept: MadePlan) -> str:
    if "examples" in kept.plan:
        return "one plan with examples of both may do"
    return f"{kept.name} may answer both"


def _tried_before(book: Book, kept: MadePlan, other: MadePlan) -> bool:
    """Whether a plan in the place of both was tried; later versions of them may be tried again."""
    pair = {kept.name, other.name}
    return any(pair <= set(made.merges) for made in book.made.values())


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")
