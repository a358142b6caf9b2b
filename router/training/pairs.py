"""Makes pairs of a better and a worse answer to one request, from what telemetry holds. Pure.

A demonstration is better than the answer that it corrects. Of answers to the same words, by
different plans or at different times, the best stands beside the worst, if they were judged apart.
A trial gives such pairs, because its two sides answer the same requests by different plans.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from router.training.data_rows import DataRow
from router.training.wording import normal


@dataclass(frozen=True, slots=True)
class LoggedAnswer:
    """A request with the answer that it got, and with the answer that it should have got."""

    given: DataRow
    judged: bool
    demonstration: str | None = None
    by: str = ""  # the id of the key that gave the demonstration

    @property
    def id(self) -> str:
        return self.given.id

    @property
    def row(self) -> DataRow:
        """The row for learning the right answer."""
        if self.demonstration is None:
            return self.given
        return replace(
            self.given,
            answer=self.demonstration,
            quality=1.0,
            source="demonstration",
            by=self.by,
        )


def preferences(
    answers: Sequence[LoggedAnswer], least_quality: float, least_margin: float
) -> tuple[DataRow, ...]:
    """One pair for each request that has a better and a worse answer."""
    pairs = list(_corrected(answers))
    corrected = {normal(pair.text) for pair in pairs}
    groups: dict[str, list[DataRow]] = {}
    for answer in answers:
        if answer.judged and answer.given.answer:
            groups.setdefault(normal(answer.given.text), []).append(answer.given)
    for words, rows in groups.items():
        better = max(rows, key=lambda row: (row.quality, row.ts))
        worse = min(rows, key=lambda row: (row.quality, -row.ts))
        apart = better.quality - worse.quality >= max(least_margin, 1e-9)
        differ = better.answer.strip() != worse.answer.strip()
        if words not in corrected and apart and differ and better.quality >= least_quality:
            pair = replace(better, source="pair", rejected=worse.answer, rejected_id=worse.id)
            pairs.append(pair)
    return tuple(pairs)


def _corrected(answers: Sequence[LoggedAnswer]) -> Iterator[DataRow]:
    for answer in answers:
        worse, better = answer.given.answer.strip(), answer.demonstration
        if better is not None and worse and better.strip() != worse:
            yield replace(answer.row, source="pair", rejected=answer.given.answer)
