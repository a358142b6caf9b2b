"""`waggle simplify`: the learner looks for something that could go, and opens a trial of it."""

from router.cli.context import CommandContext, in_context
from router.cli.trial_book import TrialBook


@in_context
def simplify(here: CommandContext) -> None:
    """Look for plans, backends and branches that add nothing; a trial has to prove it."""
    TrialBook(here).ask_learner("simplify")
