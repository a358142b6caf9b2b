"""Reads labels with their shares: `free (60%), pro (40%)`, `60% are male and 40% are female`."""

from collections.abc import Set
from dataclasses import dataclass

from sandbox.reading.lexicon import IDLE
from sandbox.reading.records_scan import Scan
from sandbox.reading.rules import NotUnderstood

_SEPARATORS = frozenset({",", ";", "/", "\n", "&", "|"})


LINKS = frozenset({":", "=", "(", "~", "[", "{"})
AND_OR = frozenset({"and", "or", "y", "o", "e", "u"})


BETWEEN = frozenset({"(", ":", "=", "-", "–", ")", "[", "]"})


_IN_LABEL = 4


NEAR = 0.011  # how far shares may be from 1 together: they may be rounded


@dataclass(frozen=True, slots=True)
class Pair:
    start: int  # of the label
    end: int
    share: float
    after: int


def pair_at(scan: Scan, i: int) -> Pair | None:
    """A label with its share, in either order."""
    share, j = share_at(scan, i)
    if share is not None:
        while scan.means(j, "of_time") or _small(scan, j) or scan.stem(j) in (":", "-"):
            j += 1
        end = _number_label_end(scan, j) or label_end(scan, j)
        return Pair(j, end, share, after_tail(scan, end)) if end > j else None
    if i < len(scan.tokens) and scan.tokens[i].text in ("the", "el", "la"):
        i += 1
    end = label_end(scan, i)
    if end == i:
        return None
    j = end
    while scan.stem(j) in BETWEEN or (
        (j < end + 4 and _small(scan, j, {"at", "with", "con", "el", "la", "un", "para", "al"}))
        or scan.means(j, "probability")
    ):
        j += 1
    share, after = share_at(scan, j)
    return None if share is None else Pair(i, end, share, after_tail(scan, after))


_ONE = frozenset({"una", "uno", "de una", "de uno"})


def _number_label_end(scan: Scan, j: int) -> int:
    """The place after a number that is a label, as in `25% four stars`; 0 if there is none."""
    value = 1.0 if scan.low(j) in _ONE else scan.number(j)
    if value is None or value != int(value) or scan.tokens[j].unit or not 0 <= value <= 100:
        return 0
    stops = (",", ".", ";", ")", "\n")
    ends = [
        end
        for end in (j + 1, j + 2)
        if end >= len(scan.tokens) or scan.stem(end) in stops or scan.low(end) in AND_OR
    ]
    noun = bool(ends) and ends[0] == j + 2 and not scan.means(j + 1, "unit", "of_time")
    return (
        ends[0]
        if ends and (ends[0] == j + 1 or noun or scan.low(j + 1) in ("stars", "estrellas"))
        else 0
    )


def _small(scan: Scan, j: int, more: Set[str] = frozenset()) -> bool:
    """Whether a word only links; neither `"A"` nor `A` does, which are labels."""
    if j < len(scan.tokens) and (scan.tokens[j].kind == "quoted" or scan.tokens[j].text == "A"):
        return False
    return scan.low(j) in _SKIPPED or scan.low(j) in more


_SKIPPED = frozenset(
    "from live lives come comes viene vienen are is being in for of be should will would were es son sea de del a the an to that have has".split()
)


def after_tail(scan: Scan, j: int) -> int:
    while (
        scan.stem(j) in (")", "]")
        or scan.means(j, "of_time")
        or (scan.means(j, "probability") and scan.number(j + 1) is None)
    ):
        j += 1
    return j


def share_at(scan: Scan, i: int) -> tuple[float | None, int]:
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


def label_end(scan: Scan, i: int) -> int:
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


_FIGURES = (
    "alpha", "b", "shape", "scale", "rate", "mu", "sigma", "median", "variance", "r", "r2", "trials",
)  # fmt: skip


_WEIGHTED = frozenset(
    "weighted proportional proportionally ponderado ponderados ponderadas".split()
)


def _small_label(scan: Scan, i: int) -> bool:
    """Whether a small word is a label: `alta 20%, media 50%`, `card 60%, vale 5%`, `sur, este`."""
    share = share_at(scan, i + 1)[0] is not None
    if scan.low(i) in ("media", "medio", "single", "double", "doble", "triple") and share:
        return True
    if scan.stem(i - 1) != ",":
        return False
    return scan.low(i) == "este" or (
        share and scan.tokens[i].means(IDLE, "filler", "plus") and len(scan.tokens[i].text) > 3
    )


def _may_stand(scan: Scan, i: int, *, first: bool = False) -> bool:
    if i >= len(scan.tokens):
        return False
    token = scan.tokens[i]
    if token.kind in ("word", "quoted") or (first and _small_label(scan, i)):
        return True
    if scan.low(i) in AND_OR and not token.text.isupper():
        return False
    if token.kind == "mark":
        return token.stem == "+" and i > 0 and _touching(scan, i)
    if (
        token.kind != "concept"
        or not token.text[0].isalnum()
        or token.means("beyond", "half", "rest", "of_time", "correlation", "real_world")
        or scan.low(i) in _WEIGHTED
    ):
        return False
    if len(token.text) == 1 and token.text.isupper():
        return True
    if token.text.islower() and token.means(*_FIGURES):
        return False  # `alpha 0.5, beta 0.5` are parameters, and `Alpha 50%, Beta 50%` are labels
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


def label_text(scan: Scan, start: int, end: int) -> str:
    first, last = scan.tokens[start], scan.tokens[end - 1]
    if end == start + 1 and first.text.lower() in _ONE:
        return "1"
    if first.kind == "number":
        return f"{first.value:g}"
    if end == start + 1 and first.kind == "quoted":
        return first.text
    return " ".join(scan.text[first.start : last.end].split())


def pairs_from(scan: Scan, i: int) -> tuple[list[Pair], int]:
    """Pairs until their shares add up to 1."""
    pairs: list[Pair] = []
    at = i
    if scan.any_share is None:
        scan.any_share = any(share_at(scan, j)[0] is not None for j in range(len(scan.tokens)))
    if not scan.any_share:
        return pairs, i
    while (pair := pair_at(scan, at)) is not None:
        pairs.append(pair)
        at = pair.after
        total = sum(p.share for p in pairs)
        if len(pairs) > 1 and abs(total - 1) < NEAR:
            another = pair_at(scan, after_separator(scan, at))
            if another is None or abs(total + another.share - 1) >= abs(total - 1):
                break
        at = after_separator(scan, at)
        if scan.means(at, "rest"):
            return _with_rest(scan, pairs, at)
    return pairs, pairs[-1].after if pairs else i


def _with_rest(scan: Scan, pairs: list[Pair], at: int) -> tuple[list[Pair], int]:
    j = at + 1
    while _small(scan, j) or scan.stem(j) in ("(", ":"):
        j += 1
    end = label_end(scan, j)
    left = 1 - sum(p.share for p in pairs)
    if end == j or left <= 0:
        return [], at
    return [*pairs, Pair(j, end, left, end)], end


def _one_capital(scan: Scan, i: int) -> bool:
    """Whether a word is a label such as `E` in `N, S, E, W`."""
    return len(scan.tokens[i].text) == 1 and scan.tokens[i].text.isupper()


def after_separator(scan: Scan, i: int) -> int:
    while (
        scan.stem(i) in _SEPARATORS
        or (scan.low(i) in AND_OR and not _one_capital(scan, i))
        or scan.stem(i) == ")"
    ):
        i += 1
    word = scan.tokens[i].text if i < len(scan.tokens) else ""
    article = word in ("el", "la", "un", "the", "a") and share_at(scan, i + 1)[0] is not None
    return i + article


_USUAL_NAMES = (
    (
        "gender",
        frozenset("male female men women man woman m f".split()),
    ),
    ("género", frozenset("hombre mujer hombres mujeres masculino femenino".split())),
    ("flag", frozenset({"yes", "no", "true", "false", "si", "sí"})),
    ("region", frozenset({"north", "south", "east", "west"})),
    ("región", frozenset({"norte", "sur", "este", "oeste"})),
)


def put_labels(scan: Scan, name: str, labels: list[str], weights: list[float], end: int) -> int:
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
