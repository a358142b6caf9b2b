"""`waggle simplify`: asks the learner for something to remove, and opens a trial of the removal."""

from router.cli.context import CommandContext, in_context
from router.cli.trial_book import ask_learner


@in_context
def simplify(here: CommandContext) -> None:
    """Look for plans, backends and branches that add nothing; a trial must prove each removal."""
    ask_learner(here, "simplify")
