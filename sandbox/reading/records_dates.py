"""Reads the period of a column of dates, dice and coins."""

import calendar
import re
from datetime import date

from sandbox.reading import lexicon
from sandbox.reading.records_chances import sum_of_dice
from sandbox.reading.records_scan import DATED, Scan
from sandbox.reading.rules import NotUnderstood
from sandbox.reading.tokens import MONTHS


def special(scan: Scan, i: int) -> int:
    """Read dice and coins, a period of dates."""
    return sum_of_dice(scan, i) or _die(scan, i) or _period(scan, i)


def _die(scan: Scan, i: int) -> int:
    if scan.means(i, "die", "coin"):
        if scan.current is not None and scan.current.family and not scan.current.label:
            return 0
        spanish, die = scan.language == "es", scan.means(i, "die")
        draft = scan.mention(
            ("dado" if spanish else "die") if die else scan.name_at(i, i + 1), i + 1
        )
        draft.role = "die" if die else "coin"
        if not die:
            draft.label = "moneda" if spanish else "coin_flip"
        return i + 1
    return 0


_DATED = re.compile(
    r"(?:^|_)(?:date|fecha|dia|día|timestamp|datetime|dob|birthday|login|signup|joined|hired"
    r"|created|creado|creada|creación|creacion|created_at|updated_at|registered|registration|alta|registro|acceso|ingreso_al_sistema)(?:_|$)"
)


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
