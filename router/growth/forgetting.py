"""Removes the made plans that hold words of requests which a caller wants to be forgotten."""

from collections.abc import Collection

from router.config.config import Config
from router.plans.made import made_from_requests, remove_words
from router.trials.ledger import Ledger
from router.trials.made_trials import end_by_hand, state_of


def forget_made(config: Config, request_ids: Collection[str], at: float) -> list[str]:
    """End these plans, remove their words, and return the names of the plans."""
    names = made_from_requests(config.growth_folder, request_ids)
    if not names:
        return []
    ledger = Ledger(config.trials_folder, config)
    ledger.follow()
    for name in names:
        if name in ledger.book.made and state_of(ledger.book, name) != "removed":
            ledger.change(end_by_hand, name, at, "removed")
        remove_words(config.growth_folder, name)
    return names
