"""Reads a request for comparison: its words in order, and what may not differ. Pure.

Only listed idle words are left out, so an unfamiliar word always counts. The functions describe
requests in English; nothing here says that two requests mean the same.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from router.request.stemming import stem
from router.reuse.lexicon import form_of, lexicon
from router.reuse.normalization import figure, normalize_spelling, without_courtesy

_LONGEST = 2_000  # characters; a longer request equals no other request


@dataclass(frozen=True, slots=True)
class Word:
    """A word that carries a meaning of its own, and the relation word that ties it to the rest."""

    form: str
    tie: str = ""
    joined: bool = False  # joined to the word before by `and`, `or` or `vs`


@dataclass(frozen=True, slots=True)
class RequestWords:
    sequence: tuple[str, ...]  # everything but idle words, in order
    words: tuple[Word, ...]  # the words with a meaning of their own
    numbers: tuple[str, ...]
    quoted: tuple[str, ...]
    classes: tuple[tuple[str, tuple[str, ...]], ...]  # what may not differ, by name
    asks: str  # who, when, where, how many ...; empty for all other questions
    task: str  # the verb that opens an order
    tense: str
    names: frozenset[str]
    surfaces: frozenset[str]  # the words as they were written, in lower case
    long: bool = False
    possessive: bool = False  # whether the request says `'s`
    shape: tuple[str, ...] = field(default=())  # the sequence, with a mark for each number


def is_number(word: str) -> bool:
    return word[:1].isdigit() or (word[:1] == "-" and word[1:2].isdigit())


@lru_cache(maxsize=4096)
def read_words(text: str) -> RequestWords:
    if len(text) > _LONGEST:
        return RequestWords(
            (), (), (), (text,), (), "", "", "", frozenset(), frozenset(), long=True
        )
    unquoted, quoted = _unquoted(text)
    spelled = normalize_spelling(unquoted)
    surfaces = frozenset(re.findall(r"[^\W_]+", spelled))
    tokens = tuple(_tokens(without_courtesy(spelled), quoted))
    sequence = tuple(token for token in tokens if token != _PAUSE and token not in lexicon().idle)
    return RequestWords(
        sequence,
        tuple(_words(tokens)),
        tuple(token for token in sequence if is_number(token)),
        quoted,
        tuple(_classes(sequence, tokens, surfaces)),
        next((token for token in sequence if token in _ASKS), ""),
        _task(tokens),
        _tense(spelled),
        _names(unquoted),
        surfaces,
        possessive="'s" in tokens,
        shape=tuple("#" if is_number(token) else token for token in sequence),
    )


_QUOTED = re.compile(
    r"```.*?```|`[^`\n]+`|\"[^\"\n]{1,400}\"|“[^”\n]{1,400}”|(?<![\w'])'[^'\n]{2,400}'(?![\w'])"
    r"|https?://\S+|\b[\w.+-]{1,64}@[\w-]+\.[\w.]+|(?<!\w)(?:/[\w.-]+){2,}",
    re.S,
)
_MARK = "\ue000"


def _unquoted(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with a mark for each quotation, code or address; and these pieces unchanged."""
    quotations = _QUOTED.findall(text)
    quoted = tuple(" ".join(quotation.strip("`\"“”'").split()) for quotation in quotations)
    return _QUOTED.sub(f" {_MARK} ", text), quoted


_TOKEN = re.compile(
    r"\ue000|\^[a-z0-9]+|-?\d+(?:[.,:/]\d+)*(?:st|nd|rd|th)?|[^\W\d_]+(?:_[^\W\d_]+)*(?:'s\b)?(?:\d+[^\W\d_]+)*\d*|[=<>+*/^~|\\&@#%!?,;:.()\[\]{}-]"
)
_SIGNS = frozenset("=<>+*/^~|\\&@#%[]{}")
_CODE_SIGNS = frozenset({":", "-"})
_PAUSE = ","


def _tokens(text: str, quoted: Sequence[str]) -> Iterator[str]:
    """The text as tokens: every word in its one form, the end of a clause as a comma."""
    left = iter(quoted)
    pieces = [piece[0] for piece in _TOKEN.finditer(_phrased(text))]
    for at, piece in enumerate(pieces):
        following = pieces[at + 1] if at + 1 < len(pieces) else ""
        if piece == _MARK:
            yield "=" + next(left, "")
        elif piece in _SIGNS:
            yield piece
        elif piece == "-":
            # A hyphen is a minus sign before a number; between two words it only joins them.
            before = pieces[at - 1] if at else ""
            if is_number(following) and not before.isalpha():
                yield piece
        elif (
            piece == ":"
            and (following[:1] in "[]0123456789" or (at and pieces[at - 1] in "[]"))
            and following
        ):
            yield piece
        elif piece in ",;.!?():":
            yield _PAUSE
        elif piece.endswith("'s"):
            yield form_of(piece[:-2])
            yield "'s"
        elif is_number(piece):
            yield _number(piece)
        elif piece == "a" and (
            not following or following in lexicon().relations or following in ",;.!?()"
        ):
            yield "^a"  # a letter, not the article
        else:
            yield form_of(piece)


def _number(piece: str) -> str:
    if match := re.fullmatch(r"(\d+)(?:st|nd|rd|th)", piece):
        return f"{int(match[1])}."
    try:
        return figure(float(piece))
    except ValueError:
        return piece


@lru_cache(maxsize=1)
def _phrases() -> re.Pattern[str]:
    phrases = sorted(lexicon().phrases, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(p.replace(' ', '[ -]') for p in phrases)})\b")


def _phrased(text: str) -> str:
    """The text in which each phrase of the lexicon is joined into one word."""
    return _phrases().sub(lambda match: match[0].replace(" ", "_").replace("-", "_"), text)


_ASKS = frozenset(
    "who when where howmany howmuch howlong howfar howold howtall howbig howdeep howwide howfast howheavy howhot howcold howoften".split()
)
_QUESTION = frozenset({"how", "why"}) | _ASKS
_BREAKS = frozenset(
    "be do have can could will would shall should must may might that which who".split()
)
_JOINS = frozenset({"and", "or", "vs", "/"})


def _words(tokens: Sequence[str]) -> Iterator[Word]:
    """The words with a meaning of their own, each with its tie."""
    classes = lexicon()
    tie, joined = "", False
    for token in tokens:
        if token in classes.relations:
            tie, joined = classes.relations[token], False
        elif token in _JOINS:
            joined = True
        elif token == _PAUSE or token in _BREAKS:
            tie, joined = "", token == _PAUSE
        elif (
            token in classes.idle
            or token in classes.modals
            or token in _QUESTION
            or token in classes.quantifiers
        ) or (
            token in _CODE_SIGNS
            or token in classes.negations
            or token in classes.pronouns
            or token in classes.acting
        ):
            continue
        else:
            yield Word(token, tie, joined)
            joined = False


def _classes(
    sequence: Sequence[str], tokens: Sequence[str], surfaces: frozenset[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The classes of words in which two requests may not differ, each with its words."""
    classes = lexicon()
    yield "negation", tuple("not" for token in sequence if token in classes.negations)
    yield "units", tuple(sorted({token for token in sequence if token in classes.units}))
    yield "quantity", tuple(sorted(_quantities(tokens)))
    yield "modality", tuple(sorted({classes.modals[t] for t in _said_modals(tokens)}))
    yield "person", tuple(sorted({classes.pronouns[t] for t in tokens if t in classes.pronouns}))
    yield "who acts", tuple(token for token in tokens if token in classes.acting)
    yield "format", tuple(sorted({classes.formats[t] for t in sequence if t in classes.formats}))
    yield "natural language", tuple(sorted({word for word in surfaces if word in classes.tongues}))
    yield "programming language or tool", tuple(sorted({t for t in sequence if t in classes.code}))
    yield "sign", tuple(t for t in sequence if t in _SIGNS or t in _CODE_SIGNS)


_GIVE = frozenset({"suggest", "recommend", "list", "name", "need"})


def _quantities(tokens: Sequence[str]) -> Iterator[str]:
    classes = lexicon()
    for at, token in enumerate(tokens):
        if token not in classes.quantifiers:
            continue
        # In `what are some tips` and `suggest some tips`, the word counts nothing.
        if token == "some" and (
            not at or (*tokens[:at],)[-2:] == ("what", "be") or tokens[at - 1] in _GIVE
        ):
            continue
        yield classes.quantifiers[token]


def _said_modals(tokens: Sequence[str]) -> Iterator[str]:
    classes = lexicon()
    for at, token in enumerate(tokens):
        if token in classes.modals and not (at and tokens[at - 1] == "how"):
            yield token


def _task(tokens: Sequence[str]) -> str:
    classes = lexicon()
    for token in tokens:
        if token in classes.tasks:
            return classes.tasks[token]
        if token != _PAUSE and token not in classes.idle:
            return ""
    return ""


_PAST = re.compile(r"\b(?:was|were|did|had)\b")
_FUTURE = re.compile(r"\b(?:will|shall|going to)\b")
_PERFECT = re.compile(r"\b(?:has|have) (?:\w+ )?\w+(?:ed|en|ne|wn)\b")
_PRESENT = re.compile(r"\b(?:is|are|am|do|does)\b")


def _tense(text: str) -> str:
    """The tense of the first verb that shows one."""
    seen = [
        (match.start(), tense)
        for tense, pattern in (
            ("past", _PAST),
            ("future", _FUTURE),
            ("perfect", _PERFECT),
            ("present", _PRESENT),
        )
        if (match := pattern.search(text))
    ]
    return min(seen)[1] if seen else ""


_NAME = re.compile(
    r"(?<![.!?:]\s)(?<!^)(?<![\w'\u2019-])([A-Z][\w+#.-]*[\w+#]|[A-Z])(?:['\u2019]s)?(?![\w])|\b([a-z]+[A-Z]\w*)\b"
)


def _names(text: str) -> frozenset[str]:
    """Words with a capital where an ordinary word has none, in their one form."""
    letters = [c for c in text if c.isalpha()]
    words = text.split()
    shouted = sum(c.isupper() for c in letters) > 0.6 * len(letters)
    titled = len(words) > 3 and sum(w[:1].isupper() for w in words) > 0.7 * len(words)
    if shouted or titled:
        return frozenset()
    written = (match[1] or match[2] for match in _NAME.finditer(text))
    return frozenset(
        form_of(name.lower().strip("."))
        for name in written
        if name not in ("I", "A") and stem(name.lower()) not in lexicon().idle
    )
