"""What the library's reviewers say of written functions and nodes, and the lines that keep it.

They read a node as they read a program, but for statistics, of which a node has none.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from router.trials.book import Book, Line, Rejected
from sandbox.review.reviewers import ReviewerVerdict, review

_READ_BY = ("security", "performance", "quality")
_HEARD = "reviewers: "


def reviews_of(source: str) -> list[ReviewerVerdict]:
    return [verdict for verdict in review(source, "") if verdict.reviewer in _READ_BY]


def review_line(
    key: str, source: str, at: float, *, kind: str, author: str, parent: str = ""
) -> Line:
    """The line that keeps the verdicts on a version, and the version that it follows. Raises
    `Rejected` if a reviewer rejects it."""
    verdicts = reviews_of(source)
    refused = [str(verdict) for verdict in verdicts if verdict.verdict == "reject"]
    if refused:
        raise Rejected(f"{_HEARD}{'; '.join(refused)}")
    written = [
        {"reviewer": v.reviewer, "verdict": v.verdict, "reasons": list(v.reasons)} for v in verdicts
    ]
    made = {"kind": kind, "author": author, "parent": parent}
    return {"do": "reviewed", "at": at, "key": key, **made, "verdicts": written}


def hear_once(book: Book, subject: str, source: str) -> None:
    """Raise `Rejected` with what the reviewers want revised, unless the author has just heard of
    reviewers: it hears them once."""
    notes = [
        note for note in book.notes if note["subject"] == subject and note["what"] == "refused"
    ]
    if notes and str(notes[-1]["why"]).startswith(_HEARD):
        return
    wanted = [str(verdict) for verdict in reviews_of(source) if not verdict.accepts]
    if wanted:
        raise Rejected(f"{_HEARD}{'; '.join(wanted)}")


def lineage(book: Book, key: str) -> list[str]:
    """The versions from which a version descends, the latest first."""
    line: list[str] = []
    while (parent := str(book.reviews.get(key, {}).get("parent", ""))) and parent not in line:
        line.append(parent)
        key = parent
    return line


def verdicts_of(book: Book, key: str) -> list[Mapping[str, Any]]:
    """What each reviewer says of a version; empty if the version was not reviewed."""
    return list(book.reviews.get(key, {}).get("verdicts", []))


def in_short(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """The verdicts in a few words: `accept`, or who wants what."""
    if not verdicts:
        return "not reviewed"
    others = [f"{v['reviewer']}: {v['verdict']}" for v in verdicts if v["verdict"] != "accept"]
    return "; ".join(others) or "accept"
