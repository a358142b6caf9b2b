"""Learns how the slots of a template are filled, and keeps only what holds on other rows.

A slot's value stands in the request, after words and in a form that come again; or it depends on
the value of another slot. Rules are made from training rows, and a rule stays only if rows that
it was not made from prove it right. Pure functions.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from router.models.fill import Extract
from router.models.rewriting import rewritten, ways
from router.models.spans import ReadRequest, Rule, loose, places

_LEFTS = (0, 1, 2, 3)  # words before a value that a rule looks at
_FEWEST = 3  # rows that a rule must fill
_MOST_TRIED = 60  # rules, the commonest
_MOST_ROWS = 300  # from which rules are made
_RIGHT = 0.98  # the least share of a rule's values that are right
_MOST_FORMS = 12
_PARTS = 7  # tokens of a date or number that is written in another form
_MOST_KEYS = 500
_MOST_LISTED = 100  # values that come again, by which a slot may be filled
_MOST_INSIDE = 6  # tokens before a value in the same word, such as F-24- in F-24-70981
_LONGEST_PART = 40
_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one slot, and the requests of their rows."""

    requests: Sequence[ReadRequest]
    values: Sequence[str]


def extract_of(train: Column, held_out: Column, alike: Extract | None = None) -> Extract | None:
    """The rules by which a slot's value is taken from the request, each proven on other rows than
    the rows that it was made from. `alike`: rules of the same slot in all forms that have it."""
    rows = list(zip(train.requests, train.values, strict=True))[-_MOST_ROWS:]
    spots = [
        (request, at, end, way)
        for request, value in rows
        for at, end, way in _spots(request, value)
    ]
    kept: list[tuple[tuple[Rule, str], set[int]]] = []
    for pair in _candidates(train, spots):
        right, wrong = _ruled(pair, train)
        proven, failed = _ruled(pair, held_out)
        enough = len(right) >= _FEWEST and len(right) + len(proven) > _FEWEST
        if enough and all(
            len(each) >= _RIGHT * (len(each) + bad)
            for each, bad in ((right, wrong), (proven, failed))
        ):
            rule, way = pair
            single = all(len(rule.all(request)) < 2 for request in train.requests)
            kept.append(((replace(rule, single=single), way), right))
    for pair in alike.rules if alike is not None else ():
        right, wrong = _ruled(pair, train)
        if right and not wrong and not _ruled(pair, held_out)[1]:
            kept.append((pair, right))
    return Extract(tuple(_cover(kept))) if kept else None


def pooled(columns: Sequence[Column]) -> Column:
    """The rows of several columns as one."""
    return Column(
        [request for column in columns for request in column.requests],
        [value for column in columns for value in column.values],
    )


def _candidates(
    train: Column, spots: Sequence[tuple[ReadRequest, int, int, str]]
) -> list[tuple[Rule, str]]:
    """Rules that would take the values of several rows, the commonest first."""
    forms = _forms(request.form(at, end) for request, at, end, _ in spots)
    tried: Counter[tuple[Rule, str]] = Counter()
    for request, at, end, way in spots:
        inside = request.run_before(at)  # what is written in one with the value belongs to it
        for count in {*(n for n in _LEFTS if n >= inside), min(inside, _MOST_INSIDE)}:
            left = request.before(at, count) if count else ()
            if forms:
                tried[Rule(left, forms), way] += 1
            if left:
                tried[Rule(left, (), request.after(end)), way] += 1
    often = [pair for pair, count in tried.most_common(_MOST_TRIED) if count >= _FEWEST]
    counts = Counter(train.values)
    listed = tuple(sorted(value for value, count in counts.items() if count > 1 and value.strip()))
    if 1 < len(listed) <= _MOST_LISTED and 2 * sum(counts[v] for v in listed) > len(train.values):
        often += [(Rule((), values=listed), way) for way in sorted({way for *_, way in spots})]
    return often


def table_of(
    train: Column, keys: Sequence[str], held_out: Column, others: Sequence[str]
) -> Mapping[str, str] | None:
    """The values of a slot by those of another, `keys`, if one decides the other."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for key, value in zip(keys, train.values, strict=True):
        seen[key][value] += 1
    table = {key: counts.most_common(1)[0][0] for key, counts in seen.items()}
    agreeing = sum(counts.most_common(1)[0][1] for counts in seen.values())
    often = sum(counts.total() for counts in seen.values() if counts.total() > 1)
    if agreeing < _RIGHT * len(keys) or often < 0.8 * len(keys) or len(table) > _MOST_KEYS:
        return None
    pairs = [(table[k], v) for k, v in zip(others, held_out.values, strict=True) if k in table]
    right = sum(a == b for a, b in pairs)
    return table if right and right >= _RIGHT * len(pairs) else None


def _spots(request: ReadRequest, value: str) -> Iterator[tuple[int, int, str]]:
    """Where a slot's value stands in a request, and in which way it is written."""
    here = list(places(request, value))
    for at, end in here:
        way = next(ways(request.value(at, end), value), None)
        if way is not None:
            yield at, end, way
    if here or not any(map(str.isdigit, value)) or len(value) > _LONGEST_PART:
        return
    for at in range(len(request.tokens)):
        for end in range(at + 1, min(len(request.tokens), at + _PARTS) + 1):
            part = request.value(at, end)
            if len(part) <= _LONGEST_PART and any(map(str.isdigit, part)):
                yield from ((at, end, way) for way in ways(part, value))


def _forms(all_forms: Iterable[str]) -> tuple[str, ...]:
    """The usual forms of values; none if they have too many."""
    counts: Counter[str] = Counter()
    exact: dict[str, set[str]] = defaultdict(set)
    for form in all_forms:
        counts[loose(form)] += 1
        exact[loose(form)].add(form)
    usual = [form for form, count in counts.items() if form and count > 1]
    if not usual or len(usual) > _MOST_FORMS:
        return ()
    return tuple(sorted(f if len(exact[f]) > 1 else next(iter(exact[f])) for f in usual))


def _ruled(pair: tuple[Rule, str], column: Column) -> tuple[set[int], int]:
    """The rows that a rule fills rightly, and how many it fills wrongly."""
    rule, way = pair
    right, wrong = set(), 0
    for n, (request, value) in enumerate(zip(column.requests, column.values, strict=True)):
        part = rule.find(request)
        written = None if part is None else rewritten(part, way)
        if written == value:
            right.add(n)
        elif written is not None:
            wrong += 1
    return right, wrong


def _cover(kept: list[tuple[tuple[Rule, str], set[int]]]) -> Iterator[tuple[Rule, str]]:
    """The fewest rules that fill all rows that can be filled, the most useful first; twice, so
    that most rows have two rules that must agree."""
    for _ in range(_ROUNDS):
        left: set[int] = set().union(*(rows for _, rows in kept))
        while left:
            best = max(kept, key=lambda each: (len(each[1] & left), len(each[1])))
            yield best[0]
            left -= best[1]
            kept.remove(best)


def filled(column: Column, extract: Extract) -> float:
    """The share of a column's values that rules find."""
    values = [extract.value(request) for request in column.requests]
    right = sum(a == b for a, b in zip(values, column.values, strict=True))
    return right / len(values) if values else 0.0
