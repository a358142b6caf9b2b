"""Finds the forms of a data set's answers, with a way to fill each of their slots.

Answers are grouped at several degrees of likeness. A form stays if each of its slots can be
filled, as far as held-out rows prove it; those are chosen that write most rows. Pure functions.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from router.models.fill import Extract, Filler, Table
from router.models.spans import ReadRequest, read
from router.training.examples import Example
from router.training.forms import Template, groups_of, held_back, template_of, without_slots
from router.training.slot_rules import Column, extract_of, filled, pooled, table_of

LEAST_OF_CHOICE = 3  # rows of a value that a head may choose
_FEWEST = 8  # rows of a form
_LIKENESS = (0.6, 0.8, 0.95)
_MOST_FORMS = 60
_MOST_CHOICES = 12  # values of a slot that a head may choose
_ENOUGH = 0.25  # the share of held-out rows that a slot's rules must fill
_CONTEXT = 12  # characters before a slot by which it is the same slot in other forms
_PLENTY = 0.97  # a share of held-out rows at which nothing else is tried


@dataclass(frozen=True, slots=True)
class Draft:
    """A form before its heads are trained. A slot that a head must choose has its values here."""

    template: Template
    slots: tuple[Filler | frozenset[str], ...]
    rows: tuple[int, ...]  # of the training rows
    right: float  # the share of held-out rows of this form that it fills as the teacher did


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a split, with their requests read once."""

    examples: Sequence[Example]
    requests: Sequence[ReadRequest]

    @property
    def answers(self) -> list[str]:
        return [example.answer for example in self.examples]

    def column(self, template: Template, slot: int) -> Column:
        return Column([self.requests[n] for n in template.rows], template.column(slot))


def sheet_of(examples: Sequence[Example]) -> Sheet:
    return Sheet(examples, [read(example.words.last) for example in examples])


def drafts_of(train: Sheet, held_out: Sheet) -> list[Draft]:
    """The forms that write most rows of both sheets."""
    drafts: list[Draft] = []
    best: list[Draft] = []
    for alike in _LIKENESS:
        drafts += _drafts(train, held_out, alike)
        best = _chosen(drafts, held_out)
        if _worth(best, held_out) >= _PLENTY * len(held_out.examples):
            break
    return best


def _drafts(train: Sheet, held_out: Sheet, alike: float) -> list[Draft]:
    """The forms of answers that are this much alike, as far as held-out rows prove them."""
    groups = groups_of(train.examples, alike, _FEWEST)[:_MOST_FORMS]
    ranked = [sorted(rows, key=lambda n: train.examples[n].quality) for rows in groups]
    drafts: list[Draft] = []
    for joined in (True, False):
        templates = [template_of(train.answers, rows, joined=joined) for rows in ranked]
        kept = [_varying(t) for t in templates if t is not None and len(t.rows) >= _FEWEST]
        later = [template.read(held_out.answers) for template in kept]
        shared = _shared(kept, later, train, held_out)
        each = [
            _draft(template, other, train, held_out, shared)
            for template, other in zip(kept, later, strict=True)
            if other is not None
        ]
        drafts += [draft for draft in each if draft is not None]
        if drafts and min(draft.right for draft in drafts) >= _PLENTY and len(drafts) == len(kept):
            break
    return drafts


def _varying(template: Template) -> Template:
    """The template without slots that have one value in all rows."""
    columns = [set(template.column(slot)) for slot in range(len(template.words) - 1)]
    lone = {n: next(iter(values)) for n, values in enumerate(columns) if len(values) == 1}
    return without_slots(template, {n: v for n, v in lone.items() if not held_back(v)})


def _shared(
    templates: Sequence[Template],
    later: Sequence[Template | None],
    train: Sheet,
    held_out: Sheet,
) -> Mapping[str, Extract]:
    """Rules of slots that stand after the same words in several forms, by these words."""
    columns: dict[str, list[tuple[Column, Column | None]]] = {}
    for template, other in zip(templates, later, strict=True):
        for slot in range(len(template.words) - 1):
            own = held_out.column(other, slot) if other is not None else None
            columns.setdefault(_context(template, slot), []).append(
                (train.column(template, slot), own)
            )
    rules: dict[str, Extract] = {}
    for context, pairs in columns.items():
        if len(pairs) > 1:
            extract = extract_of(
                pooled([pair[0] for pair in pairs]),
                pooled([pair[1] for pair in pairs if pair[1] is not None]),
            )
            rules |= {context: extract} if extract is not None else {}
    return rules


def _context(template: Template, slot: int) -> str:
    before = template.words[slot][-_CONTEXT:]
    return before if before else f"(begin) {template.words[slot + 1][:_CONTEXT]}"


def _chosen(drafts: Sequence[Draft], held_out: Sheet) -> list[Draft]:
    """The forms that write most rows, without those that write what others write."""
    rows = {
        n: set(draft.rows) | {-1 - row for row in _rows_of(draft, held_out)}
        for n, draft in enumerate(drafts)
    }
    best: list[Draft] = []
    left = set().union(*rows.values()) if rows else set()
    while rows:
        n = max(rows, key=lambda n: (len(rows[n] & left) * drafts[n].right, -n))
        if len(rows[n] & left) * drafts[n].right < _FEWEST / 4:
            break
        best.append(drafts[n])
        left -= rows.pop(n)
    return best


def _rows_of(draft: Draft, held_out: Sheet) -> tuple[int, ...]:
    later = draft.template.read(held_out.answers)
    return later.rows if later is not None else ()


def _draft(
    template: Template,
    later: Template,
    train: Sheet,
    held_out: Sheet,
    shared: Mapping[str, Extract],
) -> Draft | None:
    slots: list[Filler | frozenset[str] | None] = []
    for slot in range(len(template.words) - 1):
        own, other = train.column(template, slot), held_out.column(later, slot)
        rules = extract_of(own, other, shared.get(_context(template, slot)))
        slots.append(rules if rules is not None and filled(other, rules) >= _ENOUGH else None)
    extracted = [n for n, slot in enumerate(slots) if isinstance(slot, Extract)]
    for slot, filler in enumerate(slots):
        if filler is None:
            slots[slot] = _table(template, later, slot, extracted, train, held_out)
    done = tuple(slot for slot in slots if slot is not None)
    if len(done) < len(slots):
        return None
    right = [
        all(_fills(slot, held_out.requests[n], row, at) for at, slot in enumerate(done))
        for n, row in zip(later.rows, later.values, strict=True)
    ]
    every = template.read(train.answers)
    rows = every.rows if every is not None else template.rows
    return Draft(template, done, rows, sum(right) / len(right))


def _table(
    template: Template, later: Template, slot: int, keys: list[int], train: Sheet, held_out: Sheet
) -> Filler | frozenset[str] | None:
    """How a slot is filled whose value is not in the request: by another slot, or by a head."""
    own, other = train.column(template, slot), held_out.column(later, slot)
    for key in keys:
        table = table_of(own, template.column(key), other, later.column(key))
        if table is not None:
            return Table(key, table)
    counts = Counter(own.values)
    few = frozenset(
        value
        for value, count in counts.items()
        if count >= LEAST_OF_CHOICE and not held_back(value)
    )
    covered = sum(counts[value] for value in few)
    return few if 2 <= len(few) <= _MOST_CHOICES and covered >= 0.95 * counts.total() else None


def _fills(
    slot: Filler | frozenset[str], request: ReadRequest, row: Sequence[str], at: int
) -> bool:
    match slot:
        case Extract():
            return slot.value(request) == row[at]
        case Table(of, values):
            return values.get(row[of]) == row[at]
        case frozenset():
            return row[at] in slot  # as far as rules can say
    return False


def _worth(drafts: Sequence[Draft], held_out: Sheet) -> float:
    """About how many held-out rows forms write as the teacher did."""
    return sum(draft.right * len(_rows_of(draft, held_out)) for draft in drafts)
