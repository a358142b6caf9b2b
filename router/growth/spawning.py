"""Makes plans for patterns that may gain from one, one recipe after the other, each by a trial.

A pattern gets a plan when enough of its answers are judged, something could be gained, and there is
room: for another made plan, and in the share of requests that trials of growth may take. The
recipes that won most trials in this service come first. A recipe that did nothing for a plan is
tried again only when the pattern's judged answers have multiplied, or when an adopted plan of the
pattern turned bad; each recipe that did nothing for a plan lowers what the plan promises.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from learner.preference import Preference
from router.config.config import Config
from router.config.plans import Ask
from router.growth.examples import OwnWords
from router.growth.recipes import (
    AUTHOR,
    EXAMPLES,
    INSTRUCTIONS,
    LEAST_EXAMPLES,
    MOST_EXAMPLES,
    RECIPES,
    instructed,
    with_examples,
)
from router.growth.routes import ROUTE, routed_to
from router.growth.traffic import PatternTraffic, Traffic, much_is_new
from router.plans.bodies import NATIVE
from router.plans.made import MadeKind, MadePlan, as_written
from router.trials.book import Book, Trial
from router.trials.made_trials import ENDED_BY_HAND, HALF, alive, in_doubt, state_of

_HOPED = 0.6  # the part of a plan's failures that a right instruction may mend
_LEAST_HOPE = 0.05  # utility that a plan might add where it is tried
_LEAST_PART = 0.2
_WON = ("adopted", "superseded", "rolled back")
_BELIEVED = 4  # ended trials of a recipe for which its usual chance counts
_TRIES = 3  # answers of an author that may be refused for a pattern
_SMALL = 0.01  # share of requests; a pattern with a smaller share is not worth an adopted plan
LARGE = 0.0125  # share of requests; a pattern with a smaller share gets no new plan
REST_SECONDS = 7 * 86_400.0  # in which a pattern gets no plan after an operator removed one
_KNOWN = 2000  # requests after which a share is known


@dataclass(frozen=True, slots=True)
class Opening:
    """A pattern for which a plan may be made, by which recipe, and from which plan."""

    pattern: str
    recipe: str
    parent: str
    hope: float  # utility that the plan might add to a request of the pattern
    judged: int
    quality: float  # of the parent here
    part: float = 1.0  # of the pattern's requests that may be part of the trial
    name: str = ""  # of the pattern
    since: float = 0.0  # words from before say nothing: the pattern's plan turned bad then

    @property
    def effect(self) -> str:
        way = "by routing alone" if self.recipe == ROUTE else f"with {self.recipe}"
        return (
            f"{self.judged:,} judged answers of {self.pattern}"
            f"{f' ({self.name})' if self.name else ''}; {self.parent} has quality "
            f"{self.quality:.2f} there, and {way} up to {self.hope:.3f} of utility could be added"
        )


def openings(
    book: Book,
    config: Config,
    traffic: Traffic,
    words_of: Callable[[str, float], OwnWords],
    now: float,
) -> list[Opening]:
    """What could be made now, the most worthwhile first, within the bounds of growth."""
    growth, live = config.growth, alive(book)
    room = growth.most_plans - len(live)
    free = {t.name for t in book.grown if in_doubt(t) or book.made[t.name].kind == ROUTE}
    busy = _resting(book, now) | {
        pattern
        for made in live
        if not made.stands_for and made.name not in free
        for pattern in made.patterns
    }
    left = growth.explore - HALF * sum(
        traffic.patterns[trial.pattern].share * trial.slot.high
        for trial in book.live
        if trial.pattern in traffic.patterns and trial.goal == "better"
    )
    worthwhile: list[Opening] = []
    hopes = [
        (hope, each)
        for each in traffic.patterns.values()
        if each.pattern not in busy and each.judged >= growth.least_alike and each.share >= LARGE
        if (hope := hope_of(config, each, _losses(book, each))) is not None
    ]
    for (parent, gain), each in sorted(hopes, key=lambda pair: -pair[0][1] * pair[1].share):
        part = min(left / (HALF * each.share), 1.0)  # of the pattern's requests
        if room <= len(worthwhile) or part < _LEAST_PART:
            continue
        opening = _opening(book, config, each, parent, gain, words_of)
        if opening is not None:
            worthwhile.append(replace(opening, part=part))
            left -= HALF * each.share * part
    return worthwhile


def hope_of(
    config: Config, traffic: PatternTraffic, losses: Mapping[str, int]
) -> tuple[str, float] | None:
    """The plan from which another could be made, and what that might add; None if too little."""
    preference = config.objective.preference
    hoped = {
        plan: _hoped(traffic, plan, preference, losses.get(plan, 0))
        for plan in traffic.plans
        if isinstance(_parent(config, plan), Ask)
    }
    if not hoped:
        return None
    parent = max(hoped, key=lambda plan: hoped[plan])
    gain = hoped[parent] - traffic.utility_now(preference)
    return (parent, gain) if gain >= _LEAST_HOPE else None


def made_from(
    book: Book, config: Config, opening: Opening, words: OwnWords, instruction: str, at: float
) -> MadePlan | None:
    """The plan of an opening; None if there are too few examples."""
    parent = config.plans[opening.parent]
    kind: MadeKind = "spawn"
    scope, author = "", opening.recipe
    if opening.recipe == ROUTE:
        plan, kind = as_written(parent), "route"
    elif not isinstance(parent, Ask):
        return None
    elif opening.recipe == EXAMPLES:
        if len(words.good) < LEAST_EXAMPLES:
            return None
        plan, scope = with_examples(parent, words.good[:MOST_EXAMPLES]), words.owner
    elif opening.recipe == AUTHOR:
        plan, author = instructed(parent, instruction), str(config.growth.author)
        scope = words.owner  # the author wrote it from the owner's words
    else:
        plan = instructed(parent, INSTRUCTIONS[opening.recipe])
    version = 1 + sum(
        made.pattern == opening.pattern and recipe_of(made) == opening.recipe
        for made in book.made.values()
    )
    return MadePlan(
        f"{opening.pattern}-{opening.recipe}-{version}",
        opening.pattern,
        opening.parent,
        plan,
        kind=kind,
        author=author,
        evidence=opening.effect,
        version=version,
        scope=scope,
        part=opening.part,
        alike=opening.judged,
        at=at,
    )


def small(book: Book, traffic: Traffic) -> list[Trial]:
    """The adopted plans whose pattern hardly comes any more."""
    if traffic.total < _KNOWN:
        return []
    shares: Mapping[str, PatternTraffic] = traffic.patterns
    return [
        trial
        for trial in book.grown
        if book.made[trial.name].kind != "model"
        and sum(shares[p].share for p in book.made[trial.name].patterns if p in shares) < _SMALL
    ]


def _opening(
    book: Book,
    config: Config,
    traffic: PatternTraffic,
    parent: str,
    gain: float,
    words_of: Callable[[str, float], OwnWords],
) -> Opening | None:
    turned = _turned_bad(book, traffic.pattern)
    quality, judged = traffic.quality, traffic.judged
    route = routed_to(book, config, traffic)
    if route is not None:
        plan, gain = route
        return Opening(traffic.pattern, ROUTE, plan, gain, judged, quality(plan), since=turned)
    out = _kept_out(book, traffic, parent)
    for recipe in by_success(book):
        if recipe in out or (recipe == AUTHOR and config.growth.author is None):
            continue
        if recipe in (EXAMPLES, AUTHOR):
            words = words_of(traffic.pattern, turned)
            if len(words.good) < LEAST_EXAMPLES:
                continue
        return Opening(traffic.pattern, recipe, parent, gain, judged, quality(parent), since=turned)
    return None


def by_success(book: Book) -> list[str]:
    """The recipes, that first whose plans won most of their trials here; a recipe that was hardly
    tried counts as it usually does."""
    won: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    for made in book.made.values():
        state, recipe = state_of(book, made.name), recipe_of(made)
        ended[recipe] += state in (*_WON, "kept")
        won[recipe] += state in _WON
    chance = {
        recipe: (won[recipe] + _BELIEVED * usual) / (ended[recipe] + _BELIEVED)
        for recipe, usual in RECIPES.items()
    }
    return sorted(RECIPES, key=lambda recipe: -chance[recipe])


def _resting(book: Book, now: float) -> set[str]:
    """The patterns of which an operator lately removed a plan: they get no other one so soon."""
    return {
        pattern
        for name, word in book.words.items()
        if word["state"] == "removed" and now - word["at"] < REST_SECONDS
        for pattern in book.made[name].patterns
    }


def _turned_bad(book: Book, pattern: str) -> float:
    """When an adopted plan of the pattern turned bad last, or seemed to. A plan that an
    operator ended does not count."""
    return max(
        (
            trial.shared_at or trial.since
            for trial in book.trials.values()
            if trial.pattern
            and (trial.state == "rolled back" or in_doubt(trial))
            and state_of(book, trial.name) not in ENDED_BY_HAND
            and pattern in book.made[trial.name].patterns
        ),
        default=0.0,
    )


def _losses(book: Book, traffic: PatternTraffic) -> Mapping[str, int]:
    """How many recipes did nothing for each plan."""
    return Counter(made.parent for made in _tried(book, traffic))


def _kept_out(book: Book, traffic: PatternTraffic, parent: str) -> set[str]:
    """The recipes that were tried for the pattern and the plan, and that nothing new speaks for."""
    out = {
        recipe_of(made)
        for made in _tried(book, traffic)
        if made.parent == parent or state_of(book, made.name) == "forbidden"
    }
    turned = _turned_bad(book, traffic.pattern)
    subject = subject_of(traffic.pattern, AUTHOR)
    refused = [note for note in book.notes if note["subject"] == subject and note["at"] > turned]
    return out | {AUTHOR} if len(refused) >= _TRIES else out


def _tried(book: Book, traffic: PatternTraffic) -> list[MadePlan]:
    """The plans that were made for the pattern, and of which nothing new can be expected."""
    turned = _turned_bad(book, traffic.pattern)
    tried = []
    for made in book.made.values():
        if made.pattern != traffic.pattern or made.kind != "spawn":
            continue
        state = state_of(book, made.name)
        earlier = state not in ENDED_BY_HAND and made.at <= turned
        if state == "forbidden" or not (earlier or much_is_new(made, traffic)):
            tried.append(made)
    return tried


def subject_of(pattern: str, recipe: str) -> str:
    """The subject of the book's notes about what was not made."""
    return f"{pattern} {recipe}"


def recipe_of(made: MadePlan) -> str:
    return made.name.removeprefix(f"{made.pattern}-").rpartition("-")[0]


def _parent(config: Config, plan: str) -> Ask | None:
    """The plan, if an instruction can be added to it."""
    parent = config.plans.get(plan)
    if not isinstance(parent, Ask) or plan not in config.asking or parent.fields is not None:
        return None
    settings: Sequence[str] = [config.backends[name].kind for name in parent.backends]
    return None if NATIVE.intersection(settings) else parent


def _hoped(traffic: PatternTraffic, plan: str, preference: Preference, losses: int) -> float:
    """The utility that a plan might have once mended; less, the more recipes did nothing for it."""
    quality = traffic.quality(plan)
    mended = _HOPED / (1 + losses) * (1 - quality)
    return quality + mended - traffic.plans[plan].price(preference)
