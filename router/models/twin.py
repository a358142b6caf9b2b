"""A twin: how a person writes, measured in their own texts, with the consent that they gave.

A twin answers nothing itself: a backend of kind `twin` tells a writer how the person writes, and
shows some of the person's texts. It never says that it is the person. Consent has an end.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import orjson

from router.models.card import BrokenModel, Card
from router.models.features import Asked
from router.models.head import Guess

if TYPE_CHECKING:
    from router.encoding.encodes import Encodes

TWIN = "twin.json"
_ASKS = {"es": "Escribe el siguiente mensaje.", "de": "Schreibe die nächste Nachricht."}
_OFTEN, _HALF = 1.5, 0.5  # a rate in a hundred words, and a share of texts
_SHORT, _LONG = 9, 17  # words of a sentence
_ASK = "Write the next message."


@dataclass(frozen=True, slots=True)
class Consent:
    """Who agreed that a program writes as they do: in which words, for what, and until when."""

    by: str
    words: str
    scope: str
    at: str
    until: str  # the last day, as 2027-01-31

    def over(self, day: dt.date) -> bool:
        return dt.date.fromisoformat(self.until) < day


@dataclass(frozen=True, slots=True)
class Style:
    """What was measured in a person's texts. Rates are per hundred words."""

    language: str
    words: float  # of a text, on average
    sentence_words: float
    small_starts: float  # the share of sentences that begin with a small letter
    contractions: float
    marks: Mapping[str, float]
    greetings: tuple[str, ...]
    sign_offs: tuple[str, ...]
    favourites: tuple[str, ...]
    lists: float  # the share of texts with points or numbers

    def described(self) -> list[str]:
        """The style in plain sentences, for a model that is to write so."""
        length = self.sentence_words
        pace = "short" if length < _SHORT else "long" if length > _LONG else "even"
        lines = [
            f"Sentences are {pace}: about {length:.0f} words.",
            f"A message has about {self.words:.0f} words.",
        ]
        if self.small_starts > 0.5:
            lines.append("Everything is in small letters, the first word of a sentence too.")
        if self.language == "en":
            lines.append(
                "Contractions such as `don't` are usual."
                if self.contractions > 1
                else "There are no contractions: `do not`, never `don't`."
            )
        often = [mark for mark, rate in self.marks.items() if rate >= _OFTEN]
        never = [mark for mark in "!;(" if self.marks.get(mark, 0.0) == 0]
        if often:
            lines.append(f"These marks are frequent: {' '.join(often)}")
        if never:
            lines.append(f"These marks never occur: {' '.join(never)}")
        if self.lists > _HALF:
            lines.append("Points are numbered or listed.")
        for name, parts in (
            ("Begin with", self.greetings),
            ("End with", self.sign_offs),
            ("Typical words", self.favourites),
        ):
            if parts:
                lines.append(f"{name}: {' | '.join(parts)}")
        return lines


@dataclass(frozen=True, slots=True)
class Twin:
    style: Style
    texts: tuple[str, ...]  # typical ones, the most typical first
    consent: Consent

    @property
    def encoder(self) -> str:
        return ""

    def instruction(self) -> str:
        """What the writer is told first. The first line says that it is a twin."""
        person = self.consent.by
        return "\n".join(
            (
                f"You are a twin of {person}: a program that writes as they do, with consent. "
                f"You are not {person}, and you say so to whoever asks.",
                f"Write only the message, in {person}'s way:",
                *(f"- {line}" for line in self.style.described()),
            )
        )

    def turns(self, most: int) -> list[dict[str, str]]:
        """Some of the person's texts, as answers to a request for a message."""
        ask = asks_in(self.style.language)
        return [
            {"role": role, "content": content}
            for text in reversed(self.texts[:most])
            for role, content in (("user", ask), ("assistant", text))
        ]

    def of(self, question: Asked, encoder: "Encodes | None" = None) -> Guess:  # noqa: ARG002
        raise BrokenModel("it is a twin, which needs a writer: use a backend of kind `twin`")

    def quality(self, words: Asked) -> float:  # noqa: ARG002
        raise BrokenModel("it is a twin and judges no answers: train with `--target quality`")

    def files(self) -> dict[str, bytes]:
        return {TWIN: orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)}


def asks_in(language: str) -> str:
    """What the texts of a person answer, where nobody knows what they answered."""
    return _ASKS.get(language, _ASK)


def twin_in(card: Card, files: Mapping[str, bytes]) -> Twin:
    """The twin in a model's files."""
    try:
        raw: dict[str, Any] = orjson.loads(files[TWIN])
        lists = {name: tuple(raw["style"][name]) for name in _LISTS}
        consent = Consent(**raw["consent"])
        dt.date.fromisoformat(consent.until)
        return Twin(Style(**{**raw["style"], **lists}), tuple(raw["texts"]), consent)
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenModel(f"{card.reference} is no twin ({error}): train it again") from None


_LISTS = ("greetings", "sign_offs", "favourites")
