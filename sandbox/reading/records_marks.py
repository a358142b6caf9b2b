"""Reads the parts of a request for records that are about all records, or about no number.

How many records, their order, the seed and the format; ids, dates, dice, real-world shares; labels.
"""

import re

from sandbox.reading.lexicon import plain
from sandbox.reading.records_draft import Draft
from sandbox.reading.records_scan import Scan
from sandbox.reading.records_usual import usual_of
from sandbox.reading.records_values import FAMILIES
from sandbox.reading.rules import NotUnderstood

_MOST = 1_000_000
_ENDS = frozenset({",", ";", ".", "\n", "?", "!"})


def whole(scan: Scan, i: int) -> int:
    """Read the seed, the format, the order."""
    if scan.means(i, "seed"):
        j = scan.after_glue(i + 1)
        value = scan.number(j)
        if value is not None and value == int(value) and value >= 0:
            scan.seed = int(value)
            return j + 1
        return i + 1 if scan.stem(i + 1) in (",", ":") else 0
    if scan.means(i, "csv", "json"):
        scan.csv = scan.csv or scan.means(i, "csv")
        return i + 1
    if scan.means(i, "sorted", "ascending", "descending"):
        return _order(scan, i)
    return 0


def _order(scan: Scan, i: int) -> int:
    order, by, words, j = "", "", "", i
    while j < len(scan.tokens):
        if scan.means(j, "ascending", "descending"):
            order = "descending" if scan.means(j, "descending") else "ascending"
            words = scan.low(j)
        elif scan.means(j, "sorted") or (
            scan.low(j) in ("in", "en", "the", "el", "la", "orden", "from", "values", "it", "them")
            or scan.stem(j) == "("
        ):
            pass
        elif not by and (
            scan.low(j) in ("by", "por", "of", "de") or scan.low(j - 1).endswith((" by", " por"))
        ):
            start = j if scan.low(j - 1).endswith((" by", " por")) else j + 1
            end, named = scan.label_run(start)
            if not named:
                break
            by, j = scan.name_at(start, end), end
            continue
        else:
            break
        j += 1
    if scan.stem(j - 1) == "(":
        j -= 1
    if by and scan.low(j) in ("and", "y", "then", ",") and _only_a_label(scan, j + 1):
        raise NotUnderstood("only one column to sort by is understood", (scan.tokens[j + 1].text,))
    if scan.order and (scan.order, scan.order_by) != (order or "ascending", by):
        raise NotUnderstood("the records are sorted in two ways")
    scan.order, scan.order_by = order or "ascending", by
    scan.order_words = plain(words) or scan.order_words
    return j


def _only_a_label(scan: Scan, i: int) -> bool:
    """Whether the name of a column stands alone at a place."""
    while scan.low(i) in ("then", "by", "por", "luego"):
        i += 1
    end, words = scan.label_run(i)
    named = bool(words) and scan.named(scan.name_at(i, end)) is not None
    return named and (end >= len(scan.tokens) or scan.stem(end) in (".", ",", ";", "\n"))


def count(scan: Scan, i: int) -> int:
    """Read how many records: `1000 users`, `sample size: 400`, `n = 1500`, `600 times`."""
    if scan.means(i, "sample_size"):
        j = scan.after_glue(i + 1)
        value = scan.number(j)
        apart = i == 0 or scan.stem(i - 1) in (",", ";", "\n")
        direct = (
            " " in scan.tokens[i].text
            or (apart and scan.low(i) == "n")
            or scan.low(i - 1).endswith(" of")
        )
        of_trials = scan.current is not None and scan.current.family == "binomial"
        fits = value is not None and (direct or j > i + 1) and not scan.tokens[j].unit
        if value is not None and fits and scan.count is None and not of_trials:
            scan.count_place = i
            return _counted(scan, value, j + 1)
    value = scan.number(i)
    if scan.means(i, "some"):
        scan.some = True
        return i + 1
    columns = next((j for j in range(i + 1, i + 6) if scan.low(j) in _COLUMNS), 0) if value else 0
    if columns and all(
        scan.idle(j) or scan.means(j, "correlation", "integer", *FAMILIES)
        for j in range(i + 1, columns)
    ):
        scan.columns = int(value or 0)
        return i + 1
    if value is not None and scan.low(i - 1) in ("column", "columna") and scan.stem(i + 1) == ":":
        return i + 2
    if value is None or scan.tokens[i].unit or (scan.count is not None and scan.count != value):
        return 0
    again = scan.count is not None
    spell = scan.means(i + 1, "days", "weeks", "months", "hours") and (
        scan.low(i + 2) in ("of", "de")
        or (scan.low(i - 1) in _THROUGHOUT and not again and scan.current is not None)
    )
    follows = (
        spell
        or scan.means(i + 1, "entity", "record", "times_over")
        or scan.means(i + 1, "enough")
        or scan.low(i + 1) in ("of", "de", "of them")
    )
    loose = not again and (
        scan.labelable(i + 1, first=True)
        or scan.means(i - 1, "make")
        or scan.means(i + 1, "die", *FAMILIES)
        or scan.means(
            i + 1,
            "integer",
            "unique",
            "filler",
            "coin",
            "nonnegative",
            "strongly",
            "generate",
            "even",
            "multiples",
        )
        or scan.means(i + 1, "make", "odd", "boolean", "id", "text", "float")
        or (scan.stem(i - 1) == ":" and i + 1 == len(scan.tokens))
        or scan.low(i - 1).endswith(" of")
        or (scan.low(i - 1) in ("of", "de") and scan.means(i - 2, "record"))
    )
    if not (follows or loose):
        return 0
    end = i + 1
    if scan.stem(end) == "-" and scan.means(end + 1, "record", "entity"):
        end += 1
    if scan.means(end, "times_over") or spell:
        end += 2 if spell and scan.low(end + 1) in ("of", "de") else 1
    value *= _steps_in(scan, i + 1)
    scan.pairs = scan.pairs or any(scan.low(j) in _PAIRS for j in range(end, end + 5))
    if not again:
        _forget_the_scene(scan, i)
        scan.counted_at, scan.count_place = end, i
    return _counted(scan, value, end)


def _forget_the_scene(scan: Scan, i: int) -> None:
    """A label of an earlier sentence is not described: `We sell ice cream. Generate 90 days of ...`."""
    if scan.current is not None and not scan.current.described:
        apart = range(max(scan.current.place, 0), i)
        if any(scan.stem(j) in (".", "!", "?", "\n") for j in apart):
            scan.current = None


_SPANS = ("hours", "days", "weeks", "months", "years")
_STEPS_IN = {
    ("hour_step", "days"): 24, ("hour_step", "weeks"): 168, ("day_step", "weeks"): 7,
    ("month_step", "years"): 12, ("week_step", "years"): 52,
}  # fmt: skip


def _steps_in(scan: Scan, i: int) -> int:
    """How many records a day or a year holds, if the figures are hourly or monthly."""
    span = next((span for span in _SPANS if scan.means(i, span)), "")
    steps = {f"{name}_step" for name in ("hour", "day", "week", "month")}
    stated = {step for step in steps if any(token.means(step) for token in scan.tokens)}
    if not span or not stated or f"{span[:-1]}_step" in stated:
        return 1
    if len(stated) > 1 or (next(iter(stated)), span) not in _STEPS_IN:
        raise NotUnderstood(f"it is not clear how many records {scan.tokens[i].text} hold")
    return _STEPS_IN[next(iter(stated)), span]


_THROUGHOUT = frozenset({"for", "over", "during", "durante"})
_PAIRS = frozenset("pair pairs triple triples tuples par pares ternas".split())
_COLUMNS = frozenset(
    "column columna columns variables fields columnas campos features attributes".split()
)


def _counted(scan: Scan, value: float, end: int) -> int:
    if value != int(value) or not 1 <= value <= _MOST:
        raise NotUnderstood(f"{value:g} records: ask for a whole number up to {_MOST}")
    scan.count = value
    return end


# -- ids, dates, dice --------------------------------------------------------------------------


# -- labels ------------------------------------------------------------------------------------


def label(scan: Scan, i: int) -> int:
    """Read the label of a column, or words that only name the records."""
    end, words = _words_at(scan, i)
    if not words:
        return 0
    naming = i == scan.naming_at
    scan.naming_at = -1
    counted = i == scan.counted_at
    if scan.low(i - 1) in ("for", "para"):
        _refuse_a_group(scan, i)
    if counted and scan.means(end - 1, "entity", "owner"):
        scan.counted_at = -1
        return _after_kind(scan, end)
    if scan.nameless(i, end) and (counted or not _described_next(scan, end)):
        scan.some = scan.some or any(scan.means(j, "entity", "owner") for j in range(i, end))
        if scan.means(end, "filler") or counted:
            scan.counted_at = -1
        return end
    if scan.aside(i, end):
        return end
    if scan.means(end, "wants") or (scan.idle(end) and scan.means(end + 1, "wants")):
        return end + 1  # whoever wants the records
    name = scan.name_at(i, end)
    if naming and scan.current is not None and not scan.current.label:
        scan.mentions.append((name, end))
        scan.current.label = name
        _role(scan, scan.current, i, end)
        return _after_unit(scan, end)
    if counted and scan.means(end - 1, "wanted_words"):
        scan.words = tuple(words)
    draft = scan.mention(name, end)
    draft.place = i if draft.place < 0 else draft.place
    draft.unique = draft.unique or "unique" in scan.next_is
    draft.low = 0.0 if "nonnegative" in scan.next_is else draft.low
    draft.decimals = 0 if "integer" in scan.next_is else draft.decimals
    draft.boolean = draft.boolean or "boolean" in scan.next_is
    lengths = [int(word.split()[1]) for word in scan.next_is if word.endswith("digits")]
    if lengths:
        draft.first, draft.digits = 10 ** (lengths[0] - 1), lengths[0]
    scan.next_is = set()
    draft.counted = counted and not draft.described
    draft.called = draft.called or _is_called(scan, i)
    _role(scan, draft, i, end)
    return _after_unit(scan, end)


def _is_called(scan: Scan, i: int) -> bool:
    """Whether a label is given as a name: `column wait`, `(column: wait)`, `call it wait`."""
    while scan.stem(i - 1) in (":", "=") or scan.low(i - 1) in (
        "is",
        "es",
        "it",
        "called",
        "named",
    ):
        i -= 1
    return scan.means(i - 1, "column_name")


def _words_at(scan: Scan, i: int) -> tuple[int, list[str]]:
    """The label at a place; a unit alone is one in `400 teenagers - hours, normal, ...`."""
    end, words = scan.label_run(i)
    apart = scan.stem(i - 1) in (":", "-") and scan.stem(i + 1) == "," and scan.count is not None
    if not words and apart and scan.means(i, "unit") and scan.tokens[i].text.isalpha():
        return i + 1, [scan.tokens[i].text]
    return end, words


def _after_kind(scan: Scan, i: int) -> int:
    """The place after what says which people or things they are: `socios de gimnasio con ...`."""
    if scan.low(i) not in ("de", "del", "of", "at", "from", "in", "para", "en"):
        return i
    end, words = scan.label_run(
        i + 1 + (scan.low(i + 1) in ("a", "an", "the", "un", "una", "la", "el"))
    )
    ends = end >= len(scan.tokens) or scan.stem(end) in (",", ".", ":", ";", "\n")
    plain = len(words) in (1, 2) and usual_of(scan.name_at(end - len(words), end)) is None
    described = any(scan.means(j, "noun", "text", "id", "dated", "period") for j in range(i, end))
    links = scan.low(end) in ("con", "with", "donde", "where", "cuya", "cuyo", "whose", "que")
    return end if plain and not described and (ends or links) else i


_GROUPS = frozenset(
    "women men woman man boys girls males females seniors teenagers mujeres hombres ninos ninas mayores".split()
)


def _refuse_a_group(scan: Scan, i: int) -> None:
    """Refuse `mean 35 and sd 12 for women`, which says nothing of the others."""
    described = scan.current is not None and bool(scan.current.numbers or scan.current.arguments)
    if described and scan.low(i) in _GROUPS:
        text = scan.tokens[i].text
        raise NotUnderstood(f"what holds only for {text} is not understood", (text,))


_TEXTS = re.compile(
    r"(?:^|_)(?:(?:first|last|full|user|company|product)_name|email|nombre_completo|apellidos?|correo)$"
)


def _role(scan: Scan, draft: Draft, i: int, end: int) -> None:
    """Whether a label alone says that a column holds ids, or texts that no program can write."""
    if any(scan.means(j, "id") for j in range(i, end)) or re.search(
        r"(?:^|_)id(?:_|$)", draft.label
    ):
        draft.role = "id"
        if scan.low(i - 1) in ("random", "aleatorio", "aleatorios", "aleatoria"):
            raise NotUnderstood(
                "random ids are not understood, only ids that count up", ("random",)
            )
        if any(scan.low(j).startswith("uuid") for j in range(i, end)):
            draft.prefix, draft.label = "uuid", "id"
    elif (
        _TEXTS.search(draft.label)
        or scan.means(end - 1, "text")
        or (scan.means(i, "text") and scan.language == "es")
    ):
        draft.role = "text"


def _after_unit(scan: Scan, i: int) -> int:
    """The place after the unit of a label: `heights in cm`, `weight (kg)`."""
    if scan.stem(i) == "(" and scan.means(i + 1, "unit", "in_unit") and scan.stem(i + 2) == ")":
        return i + 3
    if scan.low(i) in ("in", "en") and scan.means(i + 1, "unit") and scan.number(i + 2) is None:
        return scan.after_unit(i + 1)
    per = scan.means(i, "unit") and scan.low(i).startswith(("per ", "por ", "a ", "al "))
    return scan.after_unit(i) if per or scan.means(i, "in_unit") else i


def _described_next(scan: Scan, i: int) -> bool:
    """Whether a column's description follows, as in `children ~ Poisson(2)`."""
    j = i
    while scan.low(j) in ("are", "is", "that", "should", "be", "must"):
        j += 1
    if scan.stem(i) == "~" or scan.means(j, "correlation", "strongly", "negatively"):
        return True
    return scan.means(
        i, "normal", "lognormal", "poisson", "exponential", "uniform", "binomial"
    ) and (scan.low(i - 1) not in ("with",))


def new_date(scan: Scan) -> Draft:
    return scan.mention("date", -1)


def clause_end(scan: Scan, i: int) -> int:
    """Where the clause ends in which a place is."""
    j = i
    while j < len(scan.tokens):
        token = scan.tokens[j]
        spaced = token.stem == "-" and not scan.hyphen(j) and scan.number(j + 1) is None
        if token.stem in _ENDS or spaced:
            break
        j += 1
    return j
