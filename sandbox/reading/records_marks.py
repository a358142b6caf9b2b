"""Reads the parts of a request for records that are about all records, or about no number.

How many records, their order, the seed and the format; ids, dates, dice, real-world shares; labels.
"""

import calendar
import re
from datetime import date

from sandbox.reading import lexicon
from sandbox.reading.records_scan import DATED, Draft, Scan
from sandbox.reading.rules import NotUnderstood
from sandbox.reading.tokens import MONTHS

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
    order, by, j = "", "", i
    while j < len(scan.tokens):
        if scan.means(j, "ascending", "descending"):
            order = "descending" if scan.means(j, "descending") else "ascending"
        elif scan.means(j, "sorted") or (
            scan.low(j) in ("in", "en", "the", "el", "la", "orden", "from", "values", "it", "them")
            or scan.stem(j) == "("
        ):
            pass
        elif not by and (
            scan.low(j) in ("by", "por", "of", "de") or scan.low(j - 1).endswith((" by", " por"))
        ):
            start = j if scan.low(j - 1).endswith((" by", " por")) else j + 1
            end, words = scan.label_run(start)
            if not words:
                break
            by, j = scan.name_at(start, end), end
            continue
        else:
            break
        j += 1
    if scan.stem(j - 1) == "(":
        j -= 1
    if scan.order and (scan.order, scan.order_by) != (order or "ascending", by):
        raise NotUnderstood("the records are sorted in two ways")
    scan.order, scan.order_by = order or "ascending", by
    return j


def count(scan: Scan, i: int) -> int:
    """Read how many records: `1000 users`, `sample size: 400`, `n = 1500`, `600 times`."""
    if scan.means(i, "sample_size"):
        j = scan.after_glue(i + 1)
        value = scan.number(j)
        direct = " " in scan.tokens[i].text or scan.low(i - 1).endswith(" of")
        of_trials = scan.current is not None and scan.current.family == "binomial"
        fits = value is not None and (direct or j > i + 1) and not scan.tokens[j].unit
        if value is not None and fits and scan.count is None and not of_trials:
            scan.count_place = i
            return _counted(scan, value, j + 1)
    value = scan.number(i)
    if scan.means(i, "some"):
        scan.some = True
        return i + 1
    columns = next((j for j in range(i + 1, i + 4) if scan.low(j) in _COLUMNS), 0) if value else 0
    if columns and all(scan.idle(j) or scan.means(j, "correlation") for j in range(i + 1, columns)):
        scan.columns = int(value or 0)
        return i + 1
    if value is not None and scan.low(i - 1) in ("column", "columna") and scan.stem(i + 1) == ":":
        return i + 2
    if value is None or scan.tokens[i].unit or (scan.count is not None and scan.count != value):
        return 0
    again = scan.count is not None
    spell = scan.means(i + 1, "days", "weeks", "months", "hours") and scan.low(i + 2) in (
        "of",
        "de",
    )
    follows = (
        spell
        or scan.means(i + 1, "entity", "record", "times_over")
        or scan.low(i + 1) in ("of", "de")
    )
    loose = not again and (
        scan.labelable(i + 1, first=True)
        or scan.means(i - 1, "make")
        or scan.means(
            i + 1, "normal", "lognormal", "uniform", "exponential", "poisson", "binomial", "mixture"
        )
        or scan.means(
            i + 1, "beta", "gamma", "pareto", "weibull", "standard_normal", "bernoulli", "die"
        )
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
        end += 2 if spell else 1
    scan.pairs = scan.pairs or any(scan.low(j) in _PAIRS for j in range(end, end + 5))
    if not again:
        scan.counted_at, scan.count_place = end, i
    return _counted(scan, value, end)


_PAIRS = frozenset("pair pairs triple triples tuples par pares ternas".split())
_COLUMNS = frozenset("columns variables fields columnas campos features attributes".split())


def _counted(scan: Scan, value: float, end: int) -> int:
    if value != int(value) or not 1 <= value <= _MOST:
        raise NotUnderstood(f"{value:g} records: ask for a whole number up to {_MOST}")
    scan.count = value
    return end


# -- ids, dates, dice --------------------------------------------------------------------------


def special(scan: Scan, i: int) -> int:
    """Read dice and coins, a period of dates, the form of an id."""
    return _die(scan, i) or _period(scan, i) or _id(scan, i)


def _die(scan: Scan, i: int) -> int:
    if scan.means(i, "die", "coin"):
        if scan.current is not None and scan.current.family and not scan.current.label:
            return 0
        draft = scan.mention(scan.name_at(i, i + 1) if scan.means(i, "coin") else "die", i + 1)
        draft.role = "die" if scan.means(i, "die") else "coin"
        if scan.means(i, "coin"):
            draft.label = "coin_flip"
        return i + 1
    return 0


_DATED = re.compile(r"(?:^|_)(?:date|fecha|dia|día|timestamp|datetime|dob|birthday)(?:_|$)")


def _period(scan: Scan, i: int) -> int:
    draft = scan.current
    if scan.means(i, "dated") and scan.low(i) not in DATED:
        return 0
    if scan.means(i, "iso") and draft is not None:
        return i + 1
    j = i
    while scan.means(j, "range", "dated") or (j > i and scan.idle(j)) or scan.low(j) in _DURING:
        j += 1
    days = span(scan, j)
    if days is None:
        return 0
    first, last, end = days
    named = draft is not None and bool(_DATED.search(draft.label))
    cue = any(scan.means(k, "dated") for k in range(i, j))
    certain = scan.tokens[j].kind == "date"
    if not (
        named or cue or (certain and draft is not None and draft.label and not draft.described)
    ):
        return 0
    if draft is None or not (named or certain) or draft.counted:
        draft = scan.mention("fecha" if scan.language == "es" else "date", end)
    if draft.dates not in (None, (first, last)) or first > last:
        raise NotUnderstood(
            f"{draft.label or 'the date'} has two periods, or one that ends before it begins"
        )
    draft.dates = first, last
    return end


_DURING = frozenset(
    "in during within of over throughout all en durante del de la el the year ano todo".split()
)
_QUARTERS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4, "q1": 1, "q2": 2, "q3": 3, "q4": 4,
    "primer": 1, "segundo": 2, "tercer": 3, "cuarto": 4, "ultimo": 4, "1st": 1, "2nd": 2, "3rd": 3,
}  # fmt: skip


def span(scan: Scan, i: int) -> tuple[date, date, int] | None:
    single = _days(scan, i)
    if single is None:
        return None
    first, last, end = single
    if scan.low(end) in ("and", "to", "-", "through", "until", "till", "y", "a", "al", "hasta"):
        other = _days(scan, end + 1)
        if other is not None:
            return first, other[1], other[2]
    elif first == last:
        return None  # one day is no period
    return first, last, end


def _days(scan: Scan, i: int) -> tuple[date, date, int] | None:
    """The first and the last day of a day, month, quarter or year."""
    while scan.low(i) in ("the", "el", "year", "ano", "del"):
        i += 1
    if i >= len(scan.tokens):
        return None
    token = scan.tokens[i]
    if token.kind == "date" and token.date is not None:
        if token.unclear:
            raise NotUnderstood(token.unclear)
        return token.date, token.date, i + 1
    year = _year(scan, i)
    if year:
        return date(year, 1, 1), date(year, 12, 31), i + 1
    month = MONTHS.get(lexicon.plain(token.text))
    quarter = _QUARTERS.get(lexicon.plain(token.text))
    j = i + 1
    if quarter and (scan.low(j) in ("quarter", "trimestre") or scan.low(i).startswith("q")):
        j += scan.low(j) in ("quarter", "trimestre")
    elif not month:
        return None
    while scan.low(j) in ("of", "de", "del", ","):
        j += 1
    year = _year(scan, j)
    if not year:
        return None
    begins, ends = (month, month) if month else (3 * (quarter or 1) - 2, 3 * (quarter or 1))
    return date(year, begins, 1), date(year, ends, calendar.monthrange(year, ends)[1]), j + 1


def _year(scan: Scan, i: int) -> int:
    value = scan.number(i)
    plain = (
        value is not None and 1900 <= value <= 2100 and re.fullmatch(r"\d{4}", scan.tokens[i].text)
    )
    return int(value) if plain and value is not None else 0


def _id(scan: Scan, i: int) -> int:
    draft = scan.current
    if draft is None or draft.role != "id":
        return 0
    if scan.means(i, "id_starts"):
        j = scan.after_glue(i + 1)
        value = scan.number(j)
        if value is not None and value == int(value) and value >= 0 and draft.first is None:
            draft.first = int(value)
            return j + 1
    if not scan.means(i, "like", "id_starts"):
        return 0
    j = i + 1
    while scan.stem(j) == ":" or scan.low(j) in ("with", "con", "at"):
        j += 1
    rest = scan.text[scan.tokens[j].start :] if j < len(scan.tokens) else ""
    form = re.match(r"[\"'`]?([A-Za-z]{1,12}[-_#]?)?(\d{1,9})[\"'`]?(?![\w-])", rest)
    if form is None or draft.prefix:
        return 0
    draft.prefix, draft.first = form[1] or "", int(form[2])
    draft.digits = len(form[2]) if form[1] else None
    end = scan.tokens[j].start + form.end()
    return next(
        (k for k in range(j, len(scan.tokens)) if scan.tokens[k].start >= end), len(scan.tokens)
    )


# -- labels ------------------------------------------------------------------------------------


def label(scan: Scan, i: int) -> int:
    """Read the label of a column, or words that only name the records."""
    end, words = scan.label_run(i)
    if not words:
        return 0
    naming = i == scan.naming_at
    scan.naming_at = -1
    counted = i == scan.counted_at
    if counted and scan.means(end - 1, "entity", "owner"):
        scan.counted_at = -1
        return end
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
        return _after_unit(scan, end)
    if counted and scan.means(end - 1, "wanted_words"):
        raise NotUnderstood(f"{' '.join(words)} are words, not figures", tuple(words))
    draft = scan.mention(name, end)
    draft.place = i if draft.place < 0 else draft.place
    draft.counted = counted and not draft.described
    _role(scan, draft, i, end)
    return _after_unit(scan, end)


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
    elif scan.means(end - 1, "text") or (scan.means(i, "text") and scan.language == "es"):
        draft.role = "text"


def _after_unit(scan: Scan, i: int) -> int:
    """The place after the unit of a label: `heights in cm`, `weight (kg)`."""
    if scan.stem(i) == "(" and scan.means(i + 1, "unit", "in_unit") and scan.stem(i + 2) == ")":
        return i + 3
    return scan.after_unit(i) if scan.means(i, "in_unit") else i


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
