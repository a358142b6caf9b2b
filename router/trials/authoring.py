"""A backend that writes routing functions and other nodes, and rewrites the prompt for functions.

The learner cannot reach backends, so each question is an errand that a router carries out, one at a
time. The book holds the versions of the prompt and what their functions achieved.
"""

import re
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import fmean
from typing import Literal

from learner.preference import Preference
from router.config.config import Config
from router.domain import new_id
from router.routing.messages import Errand
from router.routing.strategies import Strategy
from router.trials.book import Book, Line, Rejected
from router.trials.director import Director
from router.trials.logged import LoggedDecision
from router.trials.node_openings import NodeOpening
from router.trials.node_writing import asked_line, node_prompt
from router.trials.prompt_rewriting import outcome_line, rewritten, to_rewrite_prompt
from router.trials.prompt_versions import (
    OPENED_BY,
    achievements,
    chosen,
    competing,
    evidence_of,
    first_version,
    refused_line,
    retirement_lines,
    to_rewrite,
    version_line,
    versions_of,
)
from router.trials.proposals import LearnerView, Proposal

_NAME = "written"
_WAIT_SECONDS = 900.0  # the time that the author has to answer
_FAILURES = 8  # the most failures that the prompt shows
_LEAST_JUDGED = 5  # judged answers before a kind and plan can be shown as a failure
_LATEST = 6  # functions whose end the prompt shows


Wanted = Literal["function", "prompt", "node"]


@dataclass
class Author:
    """Asks a backend for one function, one other node, or one better prompt, at a time."""

    director: Director
    random: Random = field(default_factory=Random)  # draws which prompt writes next
    errand: Errand | None = None
    opening: NodeOpening | None = None  # of the node that the errand is to bring
    _wants: Wanted = "function"  # what the errand is to bring
    _prompt: int = 0  # the version of the prompt in the errand
    _asked_at: float = 0.0

    def ask(
        self, config: Config, view: LearnerView, rows: Sequence[LoggedDecision], at: float
    ) -> None:
        """Make an errand for a function. Raises `Rejected` while another errand is out."""
        writer, book = config.trials.writer, self.director.book
        if writer is None:
            raise Rejected("no backend writes functions: name one as trials.writer in waggle.yaml")
        if self.busy(at):
            raise Rejected(f"{writer} is at work on one already")
        self.director.change(_prepared, at)
        prompt, serving = chosen(competing(book), self.random), book.serving
        current = serving.source or f"the strategy {serving.key}"
        preference = config.objective.preference
        failures = _failures(rows, preference)
        parts = (prompt.text, _utility(preference), _ends(book))
        text = _whole_prompt("\n".join(parts), view.scores, current, failures)
        self._send("function", prompt.version, Errand(new_id(at), writer, text), at)

    def ask_for_node(self, config: Config, opening: NodeOpening, judged: int, at: float) -> None:
        """Make an errand for a node, unless another errand is out or no backend writes."""
        writer = config.trials.writer
        if writer is None or self.busy(at):
            return
        self.director.change(lambda _: [asked_line(opening, judged, at)])
        self.opening = opening
        prompt = node_prompt(opening, self.director.book)
        self._send("node", 0, Errand(new_id(at), writer, prompt), at)

    def ask_for_prompt(self, config: Config, at: float) -> None:
        """Make an errand for a better prompt, if the scores call for one and no errand is out."""
        book, writer = self.director.book, config.trials.writer
        if writer is None or self.busy(at):
            return
        version = to_rewrite(book)
        if version is None:
            return
        sources = {key: strategy.source for key, strategy in book.registered.items()}
        text = to_rewrite_prompt(version, sources, versions_of(book))
        self._send("prompt", version.version, Errand(new_id(at), writer, text), at)

    def busy(self, at: float) -> bool:
        return self.errand is not None and at - self._asked_at < _WAIT_SECONDS

    def finish(self, errand_id: str) -> tuple[Errand, Wanted] | None:
        """End the errand with this id; returns it and what it was to bring, or None."""
        if self.errand is None or errand_id != self.errand.id:
            return None
        errand, self.errand = self.errand, None
        return errand, self._wants

    def proposal(self, errand: Errand, answer: str) -> Proposal:
        evidence = evidence_of(errand.backend, self._prompt)
        source, author = _source_in(answer), errand.backend
        strategy = Strategy(_NAME, "function", source=source, author=author, evidence=evidence)
        return Proposal(strategy, "better", OPENED_BY, evidence)

    def learn_refusal(self, why: str, at: float) -> None:
        """Score the prompt of the last function, which a gate refused."""
        self.director.change(lambda _: [refused_line(self._prompt, why, at)])

    def take_prompt(self, errand: Errand, answer: str, secrets: Collection[str], at: float) -> None:
        """Let a rewritten prompt compete with its parent, or note which gate refused it."""
        parent = self._prompt
        self.director.change(_rewritten_lines, parent, errand.backend, answer, secrets, at)

    def _send(self, wants: Wanted, version: int, errand: Errand, at: float) -> None:
        self._wants, self._prompt, self._asked_at = wants, version, at
        self.errand = errand


def _prepared(book: Book, at: float) -> list[Line]:
    """Retire a version that is behind; write the first version where none competes."""
    if competing(book):
        return retirement_lines(book, at)
    number = max((version.version for version in versions_of(book)), default=0) + 1
    return [first_version(at) | {"version": number}]


def _rewritten_lines(
    book: Book, parent: int, backend: str, answer: str, secrets: Collection[str], at: float
) -> list[Line]:
    versions = versions_of(book)
    try:
        text = rewritten(answer, secrets, [version.text for version in versions])
    except Rejected as error:
        refused = {"what": "not rewritten", "version": parent, "author": backend}
        return [{"do": "prompt", "at": at, **refused, "why": str(error)}]
    number = max(version.version for version in versions) + 1
    scores = next(version.score for version in versions if version.version == parent)
    why = f"rewritten from version {parent}, whose functions scored {scores or 0:.2f} on average"
    return [version_line(number, at, text=text, parent=parent, author=backend, why=why)]


def _utility(preference: Preference) -> str:
    return (
        f"Utility is quality, less {preference.cost:g} * log10(1 + 1000 * dollars), less "
        f"{preference.latency:g} * log10(1 + 10 * seconds).\n"
    )


def _ends(book: Book) -> str:
    """What became of the latest functions, so that no fault is made twice."""
    latest = achievements(book)[-_LATEST:]
    if not latest:
        return ""
    lines = "\n".join(map(outcome_line, latest))
    return f"What became of earlier functions (1: it won its trial, 0: it was refused):\n{lines}\n"


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
