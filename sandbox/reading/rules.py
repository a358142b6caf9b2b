"""Tries rules on a request, and keeps what exactly one of them understands wholly."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.reading.echoes import forgotten
from sandbox.reading.lexicon import may_mean
from sandbox.reading.reader import Reader
from sandbox.reading.tokens import tokens, words_present
from sandbox.reading.whole_wishes import with_wishes
from sandbox.spec import Analysis, Spec


class NotUnderstood(Exception):
    """A rule knows what is asked, but not how to read a part of it; the message is a sentence.

    `unknown` are the words that the rule does not understand.
    """

    def __init__(self, message: str, unknown: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.unknown = unknown


def calculation(method: str, parameters: Mapping[str, Any], *assumed: str) -> Spec:
    """The spec of one calculation, with the conventions that it assumes."""
    analysis = Analysis(method, parameters=dict(parameters))
    return Spec("calculate", analyses=(analysis,), assumed=tuple(filter(None, assumed)))


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be asked.

    A rule is tried if the request has a word with one of the concepts in `asks`, or if `asks` is empty. `read` takes tokens
    and returns what is asked, or None if the request is about something else. `understood` says in
    a few words what the rule can read, for the sentence that refuses a request.
    """

    name: str  # as people call it: "the payment of a loan"
    asks: frozenset[str]
    read: Callable[[Reader], "Analysis | Sequence[Analysis] | Spec | None"]
    understood: str = ""
    words: str = ""  # the private group of the lexicon that it reads with, numbers one by one


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule understood; without `spec`, the words that it did not understand."""

    rule: Rule
    spec: Spec | None
    unknown: tuple[str, ...] = ()
    problem: str = ""


def read_by(rules: Iterable[Rule], reader: Reader) -> Reading | None:
    """The reading of the rules; None if no rule has anything to say about the request."""
    readers = {"": reader}
    present = words_present(reader.text)
    readings = [
        made
        for rule in rules
        if not rule.asks or may_mean(rule.words, rule.asks, present)
        for given in (_reader_of(rule.words, readers),)
        if not rule.asks or given.has(*rule.asks)
        for made in [_by(rule, given.copy())]
        if made
    ]
    whole = [reading for reading in readings if reading.spec is not None]
    if not whole:
        return min(readings, key=lambda r: len(r.unknown), default=None)
    if any(reading.spec != whole[0].spec for reading in whole[1:]):
        names = " or ".join(dict.fromkeys(reading.rule.name for reading in whole))
        problem = f"the request can be understood in two ways, as {names}: say which"
        return Reading(whole[0].rule, None, problem=problem)
    return whole[0]


def _reader_of(words: str, readers: dict[str, Reader]) -> Reader:
    """The reader of the request with the words of a private group, made once."""
    if words not in readers:
        common = readers[""]
        pieces, language = tokens(common.text, words)
        readers[words] = Reader(pieces, language, common.table, text=common.text)
        with_wishes(readers[words])
    return readers[words]


def _by(rule: Rule, reader: Reader) -> Reading | None:
    try:
        made = rule.read(reader)
    except NotUnderstood as reason:
        return Reading(rule, None, reason.unknown, str(reason))
    if made is None:
        return None
    left = reader.left()
    unclear = next(
        (reader.tokens[i].unclear for i in sorted(reader.taken) if reader.tokens[i].unclear), ""
    )
    if left or unclear:
        unknown = tuple(dict.fromkeys(token.text for token in left))
        listed = ", ".join(f"`{text}`" for text in unknown[:5])
        problem = unclear or f"{listed} is not understood in {rule.name}"
        if rule.understood and not unclear:
            problem += f"; understood is {rule.understood}"
        return Reading(rule, None, unknown, problem)
    if isinstance(made, Spec):
        spec = made
    else:
        analyses = (made,) if isinstance(made, Analysis) else tuple(made)
        spec = Spec("calculate", analyses=analyses)
    numbers = tuple(dict.fromkeys(token.text for token in forgotten(spec, reader.tokens)))
    if numbers:
        listed = ", ".join(f"`{text}`" for text in numbers[:5])
        return Reading(
            rule, None, numbers, f"the meaning of {listed} is not understood in {rule.name}"
        )
    return Reading(rule, spec)
