"""Decides whether a program can compute the answer to a request: reads a `Spec`, or says why not.

A wrong yes costs more than a wrong no, because no model sees a computed request. A yes therefore
needs a complete `Spec`, in which everything that could change the answer was understood. All
functions are pure, except that a reading ends when its CPU time is spent: such a request was not
read, and counts as not understood.
"""

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sandbox.reading import data_tables, lexicon
from sandbox.reading.budget import OutOfTime, budget
from sandbox.reading.catalogue import RULES
from sandbox.reading.reader import Reader
from sandbox.reading.records_json import specification_in_words
from sandbox.reading.rules import read_by
from sandbox.reading.tokens import TooLong, cleaned, tokens
from sandbox.reading.whole_wishes import with_wishes
from sandbox.spec import Spec

Kind = Literal["computational", "linguistic", "both"]

_LONGEST = 200_000  # characters of a request, with any table of data in it
_LONGEST_WISH = 4_000
_MOST_STRANGE = 60  # different words that no lexicon has; a table in the text may have many
# No request means a word or a number as long as this; patterns get slow in long words.
_IN_LISTS = re.compile(r"[\d\s.,;+-]{2,}")  # a request may be short, and its lists long
_ENDLESS = re.compile(r"(?<!\w)\w{100}|(?<!\S)\S{400}|\d\.?e\+?\d{3}", re.I)

NO_COMPUTATION = "it asks for no computation"


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The kind of a request, the reasons for it, and the spec if it can be computed."""

    kind: Kind
    reasons: tuple[str, ...] = ()
    spec: Spec | None = None
    not_read: bool = False  # the reader gave up, because the request is too long to read
    unknown: tuple[str, ...] = ()  # the words that were not understood

    @property
    def computed(self) -> bool:
        return self.spec is not None


def read(text: str, data: Any = None, *, cpu_seconds: float = math.inf) -> Interpretation:
    """Interpret a request. `data` came beside the text, as CSV, records or columns.

    A request that takes more CPU time than `cpu_seconds` is not read.
    """
    begun = text if len(text) <= _LONGEST else text[:_LONGEST_WISH]
    if data is None and not _asks(begun):
        return Interpretation("linguistic", (_why_not(begun),))
    if len(text) > _LONGEST:
        return _not_read(f"it is longer than {_LONGEST:,} characters")
    try:
        with budget(cpu_seconds):
            return _interpreted(text, data)
    except OutOfTime:
        return _not_read(f"reading it takes more than {1000 * cpu_seconds:g} ms")


def _not_read(reason: str) -> Interpretation:
    return Interpretation("linguistic", (f"not read: {reason}",), not_read=True)


def _asks(text: str) -> bool:
    """Whether a request has a figure and a word that a rule reads: a cheap test."""
    low = text.lower()
    if _ARITHMETIC.fullmatch(text):
        return True
    figure = _FIGURE.search(low) or any(cue in low for cue in _WITHOUT_DIGITS)
    if not figure or _NOTATION.search(text):
        return False
    stems = set(map(lexicon.stem, set(_WORDS.findall(low))))
    return not _asking().isdisjoint(stems) and len(stems - _in_lexicon()) <= _MOST_STRANGE


def _why_not(text: str) -> str:
    if _NOTATION.search(text):
        return "it contains mathematical notation or a choice of answers"
    return NO_COMPUTATION


_ARITHMETIC = re.compile(r"\s{0,20}[\d(][\d\s().,+\-*/^\u00d7\u00f7=?]{0,200}")
_FIGURE = re.compile(r"\d|\b(?:hundred|thousand|million|dozens?|cien|mil|mill[oó]n(?:es)?)\b")
_NOTATION = re.compile(  # formulas; multiple choice
    r"\\[a-zA-Z(\[]|\$[^$\n\\^_{}]*+[\\^_{}][^$\n]*+\$"
    r"|(?m:^)[^\S\n]*+\(?[A-D][).:]\s[^\n]*\n\s*+\(?[B-E][).:]\s"
)
_WITHOUT_DIGITS = (
    "distribu", "how many", "cuánt", "cuant", "probab", "chance", "likely", "odds of", "odds that",
    "how often", "posibilid", "ways", "maneras", "formas", "expected", "esperad",
)  # fmt: skip  # a request may hold no digit

_WORDS = re.compile(r"[^\W\d_]\w*")


@cache
def _in_lexicon() -> frozenset[str]:
    return lexicon.all_words()


@cache
def _asking() -> frozenset[str]:
    return lexicon.first_words(*{concept for rule in RULES for concept in rule.asks})


def _nothing_read(reader: Reader) -> Interpretation:
    """No rule has anything to say: name the words and numbers that none of them has."""
    left = dict.fromkeys(t.text for t in reader.left() if t.kind in ("word", "number", "date"))
    listed = ", ".join(f"`{text}`" for text in list(left)[:5])
    beside = f" beside {listed}" if listed else ""
    reason = (
        f"no calculation is understood{beside}; `waggle sandbox catalogue` lists what can be read"
    )
    return Interpretation("linguistic", (reason,), unknown=tuple(left))


def _interpreted(text: str, data: Any) -> Interpretation:
    """What the rules of the catalogue make of a request."""
    text = specification_in_words(cleaned(text)) if data is None else cleaned(text)
    table = data_tables.beside(data, text) if data is not None else data_tables.whole_table(text)
    if table.problem:
        return Interpretation("linguistic", (table.problem,))
    if _ENDLESS.search(table.text):
        return _not_read("it holds a word or a number that is too long")
    if len(_IN_LISTS.sub(" ", table.text)) > _LONGEST_WISH:
        return Interpretation("linguistic", ("it is too long to be understood with certainty",))
    try:
        pieces, language = tokens(table.text)
    except TooLong:
        return _not_read("it has too many words")
    reader = Reader(pieces, language, table.columns, text=table.text)
    wishes_of_all = with_wishes(reader)
    reading = read_by(RULES, reader)
    if reading is None:
        return _nothing_read(reader)
    if reading.spec is None:
        return Interpretation("linguistic", (reading.problem,), unknown=reading.unknown)
    spec = wishes_of_all(reading.spec)
    words = [f.name for f in spec.words]
    kind: Kind = "both" if words else "computational"
    texts = (f"text: {', '.join(words)}",) if words else ()
    sources = (f"{f.name}: {f.source}" for f in spec.fields if f.source)
    return Interpretation(kind, (f"read as {reading.rule.name}", *texts, *sources), spec)
