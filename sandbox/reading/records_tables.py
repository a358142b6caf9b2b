"""Reads columns that follow the real world: `industry distribution matches real-world ratios`.

The labels and weights come from a shipped table, whose source the field names.
"""

from sandbox.reading.records_marks import clause_end
from sandbox.reading.records_scan import Scan
from sandbox.reading.rules import NotUnderstood
from sandbox.tables import row_tables_for, table_for

_CONJUNCTIONS = frozenset({"and", "y", "e"})


def real_world(scan: Scan, i: int) -> int:
    """Read a clause that a shipped table answers, from its first word."""
    end = clause_end(scan, i)
    if end == i or not any(scan.means(j, "real_world") for j in range(i, end)):
        return 0
    follows = scan.current is not None and bool(scan.current.labels) and scan.stem(i - 1) == ","
    country = scan.tokens[i].text == "US"
    if scan.stem(i) in "(-" or (
        scan.idle(i) and not follows and not country and not scan.means(i, "real_world")
    ):
        return 0
    listed = _among_labels(scan, i, end)
    if listed:
        return listed
    cuts = [
        j for j in range(i + 1, end)
        if scan.low(j) in _CONJUNCTIONS
        or (scan.low(j) in ("for", "para") and scan.number(j + 1) is not None)
    ]  # fmt: skip
    for stop in (end, *reversed(cuts)):
        phrase = scan.text[scan.tokens[i].start : scan.tokens[stop - 1].end]
        table = table_for(phrase)
        if table is None and row_tables_for(phrase) is not None:
            raise NotUnderstood(f"`{phrase}` depends on another column, which is not understood")
        if table is None:
            continue
        name = _name(scan, i, stop) or table.name.split(",")[0].replace(" ", "_").lower()
        draft = scan.mention(name, stop)
        if draft.described:
            raise NotUnderstood(f"{name} is described twice")
        draft.labels, draft.source = table.labels, table.source
        draft.weights = tuple(round(share, 12) for share in table.shares)
        return stop
    return 0


def _among_labels(scan: Scan, i: int, end: int) -> int:
    """Read `city only New York or Chicago, in proportion to population`: weights of listed labels."""
    draft = scan.current
    if draft is None or not draft.labels or draft.source or len(set(draft.weights)) > 1:
        return 0
    phrase = scan.text[scan.tokens[i].start : scan.tokens[end - 1].end]
    plain = "by population" if "how many people live" in phrase else phrase
    table = table_for(f"{draft.label.replace('_', ' ')} {plain}")
    if table is None:
        return 0
    weights = dict(zip(table.labels, table.weights, strict=True))
    counts = [weights.get(label, weights.get(f"{label} City")) for label in draft.labels]
    shares = [weight for weight in counts if weight is not None]
    if len(shares) < len(counts):
        missing = next(label for label, w in zip(draft.labels, counts, strict=True) if w is None)
        raise NotUnderstood(f"{missing} is not in the table {table.name}", (missing,))
    draft.weights = tuple(round(weight / sum(shares), 12) for weight in shares)
    draft.source, draft.even = table.source, False
    return end


def _name(scan: Scan, i: int, stop: int) -> str:
    """The first usual name of a column in the clause; else its first noun phrase."""
    noun = next((j for j in range(i, stop) if scan.means(j, "noun", "text")), None)
    if noun is not None:
        return scan.name_at(noun, noun + 1)
    for j in range(i, stop):
        end, words = scan.label_run(j)
        if words and not scan.nameless(j, end):
            return scan.name_at(j, min(end, stop))
    return ""
