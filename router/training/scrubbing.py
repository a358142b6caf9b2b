"""Takes personal data out of rows, by the rules of the guardrails: email addresses, phone numbers,
cards and IBANs become placeholders, the same words the same placeholder within a row.

Not covered: names and addresses, as `router.guardrails.personal` says.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from router.guardrails.personal import personal_spans
from router.guardrails.placeholders import Placeholders
from router.training.data_rows import DataRow, Message


def scrubbed(rows: Iterable[DataRow]) -> tuple[list[DataRow], dict[str, int]]:
    """The rows without personal data, and how often each kind was taken out."""
    counts: Counter[str] = Counter()
    return [_scrubbed(row, counts) for row in rows], dict(counts)


def _scrubbed(row: DataRow, counts: Counter[str]) -> DataRow:
    placeholders = Placeholders(lambda: "\n".join((row.text, *row.answers)))

    def clean(text: str) -> str:
        pieces, last = [], 0
        for span in personal_spans(text):
            counts[span.kind] += 1
            pieces += [text[last : span.start]]
            pieces += [placeholders.redacted(text[span.start : span.end], span.kind.upper())]
            last = span.end
        return "".join([*pieces, text[last:]])

    return replace(
        row,
        messages=tuple(Message(m.role, clean(m.content)) for m in row.messages),
        answer=clean(row.answer),
        rejected=None if row.rejected is None else clean(row.rejected),
    )
