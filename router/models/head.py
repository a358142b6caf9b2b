"""A head: gives closed answers, such as labels, from the features of a request, or is unsure.

An answer has one slot, or one for each field of a JSON object. Every slot has a closed set of
values. The head is unsure if its confidence is below its threshold, if the request's words or
instructions are not those it was trained on, or if a value is likely that it does not know.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from router.models.card import BrokenModel, Card
from router.models.features import (
    BEFORE,
    DIMENSIONS,
    FEATURES,
    WORDS,
    Array,
    Asked,
    Buckets,
    Features,
    features_of,
    share_known,
    weighed,
)
from router.models.model_files import packed, unpacked
from router.models.scoring import Inputs, Scoring, chances, scoring_in

if TYPE_CHECKING:
    from router.encoding.encodes import Encodes

STRUCTURE, ARRAYS = "head.json", "head.npz"
OTHER = {"other": True}  # in place of a value: one that is too rare to be learned
GOOD = "(good)"  # the slot of a head that judges answers: its values are true and false
Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Slot:
    """A part of the answer, and the values that it can have; a whole answer has no name."""

    name: str
    values: tuple[Value | Mapping[str, bool], ...]
    temperature: float = 1.0


@dataclass(frozen=True, slots=True)
class Guess:
    """What a head says of a request. `probability` is calibrated: of guesses with .9, nine of ten
    are as good as the teacher's. `why` says why the head is unsure; empty if it is sure."""

    answer: str
    probability: float
    why: str = ""
    chances: Mapping[str, float] = field(default_factory=dict)  # of the first slot's values

    @property
    def unsure(self) -> bool:
        return bool(self.why)


@dataclass(frozen=True, slots=True)
class Doubts:
    """When a head is unsure: below a confidence, or where it knows too few of the words."""

    least_confidence: float
    least_words: float = 0.0
    least_before: float = 0.0
    planted: tuple[int, ...] = ()  # buckets of words that may have been planted in its rows


@dataclass(frozen=True, slots=True)
class Head:
    slots: tuple[Slot, ...]
    scorings: tuple[Scoring, ...]
    columns: Buckets
    rarity: Array
    sure_at: Array  # confidences in rising order, and `right_at`: how often they are right
    right_at: Array
    doubts: Doubts
    encoder: str = ""  # the name of the encoder whose vectors it needs; empty: none
    spaced: bool = False  # whether its JSON has spaces, as its teacher's had

    def inputs(self, features: Features) -> Inputs:
        columns, values = weighed(features, self.columns, self.rarity)
        return Inputs(columns, values, features.vector if self.encoder else features.vector[:0])

    def of(self, question: Asked, encoder: "Encodes | None" = None) -> Guess:
        """The head's answer to a request. `encoder` is needed if the head names one."""
        if self.slots[0].name == GOOD:
            raise BrokenModel("it judges answers and gives none: use it in `accept.confidence`")
        if self.encoder and (encoder is None or encoder.name != self.encoder):
            name = encoder.name if encoder is not None else "none"
            wrong = f"it was trained with vectors of {self.encoder}, and the encoder is {name}"
            raise BrokenModel(f"{wrong}: train it again with this encoder")
        return self.guess(features_of(question, encoder if self.encoder else None))

    def quality(self, words: Asked) -> float:
        """The calibrated probability that the answer in `words` is good."""
        return self.goodness(features_of(words))

    def goodness(self, features: Features) -> float:
        slot, scoring = self.slots[0], self.scorings[0]
        if slot.name != GOOD:
            raise BrokenModel("it gives answers and judges none: train with `--target quality`")
        chance = chances(scoring.scores(self.inputs(features)), slot.temperature)
        good = float(chance[slot.values.index(True)])
        return float(np.interp(good, self.sure_at, self.right_at))

    def guess(self, features: Features) -> Guess:
        inputs = self.inputs(features)
        each = [
            chances(scoring.scores(inputs), slot.temperature)
            for slot, scoring in zip(self.slots, self.scorings, strict=True)
        ]
        best = [int(part.argmax()) for part in each]
        confidence = float(np.prod([part[n] for part, n in zip(each, best, strict=True)]))
        values = [slot.values[n] for slot, n in zip(self.slots, best, strict=True)]
        names = [shown(value) for value in self.slots[0].values]
        return Guess(
            self.written(values),
            float(np.interp(confidence, self.sure_at, self.right_at)),
            self._doubt(features, confidence, values),
            {name: float(p) for name, p in zip(names, each[0], strict=True)},
        )

    def _doubt(self, features: Features, confidence: float, values: list[Any]) -> str:
        if OTHER in values:
            return "the answer is likely one that was too rare to be learned"
        if self.doubts.planted and np.isin(features.buckets, self.doubts.planted).any():
            return "the request holds a word that may have been planted in the model's data"
        if confidence < self.doubts.least_confidence:
            least = np.interp(self.doubts.least_confidence, self.sure_at, self.right_at)
            likely = np.interp(confidence, self.sure_at, self.right_at)
            return f"its answer is right with probability {likely:.2f}, and {least:.2f} is needed"
        share = share_known(features, self.columns, WORDS)
        if share < self.doubts.least_words:
            return f"it knows {share:.0%} of the request's words"
        share = share_known(features, self.columns, BEFORE)
        if share < self.doubts.least_before:
            return f"it knows {share:.0%} of the words before the request"
        return ""

    def written(self, values: list[Any]) -> str:
        if len(self.slots) == 1 and not self.slots[0].name:
            return "" if values[0] == OTHER else str(values[0])
        document = {
            slot.name: None if value == OTHER else value
            for slot, value in zip(self.slots, values, strict=True)
        }
        if self.spaced:
            return json.dumps(document, ensure_ascii=False)
        return orjson.dumps(document).decode()

    def files(self) -> dict[str, bytes]:
        """The files of this head, from which `head_in` makes it again."""
        structure = {
            "slots": [
                {"name": s.name, "values": list(s.values), "temperature": s.temperature}
                for s in self.slots
            ],
            "encoder": self.encoder,
            "spaced": self.spaced,
            "doubts": {
                "least_confidence": self.doubts.least_confidence,
                "least_words": self.doubts.least_words,
                "least_before": self.doubts.least_before,
                "planted": list(self.doubts.planted),
            },
        }
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _OWN}
        for number, scoring in enumerate(self.scorings):
            own = scoring.arrays()
            arrays |= {f"{number}.{name}": array for name, array in own.items()}
        return {STRUCTURE: orjson.dumps(structure), ARRAYS: packed(arrays)}


_OWN = ("columns", "rarity", "sure_at", "right_at")


def head_in(card: Card, files: Mapping[str, bytes]) -> Head:
    """The head in a model's files; features of another name than ours are refused."""
    if card.features != FEATURES:
        wrong = f"{card.reference} was trained on {card.features}, and this Waggle has {FEATURES}"
        raise BrokenModel(f"{wrong}: train it again with `waggle models train {card.name}`")
    try:
        structure, arrays = orjson.loads(files[STRUCTURE]), unpacked(files[ARRAYS], ARRAYS)
        slots = tuple(
            Slot(s["name"], tuple(s["values"]), float(s["temperature"])) for s in structure["slots"]
        )
        scorings = tuple(scoring_in(arrays, number) for number in range(len(slots)))
        head = Head(
            slots,
            scorings,
            arrays["columns"],
            arrays["rarity"],
            arrays["sure_at"],
            arrays["right_at"],
            _doubts_in(structure["doubts"]),
            structure["encoder"],
            structure["spaced"],
        )
        for slot, scoring in zip(slots, scorings, strict=True):
            empty = np.zeros(DIMENSIONS if head.encoder else 0, np.float32)
            nothing = Inputs(np.zeros(0, np.int32), np.zeros(0, np.float32), empty)
            if len(scoring.scores(nothing)) != len(slot.values):
                raise BrokenModel(f"{card.reference}: its values and its scores differ in number")
    except (KeyError, TypeError, ValueError, IndexError, orjson.JSONDecodeError) as error:
        raise BrokenModel(f"{card.reference} is no head ({error}): train it again") from None
    return head


def _doubts_in(fields: Mapping[str, Any]) -> Doubts:
    return Doubts(**{**fields, "planted": tuple(fields.get("planted", ()))})


def shown(value: Any) -> str:
    """A value as a short text, by which it is listed."""
    if value == OTHER:
        return "(other)"
    return value if isinstance(value, str) else orjson.dumps(value).decode()
