"""Is a request to be computed? Read into a `Spec` where it is; a reason where it is not. Pure.

A wrong yes costs more than a wrong no: what is computed is not asked of a model any more. So a yes
needs a complete `Spec`, everything in the request that could change the answer understood.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.reading import analyse, generate, series, wishes
from sandbox.reading import data_tables as tables
from sandbox.reading.found import Read
from sandbox.reading.plain_text import normalised
from sandbox.spec import Spec

Kind = Literal["computational", "linguistic", "both"]

_LONGEST = 200_000  # characters; a table may be long, a wish is not
_LONGEST_WISH = 4_000
_LONGEST_TO_MAKE = 2_000


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What a request turned out to be, and why."""

    kind: Kind
    reasons: tuple[str, ...] = ()
    spec: Spec | None = None

    @property
    def computed(self) -> bool:
        return self.spec is not None


def read(text: str, data: Any = None) -> Interpretation:
    """`data`: what came beside the text, as CSV, records or columns."""
    if len(text) > _LONGEST or (data is None and not _hints(text)):
        return Interpretation("linguistic", ("nothing in it asks for a computation",))
    if wishes.NOT_OURS.search(text):
        return Interpretation("linguistic", ("it is set as mathematics or as a choice of answers",))
    plain = normalised(text)
    table = tables.beside(data, plain) if data is not None else tables.DataTable(text=plain)
    if table.problem:
        return Interpretation("linguistic", (table.problem,))
    if data is None and not wishes.STRONG.search(plain):
        table = tables.within(plain)
    if len(table.text) > _LONGEST_WISH:
        return Interpretation("linguistic", ("it is too long to be sure of",))
    about = wishes.ABOUT.search(table.text)
    if about:
        return Interpretation(
            "linguistic", (f"`{about[0].strip()}` asks for words, not for figures",)
        )
    found = _read(table, plain)
    if found.spec is None:
        return Interpretation("linguistic", (found.problem,))
    if found.spec.kind == "analyse" and wishes.LINGUISTIC.search(table.text):
        return Interpretation("linguistic", ("it asks for words about the figures as well",))
    words = [f.name for f in found.spec.words]
    if words:
        return Interpretation("both", (*found.reasons, f"text: {', '.join(words)}"), found.spec)
    return Interpretation("computational", tuple(found.reasons), found.spec)


def _hints(text: str) -> bool:
    """Cheap, for every request that there is comes by here."""
    low = text.lower()
    return any(hint in low for hint in wishes.HINTS) and bool(
        wishes.FIGURE.search(low) or wishes.SOME.search(low)
    )


def _read(table: tables.DataTable, text: str) -> Read:
    if table.columns:
        figures = analyse.read(table)
        if figures.spec is not None or table.named or not _wish_to_make(text):
            return figures
    if not _wish_to_make(text) or len(text) > _LONGEST_TO_MAKE:
        return Read(problem="it does not ask for data to be made, nor bring data")
    return series.read(text) if series.is_series(text) else generate.read(text)


def _wish_to_make(text: str) -> bool:
    return bool(wishes.MAKE.search(text)) and not re.search(
        r"^\s*(?:what|which|who|when|where|why|how|is|are|does|do|find|compute|calculate|determine|test|perform|run|conduct)\b",
        text, re.I,
    )  # fmt: skip
