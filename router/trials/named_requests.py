"""The requests of operators about one thing by its name: what to do, the name, and nothing more."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from router.trials.book import Book, Rejected
from router.trials.director import Director

_LONGEST_NAME = 200  # characters; a made plan's name holds those of patterns
Overview = Callable[[Book, Mapping[str, Mapping[str, Any]]], dict[str, Any]]


def carried_out(
    director: Director,
    wish: Mapping[str, Any],
    carry_out: Callable[[str, str], None],
    overview: Overview,
    *,
    does: Collection[str],
    thing: str,
) -> dict[str, Any]:
    """Carry out a request and return the overview, or the reason why the request is rejected.

    `does` are the words for what can be done, and `thing` says what the name is the name of.
    """
    try:
        if wish.get("do") != "list":
            carry_out(*_read(wish, does, thing))
        return overview(director.book, director.standings())
    except Rejected as error:
        return {"rejected": str(error)}


def _read(wish: Mapping[str, Any], does: Collection[str], thing: str) -> tuple[str, str]:
    do, name = wish.get("do"), wish.get("name")
    if not isinstance(do, str) or do not in does:
        raise Rejected(f"do = {do!r}: one of {', '.join(does)} or list is meant")
    strange = [field for field in wish if field not in ("do", "name")]
    if strange:
        raise Rejected(f"{strange[0]}: {do} takes name and nothing more")
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
        rule = f"a text of 1 to {_LONGEST_NAME} characters"
        raise Rejected(f"name = {name!r:.40}: {do} needs the name of {thing}, {rule}")
    return do, name
