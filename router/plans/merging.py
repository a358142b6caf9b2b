"""Makes one answer of several: joins JSON, or counts votes. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from router.records.json_text import NoJson
from router.records.shape_fields import field_names, only

_NOTHING = object()


def joined(parts: Sequence[Any]) -> Any:
    """Join JSON documents: objects by key, lists of records item by item. Where two documents
    differ, the earlier document wins."""
    made: Any = _NOTHING
    for part in parts:
        made = part if made is _NOTHING else _two(made, part)
    if made is _NOTHING:
        raise NoJson("there is nothing to join")
    return made


def _two(first: Any, second: Any) -> Any:
    if isinstance(first, dict) and isinstance(second, dict):
        added = {key: value for key, value in second.items() if key not in first}
        return {k: _two(v, second[k]) if k in second else v for k, v in first.items()} | added
    if isinstance(first, list) and isinstance(second, list):
        if all(isinstance(item, dict) for item in (*first, *second)) and len(first) == len(second):
            return [_two(a, b) for a, b in zip(first, second, strict=True)]
        return first if first else second
    if isinstance(first, list) and isinstance(second, dict):
        lists = [value for value in second.values() if isinstance(value, list)]
        return _two(first, lists[0]) if len(lists) == 1 else first
    return second if first is None else first


def parts_of(shape: Any, wishes: Sequence[Sequence[str]]) -> list[Any]:
    """The part of the shape for each branch: the fields that the branch asks for, or a share of the
    fields that no branch asks for."""
    fields = field_names(shape)
    given = {name for wish in wishes for name in wish}
    rest = [name for name in fields if name not in given]
    free = [n for n, wish in enumerate(wishes) if not wish]
    shares: dict[int, list[str]] = {n: [] for n in free}
    for index, name in enumerate(rest):
        if free:
            shares[free[index * len(free) // len(rest)]].append(name)
    return [only(shape, list(wish) if wish else shares.get(n, [])) for n, wish in enumerate(wishes)]


@dataclass(frozen=True, slots=True)
class Count:
    """The position of the answer that won a vote, and its share of the weight."""

    winner: int
    share: float


def counted(answers: Sequence[str], weights: Sequence[float]) -> Count:
    """Count the votes by weight; among equals, the answer that was listed first wins."""
    behind: dict[str, float] = {}
    first: dict[str, int] = {}
    for index, (answer, weight) in enumerate(zip(answers, weights, strict=True)):
        plain = normalised(answer)
        behind[plain] = behind.get(plain, 0.0) + weight
        first.setdefault(plain, index)
    best = max(behind, key=lambda plain: (behind[plain], -first[plain]))
    return Count(first[best], behind[best] / sum(behind.values()))


_LEAD = re.compile(
    r"^(?:(?:so|thus|therefore|hence)[, ]+)?(?:the\s+)?(?:final\s+|correct\s+|right\s+)?"
    r"(?:answer|result|solution)\s*(?:is|=|:)\s*",
    re.I,
)
# How people begin who are not sure, or who say it in a sentence.
_HEDGE = re.compile(
    r"^(?:(?:well|hm+|um+|so|ok|okay|sure|yeah|probably|maybe|perhaps|clearly|obviously)\b[,.: ]+"
    r"|i(?:'m| am)?\s+(?:think|believe|guess|suppose|reckon|would say|(?:pretty |quite )?sure)\b"
    r"(?:\s+(?:that|it's|it is)\b)?[:, ]+|(?:i'd|i would)\s+(?:say|guess|go with)\b[:, ]+"
    r"|(?:it's|it is|it was|that's|that is|that would be|this is|it would be|must be)\s+"
    r"|my\s+(?:final\s+)?(?:answer|guess|vote)(?:\s+(?:is|would be))?[:, ]+"
    r"|ich\s+(?:glaube|denke|meine|würde sagen)[:, ]+|(?:es|das)\s+ist\s+|meine\s+antwort[:, ]+"
    r"|je\s+(?:crois|pense|dirais)(?:\s+que)?[:, ]+|c'est\s+|ma\s+réponse[:, ]+"
    r"|(?:creo|pienso|diría)(?:\s+que)?(?:\s+es)?[:, ]+|mi\s+respuesta(?:\s+es)?[:, ]+)",
    re.I,
)
_MOST_HEDGES = 3
_FINAL = re.compile(r"(?m:^)[^\S\n]*+(?:final\s++answer|answer)\s*+[:=]\s*+(\S.*)", re.I | re.S)
_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
# Marks that change no answer. Points and commas between digits, signs before digits and operators
# do: 1.5 is not 15, -5 is not 5, and `a != b` is not `a == b`.
_MARKS = re.compile(
    r"[.,](?!\d)|(?<!\d),|(?<=\d),(?=\d{3}(?!\d))|!(?!=)|(?<!\w)-(?!\d)|(?<=\w)-"
    r"|[^\w\s.,!<>=+*/%$€£-]|_"
)
_PLAIN_NUMBER = re.compile(r"[$€£]?\s*+(-?\d{1,3}(?:,\d{3})+|-?\d+)(\.\d+)?\s*+%?")


def normalised(answer: str) -> str:
    """Reduce an answer to its content: answers that differ only in wording become equal."""
    text = answer.strip()
    if text[:1] in "{[":
        try:
            return orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS).decode()
        except orjson.JSONDecodeError:
            pass
    for pattern in (_BOXED, _FINAL):
        matches = pattern.findall(text)
        if matches:
            text = matches[-1]
    text = _LEAD.sub("", _unhedged(text.strip().replace("\u2019", "'"))).strip()
    text = text.strip("*_`\"'").rstrip(".!").strip("*_`\"'").strip()
    number = _PLAIN_NUMBER.fullmatch(text)
    if number:
        value = float(number[1].replace(",", "") + (number[2] or ""))
        return f"{value:.12g}"
    letter = re.fullmatch(r"\(?([A-Za-z])\)?[.:)]?(?:\s.{0,200})?", text, re.S)
    if letter and (len(text) <= 3 or re.match(r"\(?[A-Za-z][.:)]\s", text)):
        return letter[1].lower()
    return " ".join(_MARKS.sub("", text).lower().split())


def _unhedged(text: str) -> str:
    for _ in range(_MOST_HEDGES):
        shorter = _HEDGE.sub("", text)
        if shorter == text or not shorter:
            break
        text = shorter
    return text


_TOKEN = re.compile(r"\w+")
_ARTICLES = frozenset(
    [
        *("the", "a", "an", "der", "die", "das", "ein", "eine", "le", "la", "les", "un", "une"),
        *("el", "los", "las", "una", "il", "lo"),
    ]
)
_SHORT = 3  # words up to which an answer is a word or a name, and agrees as a whole or not at all
_NEGATIONS = frozenset(
    [
        "no",
        "not",
        "never",
        "none",
        "nor",
        "cannot",
        "cant",
        "dont",
        "doesnt",
        "isnt",
        "wont",
        "without",
    ]
)


def _decides(token: str) -> bool:
    return token in _NEGATIONS or any(c.isdigit() for c in token)


def _without_articles(tokens: Sequence[str]) -> list[str]:
    return [token for token in tokens if token not in _ARTICLES]


def _is_longer(plain: str) -> bool:
    """Whether a text has so many words that a part of them may agree."""
    return len(_without_articles(_TOKEN.findall(plain))) > _SHORT


def agreement(first: str, second: str) -> float:
    """How much two answers agree: 1 if equal once normalised, else the share of common words.

    Articles do not count. Of two answers, one with few words agrees as a whole or not at all: "the
    fax" is no half of "the telephone".
    """
    plain, other = normalised(first), normalised(second)
    if plain == other:
        return 1.0
    if not _is_longer(plain) or not _is_longer(other):
        return float(_without_articles(plain.split()) == _without_articles(other.split()))
    a, b = (_without_articles(_TOKEN.findall(text)) for text in (plain, other))
    decisive = {t for t in a if _decides(t)} ^ {t for t in b if _decides(t)}
    if not a or not b or decisive:
        return 0.0  # another number or negation makes it another answer
    shared = (Counter(a) & Counter(b)).total()
    return 2 * shared / (len(a) + len(b))
