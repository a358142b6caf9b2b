"""Reads columns of labels: `plan free (60%), pro (40%)`, `color chosen from red, green, blue`."""

from sandbox.reading.records_lists import capitals, one_of_at, split_at
from sandbox.reading.records_pairs import (
    AND_OR,
    LINKS,
    NEAR,
    Pair,
    after_tail,
    label_text,
    pairs_from,
    put_labels,
)
from sandbox.reading.records_scan import Scan
from sandbox.reading.records_truths import some_are, stated, truth_at
from sandbox.reading.rules import NotUnderstood


def shares(scan: Scan, i: int) -> int:
    """Read labels with shares; the name of the column stands before them, or is usual for them."""
    return (
        _named(scan, i) or _pairs_at(scan, i, "") or split_at(scan, i, "") or stated(scan, i)
        or truth_at(scan, i) or some_are(scan, i)
    )  # fmt: skip


def _named(scan: Scan, i: int) -> int:
    if not scan.labelable(i, first=True):
        return 0
    run_end, words = scan.label_run(i)
    if not words:
        return 0
    if scan.stem(run_end) == ":" and scan.aside(i, run_end):
        return 0  # `for testing the till: payment cash 35%, ...`
    listed = scan.stem(run_end) == "(" and i != scan.counted_at and capitals(scan, run_end + 1)
    after = next(k for k in range(run_end, len(scan.tokens) + 1) if not scan.idle(k))
    listed = listed or (i != scan.counted_at and scan.means(after, "one_of"))
    ends = [run_end] if scan.nameless(i, run_end) else range(run_end, i, -1)
    for end in ends:
        name = "" if scan.nameless(i, end) and not listed else scan.name_at(i, end)
        j = end
        while scan.stem(j) in LINKS or _links(scan, j):
            j += 1
        noun = scan.means(end - 1, "noun")
        linked = j > end or scan.means(j, "one_of") or noun
        if not name or (j == end and end == run_end and not scan.means(j, "one_of") and not noun):
            continue
        read = linked and (
            split_at(scan, j, name) or _pairs_at(scan, j, name) or one_of_at(scan, j, end, name)
        )
        if read:
            return read
    return _embedded(scan, i)


def _links(scan: Scan, j: int) -> bool:
    if j < len(scan.tokens) and len(scan.tokens[j].text) == 1 and scan.tokens[j].text.isupper():
        return False
    return (
        (scan.idle(j) and scan.low(j) not in AND_OR and not scan.means(j, "both"))
        or (scan.means(j, "computed", "tail") and not scan.means(j, "one_of"))
    )  # fmt: skip


def _pairs_at(scan: Scan, i: int, name: str) -> int:
    pairs, end = pairs_from(scan, i)
    if len(pairs) < 2 or abs(sum(p.share for p in pairs) - 1) >= NEAR:
        if name and len(pairs) > 1:
            total = sum(p.share for p in pairs)
            raise NotUnderstood(f"the shares of {name} add up to {total:.0%} and not to 100%")
        return 0
    labels = [label_text(scan, p.start, p.end) for p in pairs]
    return put_labels(scan, name, labels, [p.share for p in pairs], after_tail(scan, end))


def _embedded(scan: Scan, i: int) -> int:
    """Read `plan free (60%), pro (40%)`, where the name stands before the first label."""
    pairs, end = pairs_from(scan, i)
    if len(pairs) < 2 or abs(sum(p.share for p in pairs) - 1) >= NEAR or pairs[0].start != i:
        return 0
    first = pairs[0]
    words = first.end - first.start
    others = [p.end - p.start for p in pairs[1:]]
    cut = 0
    if words > 1 and scan.means(i, "noun"):
        cut = 1
    elif words > max(others) or (
        words > 1 and scan.tokens[i].text.islower() and _capital(scan, first)
    ):
        lower = 0
        while lower < words - 1 and scan.tokens[i + lower].text.islower():
            lower += 1
        capitals = _capital(scan, first)
        cut = lower if capitals else min(lower, max(words - max(others), 0))
    labels = [
        label_text(scan, first.start + cut, first.end),
        *(label_text(scan, p.start, p.end) for p in pairs[1:]),
    ]
    name = scan.name_at(i, i + cut) if cut and not scan.nameless(i, i + cut) else ""
    return put_labels(scan, name, labels, [p.share for p in pairs], after_tail(scan, end))


def _capital(scan: Scan, pair: Pair) -> bool:
    return not scan.tokens[pair.end - 1].text.islower()
