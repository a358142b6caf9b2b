"""Finds what each word of a question can mean: a word of the language, a table, column or value."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import product

from router.knowledge.rows.language.names import Names
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.stems import stem
from router.knowledge.rows.language.tokens import Days, Piece, year_of
from router.knowledge.rows.language.words import Language, Phrase, Sense, canonical, function_words

_LONGEST = 8
_MARKS = frozenset('()"“”«»')


@dataclass(slots=True)
class Span:
    """Some words of a question, with their possible meanings; `used` once a meaning is taken."""

    text: str
    words: Phrase
    senses: tuple[Sense, ...]
    piece: Piece
    capital: bool = False
    used: bool = False
    quoted: bool = False

    def means(self, *kinds: str) -> bool:
        return any(sense.kind in kinds for sense in self.senses)

    def of(self, kind: str) -> list[Sense]:
        return [sense for sense in self.senses if sense.kind == kind]

    @property
    def filler(self) -> bool:
        return all(sense.kind == "filler" for sense in self.senses) and bool(self.senses)

    @property
    def number(self) -> float | None:
        return self.piece.number if not self.means("val", "col", "entity") else None

    @property
    def days(self) -> Days | None:
        return self.piece.days

    @property
    def year(self) -> int:
        return year_of(self.piece)


@dataclass(slots=True)
class Spans:
    """The spans of a question, the words that mean nothing here, and the typos that were read."""

    items: list[Span]
    unknown: list[str] = field(default_factory=list)
    typos: dict[str, str] = field(default_factory=dict)


def spans_of(pieces: Sequence[Piece], names: Names, language: Language) -> Spans:
    static = function_words(language)
    result = Spans([])
    pieces = [_mended(piece, names, static, result) for piece in pieces]
    at, within_quotes = 0, False
    while at < len(pieces):
        piece = pieces[at]
        length, senses = _longest(pieces, at, names, static)
        if piece.word in _MARKS and not senses:
            within_quotes ^= piece.word in '"“”«»'
            result.items.append(Span(piece.text, (piece.word,), (Sense("mark"),), piece, used=True))
            at += 1
            continue
        if senses and all(sense.kind in ("linking", "earning") for sense in senses):
            senses += _flags(piece.word, names)
        if at and pieces[at - 1].word in _WHO and _plain_verb(senses):
            senses += tuple(s for s in _named((piece.word, "by"), names) if s.kind == "col")
        if not senses and piece.number is None and piece.days is None:
            senses = _opposite(piece.word, names) or tuple(names.stems.get(stem(piece.word), ()))
            if not senses:
                result.unknown.append(piece.text)
        group = pieces[at : at + length]
        text = " ".join(each.text for each in group)
        span = Span(text, tuple(p.word for p in group), senses, piece, _capital(group, at))
        span.quoted = within_quotes
        if length > 1:
            span.piece = Piece(piece.text, piece.word, piece.start)
        result.items.append(span)
        at += length
    return result


_WHO = frozenset(("who", "who's"))


def _plain_verb(senses: Sequence[Sense]) -> bool:
    """Whether a word behind `who` may be a verb of a column: `who painted`, of `painted by`."""
    return all(s.kind in ("linking", "earning", "using", "filler") for s in senses)


def _capital(group: Sequence[Piece], at: int) -> bool:
    return at > 0 and all(piece.capital or not piece.word.isalpha() for piece in group)


def _longest(
    pieces: Sequence[Piece], at: int, names: Names, static: Mapping[Phrase, tuple[Sense, ...]]
) -> tuple[int, tuple[Sense, ...]]:
    """The longest phrase that begins here and means something, and its meanings."""
    words = [piece.word for piece in pieces[at : at + _LONGEST]]
    for length in range(min(len(words), _LONGEST), 0, -1):
        phrase = tuple(words[:length])
        senses = [*static.get(phrase, ())]
        if phrase in names.verbs:
            senses.append(Sense("filler"))
        senses += _named(phrase, names)
        if [s.kind for s in senses] == ["kinds"]:
            behind = pieces[at + length : at + length + 1]
            while behind and behind[0].word in ("the", "all", "los", "las"):
                length, behind = length + 1, pieces[at + length + 1 : at + length + 2]
            named = [s.kind for p in behind for s in _named((p.word,), names)]
            senses = [Sense("distinct")] if "col" in named and "entity" not in named else []
        if senses:
            return length, tuple(senses)
    return 1, ()


def _named(phrase: Phrase, names: Names) -> Iterator[Sense]:
    if len(phrase) > names.longest:
        return
    seen: set[Phrase] = set()
    forms = (
        [_forms(word) for word in phrase]
        if len(phrase) < 4
        else [(w, canonical(w)) for w in phrase]
    )
    best: dict[tuple[str, str], Sense] = {}
    for form in product(*forms):
        if form not in seen:
            seen.add(form)
            for sense in names.senses.get(form, ()):
                key = sense.kind, _identity(sense)
                if key not in best or best[key].strength < sense.strength:
                    best[key] = sense
    yield from best.values()


def _identity(sense: Sense) -> str:
    match sense.value:
        case Field() as field_:
            return field_.sql
        case (Field() as field_, value):
            return f"{field_.sql}={value}"
        case value:
            return str(value)


def _forms(word: str) -> tuple[str, ...]:
    bare = word.removesuffix("'s").removesuffix("'")
    whole = _SHORTENED.get(word, word)
    return tuple(dict.fromkeys((word, canonical(word), bare, canonical(bare), whole)))


_SHORTENED = {"buen": "bueno", "mal": "malo", "gran": "grande"}  # before a noun


def _flags(word: str, names: Names) -> tuple[Sense, ...]:
    """The columns of dates, or yes and no, that have the stem of a verb: `vender`, `vendida`."""
    senses = names.stems.get(stem(word), ())
    return tuple(
        s for s in senses if s.kind == "col" and (s.value.column.kind == "boolean" or s.value.dated)
    )


_UN = ("un", "non", "in", "no")


def _opposite(word: str, names: Names) -> tuple[Sense, ...]:
    """The meanings of a word with a prefix that negates it: `unpaid`, `unresolved`."""
    for prefix in _UN:
        rest = word.removeprefix(prefix)
        if rest != word and len(rest) > 3:
            senses = tuple(
                Sense(f"un_{s.kind}", s.value, s.strength)
                for s in _named((rest,), names)
                if s.kind in ("col", "val") and s.strength > 2
            )
            if senses:
                return senses
    return ()


def _mended(
    piece: Piece, names: Names, static: Mapping[Phrase, tuple[Sense, ...]], result: Spans
) -> Piece:
    """The piece without its typo, if its word is unknown and only one known word is near."""
    if piece.number is not None or piece.days is not None or not piece.word.isalpha():
        return piece
    heads = _heads(names, static)
    if stem(piece.word) in names.stems:
        return piece
    if not heads.isdisjoint(_forms(piece.word)) or _opposite(piece.word, names):
        return piece
    meant = _without_typo(piece.word, heads, static)
    if not meant:
        return piece
    result.typos[piece.text] = meant
    return Piece(piece.text, meant, piece.start, capital=piece.capital)


def _heads(names: Names, static: Mapping[Phrase, tuple[Sense, ...]]) -> set[str]:
    """All words of all phrases that mean something."""
    if not names.heads:
        names.heads |= {word for phrase in names.senses for word in phrase}
        names.heads |= {word for phrase in names.verbs for word in phrase}
    return names.heads | {word for phrase in static for word in phrase}


# Words that are no typos, though a letter makes them a word that questions use.
_REAL = frozenset(
    [
        "county",
        "coast",
        "cites",
        "moth",
        "trail",
        "quiet",
        "lest",
        "form",
        "pries",
        "princes",
        "plane",
        "planes",
    ]
)


def _without_typo(word: str, heads: Set[str], static: Mapping[Phrase, tuple[Sense, ...]]) -> str:
    """The only known word that a typo away is this one; empty if there is none, or several."""
    if len(word) < 4 or word in _REAL:
        return ""
    forms = {word, word.removesuffix("s"), canonical(word)}
    near = {
        head
        for head in heads
        if head[:1] == word[:1] and len(head) > 3 and any(_typo(form, head) for form in forms)
    }
    stems = {canonical(head) for head in near}
    if len(stems) != 1:
        return ""
    meant = min(near, key=len)
    senses = static.get((meant,), ())
    idle = bool(senses) and all(sense.kind == "filler" for sense in senses)
    return "" if idle else meant


def _typo(word: str, meant: str) -> bool:
    """Whether one letter too many, too few, or two letters swapped make the difference."""
    if abs(len(word) - len(meant)) > 1 or word == meant or len(word) < 4:
        return False
    if len(word) == len(meant):
        differ = [i for i, (a, b) in enumerate(zip(word, meant, strict=True)) if a != b]
        if len(differ) == 2 and differ[1] == differ[0] + 1:
            return word[differ[0]] == meant[differ[1]] and word[differ[1]] == meant[differ[0]]
        return len(differ) == 1 and len(word) >= 8
    if len(word) < 5:
        return False
    longer, shorter = (word, meant) if len(word) > len(meant) else (meant, word)
    if longer.startswith(shorter):
        return False  # `drive` is no driver
    return any(longer[:i] + longer[i + 1 :] == shorter for i in range(1, len(longer)))
