"""The requests of operators about what grows, as changes of the book of trials."""

from collections.abc import Mapping
from typing import Any

from router.config.config import Config
from router.growth.overview import overview
from router.plans.made import remove_words
from router.trials.book import Book, Line
from router.trials.director import Director
from router.trials.made_trials import ENDED_BY_HAND, alpha_of, approve, end_by_hand, state_of
from router.trials.named_requests import carried_out

DOES: Mapping[str, str] = {
    "approve": "begin the trial of a plan that waits, or adopt a plan on trial",
    "forbid": "end a plan, and never make one like it for its pattern again",
    "remove": "end a plan; its pattern gets no other one for a week",
}


def act(director: Director, wish: Mapping[str, Any], now: float) -> dict[str, Any]:
    """Carry out a request and return the overview, or the reason why the request is rejected."""

    def carry_out(do: str, name: str) -> None:
        director.change(change, director.book.config, do, name, now)
        forget_ended(director.book, name)

    return carried_out(director, wish, carry_out, overview, does=DOES, thing="a made plan")


def forget_ended(book: Book, name: str) -> None:
    """Remove the words of a plan that an operator ended."""
    if state_of(book, name) in ENDED_BY_HAND:
        remove_words(book.config.growth_folder, name)


def change(book: Book, config: Config, do: str, name: str, at: float) -> list[Line]:
    """The lines of the book for what an operator wants."""
    if do == "approve":
        growth = config.growth
        alpha = alpha_of(book, growth.alpha)
        return approve(book, name, at, alpha=alpha, most=growth.most_requests)
    return end_by_hand(book, name, at, {"forbid": "forbidden", "remove": "removed"}[do])
