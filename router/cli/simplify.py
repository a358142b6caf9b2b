"""`waggle simplify`: the learner looks for something that could go, and opens a trial of it."""

from router.cli.context import CommandContext, in_context
from router.cli.trial_book import ask_learner


@in_context
def simplify(here: CommandContext) -> None:
    """Look for plans, backends and branches that add nothing; a trial has to prove it."""
    ask_learner(here, "simplify")
