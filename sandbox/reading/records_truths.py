"""Reads columns that are true for a share of the records: `churned true with probability 0.2`."""

import re

from sandbox.reading.lexicon import plain
from sandbox.reading.records_draft import Draft
from sandbox.reading.records_pairs import BETWEEN, after_tail, pairs_from, share_at
from sandbox.reading.records_scan import Scan
from sandbox.reading.rules import NotUnderstood


def truth_at(scan: Scan, i: int) -> int:
    """Read `true with probability 0.2`, `70% true`, `yes 30% of the time`, `0/1 with a 11% chance`."""
    draft = scan.current
    value = scan.number(i)
    if draft is None or not draft.label:
        return 0
    if scan.means(i, "boolean"):
        draft.boolean = True
        return i + 1
    if scan.means(i, "binary") or (
        i < len(scan.tokens) and scan.tokens[i].fraction in ((0, 1), (1, 0))
    ):
        draft.binary = True
        return i + 1
    if scan.means(i, "truth"):
        j = i + 1
        while scan.stem(j) in BETWEEN or scan.idle(j) or scan.means(j, "probability"):
            j += 1
        share, end = share_at(scan, j)
        if share is None and scan.number(j) in (0.0, 1.0) and scan.means(j - 1, "probability"):
            share, end = scan.number(j), j + 1
        if share is None:
            return 0
        return _true(draft, share, after_tail(scan, end))
    share, j = share_at(scan, i)
    if share is None or value is None:
        return _one_in(scan, i)
    while not scan.means(j, "truth") and (scan.idle(j) or scan.means(j, "of_time", "probability")):
        j += 1
    if scan.means(j, "truth"):
        return _true(draft, share, j + 1)
    if (
        (draft.binary or draft.boolean)
        and j > i + 1
        and any(scan.means(k, "of_time", "probability") for k in range(i + 1, j))
    ):
        return _true(draft, share, j)
    return 0


# What is so or not: `approved 65%`, `smoker 20%`, `convertido 5%`.
_STATES = re.compile(
    r"(?:^|_)(?:[a-z]{3,}ed|churn|conversion|smoker|fraud|defective|active|insured|employed|bought|is_\w+|has_\w+"
    r"|fumadora?|fraude|activ[oa]|aprobad[oa]|convertid[oa]|conversi[oó]n|defectuos[oa]|suscrit[oa]|vacunad[oa]"
    r"|comprad[oa]|devuelt[oa]|asegurad[oa]|abandono)$"
)


_ALONE = re.compile(
    r"^(?:(?!red$|speed$|need$)[a-z]{3,}ed|premium|vip|smokers?|active|fraudulent|defective|returning|fumador(?:es|as?)?|fraudulent[oa]s"
    r"|defectuos[oa]s?|activ[oa]s?|aprobad[oa]s?|vacunad[oa]s?|convertid[oa]s?)$"
)


def stated(scan: Scan, i: int) -> int:
    """Read a share right after what is so or not."""
    if (
        scan.means(i, "boolean")
        and scan.means(i + 1, "column_name")
        and scan.labelable(i + 2, first=True)
    ):
        scan.next_is.add("boolean")
        return i + 1
    draft, j = scan.current, i
    if draft is None or draft.described or not _STATES.search(draft.label):
        return 0
    if not scan.mentions or scan.mentions[-1][1] != i:
        return 0
    while (
        scan.means(j, "probability") or scan.stem(j) in (":", "=", "(") or scan.low(j) in _LINKING
    ):
        j += 1
    share, end = share_at(scan, j)
    fraction = scan.tokens[j].fraction if j < len(scan.tokens) else None
    if (
        share is None
        or fraction
        or scan.labelable(end, first=True)
        or scan.means(end, "mean", "sd")
    ):
        return 0
    end = after_tail(scan, end)
    follows = scan.stem(end) in (",", ".", ";", "\n", ")") or end >= len(scan.tokens)
    if not (follows or scan.low(end) in ("and", "y", "with", "con")):
        return 0
    after = end + (scan.stem(end) in (",", ";")) + (scan.low(end) in ("and", "y"))
    if len(pairs_from(scan, after)[0]) == 1 and share_at(scan, after)[0] is not None:
        return 0  # `approved 65%, 35% rejected`
    return _true(draft, share, end)


_LINKING = frozenset("with of is a an con de for al en in".split())


_OF_THOSE = re.compile(r"of (?:those|these)|de es[oa]s|de est[oa]s|de los cuales|de las cuales")
_OF_THEM = re.compile(r"of which|of whom|of them|de ell[oa]s")


def refuse_part_of_part(scan: Scan) -> None:
    """`80% active, of those 30% premium` is a share of the active records, and not of all."""
    shares = [i for i, t in enumerate(scan.tokens) if t.unit == "%" or t.means("half")]
    for i, token in enumerate(scan.tokens):
        phrase = " ".join(plain(t.text) for t in scan.tokens[i : i + 3])
        those, them = _OF_THOSE.match(phrase), _OF_THEM.match(phrase)
        begins = any(j in shares for j in (i + 1, i + 2, i + 3))
        earlier = [j for j in shares if j < i and (begins or j < i - 2)]
        if earlier and (those or (them and begins)):
            raise NotUnderstood(f"a share `{token.text}` is understood of all records only")


def some_are(scan: Scan, i: int) -> int:
    """Read `2% are fraudulent` and `half of them women`: a column that is true for this share."""
    share, j = share_at(scan, i)
    if share is None:
        return 0
    start = j
    while scan.means(j, "of_time") or scan.low(j) in (
        "are",
        "is",
        "should",
        "be",
        "son",
        "of",
        "the",
        "de",
        "los",
    ):
        j += 1
    stated = (scan.means(i, "half") and "of" in scan.low(i)) or any(
        scan.means(k, "of_time") or scan.low(k) in ("are", "is", "son") for k in range(start, j)
    )
    end, words = scan.label_run(j)
    stops = (
        end >= len(scan.tokens)
        or scan.stem(end) in (",", ".", ";", "\n")
        or scan.low(end) in ("and", "y")
    )
    stated = stated or (len(words) == 1 and stops and _ALONE.search(words[0].lower()) is not None)
    if len(pairs_from(scan, i)[0]) > 1:
        raise NotUnderstood("the shares of the labels do not add up to 100%")
    if not stated or not words or (scan.nameless(j, end) and not scan.means(j, "entity")):
        return 0
    following = end
    if (
        scan.number(following) is not None
        or scan.stem(following) in ("%", "(")
        or scan.means(end, "normal", "mean")
    ):
        return 0
    draft = scan.mention(scan.name_at(j, end), end)
    if draft.described:
        raise NotUnderstood(f"{draft.label} is described twice")
    draft.boolean = True
    return _true(draft, share, end)


def _one_in(scan: Scan, i: int) -> int:
    """Read `1 in 12% of cases else 0`."""
    draft = scan.current
    share, j = share_at(scan, i + 2) if scan.low(i + 1) in ("in", "en") else (None, i)
    if share is None and scan.low(i + 1) in ("in", "en") and scan.low(i + 2) == "el":
        share, j = share_at(scan, i + 3)
    if draft is None or scan.number(i) != 1 or share is None:
        return 0
    j = after_tail(scan, j)
    while scan.stem(j) == "," or scan.low(j) in ("and", "y"):
        j += 1
    if not scan.means(j, "rest") or scan.number(j + 1) != 0:
        return 0
    draft.binary = True
    return _true(draft, share, j + 2)


def _true(draft: Draft, share: float, end: int) -> int:
    if draft.true_share not in (None, share):
        raise NotUnderstood(f"{draft.label} is true with two probabilities")
    draft.true_share = share
    return end
