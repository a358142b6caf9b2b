"""Reads closed answers: the few values that a teacher's answers mean, however it writes them.

Answers such as `Billing.`, `label: billing` and `The label is billing.` mean the same. Which values
there are is read from the answers themselves, never from a list. An answer that is a small
JSON object, or lines of `name: value`, has a value for each field. Pure functions.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.models.head import Slot, Value
from router.plans.agreement.words import unhedged
from router.records.json_text import NoJson, json_in
from router.training.data_query import DataRefused

WHOLE = ""  # the name of the slot that is the whole answer
MOST_VALUES = 100
_LEAST_ROWS = 3  # a value that fewer rows have cannot be learned
_MOST_WORDS = 6  # of a value
_LEAST_READ = 0.8  # share of the answers that must be read
_SLOTTED = 0.8  # share of the answers that must be objects with the same fields
_MOST_FIELDS = 20
_LONGEST_ANSWER = 4_000
_PAIR = re.compile(r"^\W*(\w[\w -]{0,40}?)\W*[:=]\s*(.{0,200}?)\s*$")
_DENYING = frozenset(
    {"not", "no", "never", "non", "without", "nicht", "kein", "keine", "pas", "nunca"}
)
_AROUND = " *_`\"'.!\u201c\u201d\u2018\u2019"
_LETTER = re.compile(r"\(?([a-z])(?:[).:]\s.*|\))?\Z", re.S)  # of a choice: `B) the second`
_MARK = re.compile(r"[^\w\s.,<>=+*/%$-]|(?<!\d)[.,]|[.,](?!\d)|(?<!\w)-(?!\w)|_")
_LEAD = re.compile(r"^(.{1,80}?)\s*(?:[,.;:!\u2013\u2014-]+\s|\n)", re.S)

Fields = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads answers into slots. `values` maps, for each slot, how a value is read to how it is
    written. `frames` are the words around a value that say nothing, such as `label`."""

    slots: tuple[str, ...]
    values: Mapping[str, Mapping[str, Value]]
    frames: frozenset[str] = frozenset()
    spaced: bool = False  # whether its JSON is written with spaces

    def read(self, answer: str) -> tuple[Value, ...] | None:
        """The values of an answer's slots, as they are written; None if one cannot be read."""
        if self.slots == (WHOLE,):
            plain = self._plain(answer)
            return None if plain is None else (self.values[WHOLE][plain],)
        fields = fields_in(answer)
        if fields is None:
            return None
        try:
            return tuple(self.values[slot][_key(fields[slot])] for slot in self.slots)
        except KeyError:
            return None

    def bare(self, answer: str) -> bool:
        """Whether a whole answer is a value and what usually stands around it, and nothing else."""
        value, plain = self._plain(answer), normalised(answer[:_LONGEST_ANSWER])
        return value is not None and (plain == value or _frame(plain, value) in self.frames)

    def _plain(self, answer: str) -> str | None:
        return meaning(answer, self.values[WHOLE], self.frames)


def reader_of(answers: Sequence[str]) -> Reader:
    """How the answers of a teacher are read. Raises `DataRefused` if they are not closed."""
    if not answers:
        raise DataRefused(
            "the data set has no rows with good answers: lower its threshold of quality"
        )
    parsed = [fields_in(answer) for answer in answers]
    shapes = Counter(frozenset(fields) for fields in parsed if fields)
    shape, rows = shapes.most_common(1)[0] if shapes else (frozenset[str](), 0)
    if rows >= _SLOTTED * len(answers):
        return _slotted(answers, [f for f in parsed if f is not None and f.keys() == shape])
    return _whole(answers)


def reader_in(slots: Iterable[Slot], frames: Iterable[str]) -> Reader:
    """How answers are read into the slots of a head that was trained before."""
    values: dict[str, dict[str, Value]] = {}
    for slot in slots:
        read = _key if slot.name else lambda value: normalised(str(value))
        closed = [value for value in slot.values if not isinstance(value, Mapping)]
        values[slot.name] = {read(value): value for value in closed}
    return Reader(tuple(values), values, frozenset(frames))


def meaning(answer: str, values: Iterable[str], frames: frozenset[str]) -> str | None:
    """The one value that an answer means, if it means one."""
    values = set(values)
    plain = normalised(answer[:_LONGEST_ANSWER])
    if plain in values:
        return plain
    inner = [value for value in values if _within(value, plain)]
    inner = [v for v in inner if not any(v != w and _within(v, w) for w in inner)]
    if len(inner) == 1 and _frame(plain, inner[0]) in frames:
        return inner[0]
    head = _lead(answer)
    return head if head in values and inner in ([], [head]) else None


def _lead(answer: str) -> str:
    """What an answer begins with, if it goes on after a mark; empty if it does not."""
    lead = _LEAD.match(answer.strip()[:_LONGEST_ANSWER])
    return normalised(lead[1]) if lead else ""


def fields_in(answer: str) -> Fields | None:
    """The fields of an answer that is a flat JSON object, or pairs of names and values."""
    if len(answer) > _LONGEST_ANSWER:
        return None
    if "{" in answer:
        try:
            document = json_in(answer)
        except NoJson:
            return None
        flat = isinstance(document, dict) and 0 < len(document) <= _MOST_FIELDS
        if flat and all(v is None or isinstance(v, str | int | float) for v in document.values()):
            return {str(name): value for name, value in document.items()}
        return None
    parts = [part for part in re.split(r"[;\n]", answer) if part.strip()]
    pairs = [_PAIR.match(part) for part in parts]
    if len(pairs) < 2 or len(pairs) > _MOST_FIELDS or not all(pairs):
        return None
    return {pair[1].strip(): pair[2].strip() for pair in pairs if pair}


def normalised(answer: str) -> str:
    """An answer's content: its words in small letters, without marks and what introduces it."""
    text = unhedged(" ".join(answer.split()).strip(_AROUND)).strip(_AROUND).casefold()
    letter = _LETTER.match(text)
    if letter is not None:
        return letter[1]
    try:
        return f"{float(text):.12g}"
    except ValueError:
        return " ".join(_MARK.sub(" ", text).split())


def _slotted(answers: Sequence[str], rows: Sequence[Fields]) -> Reader:
    slots = tuple(rows[0])
    values: dict[str, dict[str, Value]] = {}
    for slot in slots:
        written: dict[str, Counter[Any]] = defaultdict(Counter)
        for row in rows:
            written[_key(row[slot])][row[slot]] += 1
        kept = {key: counts for key, counts in written.items() if counts.total() >= _LEAST_ROWS}
        read = sum(counts.total() for counts in kept.values())
        if len(kept) > MOST_VALUES or read < _LEAST_READ * len(rows):
            raise DataRefused(
                f"the field {slot[:40]!r} has {len(written)} values in {len(rows)} answers, and a "
                f"head needs few that come again: leave the field out of the answers"
            )
        values[slot] = {key: _usual(counts) for key, counts in kept.items()}
    spaced = sum('": ' in answer for answer in answers) * 2 >= len(answers)
    return Reader(slots, values, spaced=spaced)


def _whole(answers: Sequence[str]) -> Reader:
    plain = [normalised(answer[:_LONGEST_ANSWER]) for answer in answers]
    counts = Counter(text for text in plain if text and len(text.split()) <= _MOST_WORDS)
    frequent = {text for text, count in counts.items() if count >= _LEAST_ROWS}
    frames = _frames(counts, frequent)
    led = {text: _lead(answer) for text, answer in zip(plain, answers, strict=True)}
    values = {
        text
        for text in frequent
        if not any(v != text and _within(v, text) and _frame(text, v) in frames for v in frequent)
        # `No, it can wait` is a longer way to say `no`, which more answers say.
        and not (led[text] in frequent and counts[led[text]] > counts[text])
    }
    if not values or len(values) > MOST_VALUES:
        raise DataRefused(_open(counts, answers))
    written: dict[str, Counter[str]] = defaultdict(Counter)
    for answer in answers:
        value = meaning(answer, values, frames)
        if value is not None:
            written[value][answer.strip()] += 1
    read = sum(each.total() for each in written.values())
    if read < _LEAST_READ * len(answers):
        raise DataRefused(_open(counts, answers))
    return Reader((WHOLE,), {WHOLE: _in_one_form(written)}, frames)


def _in_one_form(written: Mapping[str, Counter[str]]) -> dict[str, str]:
    """How each value is written: as usual among its answers of the form that all values have most,
    such as `Label: {}`; a value that never has this form as it usually is."""
    forms: Counter[tuple[str, str]] = Counter()
    for value, counts in written.items():
        for answer, count in counts.items():
            forms[_around(value, answer)] += count
    most = max(forms, key=lambda form: (forms[form], -len(form[0] + form[1])))
    usual = {}
    for value, counts in written.items():
        alike = Counter({a: n for a, n in counts.items() if _around(value, a) == most})
        usual[value] = str(_usual(alike or counts))
    return usual


def _around(value: str, answer: str) -> tuple[str, str]:
    """What stands before and after a value."""
    before, _, after = answer.casefold().partition(value)
    return before, after


def _frames(counts: Mapping[str, int], frequent: set[str]) -> frozenset[str]:
    """The words around a value that stand around several values: `label`, but not `not`."""
    around: dict[str, Counter[str]] = defaultdict(Counter)
    for text, count in counts.items():
        for value in _parts(text) & frequent:
            around[_frame(text, value)][value] += count
    return frozenset(
        frame
        for frame, values in around.items()
        if len(values) > 1 and values.total() >= _LEAST_ROWS and _DENYING.isdisjoint(frame.split())
    )


def _parts(text: str) -> set[str]:
    """The runs of a text's words, but for the whole text."""
    words = text.split()
    spans = ((a, b) for a in range(len(words)) for b in range(a + 1, len(words) + 1))
    return {" ".join(words[a:b]) for a, b in spans if b - a < len(words)}


def _within(value: str, text: str) -> bool:
    return f" {value} " in f" {text} "


def _frame(text: str, value: str) -> str:
    return " ".join(f" {text} ".replace(f" {value} ", " _ ", 1).split())


def _key(value: Value) -> str:
    return value.strip().casefold() if isinstance(value, str) else repr(value)


def _usual(written: Counter[Any]) -> Any:
    """How a value is usually written; of equals the shortest."""
    most = max(written.values())
    return min((v for v, count in written.items() if count == most), key=lambda v: len(str(v)))


def _open(counts: Counter[str], answers: Sequence[str]) -> str:
    return (
        f"the answers are not closed: {len(counts)} short ones in {len(answers)} answers, and a "
        f"head needs at most {MOST_VALUES} that come again: use a narrower data set"
    )
