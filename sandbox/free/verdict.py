"""Judges programs that were written without a spec: by their runs, their request and each other.

The levels: `agreed`, if two independently written programs agree and report every clause of the
request; `rerun`, if a program only agrees with itself, or two that agree leave a clause out;
`unverified`, if one program leaves a clause out. A program that fails a check gives no answer.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

from sandbox.free.agreement import disagreements
from sandbox.free.alike import nearly_same
from sandbox.free.answers import FreeAnswer, NotAnAnswer, read_answer
from sandbox.free.echo import unechoed
from sandbox.free.properties import property_checks
from sandbox.free.prose import TemplateRefused, filled, wants_words
from sandbox.free.steadiness import Measured, Unsteady, measured, same_bytes
from sandbox.judging.check import StatisticalCheck

Level = Literal["agreed", "rerun", "unverified"]

_ROUNDS = re.compile(r"\bround|decimal|nearest|\bcents?\b|redonde|whole", re.IGNORECASE)
# The answer is written as JSON or CSV, whatever a program reports.
_UNMET = re.compile(
    r"(?<!\w)(?:as|in|into|como|en)\s+(?:an?\s+|un\w*\s+)?"
    r"(?:markdown|xml|sql|yaml|html|latex|hexadecimal|hex)\b[\w ]{0,20}"
    r"|(?<!\w)without a header|(?<!\w)one per line"
    r"|(?<!\w)(?:a|and|also|y|un)\s+(?:plot|chart|graph|histogram|gr[aá]fic[oa]|histograma)s?(?!\w)"
    r"|(?<!\w)(?:plot|draw|graph|chart)\s+(?:it|the|a|them|this)(?!\w)",
    re.IGNORECASE,
)
_WORDS_UNCHECKED = "the words around the figures"


@dataclass(frozen=True, slots=True)
class HeldProgram:
    """A program whose runs hold by themselves."""

    source: str
    answer: FreeAnswer
    figures: Mapping[str, Measured]
    checks: tuple[StatisticalCheck, ...]
    unechoed: tuple[str, ...]

    @property
    def fixed(self) -> bool:
        return all(figure.kind == "fixed" for figure in self.figures.values())


@dataclass(frozen=True, slots=True)
class FallenProgram:
    """A program that gives no answer, and why; the reason is for its author."""

    problem: str
    checks: tuple[StatisticalCheck, ...] = ()


@dataclass(frozen=True, slots=True)
class FreeVerdict:
    """The level of an answer, and the program that gives it, by its place among the programs."""

    level: Level
    chosen: int
    unchecked: tuple[str, ...] = ()
    problem: str = ""  # how the programs disagree, if no two agree
    agreeing: tuple[int, ...] = ()


def held(text: str, source: str, results: Sequence[Any]) -> HeldProgram | FallenProgram:
    """Judge the runs of one program; the first two have the same seed."""
    try:
        first, again, *others = [read_answer(result) for result in results]
        if not same_bytes(first, again):
            return FallenProgram(
                "the same seed gave other values: use no clock and no outside state"
            )
        figures = measured([first, *others])
        if first.template and wants_words(text):
            filled(first.template, first.flat, text)
    except (NotAnAnswer, Unsteady, TemplateRefused) as error:
        return FallenProgram(str(error))
    except (OverflowError, RecursionError) as error:
        return FallenProgram(f"the result cannot be read: {error}")
    checks = tuple(property_checks(text, first))
    failed = [check for check in checks if not check.holds]
    if failed:
        problem = "; ".join(f"{check.name}: {check.detail}" for check in failed)
        return FallenProgram(problem, checks)
    return HeldProgram(source, first, figures, checks, _unechoed(text, first))


def _unechoed(text: str, answer: FreeAnswer) -> tuple[str, ...]:
    names = [*answer.figures, *answer.flat]
    if answer.template and wants_words(text):
        names.append("text words sentence explanation meaning interpretation report say")
    unmet = [match[0].strip() for match in _UNMET.finditer(text)]
    return tuple(dict.fromkeys((*unechoed(text, answer.parameters, names), *unmet)))


def judged(text: str, programs: Sequence[HeldProgram]) -> FreeVerdict:
    """Judge programs that hold by themselves against each other."""
    if len(programs) == 1:
        return _alone(text, programs, 0)
    rounds = bool(_ROUNDS.search(text))
    agreeing, problems = [], []
    for pair in combinations(range(len(programs)), 2):
        first, second = (programs[place] for place in pair)
        faults = disagreements(first.figures, second.figures, rounds=rounds)
        if faults:
            problems.append("; ".join(faults[:5]))
        elif not nearly_same(first.source, second.source):
            agreeing.append(pair)
    if agreeing:
        return min(
            (_agreed(text, programs, pair) for pair in agreeing),
            key=lambda verdict: len(verdict.unchecked),
        )
    if problems:
        return FreeVerdict("unverified", 0, problem=f"the programs disagree: {problems[-1]}")
    return _alone(text, programs, 0)


def _agreed(text: str, programs: Sequence[HeldProgram], pair: tuple[int, int]) -> FreeVerdict:
    chosen = next((n for n in pair if programs[n].fixed), pair[0])
    missing = dict.fromkeys(part for n in pair for part in programs[n].unechoed)
    level: Level = "rerun" if missing else "agreed"
    unchecked = (*missing, *_of_words(text, programs[chosen].answer))
    return FreeVerdict(level, chosen, unchecked, agreeing=pair)


def _alone(text: str, programs: Sequence[HeldProgram], chosen: int) -> FreeVerdict:
    program = programs[chosen]
    level: Level = "unverified" if program.unechoed else "rerun"
    unchecked = (*program.unechoed, *_of_words(text, program.answer))
    return FreeVerdict(level, chosen, unchecked)


def _of_words(text: str, answer: FreeAnswer) -> Iterator[str]:
    if answer.template and wants_words(text):
        yield _WORDS_UNCHECKED
