"""What is known of an arm before any answer: arms with the same traits are likely to be alike.

Traits say nothing of quality. A learner may use them to share what answers say among related arms.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArmTraits:
    """An arm's family, effort and price; a trait that nobody knows says nothing."""

    family: str = ""  # arms of one non-empty family are one model; "": related to no other arm
    effort: int | None = None  # 0 is the least effort of the family; None: nothing is set
    price: float | None = None  # expected dollars for 1,000 usual requests; None: unknown
