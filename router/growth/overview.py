"""What was grown, as JSON for `/v1/growth` and `waggle growth`, and as plans of waggle.yaml."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from router.plans.made import MadePlan, with_words
from router.trials.book import Book
from router.trials.made_trials import named_plan, state_of, trial_of

STANDS = ("adopted",)


def overview(book: Book, numbers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Every made plan, the latest first. `numbers` holds the standing of running trials, by id."""
    growth = book.config.growth
    return {
        "object": "growth",
        "enabled": growth.enabled and book.config.trials.propose,
        "most_plans": growth.most_plans,
        "explore": growth.explore,
        "plans": [plan_fields(book, made, numbers) for made in reversed(book.made.values())],
    }


def plan_fields(
    book: Book, made: MadePlan, numbers: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """A made plan with its lineage, its evidence and its state; without any words of callers."""
    trial, word = trial_of(book, made.name), book.words.get(made.name)
    standing = {} if trial is None or trial.ended else numbers.get(trial.id, {})
    why = "" if word is None else word["why"]
    if trial is not None:
        why = standing.get("why") or trial.why or trial.effect
    return {
        "name": made.name,
        "pattern": made.pattern,
        "state": state_of(book, made.name),
        "patterns": list(made.patterns),
        "made_from": made.parent,
        "stands_for": made.stands_for,
        "merges": list(made.merges),
        "way": made.kind,
        "by": made.author,
        "version": made.version,
        "evidence": made.evidence,
        "why": why,
        "share": trial.share if trial is not None and trial.state == "adopted" else None,
        "trial": None if trial is None else trial.id,
        "made_at": made.at,
        "since": made.at if trial is None else trial.since,
        "plan": {} if made.holds_words else made.written()["plan"],
        "examples": made.written()["plan"].get("examples", 0) if made.holds_words else 0,
        "holds_words": made.holds_words,
        "believed": standing.get("believed"),
        "numbers": standing.get("numbers") or ({} if trial is None else dict(trial.numbers)),
    }


def exported(book: Book, folder: Path, *, words: bool) -> tuple[dict[str, Any], list[str]]:
    """The adopted plans as plans of waggle.yaml, and the names of those that hold words of callers
    and are left out for that. A route leads to a plan that stands there already."""
    plans: dict[str, Any] = {}
    left_out = []
    for made in adopted(book):
        if made.kind == "route":
            continue
        whole = with_words(folder, made)
        if whole is None or (made.holds_words and not words):
            left_out.append(made.name)
        else:
            plans[made.name] = dict(whole.plan)
    return plans, left_out


def adopted(book: Book) -> Iterable[MadePlan]:
    return [made for name, made in book.made.items() if state_of(book, name) in STANDS]


def lineage(book: Book, name: str) -> list[MadePlan]:
    """The plans that were made for the same patterns, the oldest first."""
    patterns = set(named_plan(book, name).patterns)
    return [made for made in book.made.values() if not patterns.isdisjoint(made.patterns)]
