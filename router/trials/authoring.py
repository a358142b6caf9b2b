"""A backend that writes routing functions: its prompt, its answers, and lessons for the prompt.

The book holds versions of the prompt. If a function was refused or did not win its trial, the
reason becomes a lesson in the next version. The next prompt is an untried version, or else the
version whose functions scored best.
"""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from learner.preference import Preference
from router.config.config import Config
from router.domain import new_id
from router.routing.function_contract import NUMBERS, WORDS
from router.routing.messages import Errand
from router.routing.strategies import Strategy
from router.trials.book import Book, Line, Rejected
from router.trials.director import Director
from router.trials.logged import LoggedDecision
from router.trials.proposals import LearnerView, Proposal

_OPENED_BY = "author"
_NAME = "written"
_WAIT_SECONDS = 900.0  # the time that the author has to answer
_FAILURES = 8  # the most failures that the prompt shows
_LEAST_JUDGED = 5  # judged answers before a kind and plan can be shown as a failure

_FIRST_PROMPT = """\
You write routing functions. Answer with one Python function in a ``` block and nothing else.

def route(request, scores, similar):
    # request: {words}, each a text; {numbers}, each a number
    # scores: for each plan that can answer, {{"usd", "quality", "deviation", "seconds", "failure",
    #         "utility"}}; a plan that is not in it cannot be chosen
    # similar: what is remembered that is like it: [{{"plan", "similarity", "tier", "rate"}}, ...]
    # returns the name of a plan, or {{plan: share, ...}}, or None for no opinion

Utility is quality, less {cost:g} * log10(1 + 1000 * dollars), less {latency:g} * log10(1 + 10 *
seconds). The function must reach more of it than what serves now. No imports, no loops without end,
no names with underscores; a few readable lines with a comment that says why are best.
"""


@dataclass
class Author:
    """Asks a backend for one function at a time, and writes the prompt's versions to the book."""

    director: Director
    errand: Errand | None = None
    _prompt: int = 0  # the version of the prompt in the errand
    _asked_at: float = 0.0

    def ask(
        self, config: Config, view: LearnerView, rows: Sequence[LoggedDecision], at: float
    ) -> None:
        """Make an errand from the best prompt. Raises `Rejected` while another errand is out."""
        writer, book = config.trials.writer, self.director.book
        if writer is None:
            raise Rejected("no backend writes functions: name one as trials.writer in waggle.yaml")
        if self.errand is not None and at - self._asked_at < _WAIT_SECONDS:
            raise Rejected(f"{writer} is at work on one already")
        for version, score, why, trial in _unscored(book):
            self.director.change(_learn_from, version, score, why, at, trial)
        if not _versions(book):
            self.director.change(_first_version, config, at)
        prompt, serving = _best_prompt(book), book.serving
        current = serving.source or f"the strategy {serving.key}"
        failures = _failures(rows, config.objective.preference)
        text = _whole_prompt(str(prompt["text"]), view.scores, current, failures)
        self._prompt, self._asked_at = int(prompt["version"]), at
        self.errand = Errand(new_id(at), writer, text)

    def finish(self, errand_id: str) -> Errand | None:
        """End the errand with this id and return it; None if there is no such errand."""
        if self.errand is None or errand_id != self.errand.id:
            return None
        errand, self.errand = self.errand, None
        return errand

    def proposal(self, errand: Errand, answer: str) -> Proposal:
        evidence = f"written by {errand.backend}, asked by prompt {self._prompt}"
        source, author = _source_in(answer), errand.backend
        strategy = Strategy(_NAME, "function", source=source, author=author, evidence=evidence)
        return Proposal(strategy, "better", _OPENED_BY, evidence)

    def learn_refusal(self, why: str, at: float) -> None:
        """Turn the reason why the last answer was refused into a lesson."""
        self.director.change(_learn_from, self._prompt, 0.0, why, at)


def _versions(book: Book) -> dict[int, Line]:
    return {line["version"]: line for line in book.prompts if line["what"] == "version"}


def _first_version(_: Book, config: Config, at: float) -> list[Line]:
    preference = config.objective.preference
    text = _FIRST_PROMPT.format(
        words=", ".join(WORDS),
        numbers=", ".join(NUMBERS),
        cost=preference.cost,
        latency=preference.latency,
    )
    return [_prompt_line(at, "version", version=1, text=text, parent=0, why="the first")]


def _best_prompt(book: Book) -> Line:
    """The latest version that was not tried yet, or else the version with the best mean score."""
    versions = _versions(book)
    scores: dict[int, list[float]] = {}
    for line in book.prompts:
        if line["what"] == "scored":
            scores.setdefault(line["version"], []).append(float(line["score"]))
    untried = [version for number, version in versions.items() if number not in scores]
    if untried:
        return untried[-1]
    return versions[max(versions, key=lambda number: fmean(scores[number]))]


def _unscored(book: Book) -> list[tuple[int, float, str, str]]:
    """Version, score, reason and trial of each written function that has no score yet."""
    scored = {str(line.get("trial")) for line in book.prompts if line["what"] == "scored"}
    unscored = []
    for trial in book.trials.values():
        strategy = book.strategies.get(trial.candidate)
        settled = trial.ended or trial.state == "adopted"
        if strategy is None or trial.opened_by != _OPENED_BY or not settled or trial.id in scored:
            continue
        score = {"adopted": 1.0, "superseded": 1.0, "kept": 0.3}.get(trial.state, 0.1)
        version = int(strategy.evidence.rpartition(" ")[2] or 1)
        unscored.append((version, score, f"{trial.state}: {trial.why}", trial.id))
    return unscored


def _learn_from(
    book: Book, version: int, score: float, why: str, at: float, trial: str = ""
) -> list[Line]:
    """Score a prompt. Unless its function won, add a new version with the reason as a lesson."""
    lines = [_prompt_line(at, "scored", version=version, score=score, trial=trial, why=why)]
    versions = _versions(book)
    parent = versions.get(version)
    if parent is not None and score < 1.0:
        lesson = f"An earlier function was not taken: {why[:300]}\nAvoid that.\n"
        text, number = f"{parent['text']}\n{lesson}", max(versions) + 1
        lines.append(
            _prompt_line(at, "version", version=number, text=text, parent=version, why=why)
        )
    return lines


def _prompt_line(at: float, what: str, **fields: Any) -> Line:
    return {"do": "prompt", "at": at, "what": what, **fields}


def _failures(rows: Sequence[LoggedDecision], preference: Preference) -> list[str]:
    """The kinds of request and plans with the lowest mean utility."""
    utilities: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        utilities.setdefault((row.kind, row.plan), []).append(row.utility(preference))
    means = sorted(
        (fmean(values), len(values), *key)
        for key, values in utilities.items()
        if len(values) >= _LEAST_JUDGED
    )
    return [
        f"{kind} through {plan}: utility {mean:.3f} over {count} judged answers"
        for mean, count, kind, plan in means[:_FAILURES]
    ]


def _whole_prompt(
    prompt: str, scores: Sequence[Mapping[str, object]], current: str, failures: Sequence[str]
) -> str:
    """The prompt with the learner's scores, the serving strategy, and that strategy's failures."""
    table = "\n".join(
        f"{row['kind']}: {row['plan']}: utility {row['utility']}, quality {row['quality']}, "
        f"${row['usd_per_1k']} per 1000, {row['seconds']} s, {row['judged']} judged"
        for row in scores
    )
    worst = "\n".join(failures) or "nothing is known yet"
    return (
        f"{prompt}\nWhat was learned, by kind of request and plan:\n{table}\n\n"
        f"What serves now:\n{current}\n\nWhere it is worth least:\n{worst}\n"
    )


def _source_in(answer: str) -> str:
    """The code in an answer: the last block that defines `route`, or else the whole answer."""
    blocks = re.findall(r"```(?:python)?[^\S\n]*+\n(.*?)```", answer, re.DOTALL)
    routes = [block for block in blocks if "def route" in block]
    return textwrap.dedent(routes[-1] if routes else answer).strip() + "\n"
