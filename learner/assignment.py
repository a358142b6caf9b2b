"""Who gets which variant: by a salted hash of the unit, so it needs no memory and never changes.

Trials of one layer share its traffic and never meet; layers have salts of their own, so that what
one layer does is spread evenly over both sides of every other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

Side = Literal["candidate", "current"]
_WHOLE = float(2**64)


@dataclass(frozen=True, slots=True)
class Slot:
    """A trial's part of its layer, and how much of that part the candidate has."""

    trial: str
    layer: str
    low: float
    high: float
    share: float  # of the units in it, how many get the candidate
    salt: str = ""  # of the sides; another one where sides are to be drawn anew

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 1:
            raise ValueError(
                f"the traffic of {self.trial} is from {self.low:g} to {self.high:g}: it must rise, "
                "within 0 and 1"
            )
        if not 0 <= self.share <= 1:
            raise ValueError(f"the share of {self.trial} is {self.share:g}: it lies in 0 to 1")


@dataclass(frozen=True, slots=True)
class Assigned:
    """A side, and the probability that it had."""

    trial: str
    side: Side
    chance: float


def place(salt: str, unit: str) -> float:
    """Where a unit stands between 0 and 1, evenly, and apart for every salt."""
    told = blake2b(unit.encode(), key=salt.encode()[:64], digest_size=8).digest()
    return int.from_bytes(told, "big") / _WHOLE


def assigned(slot: Slot, unit: str) -> Assigned | None:
    """The side of a unit, or nothing where it is outside the trial."""
    if not slot.low <= place(f"layer {slot.layer}", unit) < slot.high:
        return None
    if place(f"side {slot.trial} {slot.salt}", unit) < slot.share:
        return Assigned(slot.trial, "candidate", slot.share)
    return Assigned(slot.trial, "current", 1 - slot.share)


def room(taken: Iterable[Slot], layer: str, width: float) -> tuple[float, float]:
    """A free part of a layer that is so wide; `ValueError` where there is none."""
    low = 0.0
    slots = sorted((one for one in taken if one.layer == layer), key=lambda one: one.low)
    widest = 0.0
    for slot in [*slots, None]:
        high = slot.low if slot is not None else 1.0
        if high - low >= width - 1e-9:
            return low, min(low + width, 1.0)
        widest = max(widest, high - low)
        low = slot.high if slot is not None else low
    raise ValueError(
        f"{width:.0%} of the traffic of layer {layer!r} is not free; {widest:.0%} is: stop a trial "
        "of it, ask for less, or name another layer"
    )
