"""Swapped questions: two parts of a public question change places, as in PAWS. Pure.

The same data give the same pairs. The rule promises twins of the same words, not sense: of 2,130
that it makes of the public questions, most are clumsy or still ask the same. `swaps_checked.txt`
lists, by their hash, the 591 that a reader found to read like questions and to ask for another
answer; `checked` gives only these. Who changes the rule reads the new pairs.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from experiments.reuse.swap_patterns import (
    AGREEMENT,
    CLAUSES,
    GERUND_PAIRS,
    GERUNDS,
    KINDS,
    NAMES,
    PARTS,
    PRONOUNS,
    VERB_AHEAD,
)

CHECKED = Path(__file__).with_name("swaps_checked.txt")
_LENGTHS = range(15, 96)
_WORD = re.compile(r"[a-z]+")
_JOINED = re.compile(r"(?:[\s,/&]|\b(?:and|or|vs|versus|the|a|an|my|both|in|of|on)\b\.?)*")
_TWO_SENTENCES = re.compile(r"[.?!:;\"]+ .*\w")
_NUMBER_SHOWS = re.compile(r"\b(?:is|are|was|were|do|does|has|have) $", re.IGNORECASE)
_PLURAL = re.compile(r"(?:[^su'i]s|people|men|women|children)$")
_VOWEL = re.compile(r"[aeioAEIO]|u(?!ni|se)")


class Forms:
    """Which verbs the questions use, and which ing-form belongs to which."""

    def __init__(self, texts: Iterable[str]) -> None:
        bare: Counter[str] = Counter()
        ing: Counter[str] = Counter()
        for text in texts:
            for before, word in pairwise(_WORD.findall(text.lower())):
                bare[word] += before in VERB_AHEAD
                ing[word] += word.endswith("ing")
        self._gerund: dict[str, str] = {}
        # The verb met most often comes last: it owns an ing-form that several claim (use, us).
        for verb, count in sorted(bare.items(), key=lambda item: (item[1], item[0])):
            forms = (verb + "ing", verb.removesuffix("e") + "ing", verb + verb[-1] + "ing")
            gerund = max(forms, key=lambda form: ing[form])
            if count >= 2 and ing[gerund]:
                self._gerund[verb] = gerund
        self._bare = {gerund: verb for verb, gerund in self._gerund.items()}

    def gerund(self, verb: str) -> str | None:
        return self._gerund.get(verb)

    def bare(self, gerund: str) -> str | None:
        return self._bare.get(gerund)


def digest(first: str, second: str) -> str:
    return hashlib.blake2b(f"{first}\0{second}".encode(), digest_size=6).hexdigest()


def checked(rows: Iterable[Mapping[str, Any]], digests: Path = CHECKED) -> list[tuple[str, str]]:
    """The pairs that a reader found to ask for another answer."""
    kept = set(digests.read_text("utf-8").split())
    return [pair for pair in candidates(rows) if digest(*pair) in kept]


def candidates(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """The questions that have a swapped twin, in alphabetical order, each with that twin."""
    texts = {
        " ".join(text.split())
        for row in rows
        if row["source"] == "qqp"
        for text in (row["text_a"], row["text_b"])
    }
    forms = Forms(texts)
    for text in sorted(
        text for text in texts if len(text) in _LENGTHS and not _TWO_SENTENCES.search(text)
    ):
        for twin in _twins(text, forms):
            if twin.lower() != text.lower():
                yield text, twin
                break


def _twins(text: str, forms: Forms) -> Iterator[str]:
    """The surest rule first."""
    yield from _of_deeds(text, forms)
    yield from _of_pronouns(text)
    yield from _of_parts(text, forms)
    yield from _of_kinds(text)


def _exchange(text: str, first: tuple[int, int], second: tuple[int, int]) -> str:
    """The text with two spans exchanged, and "a" or "an" before them put right."""
    early, late = text[slice(*first)], text[slice(*second)]
    head = _article(text[: first[0]], early, late)
    between = _article(text[first[1] : second[0]], late, early)
    return head + late + between + early + text[second[1] :]


def _article(before: str, old: str, new: str) -> str:
    article = re.search(r"\b(an?) $", before, re.IGNORECASE)
    if not article or bool(_VOWEL.match(old)) == bool(_VOWEL.match(new)):
        return before
    return before[: article.start() + 1] + ("n " if _VOWEL.match(new) else " ")


def _of_parts(text: str, forms: Forms) -> Iterator[str]:
    """Two noun phrases around a word that tells their roles apart."""
    for pattern in (*PARTS, NAMES):
        for match in pattern.finditer(text):
            if match.start("first") > 0 and _fit(text, match, forms):
                yield _exchange(text, match.span("first"), match.span("second"))
                break


def _fit(text: str, match: re.Match[str], forms: Forms) -> bool:
    """Neither a list, nor a deed, nor the subject of a verb that only one of them agrees with."""
    head = match["second"].split(" ")[0]
    if _JOINED.fullmatch(match["tie"]) or forms.bare(head):
        return False
    if match["tie"] == " to " and forms.gerund(head):
        return False
    plurals = {bool(_PLURAL.search(match[part])) for part in ("first", "second")}
    return len(plurals) == 1 or not _NUMBER_SHOWS.search(text[: match.start("first")])


def _of_kinds(text: str) -> Iterator[str]:
    """Two words of a kind (people, peoples, colours, ages) that stand in different places."""
    for kind in KINDS:
        words = list(kind.finditer(text))
        for early, late in pairwise(words):
            between = text[early.end() : late.start()]
            if early[0].lower() != late[0].lower() and not _JOINED.fullmatch(between):
                if early.start() > 0:
                    yield _exchange(text, early.span(), late.span())
                break


def _of_pronouns(text: str) -> Iterator[str]:
    """Who does it, and to whom."""
    for pattern, replacement in PRONOUNS:
        twin, changes = pattern.subn(replacement, text, count=1)
        if changes:
            for mismatch, agreement in AGREEMENT:
                twin = mismatch.sub(agreement, twin)
            yield twin
            break


def _of_deeds(text: str, forms: Forms) -> Iterator[str]:
    """Two deeds around "when", "without", "before"; each takes the form its new place needs."""
    for pattern in (*CLAUSES, GERUND_PAIRS):
        match = pattern.search(text)
        if match:
            yield _exchange(text, match.span("first"), match.span("second"))
            break
    match = GERUNDS.search(text)
    if match:
        verb, *objects = match["first"].split(" ")
        gerund, *other_objects = match["second"].split(" ")
        bare, new_gerund = forms.bare(gerund), forms.gerund(verb)
        if bare and new_gerund:
            deeds = " ".join([bare, *other_objects]), " ".join([new_gerund, *objects])
            yield text[: match.start("first")] + match["tie"].join(deeds) + text[match.end() :]
