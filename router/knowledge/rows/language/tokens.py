"""Cuts a question into words, numbers and dates. Pure."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from router.knowledge.rows.language.words import Language
from router.knowledge.rows.schema import Unclear
from router.request.plain import folded
from sandbox.reading.amounts import WORDS, decimal_mark, figure
from sandbox.reading.tokens import MONTHS

_PIECE = re.compile(
    r"(?P<iso>\d{4}-\d{1,2}-\d{1,2})(?!\d)|(?P<slashed>\d{1,2}[/.\-]\d{1,2}[/.\-]\d{4})(?!\d)"
    r"|(?P<yearmonth>(?:19|20)\d\d-(?:0[1-9]|1[0-2]))(?![\d-])|(?P<quarter>[QqTt][1-4])(?!\w)"
    r"|(?:(?P<sign>[$€£])\s?)?(?P<number>(?<![\w])\d[\d.,]*\d|(?<!\w)\d)(?P<after>\s?[€$£%]|[kK](?!\w)|[mM](?!\w)|\s(?:million|millones)(?!\w)|(?:st|nd|rd|th|º|ª)(?!\w))?"
    r"|(?P<digits>\d[\d.,]*\d|\d)"
    r"|(?P<word>[^\W\d_]+(?:['\u2019][^\W\d_]+)*)|(?P<mark>>=|<=|[<>=%&,()\"“”«»])"
)
_PLUS = re.compile(r"(?<=\d)\+(?!\w)")  # `800+ pages`
_SLASH = re.compile(r"(?<=[^\W\d_])/(?=[^\W\d_])")  # `books/genre`
_RANGE = re.compile(r"(?<![\w.,/-])(\d{1,6})[-\u2013](\d{1,6})(?![\w/-])")  # `300-400 pages`
_SQUARE = re.compile(r" (?:square met(?:re|er)s?|sq\.? ?m|metros cuadrados)(?!\w)", re.IGNORECASE)
# `the 90s`, `1990s`, `los años 90`; `their 60s` are ages
_DECADE = re.compile(
    r"\b(?:the ((?:19|20)?[5-9]0)s|((?:19|20)\d0)s|(?:los )?años ((?:19)?[5-9]0))\b"
)
_QUARTERS = {
    **{"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4, "1st": 1, "2nd": 2},
    **{"primer": 1, "segundo": 2, "tercer": 3, "cuarto": 4},
}
_NOT_ALONE = frozenset(("set", "mar", "sep", "dec", "jan", "may", "ene", "ago"))


@dataclass(frozen=True, slots=True)
class Days:
    """A span of days, `last` included; without a year, a month or quarter of any year."""

    first: dt.date | None = None
    last: dt.date | None = None
    months: tuple[int, int] = (0, 0)  # of any year
    words: str = ""

    @property
    def whole_year(self) -> bool:
        return (
            self.first is not None
            and (self.first.month, self.first.day) == (1, 1)
            and self.last == dt.date(self.first.year, 12, 31)
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, number, date or mark of a question."""

    text: str
    word: str  # in small letters, without accents
    start: int
    number: float | None = None
    unit: str = ""
    days: Days | None = None
    capital: bool = False


def ranges_in(question: str) -> list[tuple[str, ...]]:
    """The ends of what may be ranges; `18-25` may be a value too."""
    return [match.groups() for match in _RANGE.finditer(question)]


def cut(question: str, language: Language, year: int = 0, *, ranges: bool = True) -> list[Piece]:
    """The pieces of a question, with dates of several words joined.

    `year`: the only one that the rows have days of, which a day without a year is in.
    """
    question = question.replace("\u2019", "'").replace("_", " ")
    question = _PLUS.sub(" o más" if language == "es" else " or more", question)
    question = _SLASH.sub(" por cada " if language == "es" else " per ", question)
    question = _SQUARE.sub(" m2", question)
    question = _DECADE.sub(_decade_es if language == "es" else _decade, question)
    if ranges:
        question = _RANGE.sub(_ranged_es if language == "es" else _ranged, question)
    mark = decimal_mark(question, spanish=language == "es")
    raw: list[Piece] = []
    for match in _PIECE.finditer(question):
        raw.append(_piece(match, language, mark))
    return _with_dates(_ones(raw), year)


def _ranged(match: re.Match[str]) -> str:
    """The two ends of a range, unless its first is a year and its last a month."""
    low, high = int(match[1]), int(match[2])
    return f"{low} to {high}" if low < high else match[0]


def _decade(match: re.Match[str]) -> str:
    """The years of a decade, as a range."""
    digits = match[1] or match[2] or match[3]
    first = int(digits) if len(digits) == 4 else 1900 + int(digits)
    return f"{first} to {first + 9}"


def _decade_es(match: re.Match[str]) -> str:
    return _decade(match).replace(" to ", " a ")


def _ranged_es(match: re.Match[str]) -> str:
    return _ranged(match).replace(" to ", " a ")


_COMPARED = frozenset(("least", "most", "than", "exactly", "menos", "minimo", "over", "under"))


def _ones(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces with a number for `one` where it is compared with: `at least one`."""
    result = list(pieces)
    for i in range(1, len(pieces)):
        before = pieces[i - 1].word
        amount = before == "de" and i > 1 and pieces[i - 2].word in ("mas", "menos")
        span = pieces[i + 1].word if i + 1 < len(pieces) else ""
        single = ("one", "un", "una", "uno", *(("a", "an") if span in ("hour", "week") else ()))
        if pieces[i].word in single and (before in _COMPARED or amount):
            result[i] = replace(pieces[i], number=1.0, word="1")
    return result


def _piece(match: re.Match[str], language: Language, mark: str) -> Piece:
    text, start = match[0].strip(), match.start()
    if match["iso"]:
        year, month, day = map(int, text.split("-"))
        return Piece(text, text, start, days=_day(text, year, month, day))
    if match["slashed"]:
        first, second, year = map(int, re.split(r"[/.\-]", text))
        return Piece(text, text, start, days=_slashed(text, first, second, year, language))
    if match["yearmonth"]:
        year, month = map(int, text.split("-"))
        return Piece(text, text, start, days=month_span(text, year, month))
    if match["quarter"]:
        quarter = int(text[1])
        return Piece(
            text, text.lower(), start, days=Days(months=(3 * quarter - 2, 3 * quarter), words=text)
        )
    if match["number"]:
        digits = match["number"]
        after = (match["after"] or "").strip()
        amount = figure(digits, "," if mark == "," else ".")
        if amount.unclear:
            raise Unclear(f"the number {digits} can be read in two ways")
        value = amount.value
        if after.lower() == "k":
            value *= 1_000
        elif after[:1].lower() == "m":
            value *= 1_000_000
        unit = match["sign"] or (after if after in ("€", "$", "£", "%") else "")
        return Piece(text, digits, start, number=value, unit=unit)
    if match["digits"]:
        return Piece(text, text, start)
    word = folded(text)
    number = WORDS.get(word) if word not in ("un", "una", "uno", "one", "cero", "zero") else None
    return Piece(text, word, start, number=number, capital=text[:1].isupper())


def _day(text: str, year: int, month: int, day: int) -> Days:
    try:
        date = dt.date(year, month, day)
    except ValueError as error:
        raise Unclear(f"{text} is no date") from error
    return Days(date, date, words=text)


def _slashed(text: str, first: int, second: int, year: int, language: Language) -> Days:
    if language == "es" or "." in text or first > 12 or first == second:
        return _day(text, year, second, first)
    if second > 12:
        return _day(text, year, first, second)
    raise Unclear(f"in {text} the day or the month may come first: write {year}-MM-DD")


def month_span(words: str, year: int, month: int) -> Days:
    first = dt.date(year, month, 1)
    following = dt.date(year + month // 12, month % 12 + 1, 1)
    return Days(first, following - dt.timedelta(days=1), words=words)


def _quarter(words: str, year: int, quarter: int) -> Days:
    return Days(
        dt.date(year, 3 * quarter - 2, 1),
        month_span("", year, 3 * quarter).last,
        words=words,
    )


def year_of(piece: Piece) -> int:
    """The year that a number may be; else 0."""
    return int(piece.word) if re.fullmatch(r"(?:19|20)\d\d", piece.word) and not piece.unit else 0


def _with_dates(pieces: Sequence[Piece], only_year: int) -> list[Piece]:
    joined: list[Piece] = []
    at = 0
    while at < len(pieces):
        result = _date_at(pieces, at, only_year)
        if result is None:
            joined.append(pieces[at])
            at += 1
            continue
        days, length = result
        text = " ".join(piece.text for piece in pieces[at : at + length])
        joined.append(Piece(text, folded(text), pieces[at].start, days=days))
        at += length
    return joined


_OF = frozenset(("of", "de", "del", ",", "the", "in"))


def _date_at(pieces: Sequence[Piece], at: int, only_year: int) -> tuple[Days, int] | None:
    """The date of several words that begins here, and how many pieces it takes."""
    return _quarter_at(pieces, at) or _day_first(pieces, at, only_year) or _month_first(pieces, at)


def _month_of(pieces: Sequence[Piece], at: int) -> int:
    if at >= len(pieces) or pieces[at].days is not None:
        return 0
    return MONTHS.get(pieces[at].word, 0)


def _year_after(pieces: Sequence[Piece], at: int) -> tuple[int, int]:
    """The year that follows, behind small words, and where it ends; (0, at) if none does."""
    place = at
    while place < len(pieces) and pieces[place].word in _OF and place - at < 2:
        place += 1
    year = year_of(pieces[place]) if place < len(pieces) else 0
    return (year, place + 1) if year else (0, at)


def _day_of(piece: Piece) -> int:
    day = piece.number
    return (
        int(day)
        if day is not None and piece.word.isdigit() and 1 <= day <= 31 and piece.unit == ""
        else 0
    )


def _day_first(pieces: Sequence[Piece], at: int, only_year: int) -> tuple[Days, int] | None:
    day = _day_of(pieces[at])
    if not day:
        return None
    place = at + 1
    while place < len(pieces) and pieces[place].word in _OF and place - at < 3:
        place += 1
    month = _month_of(pieces, place)
    if not month:
        return None
    year, end = _year_after(pieces, place + 1)
    words = " ".join(piece.text for piece in pieces[at:end])
    year = year or only_year
    if not year:
        raise Unclear(f"{words.strip()} has no year")
    return _day(words, year, month, day), end - at


def _month_first(pieces: Sequence[Piece], at: int) -> tuple[Days, int] | None:
    month = _month_of(pieces, at)
    if not month:
        return None
    day = _day_of(pieces[at + 1]) if at + 1 < len(pieces) else 0
    if day:
        year, end = _year_after(pieces, at + 2)
        if year:
            words = " ".join(piece.text for piece in pieces[at:end])
            return _day(words, year, month, day), end - at
    year, end = _year_after(pieces, at + 1)
    words = " ".join(piece.text for piece in pieces[at:end])
    if year:
        return month_span(words, year, month), end - at
    alone = pieces[at].word in _NOT_ALONE and pieces[at].word != "may"
    if alone or (pieces[at].word == "may" and at == 0):
        return None
    return Days(months=(month, month), words=words), 1


def _quarter_at(pieces: Sequence[Piece], at: int) -> tuple[Days, int] | None:
    days = pieces[at].days
    if days is not None and days.first is None and days.months[1] - days.months[0] == 2:
        year, end = _year_after(pieces, at + 1)
        words = " ".join(piece.text for piece in pieces[at:end])
        return (_quarter(words, year, days.months[1] // 3), end - at) if year else None
    quarter = _QUARTERS.get(pieces[at].word, 0)
    half = pieces[at + 1].word in ("half", "semestre") if at + 1 < len(pieces) else False
    if half and quarter in (1, 2):
        year, end = _year_after(pieces, at + 2)
        words = " ".join(piece.text for piece in pieces[at : max(end, at + 2)])
        months = (6 * quarter - 5, 6 * quarter)
        if not year:
            return Days(months=months, words=words), 2
        first, last = month_span("", year, months[0]).first, month_span("", year, months[1]).last
        return Days(first, last, words=words), end - at
    if quarter and at + 1 < len(pieces) and pieces[at + 1].word in ("quarter", "trimestre"):
        year, end = _year_after(pieces, at + 2)
        words = " ".join(piece.text for piece in pieces[at : max(end, at + 2)])
        if year:
            return _quarter(words, year, quarter), end - at
        return Days(months=(3 * quarter - 2, 3 * quarter), words=words), 2
    return None
