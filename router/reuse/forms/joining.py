"""Which well rated answers say that a program answers their wording too. Pure.

An answer that a program gives too may be chance: x * 10 / 100 is x / 10. So a wording joins a
program by several answers, between which every value of the request and the answer itself differ.
"""

from collections.abc import Sequence

from router.reuse.forms.answers import same_answer
from router.reuse.forms.shelf import ShelfRow, is_one_wording


def confirmed(rows: Sequence[ShelfRow]) -> list[ShelfRow]:
    """Of rows whose answers a program gave too, those of a wording for which no chance explains
    that. All rows have values of the same kinds."""
    return [
        row
        for row in rows
        if _differ([other for other in rows if is_one_wording(row.form, other.form)])
    ]


def _differ(wording: Sequence[ShelfRow]) -> bool:
    """Whether the answers differ, and the values in each place: requests that all say 10 per cent
    tell nothing about 20 per cent."""
    places = zip(*(row.form.values for row in wording), strict=True)
    return all(len(set(values)) > 1 for values in places) and any(
        not same_answer(wording[0].answer, row.answer) for row in wording
    )
