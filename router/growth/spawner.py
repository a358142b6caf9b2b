"""Growth's turn in the learner's process: it makes plans, opens their trials, and retires them.

Each step is a line of the book before anything acts on it. The words of examples are on the disk
before the book names their plan; a plan whose trial a kill prevented gets it at the next turn.
"""

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import duckdb

from router.config.config import Config
from router.domain import new_id
from router.growth.dividing import Divider
from router.growth.examples import OwnWords, own_words
from router.growth.fewer import dominated, merged, without_stages
from router.growth.recipes import AUTHOR, MOST_MIXED, author_prompt, instruction_in, sources_of
from router.growth.spawning import Opening, made_from, openings, small, subject_of
from router.growth.traffic import Traffic, believed_of
from router.keys import load_keys, single_owner
from router.plans.made import MadePlan, forget_words, keep_words, mix_words
from router.request.patterns import Patterns
from router.routing.messages import Errand
from router.telemetry.feed import Feed
from router.trials.book import Book, Line, Rejected
from router.trials.director import Director
from router.trials.made_trials import (
    adopt_made,
    alive,
    alpha_of,
    doubt,
    in_doubt,
    make,
    open_made,
    retire,
    state_of,
)

_log = logging.getLogger("waggle")
_EVERY_SECONDS = 30.0
_WAIT_SECONDS = 900.0  # the time that the author has to answer


@dataclass(frozen=True, slots=True)
class Writing:
    """An instruction that the author is asked for."""

    errand: Errand
    opening: Opening
    words: OwnWords
    asked_at: float


@dataclass
class Spawner:
    director: Director
    config: Config
    wall: Callable[[], float]
    patterns: Callable[[], Patterns] = lambda: Patterns(0)  # the living ones, as routers know them
    divider: Divider | None = None  # splits patterns
    writing: Writing | None = None
    _looked_at: float = 0.0
    _stamp: object = None
    _since_micros: int = 0  # no words from before the traffic that was looked at

    def __post_init__(self) -> None:
        self._feed = Feed(self.config.telemetry_folder)

    @property
    def errand(self) -> Errand | None:
        return self.writing.errand if self.writing is not None else None

    def turn(self) -> None:
        """Look at the patterns from time to time, and act on what they show."""
        now, growth = self.wall(), self.config.growth
        if not (growth.enabled and self.config.trials.propose):
            return
        if abs(now - self._looked_at) < _EVERY_SECONDS:
            return
        self._looked_at = now
        if self.writing is not None and abs(now - self.writing.asked_at) > _WAIT_SECONDS:
            self._note(self.writing.opening, "the author did not answer in time")
            self.writing = None
        stamp = (self._feed.stamp, self.director.book.lines)
        if stamp == self._stamp:
            return  # nothing happened since
        self._stamp = stamp
        try:
            matched = self.director.book.matched
            traffic = Traffic.read(self.director.telemetry).of_living(self.patterns(), matched)
            self._since_micros = traffic.since_micros
            traffic = traffic.beside(self.director.book)
            self.director.believed = believed_of(self.director.book, traffic)
            if self.divider is not None:
                self.divider.turn(traffic)
            self.tidy(traffic)
            seen = self.director.book, self.config, traffic
            words_of = cache(self._words)  # the choice of a recipe and the recipe read the same
            for opening in openings(*seen, words_of, self.wall()):
                self._follow(opening, words_of(opening.pattern, opening.since))
            for made in (*merged(self.director.book), *without_stages(*seen)):
                self._simplify(made)
            for name, why in dominated(*seen, self.wall()):
                self.director.change(doubt, name, self.wall(), why)
        except (duckdb.Error, OSError, ValueError) as error:
            # The catalog is being replaced, or the keys cannot be read: try again later.
            _log.warning("nothing grows at this turn: %s", error)

    def hear(self, done: tuple[str, str]) -> None:
        """Use the author's answer to an errand; `done` holds the errand's id and the answer."""
        writing, (errand_id, answer) = self.writing, done
        if writing is None or errand_id != writing.errand.id:
            return
        self.writing = None
        words = (*writing.words.good, *writing.words.poor)
        shown = [text for each in words for text in (each.prompt, each.answer)]
        try:
            self._make(writing.opening, writing.words, instruction_in(answer, shown))
        except ValueError as error:
            self._note(writing.opening, str(error))

    def _follow(self, opening: Opening, words: OwnWords) -> None:
        pattern = self.patterns().named(opening.pattern)
        opening = replace(opening, name=pattern.name if pattern is not None else "")
        try:
            if opening.recipe == AUTHOR:
                self._ask(opening, words)
            else:
                self._make(opening, words, "")
        except Rejected as error:
            self._note(opening, str(error))

    def _ask(self, opening: Opening, words: OwnWords) -> None:
        if self.writing is not None:
            return
        now, author = self.wall(), str(self.config.growth.author)
        prompt = author_prompt(words)
        self.writing = Writing(Errand(new_id(now), author, prompt), opening, words, now)

    def _make(self, opening: Opening, words: OwnWords, instruction: str) -> None:
        book, growth, now = self.director.book, self.config.growth, self.wall()
        made = made_from(book, self.config, opening, words, instruction, now)
        if made is None:
            return
        keep_words(self.config.growth_folder, made, sources_of(opening.recipe, words))
        self.director.change(
            make,
            made,
            now,
            waits=growth.approve,
            alpha=alpha_of(book, growth.alpha),
            most=growth.most_requests,
            effect=opening.effect,
        )

    def _simplify(self, made: MadePlan) -> None:
        """Try a plan that is simpler than what answers, with words of the plans that it merges."""
        growth, now = self.config.growth, self.wall()
        if made.scope:
            folder = self.config.growth_folder
            examples = mix_words(folder, made.merges, made.name, MOST_MIXED)
            if examples is None:
                return
            if examples:
                made = replace(made, plan={**made.plan, "examples": examples})
        alpha = self.config.trials.alpha
        with contextlib.suppress(Rejected):  # another plan is tried there, or it cannot stand alone
            self.director.change(
                make,
                replace(made, at=now),
                now,
                waits=growth.approve,
                alpha=alpha,
                most=growth.most_requests,
                effect=made.evidence,
            )
            if made.kind == "merge" and not made.scope and not growth.approve:
                trial = self.director.book.trial(made.name)
                self.director.change(adopt_made, trial, now, "both plans are the same")

    def tidy(self, traffic: Traffic) -> None:
        """End what brings nothing, go on with what a kill cut short, and forget needless words."""
        book, now, growth = self.director.book, self.wall(), self.config.growth
        for trial in small(book, traffic):
            why = f"less than 1% of requests belong to {trial.pattern}"
            self.director.change(retire, trial.name, now, why)
        standing = {trial.name for trial in book.grown if not in_doubt(trial)}
        for trial in book.live:
            merges = book.made[trial.name].merges if trial.pattern else ()
            if merges and not standing.issuperset(merges):
                why = f"{' or '.join(merges)}, in whose place it would be, turned bad"
                self.director.change(retire, trial.name, now, why)
        living = {pattern.id for pattern in self.patterns().patterns}
        for trial in (*book.grown, *book.live):
            if trial.pattern and book.made[trial.name].kind == "model":
                continue  # its lesson ends it
            patterns = book.made[trial.name].patterns if trial.pattern else ()
            if patterns and living and living.union(book.matched).isdisjoint(patterns):
                why = f"{trial.pattern} is no pattern any more"
                self.director.change(retire, trial.name, now, why)
            elif trial.pattern and not book.usable(book.strategies[trial.candidate]):
                why = "the configuration has its plan or its backend no more"
                self.director.change(retire, trial.name, now, why)
        live = alive(book)
        for made in live:
            if state_of(book, made.name) in ("made", "approved"):
                alpha = alpha_of(book, growth.alpha)
                self.director.change(
                    open_made, made.name, now, alpha=alpha, most=growth.most_requests
                )
        forget_words(self.config.growth_folder, [made.name for made in live])

    def _words(self, pattern: str, since: float) -> OwnWords:
        owners = {key.id: key.remembers_as for key in load_keys(self.config.keys_file)}
        owner_of = owners.get if owners else single_owner
        return own_words(
            self.director.telemetry,
            pattern,
            max(int(since * 1e6), self._since_micros),
            lambda key_id: owner_of(key_id) or "",
        )

    def _note(self, opening: Opening, why: str) -> None:
        subject = subject_of(opening.pattern, opening.recipe)
        self.director.change(_noted, subject, why, self.wall(), always=opening.recipe == AUTHOR)


def _noted(book: Book, subject: str, why: str, at: float, *, always: bool) -> list[Line]:
    """A note about what was not made; unless the last note says the same, or each one counts."""
    before = [note for note in book.notes if note["subject"] == subject]
    if before and before[-1]["why"] == why and not always:
        return []
    return [{"do": "note", "at": at, "subject": subject, "what": "nothing", "why": why}]
