"""Takes what an undone plan answered out of memory, so that it answers nobody from there.

A plan that turned bad was often still rated well here and there; and its answers are kept for the
very requests that its pattern asks again. They are quarantined as soon as the plan is undone, and
so is what a request that was under way then adds later.
"""

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from router.config.config import Config
from router.reuse.solution_store import FILE, SolutionStore, UnreadableStore
from router.trials.book import Book
from router.trials.made_trials import ENDED_BY_HAND, state_of, trial_of

_log = logging.getLogger("waggle")
UNDONE = ("rolled back", *ENDED_BY_HAND)
_EVERY_SECONDS = 30.0
_LATE_SECONDS = 2 * 3600.0  # an answer waits an hour for its judgement
_MOST_PLANS = 500  # in one query


@dataclass
class Withdrawal:
    config: Config
    wall: Callable[[], float]
    _begun: bool = False  # the first look takes in every plan that was ever undone
    _looked_at: float = 0.0
    _lines: int = -1  # of the book, at the last look

    def turn(self, book: Book) -> None:
        """Quarantine what plans that were undone lately answered."""
        now = self.wall()
        changed = book.lines != self._lines
        if not changed and abs(now - self._looked_at) < _EVERY_SECONDS:
            return
        plans = [name for name in book.made if state_of(book, name) in UNDONE]
        if self._begun:
            plans = [name for name in plans if abs(now - _ended_at(book, name)) < _LATE_SECONDS]
        self._looked_at, self._lines = now, book.lines
        try:
            gone = self._withdrawn(plans)
        except (OSError, sqlite3.Error, UnreadableStore) as error:
            _log.warning("what undone plans answered stays in memory for now: %s", error)
            return
        if gone:
            _log.info("%d remembered answers of undone plans are put aside", gone)
        self._begun = True

    def _withdrawn(self, plans: list[str]) -> int:
        if not plans or not (self.config.reuse_folder / FILE).exists():
            return 0
        store = SolutionStore(self.config.reuse_folder)
        try:
            return sum(
                len(store.quarantine_plans(plans[at : at + _MOST_PLANS]))
                for at in range(0, len(plans), _MOST_PLANS)
            )
        finally:
            store.close()


def _ended_at(book: Book, name: str) -> float:
    trial, word = trial_of(book, name), book.words.get(name)
    return max(trial.since if trial is not None else 0.0, word["at"] if word is not None else 0.0)
