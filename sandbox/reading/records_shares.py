"""Reads columns of labels: `plan free (60%), pro (40%)`, `color chosen from red, green, blue`."""

from dataclasses import dataclass

from sandbox.reading.lexicon import IDLE
from sandbox.reading.records_scan import Draft, Scan
from sandbox.reading.rules import NotUnderstood

_LINKS = frozenset({":", "=", "(", "~", "[", "{"})
_SEPARATORS = frozenset({",", ";", "/", "\n", "&", "|"})
_AND_OR = frozenset({"and", "or", "y", "o", "e", "u"})
_BETWEEN = frozenset({"(", ":", "=", "-", "–", ")", "[", "]"})
_IN_LABEL = 4
_NEAR = 0.011  # how far shares may be from 1 together: they may be rounded


@dataclass(frozen=True, slots=True)
class _Pair:
    start: int  # of the label
    end: int
    share: float
    after: int


def shares(scan: Scan, i: int) -> int:
    """Read labels with shares; the name of the column stands before them, or is usual for them."""
    return (
        _named(scan, i) or _pairs_at(scan, i, "") or _split(scan, i, "") or _truth(scan, i)
        or _some_are(scan, i)
    )  # fmt: skip


def _named(scan: Scan, i: int) -> int:
    if not scan.labelable(i, first=True):
        return 0
    run_end, words = scan.label_run(i)
    if not words:
        return 0
    listed = scan.stem(run_end) == "(" and i != scan.counted_at and _capitals(scan, run_end + 1)
    ends = [run_end] if scan.nameless(i, run_end) else range(run_end, i, -1)
    for end in ends:
        name = "" if scan.nameless(i, end) and not listed else scan.name_at(i, end)
        j = end
        while scan.stem(j) in _LINKS or _links(scan, j):
            j += 1
        noun = scan.means(end - 1, "noun")
        linked = j > end or scan.means(j, "one_of") or noun
        if not name or (j == end and end == run_end and not scan.means(j, "one_of") and not noun):
            continue
        read = linked and (
            _split(scan, j, name) or _pairs_at(scan, j, name) or _one_of(scan, j, end, name)
        )
        if read:
            return read
    return _embedded(scan, i)


def _links(scan: Scan, j: int) -> bool:
    if j < len(scan.tokens) and len(scan.tokens[j].text) == 1 and scan.tokens[j].text.isupper():
        return False
    return (
        (scan.idle(j) and scan.low(j) not in _AND_OR and not scan.means(j, "both"))
        or (scan.means(j, "computed", "tail") and not scan.means(j, "one_of"))
    )  # fmt: skip


def _pair(scan: Scan, i: int) -> _Pair | None:
    """A label with its share, in either order."""
    share, j = _share(scan, i)
    if share is not None:
        while scan.means(j, "of_time") or scan.low(j) in _SKIPPED or scan.stem(j) in (":", "-"):
            j += 1
        end = _label_end(scan, j)
        return _Pair(j, end, share, _after_tail(scan, end)) if end > j else None
    if i < len(scan.tokens) and scan.tokens[i].text in ("the", "el", "la"):
        i += 1
    end = _label_end(scan, i)
    if end == i:
        return None
    j = end
    while scan.stem(j) in _BETWEEN or (
        (
            j < end + 4
            and scan.low(j) in _SKIPPED | {"at", "with", "con", "el", "la", "un", "para", "al"}
        )
        or scan.means(j, "probability")
    ):
        j += 1
    share, after = _share(scan, j)
    return None if share is None else _Pair(i, end, share, _after_tail(scan, after))


_SKIPPED = frozenset(
    "from live lives come comes viene vienen are is being in for of be should will would were es son sea de del a the an to that have has".split()
)


def _after_tail(scan: Scan, j: int) -> int:
    while (
        scan.stem(j) in (")", "]")
        or scan.means(j, "of_time")
        or (scan.means(j, "probability") and scan.number(j + 1) is None)
    ):
        j += 1
    return j


def _share(scan: Scan, i: int) -> tuple[float | None, int]:
    if scan.means(i, "half"):
        return 0.5, i + 1
    value = scan.number(i)
    if value is None:
        token = scan.tokens[i] if i < len(scan.tokens) else None
        if token is not None and token.fraction and token.fraction[0] < token.fraction[1]:
            return token.value, i + 1
        return None, i
    token = scan.tokens[i]
    is_share = token.unit == "%" or (0 < value < 1 and token.text[0] in "0.,")
    return (value, i + 1) if is_share and value >= 0 else (None, i)


def _label_end(scan: Scan, i: int) -> int:
    """Where a label of a list ends. Nearly every word may stand in it."""
    end = i
    while end < len(scan.tokens) and end < i + _IN_LABEL + 2:
        token = scan.tokens[end]
        if token.kind == "quoted":
            return end + 1
        if token.stem == "-" and end > i and _may_stand(scan, end + 1) and _touching(scan, end):
            end += 1
            continue
        if not _may_stand(scan, end, first=end == i):
            break
        end += 1
    return end


def _touching(scan: Scan, i: int) -> bool:
    return scan.tokens[i - 1].end == scan.tokens[i].start


def _may_stand(scan: Scan, i: int, *, first: bool = False) -> bool:
    if i >= len(scan.tokens):
        return False
    token = scan.tokens[i]
    if token.kind in ("word", "quoted"):
        return True
    if scan.low(i) in _AND_OR and not token.text.isupper():
        return False
    if token.kind == "mark":
        return token.stem == "+" and i > 0 and _touching(scan, i)
    if (
        token.kind != "concept"
        or not token.text[0].isalnum()
        or token.means("beyond", "half", "rest", "of_time", "correlation")
    ):
        return False
    if len(token.text) == 1 and token.text.isupper():
        return True
    capital = token.text[0].isupper() and scan.stem(i - 1) not in (".", "\n") and i > 0
    if first and (token.means("truth", "untruth") or token.stem == "no" or capital):
        return True
    if token.means(
        IDLE, "filler", "truth", "untruth", "equally", "one_of", "weights", "range", "mean", "sd"
    ):
        return token.text[0].isupper() and i > 0 and scan.tokens[i - 1].kind == "word"
    return not token.means(
        "probability", "at_least", "at_most", "more_than", "less_than", "computed"
    ) or (token.means("minus") and token.text.isalpha())


def _text(scan: Scan, start: int, end: int) -> str:
    first, last = scan.tokens[start], scan.tokens[end - 1]
    if end == start + 1 and first.kind == "quoted":
        return first.text
    return " ".join(scan.text[first.start : last.end].split())


def _pairs(scan: Scan, i: int) -> tuple[list[_Pair], int]:
    """Pairs until their shares add up to 1."""
    pairs: list[_Pair] = []
    at = i
    while (pair := _pair(scan, at)) is not None:
        pairs.append(pair)
        at = pair.after
        total = sum(p.share for p in pairs)
        if len(pairs) > 1 and abs(total - 1) < _NEAR:
            another = _pair(scan, _after_separator(scan, at))
            if another is None or abs(total + another.share - 1) >= abs(total - 1):
                break
        at = _after_separator(scan, at)
        if scan.means(at, "rest"):
            return _with_rest(scan, pairs, at)
    return pairs, pairs[-1].after if pairs else i


def _with_rest(scan: Scan, pairs: list[_Pair], at: int) -> tuple[list[_Pair], int]:
    j = at + 1
    while scan.low(j) in _SKIPPED or scan.stem(j) in ("(", ":"):
        j += 1
    end = _label_end(scan, j)
    left = 1 - sum(p.share for p in pairs)
    if end == j or left <= 0:
        return [], at
    return [*pairs, _Pair(j, end, left, end)], end


def _after_separator(scan: Scan, i: int) -> int:
    while scan.stem(i) in _SEPARATORS or scan.low(i) in _AND_OR or scan.stem(i) == ")":
        i += 1
    word = scan.tokens[i].text if i < len(scan.tokens) else ""
    article = word in ("el", "la", "un", "the", "a") and _share(scan, i + 1)[0] is not None
    return i + article


def _pairs_at(scan: Scan, i: int, name: str) -> int:
    pairs, end = _pairs(scan, i)
    if len(pairs) < 2 or abs(sum(p.share for p in pairs) - 1) >= _NEAR:
        if name and len(pairs) > 1:
            total = sum(p.share for p in pairs)
            raise NotUnderstood(f"the shares of {name} add up to {total:.0%} and not to 100%")
        return 0
    labels = [_text(scan, p.start, p.end) for p in pairs]
    return _put(scan, name, labels, [p.share for p in pairs], _after_tail(scan, end))


def _embedded(scan: Scan, i: int) -> int:
    """Read `plan free (60%), pro (40%)`, where the name stands before the first label."""
    pairs, end = _pairs(scan, i)
    if len(pairs) < 2 or abs(sum(p.share for p in pairs) - 1) >= _NEAR or pairs[0].start != i:
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
        _text(scan, first.start + cut, first.end),
        *(_text(scan, p.start, p.end) for p in pairs[1:]),
    ]
    name = scan.name_at(i, i + cut) if cut and not scan.nameless(i, i + cut) else ""
    return _put(scan, name, labels, [p.share for p in pairs], _after_tail(scan, end))


def _capital(scan: Scan, pair: _Pair) -> bool:
    return not scan.tokens[pair.end - 1].text.islower()


def _items(scan: Scan, i: int) -> tuple[list[str], int]:
    """Labels without shares; the list ends before a word that describes another column."""
    labels: list[str] = []
    at, end = i, i
    while True:
        stop = _label_end(scan, at)
        if stop == at or (scan.means(at, "text") and labels and scan.stem(at - 1) != "/"):
            break
        following = scan.tokens[stop] if stop < len(scan.tokens) else None
        if labels and following is not None and (
            following.means("normal", "lognormal", "uniform", "exponential", "poisson", "gamma", "range")
            or following.stem in ("~", ":", "=")
            or (scan.stem(stop) == "(" and not scan.means(stop + 1, "equally", "weights", "one_of")
            and scan.number(stop + 1) is None)
        ):  # fmt: skip
            break
        labels.append(_text(scan, at, stop))
        end = stop
        nxt = _after_separator(scan, stop)
        if nxt == stop or scan.stem(stop) in (";", "\n", ")"):
            break
        at = nxt
    return labels, end


def _one_of(scan: Scan, j: int, name_end: int, name: str) -> int:
    """Read `status chosen from a, b, c`, with weights or without."""
    cue = any(scan.means(k, "one_of") for k in range(name_end, j + 1))
    cue = cue or (scan.stem(name_end) == "(" and _capitals(scan, name_end + 1))
    bracket = any(scan.stem(k) in ("[", "{") for k in range(name_end, j + 1))
    while (
        scan.means(j, "one_of") or scan.stem(j) in _LINKS or scan.low(j) in ("from", "de", "entre")
    ):
        cue = cue or scan.means(j, "one_of")
        bracket = bracket or scan.stem(j) in ("[", "{")
        j += 1
    if scan.number(j) is not None:
        return 0
    labels, end = _items(scan, j)
    while scan.stem(end) in ("]", "}", ")") and (bracket or scan.stem(end) == ")"):
        end += 1
    weights, after = _weights(scan, end, len(labels))
    slashed = scan.stem(j + 1) in ("/", "|")
    or_ = any(scan.low(k) in ("or", "o", "u") for k in range(j, end))
    if len(labels) < 2 or not (cue or bracket or weights or slashed or or_):
        return 0
    if len(set(labels)) != len(labels):
        raise NotUnderstood(f"{name} has the same label twice")
    put = _put(scan, name, labels, weights or [1.0] * len(labels), after if weights else end)
    if not weights and scan.current is not None:
        scan.current.even = True
    return put


def _capitals(scan: Scan, i: int) -> bool:
    """Whether a bracket holds only labels in capitals, as in `(Sales, HR, IT)`."""
    labels, end = _items(scan, i)
    return len(labels) > 1 and scan.stem(end) == ")" and all(label[0].isupper() for label in labels)


def _weights(scan: Scan, i: int, count: int) -> tuple[list[float], int]:
    """Weights after labels: `with probabilities 0.2, 0.3, 0.5`, `(50/50)`, `half and half`."""
    j = i
    while scan.stem(j) in (",", "(", ":") or scan.low(j) in (
        "with",
        "con",
        "in",
        "and",
        "using",
        "at",
        "en",
    ):
        j += 1
    if scan.means(j, "equally") and not scan.means(j, "one_of"):
        return [1.0] * count, _after_tail(scan, j + 1)
    cued = scan.means(j, "weights", "probability")
    while (
        scan.means(j, "weights", "probability")
        or scan.stem(j) in ("(", "[", ":", "=")
        or (cued and scan.low(j) in ("of", "de", "respective", "are", "son"))
    ):
        j += 1
    values, end = _numbers(scan, j)
    if len(values) != count or count < 2 or min(values) < 0 or sum(values) <= 0:
        return [], i
    total = sum(values)
    if not (abs(total - 1) < _NEAR or abs(total - 100) < 1.1 or cued):
        return [], i
    if (
        cued
        and not (abs(total - 1) < _NEAR or abs(total - 100) < 1.1)
        and all(v <= 1 for v in values)
    ):
        raise NotUnderstood(f"the shares add up to {total:g} and not to 1")
    end = _after_tail(scan, end)
    return values, end + scan.means(end, "respectively")


def _numbers(scan: Scan, i: int) -> tuple[list[float], int]:
    values: list[float] = []
    while True:
        token = scan.tokens[i] if i < len(scan.tokens) else None
        if token is None or token.kind != "number":
            break
        values += list(token.fraction) if token.fraction else [token.value]
        i += 1
        j = i
        while scan.stem(j) in (",", "/", "-", ":", ";") or scan.low(j) in ("and", "y"):
            j += 1
        if j == i or (
            scan.number(j) is None and not (j < len(scan.tokens) and scan.tokens[j].fraction)
        ):
            break
        i = j
    return values, i


def _split(scan: Scan, i: int, name: str) -> int:
    """Read `50/50 male/female` and `split 70/30 between mobile and desktop`."""
    j = i
    while scan.means(j, "tail") or scan.low(j) in ("a", "in", "with"):
        j += 1
    token = scan.tokens[j] if j < len(scan.tokens) else None
    if token is None or not token.fraction:
        return 0
    values, j = _numbers(scan, j)
    if sum(values) not in (10, 99, 100):
        return 0
    while (
        scan.means(j, "tail")
        or scan.stem(j) in (",", "(", ":")
        or scan.low(j) in ("of", "between", "among", "entre")
    ):
        j += 1
    labels, end = _items(scan, j)
    if len(labels) != len(values):
        return 0
    return _put(scan, name, labels, values, end + (scan.stem(end) == ")"))


def _truth(scan: Scan, i: int) -> int:
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
        while scan.stem(j) in _BETWEEN or scan.idle(j) or scan.means(j, "probability"):
            j += 1
        share, end = _share(scan, j)
        if share is None and scan.number(j) in (0.0, 1.0) and scan.means(j - 1, "probability"):
            share, end = scan.number(j), j + 1
        if share is None:
            return 0
        return _true(draft, share, _after_tail(scan, end))
    share, j = _share(scan, i)
    if share is None or value is None:
        return _one_in(scan, i)
    while scan.idle(j) or scan.means(j, "of_time", "probability"):
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


def _some_are(scan: Scan, i: int) -> int:
    """Read `2% are fraudulent` and `half of them women`: a column that is true for this share."""
    share, j = _share(scan, i)
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
    if len(_pairs(scan, i)[0]) > 1:
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
    share, j = _share(scan, i + 2) if scan.low(i + 1) in ("in", "en") else (None, i)
    if share is None and scan.low(i + 1) in ("in", "en") and scan.low(i + 2) == "el":
        share, j = _share(scan, i + 3)
    if draft is None or scan.number(i) != 1 or share is None:
        return 0
    j = _after_tail(scan, j)
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


_USUAL_NAMES = (
    (
        "gender",
        frozenset("male female men women man woman m f hombre mujer hombres mujeres".split()),
    ),
    ("flag", frozenset({"yes", "no", "true", "false", "si", "sí"})),
    ("region", frozenset({"north", "south", "east", "west", "norte", "sur", "este", "oeste"})),
)


def _put(scan: Scan, name: str, labels: list[str], weights: list[float], end: int) -> int:
    if len(set(labels)) != len(labels):
        raise NotUnderstood(f"the label {labels[0]} stands twice in a list")
    draft = scan.current
    if not name and draft is not None and draft.label and not draft.described and not draft.counted:
        name = draft.label
    if not name:
        low = {label.lower() for label in labels}
        name = next((usual for usual, words in _USUAL_NAMES if low & words), "category")
    draft = scan.mention(name, end)
    if draft.described and draft.labels != tuple(labels):
        raise NotUnderstood(f"{name} is described twice")
    total = sum(weights)
    draft.labels = tuple(labels)
    draft.weights = tuple(round(weight / total, 12) for weight in weights)
    return end
