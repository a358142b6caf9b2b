"""Opens the book of trials for commands, and asks the running learner for proposals."""

import time

from rich.markup import escape

from router.cli.context import CommandContext
from router.cli.terminal import CommandRefused, err, out
from router.trials.changes import write
from router.trials.ledger import Ledger

_PATIENCE_SECONDS = 60.0


def open_ledger(here: CommandContext) -> Ledger:
    """The current book of trials, under the configuration in force."""
    config = here.config_in_force
    ledger = Ledger(config.trials_folder, config)
    ledger.follow()
    return ledger


def ask_learner(here: CommandContext, task: str) -> None:
    """Ask the running learner for a proposal, and show the trial or the note that it writes."""
    ledger = open_ledger(here)
    book = ledger.book
    if here.running is None:
        wrong = f"no service runs on {here.config.data}, and its learner is needed"
        raise CommandRefused(wrong, "start it with `waggle serve`")
    trials, notes = set(book.trials), len(book.notes)
    ledger.change(write, {"do": "ask", "at": time.time(), "what": task})
    until = time.monotonic() + _PATIENCE_SECONDS
    with err.status("Looking …"):
        while time.monotonic() < until:
            time.sleep(0.2)
            ledger.follow()
            for trial_id, trial in book.trials.items():
                if trial_id not in trials:
                    out.print(f"{trial.name}: {escape(trial.effect)}")
                    out.print(f"Its trial runs: waggle trial show {trial.name}")
                    return
            for note in book.notes[notes:]:
                if note["what"] == "asked":
                    out.print(f"The author is asked to {note['subject']}, {escape(note['why'])}.")
                    return
                if note["subject"] == task:
                    out.print(f"Nothing: {escape(note['why'])}.")
                    return
    if task not in ("write", "write_node"):
        raise CommandRefused("the learner did not answer within a minute", "see logs/waggle.log")
    out.print("The author is at work: see `waggle routes log` and `waggle routes nodes` later.")
