"""Cuts a request into tokens: numbers, lists of numbers, dates, quoted words, marks and concepts.

A concept is a phrase of the lexicon, in English or Spanish; the longest phrase wins. What no phrase
covers stays a word, for a reader to take as a label, or to name as not understood.
"""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Literal

from sandbox.reading import lexicon
from sandbox.reading.amounts import (
    BEGINNINGS,
    DIGITS,
    SCALES,
    SUFFIXES,
    Marks,
    decimal_mark,
    doubtful,
    figure,
    in_words,
    separate,
    suffixed,
    times,
)
from sandbox.reading.budget import spend

Kind = Literal["number", "list", "date", "concept", "word", "quoted", "mark"]
Language = Literal["en", "es"]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a request, and its place in the text."""

    kind: Kind
    text: str
    start: int
    end: int
    stem: str = ""  # of a word, or the mark itself
    concepts: frozenset[str] = frozenset()
    value: float = 0.0
    unit: str = ""  # of a number: "%", "$" for money, "th" for an ordinal, or ""
    fraction: tuple[float, float] | None = None  # of a number such as 3/4 or "3 out of 4"
    values: tuple[float, ...] = ()  # of a list
    names: tuple[str, ...] = ()  # of a list such as `Ana 12, Ben 15`
    date: dt.date | None = None
    unclear: str = ""  # why a number can be read in two ways

    def means(self, *concepts: str) -> bool:
        return not self.concepts.isdisjoint(concepts)


_QUOTED = r'"[^"\n]{1,80}"|“[^”\n]{1,80}”|«[^»\n]{1,80}»|`[^`\n]{1,80}`'
_WORD = r"[^\W\d_](?:\w|['’](?=[^\W\d_]))*|_\w+"
_PIECE = re.compile(
    rf"(?P<quoted>{_QUOTED})|(?P<iso>\d{{4}}-\d{{1,2}}-\d{{1,2}}(?!\d))|"
    rf"(?P<slashed>\d{{1,2}}[/-]\d{{1,2}}[/-]\d{{4}}(?!\d))|(?P<number>{DIGITS.pattern})|"
    rf"(?P<word>{_WORD})|(?P<mark>>=|<=|!=|==|\*\*|\S)|(?P<line>\n+)"
)
# Each with texts of which every match holds one, in small letters where the pattern ignores case.
# A pattern without such texts is always tried.
_SPECIAL: tuple[tuple["re.Pattern[str]", str, tuple[str, ...]], ...] = (
    (
        re.compile(r"\b[rR]\s?(?:²|\^\s?2)|\bR-squared\b|\b[rR] (?:squared|cuadrado)\b"),
        "r2",
        ("²", "^", "squared", "cuadrado"),
    ),
    (
        re.compile(
            r"^\s*(?:homework|hw|question|exercise|problem|tarea|pregunta|ejercicio|problema)\s?#?\d{1,3}[a-z]?\s?[:.)]\s",
            re.I,
        ),
        "",
        (),
    ),
    (re.compile(r"χ²|\bchi\s?(?:²|\^2)|\bchi-?2\b"), "chi2", ("χ²", "chi")),
    (re.compile(r"[–—−‑]"), "-", ()),
    (re.compile(r"(?:(?<!-)-++>|→)(?=\s*[^\W\d]|\s*¿)"), ", ", ("->", "→")),
    (re.compile(r"’"), "'", ()),
    (re.compile(r"\b([A-Z])&(?=[A-Z]\b)"), r"\1and", ("&",)),  # A&E, R&D
    (
        re.compile(r"\b(i\.e|e\.g|vs|approx|p\. ?ej)\.(?=[\s,])", re.I),
        r"\1",
        (".e", "e.g", "vs.", "v\u017f.", "approx", "p."),
    ),
    (
        re.compile(r"(?<=[a-záéíóú] [ye] )DE\b|\bD\.E\."),
        "desviación estándar",
        (" DE", "D.E."),
    ),
    (re.compile(r"(?<=[A-Za-z)])\s*-+>\s*(?=\d)"), ": ", ("->",)),
    (re.compile(r"\bw/o\b", re.I), "without", ("w/o",)),
    (re.compile(r"\bw/(?=\s|[a-z])", re.I), "with ", ("w/",)),
    (
        re.compile(r"\*\*(?=\w)|(?<=[\w.:!?])\*\*|^#+ |^[ \t]*[-*•] (?=\D)", re.M),
        " ",
        ("*", "#", "-", "•"),
    ),
    (re.compile(r"[\u00a0\u202f\t\r\f\v]"), " ", ()),
    (re.compile(r"½"), "0.5", ()),
    (
        re.compile(r"\b(?:a )?quarter of an hour\b", re.I),
        "15 minutes",
        ("quarter of an hour",),
    ),
    (re.compile(r"\b(?:un )?cuarto de hora\b", re.I), "15 minutos", ("cuarto de hora",)),
    (
        re.compile(r"\bhalf an hour\b|\ba half hour\b", re.I),
        "30 minutes",
        ("half an hour", "half hour"),
    ),
    (re.compile(r"\ban hour and a half\b", re.I), "90 minutes", ("hour and a half",)),
    (re.compile(r"\b(?:una )?hora y media\b", re.I), "90 minutos", ("hora y med",)),
    (re.compile(r"\bmedia hora\b", re.I), "30 minutos", ("a hora",)),
    (
        re.compile(r"\b(\d+|dos|tres|cuatro|cinco|seis) horas y media\b", re.I),
        r"\1 horas y 30 minutos",
        (" y med",),
    ),
    (re.compile(r"\+\s?/?\s?-(?=\s?[\d.])|\+\s?/\s?-"), "±", ("+",)),
    (re.compile("[xX]\u0304"), "xbar", ("\u0304",)),
    (
        re.compile(r"(?<![\w.,:])(\d{1,3})\s?h\s?([0-5]\d)(?:\s?m(?:in)?)?(?!\w)"),
        r"\1 h \2 min",
        (),
    ),
    (
        re.compile(r"(?<![\w.,])(\d{1,2})\s?['′]\s?(\d{1,2}(?:[.,]\d+)?)\s?(?:\"|''|″)"),
        r"\1 ft \2 inches",
        ("'", "′"),
    ),
)
MONTHS = {
    name: 1 + i % 12
    for i, name in enumerate(
        """january february march april may june july august september october november december
        jan feb mar apr may jun jul aug sep oct nov dec enero febrero marzo abril mayo junio julio
        agosto septiembre octubre noviembre diciembre""".split()
    )
} | {
    "sept": 9,
    "setiembre": 9,
    "set": 9,
    "ene": 1,
    "abr": 4,
    "ago": 8,
    "dic": 12,
}
_SEPARATORS = frozenset((",", ";", "\n"))
_CURRENCY_WORDS = frozenset(
    {"dollar", "dollars", "usd", "euro", "euros", "eur", "dolar", "dolares", "peso", "pesos"}
)
_CURRENCY_AFTER = frozenset({"$", "€", "£"})
_MOST_TOKENS = 40_000


class TooLong(Exception):
    """The request has too many tokens."""


def cleaned(text: str) -> str:
    """The text with one form for each mark; its words stay as they are."""
    seen, low = "", ""
    for pattern, new, cues in _SPECIAL:
        if cues and pattern.flags & re.I:
            if seen is not text:
                seen, low = text, text.lower()
            if not any(cue in low for cue in cues):
                continue
        elif cues and not any(cue in text for cue in cues):
            continue
        text = pattern.sub(new, text)
    return _CLASS.sub(r"\2\1", text) if _CLASS_A.search(text) else text


# Classes and wards such as 4A and 4B, whose B is not a billion.
_CLASS = re.compile(r"(?<![\w.,$€£])(\d{1,2})([A-D])(?!\w)")
_CLASS_A = re.compile(r"(?<![\w.,$€£])(\d{1,2})A(?!\w)(?=[\s\S]{0,400}?(?<!\w)\1B(?!\w))")


def language_of(text: str) -> Language:
    """The language of most of the small words."""
    words = [lexicon.stem(w) for w in re.findall(r"[^\W\d_]{2,}", text[:2000])]
    counts = {
        language: sum(word in lexicon_phrases for word in words)
        for language, lexicon_phrases in lexicon.language_words().items()
    }
    marked = len(re.findall(r"[¿¡ñ]", text[:2000]))
    return "es" if counts.get("es", 0) + 3 * marked > counts.get("en", 0) else "en"


def tokens(text: str, private: str = "") -> tuple[list[Token], Language]:
    """The tokens of a text that `cleaned` returned. Raises `TooLong`.

    With the name of a private group of the lexicon, its words count; numbers in a row then stay apart,
    except for figures.
    """
    pieces, language = _pieces_of(text)
    lexicon_phrases = lexicon.phrases(language, private)
    joined = _joined(pieces, lexicon_phrases)
    with_phrases = list(_with_phrases(joined, lexicon_phrases, words_present(text)))
    apart = private not in ("", "figures")
    return with_phrases if apart else _listed(with_phrases), language


@lru_cache(maxsize=4)
def _pieces_of(text: str) -> tuple[tuple[Token, ...], Language]:
    """The words, numbers and marks of a text, cut once for all groups of the lexicon."""
    language = language_of(text)
    mark = decimal_mark(text, spanish=language == "es")
    doubt = doubtful(text, mark, spanish=language == "es")
    pieces = tuple(islice(_pieces(text, mark, doubt=doubt), _MOST_TOKENS + 1))
    if len(pieces) > _MOST_TOKENS:
        raise TooLong
    return pieces, language


@lru_cache(maxsize=4)
def words_present(text: str) -> frozenset[str]:
    """Everything in a text that may be a word of a phrase of the lexicon."""
    pieces, _ = _pieces_of(text)
    texts = frozenset(piece.text for piece in pieces)
    return texts | {piece.stem for piece in pieces} | {lexicon.plain(word) for word in texts}


def _pieces(text: str, mark: Marks, *, doubt: "re.Pattern[str] | None") -> Iterator[Token]:
    end = 0
    for match in _PIECE.finditer(text):
        spend()
        start, end, kind, piece = match.start(), match.end(), match.lastgroup, match[0]
        if match["quoted"]:
            yield Token("quoted", piece[1:-1], start, end, lexicon.stem(piece[1:-1]))
        elif match["iso"] or match["slashed"]:
            yield _date(piece, start, end)
        elif match["word"]:
            yield Token("word", piece, start, end, lexicon.stem(piece))
        elif match["line"]:
            yield Token("mark", "\n", start, end, "\n")
        elif kind is not None and match["digits"]:
            yield from _number(match, text, mark, doubt=doubt)
        else:
            yield Token("mark", piece, start, end, piece)


def _date(piece: str, start: int, end: int) -> Token:
    parts = [int(part) for part in re.split("[-/]", piece)]
    year, month, day = parts if parts[0] > 31 else (parts[2], parts[0], parts[1])
    unclear = ""
    if parts[0] <= 31:
        if month > 12:
            month, day = day, month
        elif day <= 12 and day != month:
            unclear = (
                f"{piece} may be a day first or a month first: write {year}-{month:02}-{day:02}"
            )
    try:
        return Token("date", piece, start, end, date=dt.date(year, month, day), unclear=unclear)
    except ValueError:
        return Token("date", piece, start, end, unclear=f"there is no {piece} in the calendar")


def _number(
    match: "re.Match[str]", text: str, mark: Marks, *, doubt: "re.Pattern[str] | None"
) -> Iterator[Token]:
    start, end = match.span()
    sign, currency = match["sign"] or "", match["currency"] or ""
    before = text[start - 1] if start else " "
    if sign and (before.isalnum() or before in ")]%$" or sign == "+"):
        yield Token("mark", sign.replace("−", "-"), start, start + 1, sign.replace("−", "-"))
        sign, start = "", start + 1
    called = _in_call(text, start)
    bracketed = called or _in_close_brackets(text, start, mark)
    parts = separate(match["digits"], mark, bracketed=bracketed, called=called)
    at = match.start("digits")
    for i, part in enumerate(parts):
        if i:
            yield Token("mark", ",", at - 1, at, ",")
        last = i == len(parts) - 1
        piece_end = end if last else at + len(part)
        value, unclear = _value(part, mark, doubt=doubt)
        if last and match["exponent"]:
            value = float(f"{value!r}{match['exponent']}")
        suffix = match["suffix"] if last else None
        scaled = suffixed(value, suffix, money=bool(currency)) if suffix else value
        if scaled is None:
            piece_end = match.start("suffix")
        value = value if scaled is None else scaled
        value = -value if sign and not i else value
        unit = "$" if currency else "th" if match["ordinal"] and last else ""
        piece_start = start if not i else at
        shown = text[piece_start:piece_end]
        yield Token(
            "number", shown, piece_start, piece_end, value=value, unit=unit, unclear=unclear
        )
        if piece_end < end and last:
            yield Token("word", text[piece_end:end], piece_end, end, text[piece_end:end].lower())
        at += len(part) + 1


def _value(digits: str, mark: Marks, *, doubt: "re.Pattern[str] | None") -> tuple[float, str]:
    read = figure(digits, mark)
    two_ways = doubt is not None and doubt.fullmatch(digits) is not None
    listed = mark == "." and re.fullmatch(r"[1-9]\d\d(?:,[1-9]\d\d){2,}", digits)
    if read.unclear or two_ways or listed:
        return (
            read.value,
            f"{digits} can be read in two ways: write it without a mark for thousands",
        )
    return read.value, ""


def _in_close_brackets(text: str, at: int, mark: Marks) -> bool:
    """Whether a place is in brackets in which commas without blanks separate numbers."""
    opened = max(text.rfind("[", max(0, at - 400), at), text.rfind("{", max(0, at - 400), at))
    if opened < 0 or "]" in text[opened:at] or "}" in text[opened:at]:
        return False
    closed = text.find("]", at)
    inside = text[opened : closed if closed > 0 else at]
    return mark == "." or not re.search(r";|,\s", inside)


# N(500,100), C(10,3): the brackets of a distribution or a count.
_CALL = re.compile(
    r"(?<![^\W\d_])(?:N|U|B|C|P|F|H|NB|V|PR|CR|nCr|nPr|Bin|Hyp|Normal|Uniform|Unif|Gamma|Beta|Binom(?:ial)?"
    r"|Weibull|comb|perm|choose|normal|uniform|uniforme|binomial|gamma|beta|gauss|[Gg]aussian|gaussiana|lognormal|triangular)\([\d.,]*$"
)


def _in_call(text: str, at: int) -> bool:
    return _CALL.search(text[max(0, at - 32) : at]) is not None


_JOINED_WITH_NEXT = BEGINNINGS | MONTHS.keys()


def _joined(pieces: Sequence[Token], lexicon_phrases: lexicon.Phrases) -> Iterator[Token]:
    """Join numbers in words, scales, percent signs, fractions and dates in words."""
    at = 0
    while at < len(pieces):
        spend()
        joined, piece = None, pieces[at]
        if piece.kind == "number" or (
            piece.kind == "word" and lexicon.plain(piece.text) in _JOINED_WITH_NEXT
        ):
            joined = (
                _date_in_words(pieces, at)
                or _in_words(pieces, at, lexicon_phrases)
                or _grown(pieces, at)
            )
        token, used = joined if joined else (piece, 1)
        yield token
        at += used


def _date_in_words(pieces: Sequence[Token], at: int) -> tuple[Token, int] | None:
    begins = pieces[at]
    if begins.kind != "number" and (
        begins.kind != "word" or lexicon.plain(begins.text) not in MONTHS
    ):
        return None
    window = list(pieces[at : at + 8])
    shown = [p for p in window if p.stem not in (",", "de", "del", "of", "the", ".")]
    if len(shown) < 3 or len(window) < 3:
        return None
    first, second, third = shown[:3]
    for day, month in ((first, second), (second, first)):
        number = MONTHS.get(lexicon.plain(month.text)) if month.kind == "word" else None
        numbers = day.kind == third.kind == "number" and day.value <= 99 and third.text.isdigit()
        if number and numbers and 1000 <= third.value <= 3000:
            try:
                date = dt.date(int(third.value), number, int(day.value))
            except ValueError:
                text = f"{first.text} {second.text} {third.text}"
                unclear = f"there is no {text.replace('  ', ' ')} in the calendar"
                used = window.index(third) + 1
                return Token("date", text, first.start, third.end, unclear=unclear), used
            used = window.index(third) + 1
            text = f"{first.text} {second.text} {third.text}"
            return Token("date", text, first.start, third.end, date=date), used
    return None


def _in_words(
    pieces: Sequence[Token], at: int, lexicon_phrases: lexicon.Phrases
) -> tuple[Token, int] | None:
    if pieces[at].kind != "word" or (pieces[at].text == "once" and "cual" not in lexicon_phrases):
        return None
    if lexicon.plain(pieces[at].text) not in BEGINNINGS:
        return None
    words: list[str] = []
    places: list[int] = []
    for i in range(at, min(at + 14, len(pieces))):
        piece = pieces[i]
        if piece.kind == "word":
            words.append(lexicon.plain(piece.text))
            places.append(i)
        elif piece.stem != "-":
            break
    if _starts_phrase(words, lexicon_phrases):
        return None
    number = in_words(words)
    if number is None:
        return None
    value, used = number
    last = places[used - 1]
    text = " ".join(piece.text for piece in pieces[at : last + 1])
    token = Token("number", text, pieces[at].start, pieces[last].end, value=value)
    grown = _grown([token, *pieces[last + 1 : last + 4]], 0)
    return (grown[0], last + grown[1] - at) if grown else (token, last + 1 - at)


def _starts_phrase(words: Sequence[str], lexicon_phrases: lexicon.Phrases) -> bool:
    """Whether a phrase of the lexicon of at least two words, such as `one sided`, begins here."""
    phrases = lexicon_phrases.get(lexicon.stem(words[0]), ())
    stems = tuple(map(lexicon.stem, words)) if phrases else ()
    return any(len(phrase) > 1 and stems[: len(phrase)] == phrase for phrase, _ in phrases)


_PERCENT = frozenset({"%", "percent", "pct", "porciento"})


def _grown(pieces: Sequence[Token], at: int) -> tuple[Token, int] | None:
    """A number with the scale, percent sign or denominator after it."""
    token = pieces[at]
    if token.kind != "number":
        return None
    used = 1
    following = pieces[at + 1 : at + 4]
    while following and lexicon.plain(following[0].text) in SCALES and following[0].kind == "word":
        scale = SCALES[lexicon.plain(following[0].text)]
        text = f"{token.text} {following[0].text}"
        token = replace(
            token, value=times(token.value, scale), end=following[0].end, text=text, unclear=""
        )
        used += 1
        following = pieces[at + used : at + used + 3]
    stems = [lexicon.plain(p.text) for p in following]
    if stems[:1] and stems[0] in _PERCENT:
        token = replace(token, value=times(token.value, 0.01), unit="%", end=following[0].end)
        return replace(token, text=token.text + "%"), used + 1
    if stems[:2] in (["per", "cent"], ["por", "ciento"]):
        token = replace(token, value=times(token.value, 0.01), unit="%", end=following[1].end)
        return replace(token, text=token.text + "%"), used + 2
    if stems[:1] and (following[0].text in _CURRENCY_AFTER or stems[0] in _CURRENCY_WORDS):
        return replace(token, unit="$", end=following[0].end), used + 1
    if stems[:1] == ["/"] and len(following) > 1 and following[1].kind == "number":
        below = following[1].value
        if below > 0 and following[1].start == token.end + 1:
            text, pair = f"{token.text}/{following[1].text}", (token.value, below)
            made = replace(token, value=token.value / below, fraction=pair, text=text)
            return replace(made, end=following[1].end), used + 2
    return (token, used) if used > 1 else None


def _with_phrases(
    pieces: Iterator[Token], lexicon_phrases: lexicon.Phrases, present: frozenset[str]
) -> Iterator[Token]:
    """Replace words by the concepts of the lexicon, the longest phrase first.

    A small word begins hundreds of phrases. `present` are the words of the text: phrases with
    another word are not tried.
    """
    held = list(pieces)
    possible: dict[tuple[str, str, str], list[tuple[tuple[str, ...], frozenset[str]]]] = {}
    at = 0
    while at < len(held):
        spend()
        token = held[at]
        if token.kind not in ("word", "mark", "number"):
            yield token
            at += 1
            continue
        key = token.kind, token.text, token.stem
        phrases = possible.get(key)
        if phrases is None:
            phrases = possible[key] = [
                pair
                for pair in _beginning_with(token, lexicon_phrases)
                if lexicon.needed_by(pair[0]) <= present
            ]
        for phrase, concepts in phrases:
            end = _phrase_end(held, at, phrase)
            if end:
                last = held[end - 1]
                text = " ".join(t.text for t in held[at:end])
                stem = " ".join(word.lstrip("=") or "=" for word in phrase)
                yield Token("concept", text, token.start, last.end, stem, concepts)
                at = end
                break
        else:
            yield token
            at += 1


def _beginning_with(
    token: Token, lexicon_phrases: lexicon.Phrases
) -> list[tuple[tuple[str, ...], frozenset[str]]]:
    """The phrases that begin with a token, the longest first. Equal phrases join their concepts."""
    plain = lexicon.plain(token.text)
    loose = lexicon_phrases.get(token.text if token.kind == "number" else token.stem, ())
    if token.kind == "number":
        return [phrase for phrase in loose if len(phrase[0]) > 1]
    exact = lexicon_phrases.get(f"={plain}", ()) if token.kind == "word" else ()
    if not exact:
        return list(loose)
    joined = dict(exact)
    for phrase, concepts in loose:
        same = (f"={plain}", *phrase[1:])
        key = same if same in joined else phrase
        joined[key] = joined.get(key, frozenset()) | concepts
    return sorted(joined.items(), key=lambda pair: -len(pair[0]))


def _phrase_end(held: Sequence[Token], at: int, phrase: tuple[str, ...]) -> int:
    """Where a phrase ends that begins at a token; 0 if it does not. Hyphens do not count."""
    for word in phrase:
        while at < len(held) and held[at].stem == "-" and word != "-" and at + 1 < len(held):
            at += 1
        if (
            at >= len(held)
            or held[at].kind not in ("word", "mark", "number")
            or not _is_word(held[at], word)
        ):
            return 0
        at += 1
    return at


def _is_word(token: Token, word: str) -> bool:
    """Whether a token is a word of a phrase. A word after `=` keeps its ending."""
    if token.kind == "number":
        return token.text == word
    if word[0] == "=" and len(word) > 1 and word[1] != "=":
        return lexicon.plain(token.text) == word[1:]
    return token.stem == word


def _listed(held: list[Token]) -> list[Token]:
    """Join numbers in a row into lists: three or more, or two or more in brackets."""
    if sum(token.kind == "number" for token in held) < 2:
        return held
    joined: list[Token] = []
    at = 0
    while at < len(held):
        spend()
        row = (
            _bracketed(held, at) or _placed_row(held, at) or _named_row(held, at) or _row(held, at)
        )
        if row:
            token, at = row
            joined.append(token)
        else:
            joined.append(held[at])
            at += 1
    return joined


def _bracketed(held: Sequence[Token], at: int) -> tuple[Token, int] | None:
    if held[at].stem not in ("[", "{", "("):
        return None
    close = {"[": "]", "{": "}", "(": ")"}[held[at].stem]
    numbers: list[Token] = []
    i, comma = at + 1, False
    while i < len(held) and held[i].stem != close:
        if held[i].kind == "number":
            numbers.append(held[i])
        elif held[i].stem in _SEPARATORS:
            comma = comma or held[i].stem in (",", ";")
        elif held[i].text.lower() not in ("and", "y", "e"):
            return None
        i += 1
    if i >= len(held) or len(numbers) < 2 or (close == ")" and (len(numbers) < 3 or not comma)):
        return None
    return _list_of(numbers, held[at].start, held[i].end), i + 1


def _row(held: Sequence[Token], at: int) -> tuple[Token, int] | None:
    """Numbers that commas, semicolons, line ends or a last `and` separate, each with one unit."""
    if held[at].kind != "number" or held[at].unit == "th" or held[at].fraction:
        return None
    unit = _unit_after(held, at)
    width = len(unit.split(" ")) if unit else 0
    numbers, i = [held[at]], at + 1 + width
    while i < len(held):
        j = i
        comma = held[j].stem in _SEPARATORS
        j += comma
        if j < len(held) and comma and held[j].stem == "\n":
            j += 1
        last = j < len(held) and held[j].text in _AND
        j += last
        if j >= len(held) or held[j].kind != "number":
            break
        names_all = held[at].unit == "" and _currency_in_words(held[j])
        if held[j].unit != held[at].unit and not names_all:  # `12, 15 and 20 euros`
            break
        if unit and _unit_after(held, j) != unit:
            break
        if (last and len(numbers) > 2 and _another_begins(held, j)) or _prose(held, i, j):
            break
        numbers.append(held[j])
        i = j + 1 + width
        if last or names_all:
            break
    if len(numbers) < 3:
        return None
    row = _list_of(_scaled_alike(numbers), held[at].start, held[i - 1].end)
    return (replace(row, unit=unit) if unit else row), i


_SCALES = {**SUFFIXES, **SCALES}
_LAST_WORD = re.compile(r"(?:^|[\d\s])([a-z]+)$")


def _scaled_alike(numbers: Sequence[Token]) -> Sequence[Token]:
    """In `1, 2 and 6 thousand`, the scale is meant for all; not in `900, 950 and 1 thousand`."""
    *others, last = numbers
    word = _scale_of(last)
    if not word or any(map(_scale_of, others)):
        return numbers
    scale = _SCALES[word]
    bare = last.value / scale
    if all(abs(number.value) <= 20 * abs(bare) < scale for number in others):
        return [*(replace(n, value=times(n.value, scale)) for n in others), last]
    return [*others, replace(last, unclear=f"say whether each number is meant in `{word}`")]


def _scale_of(number: Token) -> str:
    """The scale that a number is written with: `thousand`, `k`, `m`."""
    match = _LAST_WORD.search(lexicon.plain(number.text))
    return match[1] if match and match[1] in _SCALES else ""


def _currency_in_words(token: Token) -> bool:
    """Whether a currency's name follows a number, as in `20 euros`."""
    return token.unit == "$" and token.end - token.start > len(token.text) + 1


def _another_begins(held: Sequence[Token], at: int) -> bool:
    """Whether the number after an `and` begins another list, as in `1, 2, 3 and 4, 5, 6`."""
    return (
        [t.stem for t in held[at + 1 : at + 2]] == [","]
        and held[at + 2 : at + 3] != []
        and (held[at + 2].kind == "number")
    )


def _prose(held: Sequence[Token], end: int, at: int) -> bool:
    """Whether a number on a new line begins a sentence, as in `3 raters gave these`."""
    following = held[at + 1 : at + 2]
    words = bool(following) and following[0].kind in ("word", "concept")
    return held[end].stem == "\n" and words and following[0].text.lower() not in _AND


def _unit_after(held: Sequence[Token], at: int) -> str:
    """The unit right after a number, such as `kg` or `mmol / L`, if a number beside it has it too."""
    after = held[at + 1 : at + 4]
    if not after or after[0].kind not in ("word", "concept") or after[0].text in _AND:
        return ""
    ratio = len(after) > 2 and after[1].stem == "/" and after[2].kind in ("word", "concept")
    parts = [token.stem for token in after[: 3 if ratio else 1]]
    around = held[at + 1 + len(parts) : at + 6 + len(parts)], held[max(0, at - 6) : at]
    again = any(parts[0] == token.stem for tokens in around for token in tokens)
    near = any(parts[0] == t.stem for t in (*held[at + 3 : at + 6], *held[max(0, at - 4) : at]))
    return " ".join(parts) if (again if ratio else near) else ""


_AND = frozenset({"and", "y", "e", "&"})


def _named_row(held: Sequence[Token], at: int) -> tuple[Token, int] | None:
    """A list such as `Ana 12, Ben 15, Cara 20` or `Mon: 3; Tue: 5; Wed: 9`, with its names."""
    numbers: list[Token] = []
    names: list[str] = []
    i = at
    while True:
        name, j = _name_at(held, i)
        if not name:
            break
        if j >= len(held) or held[j].kind != "number" or held[j].unit == "th":
            break
        numbers.append(held[j])
        names.append(" ".join(name))
        j += 1
        if j < len(held) and held[j].stem == ")":
            j += 1
        i = j
        if j < len(held) and held[j].stem in _SEPARATORS:
            j += 1
        if j < len(held) and held[j].text in _AND:
            j += 1
        if j == i:
            break
        i = j
    lengths = [len(name.split()) for name in names]
    if len(lengths) > 2 and lengths[0] > 1 and set(lengths[1:]) == {1} and names[0][0].isupper():
        return None  # the first word is a title: `Sales Q1 100, Q2 120, Q3 90`
    short = all(length <= 2 for length in lengths)
    same_unit = len({number.unit for number in numbers}) == 1
    if len(numbers) < 3 or len(set(names)) != len(names) or not (short and same_unit):
        return None
    last = numbers[-1]
    end = next(k for k, token in enumerate(held) if token is last) + 1
    if end < len(held) and held[end].stem == ")":
        end += 1
    return replace(_list_of(numbers, held[at].start, last.end), names=tuple(names)), end


def _name_at(held: Sequence[Token], at: int) -> tuple[list[str], int]:
    """The name before a number in a list, and the place after what links it to the number."""
    name: list[str] = []
    i = at
    while i < len(held) and len(name) < 3 and not _is_link(held[i]):
        if not (_may_name(held[i]) or (not name and _is_proper(held, i))):
            break
        name.append(held[i].text)
        i += 1
    if not name and _is_year(held, i) and [t.stem for t in held[i + 1 : i + 2]] in ([":"], ["="]):
        name, i = [held[i].text], i + 1
    if i < len(held) and (held[i].stem in (":", "=", "-", "(") or _is_link(held[i])):
        i += 1
    return name, i


def _is_proper(held: Sequence[Token], at: int) -> bool:
    """Whether a small word is a name here: `Norte 120, Sur 80, Este 60`."""
    text = held[at].text
    follows = held[at + 1 : at + 2] and held[at + 1].kind == "number"
    begins = at > 0 and held[at - 1].stem in (",", ":", "?", ".", ";", "\n")
    return bool(follows) and len(text) > 1 and text[0].isupper() and begins


def _placed_row(held: Sequence[Token], at: int) -> tuple[Token, int] | None:
    """A list such as `450 in 2021, 540 in 2022 and 513 in 2023`; its names are years or months."""
    numbers: list[Token] = []
    names: list[str] = []
    i = at
    while i + 2 < len(held) and held[i].kind == "number" and held[i].unit != "th":
        noun = bool(names) is False and _may_name(held[i + 1]) and held[i + 2].text.lower() in _IN
        i += noun
        if held[i + 1].text.lower() not in _IN:
            break
        place = i + 2 + (held[i + 2].text.lower() in ("the", "el", "year"))
        if place >= len(held) or not (_is_year(held, place) or _is_time(held[place])):
            break
        numbers.append(held[i - noun])
        names.append(held[place].text)
        i = place + 1
        end = i
        while i < len(held) and (held[i].stem in _SEPARATORS or held[i].text in _AND):
            i += 1
        if i == end:
            break
    if len(numbers) < 3 or len(set(names)) != len(names) or len({n.unit for n in numbers}) > 1:
        return None
    row = _list_of(numbers, held[at].start, numbers[-1].end)
    return replace(row, names=tuple(names)), end


_IN = frozenset({"in", "on", "en", "el", "for", "during"})
_DAYS = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun lunes "
    "martes miercoles jueves viernes sabado domingo".split()
)


def _is_year(held: Sequence[Token], at: int) -> bool:
    return at < len(held) and held[at].text.isdigit() and 1900 <= held[at].value <= 2100


def _is_time(token: Token) -> bool:
    """Whether a token is a month, a day of the week, or a quarter."""
    word = lexicon.plain(token.text)
    return word in MONTHS or word in _DAYS or re.fullmatch(r"[qt][1-4]", word) is not None


_LINKS = frozenset(
    "got scored has had made sold earned weighs weighed is was were spent ran with saco obtuvo tiene "
    "tuvo vendio gano pesa es fue con received scores sells took hizo consiguio mide gasto tardo".split()
)


def _is_link(token: Token) -> bool:
    """Whether a word only stands between a name and its number: `Ana got 12, Ben got 15`."""
    return lexicon.plain(token.text) in _LINKS


def _may_name(token: Token) -> bool:
    """Whether a token may be a name in a row: a noun, a letter, a month, `Monday`."""
    if len(token.text) == 1 and token.text.islower():  # an unknown of an equation
        return False
    if token.kind in ("word", "quoted") or lexicon.plain(token.text) in MONTHS:
        return True
    letter = len(token.text) == 1 and token.text.isupper()
    scene = token.concepts <= {lexicon.SCENE}
    plain_noun = token.concepts.isdisjoint(_NOT_NAMES)
    return token.kind == "concept" and (letter or scene or plain_noun)


_NOT_NAMES = frozenset(
    {lexicon.IDLE, lexicon.CHANGE, "at_least", "at_most", "more_than", "less_than", "exactly"}
    | {"between", "each", "out_of", "rounded", "decimals", "as_percent", "mean", "sd", "variance"}
)


def _list_of(numbers: Sequence[Token], start: int, end: int) -> Token:
    unclear = next((n.unclear for n in numbers if n.unclear), "")
    units = {n.unit for n in numbers}
    values = tuple(n.value for n in numbers)
    text = ", ".join(n.text for n in numbers[:3]) + (", ..." if len(numbers) > 3 else "")
    unit = units.pop() if len(units) == 1 else ""
    return Token("list", text, start, end, values=values, unit=unit, unclear=unclear)
