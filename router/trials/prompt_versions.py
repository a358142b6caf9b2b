"""Versions of the prompt that has functions written: what each achieved, and which is used next.

Two versions compete. The scores of their functions decide by Thompson sampling which of the two
writes the next function; a version that is clearly behind is retired, and a model writes a new
one. All of it follows from the lines of the book, so a kill loses no version and no score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean

from router.routing.function_contract import DESCRIBED
from router.trials.book import Book, Line, Trial

OPENED_BY = "author"  # the trials of written functions
ENOUGH_SCORES = 3  # scores of a version before it may be retired or rewritten
_MOST_SCORES = 16  # scores of both versions after which the one that is behind is retired
_CLEARLY = 0.9  # the chance that a version is behind, at which it is retired
_DRAWS = 400  # by which that chance is estimated
_WON, _VETOED, _REFUSED = 1.0, 0.1, 0.0
_KEPT, _SCALE, _AWAY = 0.3, 4.0, 0.2  # a trial without a win: by its lift, up to 0.2 up or down

CONTRACT = f"""\
Answer with one Python function in a ``` block and nothing else.

{DESCRIBED}
No imports, no loops without end, no names with underscores."""

_FIRST_TEXT = f"""\
You write routing functions. The function must reach more utility than what serves now.

{CONTRACT}

A few readable lines with a comment that says why are best.
"""


@dataclass(frozen=True, slots=True)
class Achievement:
    """What became of one function that a version of the prompt had written."""

    version: int
    score: float  # from 0 (refused before its trial) to 1 (it won its trial)
    why: str
    at: float
    function: str = ""  # the key of the function; empty if it was refused


@dataclass(frozen=True, slots=True)
class PromptVersion:
    version: int
    text: str
    parent: int
    author: str
    why: str
    at: float
    retired: str = ""  # why it is used no more
    achieved: tuple[Achievement, ...] = ()

    @property
    def score(self) -> float | None:
        return fmean(each.score for each in self.achieved) if self.achieved else None

    def drawn(self, random: Random) -> float:
        """A likely mean score of the version's functions, drawn from what is known of it."""
        won = sum(each.score for each in self.achieved)
        return random.betavariate(1 + won, 1 + len(self.achieved) - won)


def first_version(at: float) -> Line:
    fields = {"text": _FIRST_TEXT, "parent": 0, "author": "waggle", "why": "the first"}
    return version_line(1, at, **fields)


def version_line(version: int, at: float, **fields: object) -> Line:
    return {"do": "prompt", "at": at, "what": "version", "version": version, **fields}


def refused_line(version: int, why: str, at: float) -> Line:
    """A function of this version was refused by a gate."""
    return {"do": "prompt", "at": at, "what": "scored", "version": version, "score": _REFUSED,
            "why": why}  # fmt: skip


def versions_of(book: Book) -> list[PromptVersion]:
    """All versions, oldest first, each with what its functions achieved."""
    achieved = achievements(book)
    retired = {line["version"]: line["why"] for line in book.prompts if line["what"] == "retired"}
    versions = []
    for line in book.prompts:
        if line["what"] != "version":
            continue
        number, text = int(line["version"]), str(line["text"])
        own = tuple(each for each in achieved if each.version == number)
        why_not = retired.get(number, "")
        if not why_not and CONTRACT not in text:
            why_not = "the contract of routing functions is another by now"
        versions.append(
            PromptVersion(
                number,
                text,
                int(line["parent"]),
                str(line.get("author", "")),
                str(line["why"]),
                float(line["at"]),
                why_not,
                own,
            )
        )
    return versions


def competing(book: Book) -> list[PromptVersion]:
    return [version for version in versions_of(book) if not version.retired]


def chosen(versions: Sequence[PromptVersion], random: Random) -> PromptVersion:
    """The version that writes the next function. One that hardly wrote yet is drawn more often than
    its scores alone would say, since little is known of it."""
    return max(versions, key=lambda version: version.drawn(random))


def chances(versions: Sequence[PromptVersion]) -> dict[int, float]:
    """The chance of each version to write the next function."""
    random = Random(0)
    counted = dict.fromkeys((version.version for version in versions), 0)
    for _ in range(_DRAWS if versions else 0):
        counted[chosen(versions, random).version] += 1
    return {number: count / _DRAWS for number, count in counted.items()}


def retirement_lines(book: Book, at: float) -> list[Line]:
    """Retire the version that is behind, once it is clear or enough was tried."""
    versions = competing(book)
    if len(versions) < 2 or any(len(v.achieved) < ENOUGH_SCORES for v in versions):
        return []
    ranked = chances(versions)
    behind = min(versions, key=lambda version: (ranked[version.version], version.version))
    ahead = max(versions, key=lambda version: (ranked[version.version], -version.version))
    scores = sum(len(version.achieved) for version in versions)
    if ranked[ahead.version] < _CLEARLY and scores < _MOST_SCORES:
        return []
    why = (
        f"its {len(behind.achieved)} functions scored {behind.score:.2f} on average, and the "
        f"{len(ahead.achieved)} of version {ahead.version} scored {ahead.score:.2f}"
    )
    return [{"do": "prompt", "at": at, "what": "retired", "version": behind.version, "why": why}]


def to_rewrite(book: Book) -> PromptVersion | None:
    """The version that a model should rewrite: it stands alone, and its functions have earned
    enough scores since the last version, or the last attempt at one. None if there is none."""
    versions = competing(book)
    if len(versions) != 1:
        return None
    (version,) = versions
    tries = [line["at"] for line in book.prompts if line["what"] in ("version", "not rewritten")]
    fresh = [each for each in version.achieved if each.at > max(tries)]
    return version if len(fresh) >= ENOUGH_SCORES else None


def achievements(book: Book) -> list[Achievement]:
    """What became of each written function whose end is known, oldest first. A trial that was cut
    short says nothing about its function."""
    ended = [
        Achievement(int(line["version"]), _REFUSED, str(line["why"]), float(line["at"]))
        for line in book.prompts
        if line["what"] == "scored"
    ]
    served = {entry.trial for entry in book.history if entry.trial}
    for trial in book.trials.values():
        strategy = book.strategies.get(trial.candidate)
        score = _score(trial, served=trial.id in served)
        if strategy is None or trial.opened_by != OPENED_BY or score is None:
            continue
        why = f"{trial.state}: {trial.why}"
        ended.append(
            Achievement(version_in(strategy.evidence), score, why, trial.since, trial.candidate)
        )
    return sorted(ended, key=lambda each: each.at)


def evidence_of(backend: str, version: int) -> str:
    return f"written by {backend}, asked by prompt {version}"


def version_in(evidence: str) -> int:
    """The version of the prompt that a function's evidence names; 1 if it names none."""
    number = evidence.rpartition("prompt ")[2]
    return int(number) if number.isdecimal() else 1


def _score(trial: Trial, *, served: bool) -> float | None:
    match trial.state:
        case "adopted" | "decided":
            return _WON
        case "superseded":
            return _WON if served else None
        case "vetoed" | "rolled back":
            return _VETOED
        case "kept":
            lift = trial.numbers.get("lift", {}).get("mean") or 0.0
            return _KEPT + max(-_AWAY, min(_SCALE * float(lift), _AWAY))
    return None
