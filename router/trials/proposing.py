"""Proposes strategies to try, both when an operator asks and from time to time.

A proposal must pass its gates, and is then tried like any other strategy.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from router.config.config import Config
from router.config.environment import environment_of
from router.config.load import secrets_of
from router.routing.function_contract import lint
from router.routing.messages import Errand
from router.trials.authoring import Author
from router.trials.book import Book, Line, Rejected
from router.trials.changes import open_trial
from router.trials.director import Director
from router.trials.distilling import distill, prune
from router.trials.entering import enter, free_name, of_all_plans
from router.trials.evidence import evidence_lines, kept_out
from router.trials.gates import Postponed
from router.trials.logged import LoggedDecision
from router.trials.node_evidence import halves, worded_answers
from router.trials.node_openings import node_openings
from router.trials.node_reviews import hear_once
from router.trials.node_trials import register_node
from router.trials.node_writing import check_written, may_write, node_in
from router.trials.prompt_versions import OPENED_BY
from router.trials.proposals import LearnerView, Proposal
from router.trials.simplifying import (
    CURIOUS,
    nothing_idle,
    search_idle,
    without_plans,
    without_stage,
)

_log = logging.getLogger("waggle")
_MOST_ROWS = 4000  # the most logged decisions to read
_ENOUGH_ROWS = 300
_UNQUESTIONED = 0.9  # an adopted strategy with a smaller share of requests may yet fail

_NO_NODE = (
    "among the judged answers whose words are kept (`telemetry.prompts: true`), no form of wrong "
    "answers, no word that divides which plan is best, and no group that is answered worse stands "
    "out"
)

View = Callable[[], LearnerView | None]


@dataclass
class Proposer:
    director: Director
    config: Config
    wall: Callable[[], float]
    curious: tuple[str, ...] = ()  # plans to which more requests should go
    author: Author = field(init=False)
    _looked_at: float = 0.0
    _node_next: bool = False

    def __post_init__(self) -> None:
        self.author = Author(self.director)

    @property
    def errand(self) -> Errand | None:
        return self.author.errand

    def turn(self, view_now: View) -> None:
        """Carry out tasks that operators asked for, and the usual tasks when they are due."""
        settings, now = self.config.trials, self.wall()
        self.author.ask_for_prompt(self.config, now)
        wishes = self.director.wishes
        due = settings.propose and abs(now - self._looked_at) >= settings.every_hours * 3600
        view = view_now() if wishes or due else None
        if view is None:
            return
        self.director.wishes, tasks = [], list(wishes)
        if due:
            self._looked_at = now
            tasks += ["challenge", "distill", "simplify", *(["write"] if settings.writer else [])]
        self.director.change(evidence_lines, self.config, view.judged, now)
        rows = self._rows()
        if len(rows) < _ENOUGH_ROWS:
            for task in dict.fromkeys(wishes):
                why = f"{len(rows)} judged answers are known, and {_ENOUGH_ROWS} are needed"
                self._note(task, "nothing", why, by_hand=True)
            return
        for task in dict.fromkeys(tasks):
            by_hand = task in wishes
            if task == "write" and not by_hand and self._busy(task):
                task = "write_node"  # no strategy has to wait for it
            if by_hand or not self._busy(task):
                try:
                    self.propose(task, view, rows)
                except Rejected as error:
                    self._note(task, "nothing", str(error), by_hand=by_hand)
                except Exception as error:  # a fault in one task stops no other, nor the learner
                    _log.exception("the task %s failed", task)
                    why = f"{type(error).__name__}: {error}"
                    self._note(task, "failed", why, by_hand=by_hand)
        book = self.director.book
        if "simplify" in tasks and book.serving.kind == "bandit":
            # Send more requests to these plans, so that the next search knows what they add.
            self.curious = search_idle(self.config, book, view, rows).unsure[:CURIOUS]

    def propose(self, task: str, view: LearnerView, rows: Sequence[LoggedDecision]) -> None:
        """Try to open a trial. Raises `Rejected` if there is nothing to try."""
        config, book = self.config, self.director.book
        rows = [of_all_plans(row, config) for row in rows]
        match task:
            case "challenge":
                self.director.change(_challenge, config, view.judged, self.wall())
            case "distill":
                self._enter(distill(config, book, view, rows), view, rows)
            case "simplify":
                proposal = _simpler(config, book, view, rows)
                if proposal is not None:
                    self._enter(proposal, view, rows)
            case "write":
                self._write(view, rows)
            case "write_node" if why := self._write_node(view):
                raise Rejected(why)

    def hear(self, done: tuple[str, str], view_now: View) -> None:
        """Use the answer to an errand; `done` holds the errand's id and the answer."""
        errand_id, answer = done
        finished = self.author.finish(errand_id)
        if finished is None:
            return
        errand, wants = finished
        if not answer.strip():
            self._note("write", "nothing", f"{errand.backend} gave no answer")
            return
        if wants == "prompt":
            secrets = environment_of(secrets_of(self.config)).values()
            self.author.take_prompt(errand, answer, secrets, self.wall())
            return
        if wants == "node":
            self._take_node(errand, answer)
            return
        view = view_now()
        if view is None:
            return
        try:
            proposal = self.author.proposal(errand, answer)
            if not lint(proposal.strategy.source):
                hear_once(self.director.book, "write", proposal.strategy.source)
            self._enter(proposal, view, self._rows())
        except Postponed as error:
            self._note("write", "postponed", str(error))
        except Rejected as error:
            self.author.learn_refusal(str(error), self.wall())
            self._note("write", "refused", str(error))

    def _write(self, view: LearnerView, rows: Sequence[LoggedDecision]) -> None:
        """Ask for a function and for other nodes in turns, as far as there is something to gain."""
        self._node_next = not self._node_next
        if self._node_next or self._write_node(view):
            self.author.ask(self.config, view, rows, self.wall())

    def _write_node(self, view: LearnerView) -> str:
        """Ask for the node that may gain the most; returns why none was asked for, else nothing."""
        book, judged, now = self.director.book, sum(view.judged.values()), self.wall()
        if self.config.trials.writer is None:
            return "trials.writer names no backend"
        if self.author.busy(now):
            return "the author is at work on something else"
        seen, _ = halves(worded_answers(self.director.telemetry))
        openings = node_openings(seen, self.config)
        opening = next((each for each in openings if may_write(book, each, judged)), None)
        if opening is not None:
            self.author.ask_for_node(self.config, opening, judged, now)
            return ""
        names = ", ".join(each.name for each in openings)
        return f"{names}: in use, or asked for often enough on this evidence" if names else _NO_NODE

    def _take_node(self, errand: Errand, answer: str) -> None:
        """Register the node in an author's answer, if it passes its gates."""
        opening, now = self.author.opening, self.wall()
        assert opening is not None
        try:
            node = node_in(answer, opening, errand.backend)
            _, unseen = halves(worded_answers(self.director.telemetry))
            check_written(node, opening, unseen, self.config)
            hear_once(self.director.book, opening.subject, node.source)
            self.director.change(register_node, node, now, OPENED_BY)
        except Postponed as error:
            self._note(opening.subject, "postponed", str(error))
        except Rejected as error:
            self._note(opening.subject, "refused", str(error), by_hand=True)

    def _enter(self, proposal: Proposal, view: LearnerView, rows: Sequence[LoggedDecision]) -> None:
        enter(self.director, self.config, proposal, view, rows, self.wall())

    def _rows(self) -> list[LoggedDecision]:
        try:
            return self.director.telemetry.decisions(0, _MOST_ROWS)
        except duckdb.Error as error:  # the catalog is being replaced; try again later
            _log.warning("nothing is proposed, for telemetry cannot be read: %s", error)
            return []

    def _busy(self, task: str) -> bool:
        """Whether a task must wait: for a trial in its layer, or for an adoption to be complete."""
        if task == "write_node":
            return False
        watched = self.director.book.watched
        if watched is not None and (watched.state == "adopting" or watched.share < _UNQUESTIONED):
            return True
        layer = "plans" if task == "simplify" else "strategy"
        return any(trial.slot.layer == layer for trial in self.director.book.live)

    def _note(self, task: str, state: str, why: str, *, by_hand: bool = False) -> None:
        """Note the outcome of a task. An outcome with the reason of last time is noted only if an
        operator asked for the task."""
        self.director.change(_noted, task, state, why, self.wall(), by_hand=by_hand)


def _challenge(book: Book, config: Config, judged: Mapping[str, int], at: float) -> list[Line]:
    """Try the bandit against a serving strategy that does not learn; again after new evidence."""
    serving, out = book.serving, kept_out(book, config, judged)
    tried = {(trial.candidate, trial.current) for trial, _ in out.values()}
    if serving.kind in ("bandit", "function") or ("bandit", serving.key) in tried:
        return []
    effect = f"what is learned decides, in place of {serving.key}"
    name = free_name(book, "learn")
    return open_trial(book, name, "bandit", at, opened_by="challenger", effect=effect)


def _simpler(
    config: Config, book: Book, view: LearnerView, rows: Sequence[LoggedDecision]
) -> Proposal | None:
    """A proposal to simplify the serving strategy; None if this kind cannot be simplified."""
    match book.serving.kind:
        case "function":
            return without_stage(config, book, view, rows) or prune(config, book, view, rows)
        case "bandit" | "ladder":
            search = search_idle(config, book, view, rows)
            if search.idle is not None:
                return without_plans(config, book.serving, search.idle, rows)
            proposal = without_stage(config, book, view, rows)
            if proposal is None:
                raise nothing_idle(config, book, search)
            return proposal
    return None


def _noted(book: Book, task: str, state: str, why: str, at: float, *, by_hand: bool) -> list[Line]:
    before = [note for note in book.notes if note["subject"] == task]
    if before and before[-1]["why"] == why and not by_hand:
        return []
    return [{"do": "note", "at": at, "subject": task, "what": state, "why": why}]
