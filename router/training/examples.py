"""The rows of a data set as heads and judges learn from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from router.models.features import Asked, words_of
from router.training.data_rows import DataRow

GOOD = 0.5  # the least quality of an answer that is worth learning


@dataclass(frozen=True, slots=True)
class Example:
    """A request, the answer of its teacher, and how good the answer was, from 0 to 1."""

    id: str
    words: Asked
    answer: str
    quality: float = 1.0
    teacher: str = ""  # the plan that answered
    language: str = ""
    pattern: str = ""
    shown: bool = False  # whether a person gave the answer, and not a plan
    rejected: str = ""  # a worse answer to the same request
    soft: Mapping[str, float] = field(default_factory=dict)  # the teacher's chances of each answer


def examples_of(rows: Sequence[DataRow]) -> list[Example]:
    return [
        Example(
            row.id,
            words_of(row.conversation),
            row.answer,
            row.quality,
            row.plan,
            row.language,
            row.pattern,
            row.source == "demonstration",
            row.rejected or "",
            row.soft or {},
        )
        for row in rows
    ]
