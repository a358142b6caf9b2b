"""The verdict on a trial: adopt the candidate, keep the current strategy, or get more data.

Every comparison has a verdict, whatever its counts and its share. That two strategies decide alike
is no proof that the candidate is no worse: some of its own answers must have been compared, unless
it only goes without what was studied before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, log
from typing import Any, Literal

from learner.comparison import Comparison
from learner.guards import Guard
from learner.sequence import Interval, split_evidence

_PRICES = ("cost", "p95")  # guards of what an answer takes
_BROKEN = 0.25  # what serves is broken if a candidate's quality is higher by so much
MISMATCH = 0.001  # a split less likely than this counts as broken

Word = Literal["adopt", "keep", "more data"]


@dataclass(frozen=True, slots=True)
class TrialVerdict:
    """A verdict in one word and in one sentence, with the numbers behind it."""

    word: Word
    sentence: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


def verdict_of(comparison: Comparison) -> TrialVerdict:
    word, sentence = _decided(comparison)
    return TrialVerdict(word, sentence, comparison.numbers())


def harms_of(comparison: Comparison) -> list[Guard]:
    """The guards that forbid an adoption. Better answers excuse no harm; only where they may be so
    much better that what serves is broken, they may cost more and take longer."""
    guards = _binding(comparison, comparison.quality_gain().high)
    return [guard for guard in guards if guard.state == "breached"]


def _binding(comparison: Comparison, gain: float) -> list[Guard]:
    """The guards of a candidate that adds so much quality: if what serves is broken, it may cost
    more and take longer."""
    mends = gain >= _BROKEN and comparison.quality.values.n > 1
    return [guard for guard in comparison.guards() if not (mends and guard.name in _PRICES)]


def _decided(comparison: Comparison) -> tuple[Word, str]:
    rules, lift = comparison.rules, comparison.lift()
    utility = f"utility {_in_words(lift)} after {_counted(comparison)}"
    breached = harms_of(comparison)
    if comparison.mismatch > -log(MISMATCH):
        return "keep", (
            f"Keep: the sides have {comparison.assigned['candidate']:,} and "
            f"{comparison.assigned['current']:,} units where {comparison.share:.0%} were to be the "
            "candidate's: something removes units from one side, and nothing else here can be "
            "trusted."
        )
    if breached:
        harms = "; ".join(str(guard) for guard in breached)
        return "keep", f"Keep: it does harm: {harms}; {utility}."
    floor = 0.0 if rules.goal == "better" else -rules.margin
    if lift.high < floor:
        return "keep", f"Keep: the candidate is worse: {utility}."
    if lift.low > floor:
        return _adoption(comparison, utility)
    if rules.goal == "better" and lift.high < rules.worth:
        return "keep", f"Keep: a gain of {rules.worth:g} a request can be ruled out: {utility}."
    if comparison.requests >= rules.most_requests:
        within = f"{rules.most_requests:,} requests"
        return "keep", f"Keep: nothing was decided within {within}: {utility}."
    return "more data", f"More data: {utility}."


def _adoption(comparison: Comparison, utility: str) -> tuple[Word, str]:
    """Adopt the proven candidate, unless its numbers may deceive or a guard is not held yet."""
    rules = comparison.rules
    merit = "better" if rules.goal == "better" else "no worse"
    word: Word = "keep" if comparison.requests >= rules.most_requests else "more data"
    candidate, current = comparison.judged["candidate"], comparison.judged["current"]
    if not comparison.enough and not rules.studied:
        return word, (
            f"{word.capitalize()}: the sides decide alike for {1 - comparison.apart_share:.1%} of "
            f"requests, and only {candidate:,} and {current:,} answers of the others are judged: "
            f"too few to show that the candidate is {merit}; {utility}."
        )
    if split_evidence(candidate, current, apart_share(comparison)) > -log(MISMATCH):
        return word, (
            f"{word.capitalize()}: answers of one side are judged more often than answers of the "
            f"other ({candidate:,} and {current:,}), so it may only seem {merit}: adopt it by hand "
            f"if that is harmless; {utility}."
        )
    guards = _binding(comparison, comparison.quality_gain().low)
    open_guards = [guard.name for guard in guards if guard.state != "held"]
    if open_guards:
        return word, (
            f"{word.capitalize()}: it is {merit}, and not yet shown to spare "
            f"{', '.join(open_guards)}: {utility}."
        )
    harmed = comparison.may_harm()
    if harmed:
        return word, (
            f"{word.capitalize()}: it is {merit} on the whole, and not yet shown to cost "
            f"{', '.join(harmed[:5])} less than {rules.most_harm:g} a request: {utility}."
        )
    alike = "" if comparison.enough else " What it goes without was judged kind by kind before."
    return "adopt", f"Adopt: the candidate is {merit}: {utility}.{alike}"


def apart_share(comparison: Comparison) -> float:
    """The candidate's share of the units for which the sides decide differently."""
    total = sum(comparison.apart.values())
    if not total:
        return 0.5  # nothing is judged either
    return min(max(comparison.apart["candidate"] / total, 1e-6), 1 - 1e-6)


def _in_words(lift: Interval) -> str:
    return "not known yet" if lift.high == inf else f"{lift} a request"


def _counted(comparison: Comparison) -> str:
    apart = sum(comparison.apart.values())
    return (
        f"{comparison.requests:,} requests, {apart:,} of them decided apart and "
        f"{comparison.compared:,} of those judged"
    )
