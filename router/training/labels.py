"""What closed answers mean, and how they are usually written: `Billing.` means `billing`.

A teacher writes a label in several forms. They contradict each other nowhere, and a row keeps the
form that the teacher writes most: an app that reads the answers expects it. Where telemetry has the
chances of an answer and its alternatives, a row has those of the labels. Pure functions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from router.plans.logprobs import BEGINNING
from router.training.closed import WHOLE, reader_of
from router.training.data_query import DataRefused
from router.training.data_rows import DataRow, labels_of
from router.training.examples import GOOD


@dataclass(frozen=True, slots=True)
class Labels:
    """`meanings` are the labels of the answers that have one; `forms` the usual forms of those that
    say a label, nothing else, and in another form; `usual` how each label is usually written."""

    meanings: Mapping[str, str] = field(default_factory=dict)
    forms: Mapping[str, str] = field(default_factory=dict)
    usual: Mapping[str, str] = field(default_factory=dict)

    def chances(self, logged: Mapping[str, float]) -> dict[str, float]:
        """The chances of labels, as they are usually written, by those of answers and of beginnings
        of answers. A beginning counts for the one label whose answers begin so, if it is one."""
        chances: dict[str, float] = {}
        for answer, chance in logged.items():
            begins = answer.removesuffix(BEGINNING).casefold()
            if begins == answer.casefold():
                label = self.meanings.get(answer.strip())
            else:
                labels = {m for a, m in self.meanings.items() if a.casefold().startswith(begins)}
                label = labels.pop() if len(labels) == 1 and begins.strip() else None
            if label is not None:
                written = self.usual[label]
                chances[written] = round(chances.get(written, 0.0) + chance, 4)
        return chances

    def contradict(self, first: str, second: str) -> bool:
        """Whether two answers have different labels. Answers in free words never contradict."""
        meanings = self.meanings.get(first.strip()), self.meanings.get(second.strip())
        return None not in meanings and meanings[0] != meanings[1]


def labels_in(rows: Sequence[DataRow]) -> Labels:
    """The labels of the answers of some rows; none if the answers are not closed."""
    answers = [row.answer for row in rows]
    good = [row.answer for row in rows if row.quality >= GOOD]
    try:
        reader = reader_of(good)
    except DataRefused:
        return Labels({label: label for label in labels_of(rows)})
    meanings, forms, usual = {}, {}, {}
    for answer in {answer.strip() for answer in answers}:
        values = reader.read(answer)
        if values is None:
            continue
        meanings[answer] = repr(values)
        if reader.slots == (WHOLE,):
            usual[repr(values)] = str(values[0])
            if reader.bare(answer) and answer != values[0]:
                forms[answer] = str(values[0])
    return Labels(meanings, forms, usual)


def softened(rows: Iterable[DataRow], labels: Labels) -> list[DataRow]:
    """The rows with the chances of labels in place of those of answers; a row whose answer is of no
    label, or not the one that its teacher gave, has none."""
    changed = []
    for row in rows:
        chances = labels.chances(row.soft) if row.soft and labels.usual else {}
        own = labels.usual.get(labels.meanings.get(row.answer.strip(), ""), "")
        changed.append(replace(row, soft=chances if own in chances else None))
    return changed


def in_usual_forms(rows: Iterable[DataRow], labels: Labels) -> tuple[list[DataRow], int]:
    """The rows with their good answers in the usual form, and how many answers had another.

    An answer that was judged bad may have been judged so for its form: it stays as it is."""
    changed, count = [], 0
    for row in rows:
        form = labels.forms.get(row.answer.strip()) if row.quality >= GOOD else None
        if form is None or row.rejected is not None:
            changed.append(row)
            continue
        changed.append(replace(row, answer=form))
        count += 1
    return changed, count
