"""Where a written validator, classifier or matcher may gain something, by judged answers. Pure.

A validator may: wrong answers of a plan share a form that good ones lack. A classifier may: within
a kind of request, some words divide which plan is best. A matcher may: requests that belong to no
pattern share a word, and are answered worse than others, so that growth could make something for
them. Differences count only beyond chance; hundreds of marks are looked at.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

from learner.preference import Preference
from router.config.config import Config
from router.config.plans import Code
from router.routing.node_contract import NodeKind
from router.trials.logged import utility_of
from router.trials.node_evidence import WordedAnswer, marks_of_answers, marks_of_requests

GOOD = 0.5  # the quality from which an answer is good
_LEAST_ROWS = 60  # judged answers of a plan, or of a kind
_LEAST_EACH = 12  # answers of each sort, or of a plan with a word and without it
_SURE = 4.0  # standard errors
_LEAST_SHARE = 0.25  # by which shares of wrong and of good answers must differ
_LEAST_WORTH = 0.08  # utility by which the best plan must be better, or answers be worse
_LEAST_VARIANCE = 0.02
_MOST_LINES = 12


@dataclass(frozen=True, slots=True)
class NodeOpening:
    """A node that an author may write: its name, what for, and the evidence that it sees."""

    kind: NodeKind
    name: str
    purpose: str
    lines: tuple[str, ...]
    gain: float  # the utility of a request, if the evidence is used to the full
    plan: str = ""  # of a validator
    within: str = ""  # of a classifier: the kind that it divides

    @property
    def subject(self) -> str:
        return f"write {self.kind} {self.name}"


def node_openings(rows: Sequence[WordedAnswer], config: Config) -> list[NodeOpening]:
    """All openings, those with the most to gain first."""
    preference = config.objective.preference
    requests = marks_of_requests(rows)
    all_openings = [
        *_validators(rows, config),
        *_classifiers(rows, requests, preference),
        *_matchers(rows, requests),
    ]
    return sorted(all_openings, key=lambda opening: -opening.gain)


def _validators(rows: Sequence[WordedAnswer], config: Config) -> Iterator[NodeOpening]:
    for name, plan in config.plans.items():
        own = [row for row in rows if row.plan == name and row.answer]
        wrong = sum(row.quality < GOOD for row in own)
        if plan.gate is not None or isinstance(plan, Code) or len(own) < _LEAST_ROWS:
            continue
        if min(wrong, len(own) - wrong) < _LEAST_EACH:
            continue
        counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for row, marks in zip(own, marks_of_answers(own), strict=True):
            for mark in marks:
                counts[mark][row.quality >= GOOD] += 1
        telling = []
        for mark, (in_wrong, in_good) in counts.items():
            bad, good = in_wrong / wrong, in_good / (len(own) - wrong)
            pooled = (in_wrong + in_good) / len(own)
            error = sqrt(pooled * (1 - pooled) * (1 / wrong + 1 / (len(own) - wrong)))
            if abs(bad - good) >= max(_LEAST_SHARE, _SURE * error):
                telling.append((abs(bad - good), f"{mark}: {bad:.0%} of the wrong answers, "
                                f"{good:.0%} of the good ones"))  # fmt: skip
        if telling:
            telling.sort(reverse=True)
            yield NodeOpening(
                "validator",
                _name("checks", name),
                f"It reads the answers of the plan {name}, and says what is wrong with a wrong one,"
                " so that the plan can mend it. It must let good answers pass.",
                tuple(line for _, line in telling[:_MOST_LINES]),
                telling[0][0] * wrong / len(own),
                plan=name,
            )


def _classifiers(
    rows: Sequence[WordedAnswer], requests: Sequence[frozenset[str]], preference: Preference
) -> Iterator[NodeOpening]:
    kinds: dict[str, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        if not row.tagged:
            kinds[row.kind].append(at)
    for kind, members in kinds.items():
        own = [rows[at] for at in members]
        worth = [utility_of(r.quality, r.cost_usd, r.seconds, preference) for r in own]
        plans = [row.plan for row in own]
        words = sorted({word for at in members for word in requests[at]})
        divided = []
        for word in words:
            inside = [word in requests[at] for at in members]
            division = _divides(plans, worth, inside)
            if division is not None:
                divided.append((*division, word))
        if divided:
            divided.sort(key=lambda each: -each[0])
            usual = divided[0][2]
            yield NodeOpening(
                "classifier",
                _name("kinds-of", kind),
                f"It gives a kind of its own, named by you, to requests of the kind {kind!r} that "
                f"another plan than {usual} answers best; None to all others.",
                tuple(
                    f"requests with the word `{word}`: {best} is worth {more:.2f} more than {usual}"
                    for _, best, usual, more, word in divided[:_MOST_LINES]
                ),
                divided[0][0],
                within=kind,
            )


def _divides(
    plans: Sequence[str], worth: Sequence[float], inside: Sequence[bool]
) -> tuple[float, str, str, float] | None:
    """The gain if requests inside have a plan of their own, this plan, the plan that is best for
    all, and by how much it is worse inside; None if there is no such plan beyond chance."""
    groups: dict[tuple[str, bool], list[float]] = defaultdict(list)
    for plan, value, within in zip(plans, worth, inside, strict=True):
        groups[plan, within].append(value)
    able = {
        plan for plan in plans
        if min(len(groups[plan, True]), len(groups[plan, False])) >= _LEAST_EACH
    }  # fmt: skip
    if len(able) < 2:
        return None
    usual = max(able, key=lambda p: _mean(groups[p, True] + groups[p, False]))
    best = max(able, key=lambda p: _mean(groups[p, True]))
    more, error = _difference(groups[best, True], groups[usual, True])
    if best == usual or more < max(_LEAST_WORTH, _SURE * error):
        return None
    return more * sum(inside) / len(inside), best, usual, more


def _matchers(
    rows: Sequence[WordedAnswer], requests: Sequence[frozenset[str]]
) -> Iterator[NodeOpening]:
    """A matcher for the word whose requests lose the most, among requests without a pattern."""
    own = [at for at, row in enumerate(rows) if not row.pattern]
    if len(own) < _LEAST_ROWS:
        return
    lost = []
    for word in sorted({word for at in own for word in requests[at]}):
        inside = [rows[at].quality for at in own if word in requests[at]]
        outside = [rows[at].quality for at in own if word not in requests[at]]
        if min(len(inside), len(outside)) < _LEAST_EACH:
            continue
        less, error = _difference(outside, inside)
        if less >= max(_LEAST_WORTH, _SURE * error):
            lost.append((less * len(inside) / len(own), less, word))
    if lost:
        lost.sort(reverse=True)
        yield NodeOpening(
            "matcher",
            _name("about", lost[0][2]),
            "It says which requests belong to one group that is answered worse than others, so "
            "that a plan can be made for the group.",
            tuple(
                f"requests with the word `{word}`: the mean quality is {less:.2f} below the others'"
                for _, less, word in lost[:_MOST_LINES]
            ),
            lost[0][0],
        )


def _difference(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """By how much the first mean is above the second, and the standard error."""
    error = sqrt(_variance(first) / len(first) + _variance(second) / len(second))
    return _mean(first) - _mean(second), error


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _variance(values: Sequence[float]) -> float:
    mean = _mean(values)
    return max(sum((v - mean) ** 2 for v in values) / len(values), _LEAST_VARIANCE)


def _name(before: str, name: str) -> str:
    own = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return f"{before}-{own or 'others'}"[:60].rstrip("-")
