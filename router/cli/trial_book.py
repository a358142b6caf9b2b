"""The book of trials as commands read and change it, under the configuration in force."""

import datetime as dt
import time
from collections.abc import Callable

from rich.markup import escape

from router.cli.context import CommandContext
from router.cli.terminal import CommandRefused, InputRefused, err, out
from router.config.config import Config
from router.routing.strategies import Strategy
from router.trials.book import Book, Ledger, Line, Rejected, Trial

_PATIENCE_SECONDS = 60.0


class TrialBook:
    """The book of trials of a data folder; what cannot be done is refused."""

    def __init__(self, here: CommandContext) -> None:
        running = here.running
        of_service = here.config_file is None and running is not None
        self.config: Config = here.config_of(running) if of_service and running else here.config
        self.served = running is not None
        self._ledger = Ledger(self.config.trials_folder, self.config)
        self._ledger.follow()

    @property
    def book(self) -> Book:
        return self._ledger.book

    def change(self, lines_for: Callable[[Book], list[Line]]) -> None:
        try:
            self._ledger.change(lines_for)
        except Rejected as error:
            raise InputRefused(str(error)) from None

    def trial(self, name: str) -> Trial:
        try:
            return self.book.trial(name)
        except Rejected as error:
            raise InputRefused(str(error)) from None

    def strategy(self, name: str | None) -> Strategy:
        """The strategy of this name; without a name, the strategy that serves."""
        try:
            return self.book.strategy(name) if name is not None else self.book.serving
        except Rejected as error:
            raise InputRefused(str(error)) from None

    def ask_learner(self, task: str) -> None:
        """Have the running learner propose something, and show the trial or the note it answers
        with."""
        if not self.served:
            wrong = f"no service runs on {self.config.data}, and its learner is needed"
            raise CommandRefused(wrong, "start it with `waggle serve`")
        trials, notes = set(self.book.trials), len(self.book.notes)
        self.change(lambda _: [{"do": "ask", "at": time.time(), "what": task}])
        until = time.monotonic() + _PATIENCE_SECONDS
        with err.status("Looking …"):
            while time.monotonic() < until:
                time.sleep(0.2)
                self._ledger.follow()
                for trial_id, trial in self.book.trials.items():
                    if trial_id not in trials:
                        out.print(f"{trial.name}: {escape(trial.effect)}")
                        out.print(f"It is tried: waggle trial show {trial.name}")
                        return
                for note in self.book.notes[notes:]:
                    if note["subject"] == task:
                        out.print(f"Nothing: {escape(note['why'])}.")
                        return
        if task != "write":
            wrong = "the learner did not answer within a minute"
            raise CommandRefused(wrong, "see logs/waggle.log")
        out.print("The author is at work; `waggle routes log` shows the function when it is there.")


def day(at: float) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M") if at else ""
