"""Decides on which side of a trial a unit falls, by a salted hash of the unit, without memory.

The side of a unit never changes. Trials of one layer share the layer's traffic, and no unit is in
two of these trials. Each layer has its own salt, so the sides in one layer are independent of the
sides in any other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

Side = Literal["candidate", "current"]
_WHOLE = float(2**64)


@dataclass(frozen=True, slots=True)
class Slot:
    """A trial's part of its layer, and the candidate's share of that part."""

    trial: str
    layer: str
    low: float
    high: float
    share: float  # the share of the trial's units that get the candidate
    salt: str = ""  # with another salt, units fall on other sides

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 1:
            raise ValueError(
                f"the traffic of {self.trial} is from {self.low:g} to {self.high:g}: "
                "the numbers must rise and lie within 0 and 1"
            )
        if not 0 <= self.share <= 1:
            raise ValueError(f"the share of {self.trial} is {self.share:g}: it lies in 0 to 1")


@dataclass(frozen=True, slots=True)
class Assignment:
    """The side of a unit in a trial, and the probability with which the unit falls on that side."""

    trial: str
    side: Side
    chance: float


def place(salt: str, unit: str) -> float:
    """The place of a unit between 0 and 1: evenly spread, and independent for each salt."""
    digest = blake2b(unit.encode(), key=salt.encode()[:64], digest_size=8).digest()
    return int.from_bytes(digest, "big") / _WHOLE


def assigned(slot: Slot, unit: str) -> Assignment | None:
    """The side of a unit; None for a unit outside the trial."""
    if not slot.low <= place(f"layer {slot.layer}", unit) < slot.high:
        return None
    if place(f"side {slot.trial} {slot.salt}", unit) < slot.share:
        return Assignment(slot.trial, "candidate", slot.share)
    return Assignment(slot.trial, "current", 1 - slot.share)


def room(taken: Iterable[Slot], layer: str, width: float) -> tuple[float, float]:
    """A free part of a layer that is `width` wide. Raises `ValueError` if there is no such part."""
    low = widest = 0.0
    slots = sorted((slot for slot in taken if slot.layer == layer), key=lambda slot: slot.low)
    for slot in [*slots, None]:
        high = slot.low if slot is not None else 1.0
        if high - low >= width - 1e-9:
            return low, min(low + width, 1.0)
        widest = max(widest, high - low)
        low = slot.high if slot is not None else low
    raise ValueError(
        f"{width:.0%} of the traffic of layer {layer!r} is not free; {widest:.0%} is: stop a trial "
        "of that layer, ask for less traffic, or name another layer"
    )
