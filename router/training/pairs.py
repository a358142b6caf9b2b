"""Makes pairs of a better and a worse answer to one request, from what telemetry holds. Pure.

A demonstration is better than the answer that it corrects. Of answers to the same words, by
different plans or at different times, the best stands beside the worst, if they were judged apart.
A trial gives such pairs, because its two sides answer the same requests by different plans. A judge
that compares with a rival's answer gives them too, where telemetry keeps the rival's words.
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
    rival: str | None = None  # another backend's answer, with which a judge compared
    against_rival: float | None = None  # the judge's score of the given answer beside the rival

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
            soft=None,
        )


def preferences(
    answers: Sequence[LoggedAnswer], least_quality: float, least_margin: float
) -> tuple[DataRow, ...]:
    """One pair for each request that has a better and a worse answer."""
    pairs = list(_corrected(answers))
    corrected = {normal(pair.text) for pair in pairs}
    for pair in _compared(answers, least_quality, least_margin):
        if normal(pair.text) not in corrected:
            pairs.append(pair)
            corrected.add(normal(pair.text))
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


def _compared(
    answers: Sequence[LoggedAnswer], least_quality: float, least_margin: float
) -> Iterator[DataRow]:
    """A judge's comparisons with a rival. The two scores of a comparison add up to 1."""
    for answer in answers:
        given, rival, score = answer.given, answer.rival, answer.against_rival
        if rival is None or score is None or abs(2 * score - 1) < max(least_margin, 1e-9):
            continue
        better, worse = (given.answer, rival) if score > 0.5 else (rival, given.answer)
        if max(score, 1 - score) < least_quality or better.strip() == worse.strip():
            continue
        plan = given.plan if score > 0.5 else ""  # a rival is a backend's answer, of no plan
        quality = max(score, 1 - score)
        changed = replace(given, answer=better, quality=quality, plan=plan)
        yield replace(changed, source="pair", rejected=worse)
