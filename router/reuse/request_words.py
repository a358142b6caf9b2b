"""Reads a request for comparison: its intent, numbers, negations, quotations and words. Pure.

The name of its group in the lexicon replaces every word. Only listed idle words are left out, so an
unfamiliar word always counts. All words count the same.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from router.reuse.lexicon import group_of, lexicon
from router.reuse.normalization import OWN, figure, normalize_phrases, normalize_spelling

_LONGEST = 2_000  # characters; a longer request equals no other request


@dataclass(frozen=True, slots=True)
class Chunk:
    """Words that belong together, and the tie: the word that connects them to the words before."""

    tie: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestWords:
    intent: str  # how, why, who, when, where or whether; empty for all other requests
    chunks: tuple[Chunk, ...]
    numbers: tuple[str, ...]  # in the order of the text
    negations: tuple[str, ...]
    quoted: tuple[str, ...]
    tense: str
    modal: str  # can, should or would, if the request has such a word
    manner: str  # what the answer should do: list, explain, define, create
    own: bool  # whether the request says `my`, `our` or the like
    long: bool = False
    words: tuple[str, ...] = field(default=())

    @property
    def shape(self) -> tuple[str, ...]:
        """The words, with a mark in place of each number."""
        return tuple("#" if is_number(word) else word for word in self.words)


def is_number(word: str) -> bool:
    return word[:1].isdigit() or (word[:1] == "-" and word[1:2].isdigit())


@lru_cache(maxsize=4096)
def read_words(text: str) -> RequestWords:
    if len(text) > _LONGEST:
        return RequestWords("", (), (), (), (text,), "", "", "", own=False, long=True)
    unquoted, quoted = _unquoted(text)
    spelled = normalize_spelling(unquoted)
    own, tense = bool(OWN.search(spelled)), _tense(spelled)
    tokens = list(_tokens(normalize_phrases(spelled), quoted))
    intent, tokens = _intent(tokens)
    modal = next((_MODALS[token] for token in tokens if token in _MODALS), "")
    manner, tokens = _manner(tokens, intent)
    chunks = tuple(_chunks(tokens))
    words = tuple(word for chunk in chunks for word in chunk.words)
    numbers = tuple(word for word in words if is_number(word))
    negations = tuple(word for word in words if word in _NEGATIONS)
    return RequestWords(
        intent, chunks, numbers, negations, quoted, tense, modal, manner, own, words=words
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
    r"\ue000|\^[a-z]+|-?\d+(?:[.,:/]\d+)*(?:st|nd|rd|th)?|[^\W\d_]+(?:_[^\W\d_]+)*(?:'s\b)?\d*|[=<>+*/^~|\\&@#%!?,;.()-]"
)
_SIGNS = frozenset("=<>+*/^~|\\&@#%")
_PAUSE = ","


def _tokens(text: str, quoted: Sequence[str]) -> Iterator[str]:
    """The text as tokens: a word becomes the name of its group, the end of a clause a comma."""
    left = iter(quoted)
    pieces = [piece[0] for piece in _TOKEN.finditer(_phrased(text))]
    for at, piece in enumerate(pieces):
        if piece == _MARK:
            yield "=" + next(left, "")
        elif piece in _SIGNS:
            yield piece
        elif piece == "-":
            # A hyphen is a minus sign between two numbers; between two words it only joins them.
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
        return figure(float(piece))
    except ValueError:
        return piece


def _phrased(text: str) -> str:
    """The text in which each phrase of the lexicon is joined into one word."""
    joined = lexicon().phrases.sub(lambda match: match[0].replace(" ", "_").replace("-", "_"), text)
    return joined.replace("\u2010", "_")  # a typographic hyphen


_INTENTS = ("how", "why", "who", "when", "where")
_IDLE = frozenset(
    "a an the be do have what which that those there it its 's i you we they them "
    "me us my our your to any some please just really actually exactly basically "
    "quite very so also too then ever contain consist happen can could would should may might shall "
    "thing stuff possible able try whom whose generally usually normally typically "
    "certain particular specific properly correctly exist called involve include".split()
)
# Opening verbs that say only what kind of answer the caller wants.
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


# Words between two parts of a sentence, and the tie that replaces each word.
_BETWEEN = {"'s": "'s", "be": "be", "that": "", "which": "", "who": "", "whom": ""} | dict.fromkeys(
    _AUXILIARY - {"be"}, "do"
)
_SAYS_SOMETHING = frozenset("like without before after since until over under than".split())


def _intent(tokens: list[str]) -> tuple[str, list[str]]:
    """The first question word, and the other tokens, those of its clause first."""
    for at, token in enumerate(tokens):
        if token in _INTENTS:
            rest = tokens[:at] + tokens[at + 1 :]
            front = [t for t in tokens[:at] if t != _PAUSE and t not in _IDLE]
            # In `In Python, how do I …`, move the words before the question behind it.
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
    """The manner that the opening verbs ask for, and the tokens behind these verbs."""
    manner, start = "", -1
    for at, token in enumerate(tokens):
        if token in _AUXILIARY and token != "be":
            start = at  # the next word names who acts
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
