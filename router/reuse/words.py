"""A request as it is compared: what it asks, in words that stand for all their like. Pure.

Two requests are the same only where everything that carries meaning is: each number with its unit,
each negation, each name, every quoted text. So nothing is weighed here; what is not known to be
idle is kept, and a word that only one of two requests has makes them different.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from router.reuse import phrasing
from router.reuse.lexicon import group_of, lexicon

_LONGEST = 2_000  # characters: what is longer is compared as it stands, and never as alike


@dataclass(frozen=True, slots=True)
class Chunk:
    """Words that belong together, and the word that ties them to the rest."""

    tie: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """What a request asks."""

    intent: str  # how, why, who, when, where; nothing: what
    chunks: tuple[Chunk, ...]
    numbers: tuple[str, ...]  # as they stand, in order
    negations: tuple[str, ...]
    quoted: tuple[str, ...]
    tense: str
    modal: str  # whether it asks for what can be, or what should be
    manner: str  # what it opens with: list, explain, define
    own: bool  # it speaks of the caller's own affairs
    long: bool = False
    words: tuple[str, ...] = field(default=())

    @property
    def shape(self) -> tuple[str, ...]:
        """The words, whatever the numbers among them are."""
        return tuple("#" if is_number(word) else word for word in self.words)


def is_number(word: str) -> bool:
    return word[:1].isdigit() or (word[:1] == "-" and word[1:2].isdigit())


@lru_cache(maxsize=4096)
def told(text: str) -> Wording:
    if len(text) > _LONGEST:
        return Wording("", (), (), (), (text,), "", "", "", own=False, long=True)
    plain, quoted = _unquoted(text)
    plain = phrasing.plain(plain)
    own, tense = bool(phrasing.OWN.search(plain)), _tense(plain)
    plain = phrasing.opened(plain)
    tokens = list(_tokens(plain, quoted))
    intent, tokens = _intent(tokens)
    modal = next((_MODALS[token] for token in tokens if token in _MODALS), "")
    manner, tokens = _manner(tokens, intent)
    chunks = tuple(_chunks(tokens))
    words = tuple(word for chunk in chunks for word in chunk.words)
    numbers = tuple(word for word in words if is_number(word))
    negations = tuple(word for word in words if word in _NEGATIONS)
    return Wording(
        intent, chunks, numbers, negations, quoted, tense, modal, manner, own, words=words
    )


_QUOTED = re.compile(
    r"```.*?```|`[^`\n]+`|\"[^\"\n]{1,400}\"|“[^”\n]{1,400}”|(?<![\w'])'[^'\n]{2,400}'(?![\w'])"
    r"|https?://\S+|\b[\w.+-]+@[\w-]+\.[\w.]+|(?<!\w)(?:/[\w.-]+){2,}",
    re.S,
)
_MARK = "\ue000"


def _unquoted(text: str) -> tuple[str, tuple[str, ...]]:
    """Code, quotations, addresses: kept to the letter, and a mark in their place."""
    quoted = tuple(" ".join(one.strip("`\"“”'").split()) for one in _QUOTED.findall(text))
    return _QUOTED.sub(f" {_MARK} ", text), quoted


_TOKEN = re.compile(
    r"\ue000|\^[a-z]+|-?\d+(?:[.,:/]\d+)*(?:st|nd|rd|th)?|[^\W\d_]+(?:_[^\W\d_]+)*(?:'s\b)?\d*|[=<>+*/^~|\\&@#%!?,;.()-]"
)
_SIGNS = frozenset("=<>+*/^~|\\&@#%")
_PAUSE = ","


def _tokens(text: str, quoted: Sequence[str]) -> Iterator[str]:
    """Words by their group's name; ends of clauses as a comma."""
    left = iter(quoted)
    pieces = [piece[0] for piece in _TOKEN.finditer(_phrased(text))]
    for at, piece in enumerate(pieces):
        if piece == _MARK:
            yield "=" + next(left, "")
        elif piece in _SIGNS:
            yield piece
        elif piece == "-":
            # Between two numbers it takes away; between two words it only joins them.
            if (
                at
                and is_number(pieces[at - 1])
                and at + 1 < len(pieces)
                and is_number(pieces[at + 1])
            ):
                yield piece
        elif piece in ",;.!?()":
            yield _PAUSE
        elif piece.endswith("'s"):
            yield group_of(piece[:-2])
            yield "'s"
        elif piece[:1].isdigit() or piece[:1] == "-":
            yield _number(piece)
        else:
            yield group_of(piece)


def _number(piece: str) -> str:
    try:
        return phrasing.written(float(piece))
    except ValueError:
        return piece


def _phrased(text: str) -> str:
    """Phrases of several words as one."""
    phrases = lexicon().phrases
    if phrases is None:
        return text
    return phrases.sub(
        lambda found: found[0].replace(" ", "-").replace("-", "\u2010"), text
    ).replace("\u2010", "_")


_INTENTS = ("how", "why", "who", "when", "where")
_IDLE = frozenset(
    "a an the be do have what which that those there it its 's i you we they them "
    "me us my our your to any some please just really actually exactly basically "
    "quite very so also too then ever contain consist happen can could would should may might shall "
    "thing stuff possible able try whom whose generally usually normally typically "
    "certain particular specific properly correctly exist called involve include".split()
)
# What a request may open with that says only how its answer is to read.
_OPENING = {
    word: manner
    for manner, words in (
        ("", "tell give show provide state present get help know find see look calculate"),
        ("create", "create"),
        ("list", "list name enumerate identify mention suggest recommend"),
        ("explain", "explain describe discuss elaborate"),
        ("define", "define"),
    )
    for word in words.split()
}
_NEGATIONS = frozenset(
    "not no never without none nobody nothing neither nor except exclud exclude avoid unless "
    "lack isn aren un non cannot hardly rarely".split()
)
_PAST = re.compile(r"\b(?:was|were|did|had)\b")
_PRESENT = re.compile(r"\b(?:is|are|am|do|does)\b")
_FUTURE = re.compile(r"\b(?:will|shall|going to)\b")


def _tense(text: str) -> str:
    for tense, pattern in (("past", _PAST), ("future", _FUTURE), ("present", _PRESENT)):
        if pattern.search(text):
            return tense
    return ""


_MODALS = {
    "can": "can",
    "could": "can",
    "may": "can",
    "should": "should",
    "must": "should",
    "would": "would",
}
_AUXILIARY = frozenset("be do have can could should would will may might must shall".split())
_TIES = {
    tie: tie
    for tie in "of in for with from to by about into as during since until till before after between "
    "against over under per than through across around near outside like if because while when "
    "where and or but vs via upon above below behind beside beyond toward towards onto at on "
    "without except".split()
} | {"via": "with", "on": "in", "at": "in", "toward": "to", "towards": "to", "till": "until",
     "upon": "in", "into": "to", "onto": "to"}  # fmt: skip


# Where one part of a sentence ends and the next begins.
_BETWEEN = {"'s": "'s", "be": "be", "that": "", "which": "", "who": "", "whom": ""} | dict.fromkeys(
    _AUXILIARY - {"be"}, "do"
)
_SAYS_SOMETHING = frozenset("like without before after since until over under than".split())


def _intent(tokens: list[str]) -> tuple[str, list[str]]:
    """The first word that asks; a clause that it stands in comes first."""
    for at, token in enumerate(tokens):
        if token in _INTENTS:
            rest = tokens[:at] + tokens[at + 1 :]
            front = [t for t in tokens[:at] if t != _PAUSE and t not in _IDLE]
            # `In Python, how do I …`: what comes before the question belongs behind it.
            if front and front[0] in _TIES:
                rest = [*tokens[at + 1 :], _PAUSE, *tokens[:at]]
            return token, rest
    if tokens and tokens[0] in _AUXILIARY and "or" not in tokens:
        return "whether", tokens[1:]
    comma = tokens.index(_PAUSE) if _PAUSE in tokens else 0
    if comma and _TIES.get(tokens[0]) in ("in", "for", "with", "from"):
        tokens = [*tokens[comma + 1 :], _PAUSE, *tokens[:comma]]
    return "", tokens


def _manner(tokens: list[str], intent: str) -> tuple[str, list[str]]:
    """Verbs that a request opens with and that only ask."""
    manner, start = "", -1
    for at, token in enumerate(tokens):
        if token in _AUXILIARY and token != "be":
            start = at  # whose doing it is comes next
            continue
        if token in _OPENING and not intent:
            manner = manner or _OPENING[token]
        elif token in ("what", "which") and not intent:
            manner = manner or "what"
        elif token not in _IDLE and token != _PAUSE:
            return manner, tokens[start if start >= 0 and start == at - 1 else at :]
    return manner, tokens


def _chunks(tokens: Sequence[str]) -> Iterator[Chunk]:
    tie, words = "", list[str]()
    for token in [*tokens, _PAUSE]:
        if token == _PAUSE or token in _TIES or token in _BETWEEN:
            if words or tie in _SAYS_SOMETHING:
                yield Chunk(tie, tuple(words)) if words else Chunk("", (tie,))
                words, tie = [], ""
            tie = _TIES.get(token, _BETWEEN.get(token, ""))
            if tie in _NEGATIONS:
                words, tie = [tie], ""
        elif token not in _IDLE:
            words.append(token)
    if words:
        yield Chunk(tie, tuple(words))
