"""Decides whether a program can compute the answer to a request: reads a `Spec`, or says why not.

A wrong yes costs more than a wrong no, because no model sees a computed request. A yes therefore
needs a complete `Spec`, in which everything that could change the answer was understood. All
functions are pure.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.reading import analyse, data_tables, generate, series, wishes
from sandbox.reading.outcome import ReadOutcome
from sandbox.reading.plain_text import normalised
from sandbox.spec import Spec

Kind = Literal["computational", "linguistic", "both"]

_LONGEST = 200_000  # characters of a request, with any table of data in it
_LONGEST_WISH = 4_000
_LONGEST_TO_MAKE = 2_000


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The kind of a request, the reasons for it, and the spec if it can be computed."""

    kind: Kind
    reasons: tuple[str, ...] = ()
    spec: Spec | None = None

    @property
    def computed(self) -> bool:
        return self.spec is not None


def read(text: str, data: Any = None) -> Interpretation:
    """Interpret a request. `data` came beside the text, as CSV, records or columns."""
    if len(text) > _LONGEST or (data is None and not _hints(text)):
        return Interpretation("linguistic", ("it asks for no computation",))
    if wishes.NOT_OURS.search(text):
        return Interpretation(
            "linguistic", ("it contains mathematical notation or a choice of answers",)
        )
    plain = normalised(text)
    table = (
        data_tables.beside(data, plain) if data is not None else data_tables.DataTable(text=plain)
    )
    if table.problem:
        return Interpretation("linguistic", (table.problem,))
    if data is None and not wishes.STRONG.search(plain):
        table = data_tables.within(plain)
    if len(table.text) > _LONGEST_WISH:
        return Interpretation("linguistic", ("it is too long to be understood with certainty",))
    about = wishes.ABOUT.search(table.text)
    if about:
        return Interpretation(
            "linguistic", (f"`{about[0].strip()}` asks for words, not for figures",)
        )
    outcome = _read(table, plain)
    if outcome.spec is None:
        return Interpretation("linguistic", (outcome.problem,))
    if outcome.spec.kind == "analyse" and wishes.LINGUISTIC.search(table.text):
        return Interpretation("linguistic", ("it also asks for words about the figures",))
    words = [f.name for f in outcome.spec.words]
    if words:
        return Interpretation("both", (*outcome.reasons, f"text: {', '.join(words)}"), outcome.spec)
    return Interpretation("computational", tuple(outcome.reasons), outcome.spec)


def _hints(text: str) -> bool:
    """Whether a request might ask for a computation: a cheap test that every request takes."""
    low = text.lower()
    return any(hint in low for hint in wishes.HINTS) and bool(
        wishes.FIGURE.search(low) or wishes.SOME.search(low)
    )


def _read(table: data_tables.DataTable, text: str) -> ReadOutcome:
    if table.columns:
        figures = analyse.read(table)
        if figures.spec is not None or table.named or not _wish_to_make(text):
            return figures
    if not _wish_to_make(text) or len(text) > _LONGEST_TO_MAKE:
        return ReadOutcome(problem="it neither asks for generated data nor brings data")
    return series.read(text) if series.is_series(text) else generate.read(text)


def _wish_to_make(text: str) -> bool:
    return bool(wishes.MAKE.search(text)) and not re.search(
        r"^\s*(?:what|which|who|when|where|why|how|is|are|does|do|find|compute|calculate|determine|test|perform|run|conduct)\b",
        text, re.I,
    )  # fmt: skip
