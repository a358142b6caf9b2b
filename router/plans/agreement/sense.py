"""What an answer says, whatever its words: answers of one sense are one answer. Pure.

A short answer is a yes, an amount, a date, a name or some words; each has one way to be written
here. What may be two answers stays two: an answer counts as another one in doubt.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

import orjson

from router.plans.agreement.moments import moment_of
from router.plans.agreement.names import abbreviation, one_name, roman, short_names
from router.plans.agreement.spelling import (
    in_one_line,
    in_plain_signs,
    plain_words,
    with_whole_words,
    without_articles,
)
from router.plans.agreement.unit_table import CURRENCIES
from router.plans.agreement.units import amounts_of, currency_or_rate, range_of
from router.plans.agreement.words import stance_of, unhedged
from router.value import value

_SHORT = 200  # characters of an answer that is read as more than its words
_FINAL = re.compile(r"(?m:^)[^\S\n]*+(?:final\s++answer|answer)\s*+[:=]\s*+(\S.*)", re.I | re.S)
_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
_FENCED = re.compile(r"```[\w+-]*\s*\n(.*?)\n?```", re.S)
_LETTER = re.compile(r"(?:option|choice|answer|opci[oó]n|antwort)?\s{0,3}\(?([A-Za-z])[.:)]?", re.I)
_LETTER_FIRST = re.compile(r"(?:\(?([A-Z])[:)]|\(([a-h])\)|([A-H])\.)\s+\S")
_NUMBERED = re.compile(r"(?:option|choice|opci[oó]n|number|no\.|nr\.)\s+(\d{1,3})", re.I)
_IN = re.compile(r"(?i:in|on|at|en|im|am|au|by|the year|in the year|en el año)\s+(?=[A-Z\d])")
_NO_DIGIT = re.compile(r"\D")
_DECIMAL = re.compile(r"\d[.,]\d|^\d+$|^[.,]\d")
_PHONE = re.compile(r"(?:\+|0)[\d ()/-]{6,20}")
_NONE = frozenset({"none", "nil", "ninguno", "ninguna", "keine", "keiner", "aucun", "aucune"})
_LABELLED = re.compile(
    r"(?:ext|extension|page|room|chapter|line|row|version|v|no|number|nr|step|section|gate|platform"
    r"|track|build|port|seite|zimmer|raum|kapitel|gleis|p[aá]gina|cap[ií]tulo|habitaci[oó]n|sala"
    r"|chambre|chapitre)\.?\s?#?(\d[\w.,]{0,20})",
    re.I,
)
_SAID_BY_PRONOUN = re.compile(
    r"(?:it|they|he|she|we|you|i)\b[^.,?!;:\n]{2,60}?\s"
    r"(because of|due to|by|in|on|with|for|to|from)\s([^\W\d][^.,?!;:\n]{0,40})",
    re.I,
)
_HAS_AMOUNT = re.compile(
    r"(?:(?:it|they|he|she|we|you|i|there|this|that|the \w+)\s+)?(?:is|are|was|were|has|have|had"
    r"|takes|took|costs?|weighs|needs|lasts|lasted"
    r"|(?:starts|begins|opens|closes|arrives|leaves|ends)(?: at| on)?"
    r"|employs?|contains?|holds|sold|received|cuesta|cuestan|dura|tiene|tienen|kostet|kosten"
    r"|dauert|hat|haben|wiegt|co[uû]te|co[uû]tent|dure|p[eè]se)\s+(\S.{0,40})",
    re.I,
)
_INVERTED = re.compile(r"([A-Z][^\W\d]{1,30}), ([A-Z][^\W\d]{1,30})")
_ADDRESS = re.compile(
    r"(?<![a-z0-9.-])(?:https?://)?(?:www\.)?([a-z0-9-]{1,40}(?:\.[a-z0-9-]{1,40}){0,4}\.[a-z]{2,20}(?:/\S*)?)"
)
_SUBJECT = re.compile(
    r"(?:the|la|el|le|die|der|das|my|your|its|this|that|los|las|les)\s[^.?!;:,\n]{2,80}?\s"
    r"(?:is|are|was|were|es|son|fue|era|ist|sind|war|waren|est|sont|était|lautet|heißt)\s+"
    r"(?:called\s+|named\s+)?([^.?!;:\n]{1,60})[.!]?",
    re.I,
)
_SAID_OF = re.compile(
    r"(\S{1,30}(?: \S{1,30}){0,2}) (?:is|are|was|were|es|son|fue|era|ist|sind|war|est|sont) "
    r"(?:the|el|la|los|las|der|die|das|le|les|l') ?[^.?!;:,\n]{2,80}[.!]?"
)
_BRACKETED = re.compile(r"(.{1,80}\S)\s*\([^()]{1,60}\)[.!]?")
_NEGATIVE = re.compile(r"\b(?:not|no|never|nicht|kein\w*|pas|nunca|nie|jamais|neither|nor)\b", re.I)


@value
class Sense:
    """`whole`: the ways to say all of the answer; `short`: shorter ways, which another answer may
    mean as well. `plain` is the answer in plain words."""

    plain: str
    whole: frozenset[str]
    short: frozenset[str]

    def is_of(self, other: "Sense") -> bool:
        """Whether two answers say the same."""
        return bool(
            self.whole & other.whole or self.whole & other.short or self.short & other.whole
        )


def sense_of(answer: str) -> Sense:
    return _read(answer) if len(answer) <= _SHORT * 4 else _as_words(answer)


@lru_cache(maxsize=512)
def _read(answer: str) -> Sense:
    return _as_words(answer)


def _as_words(answer: str) -> Sense:
    text = answer.strip()
    if text[:1] in "{[":
        try:
            same = orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS).decode()
            return Sense(same, frozenset({same}), frozenset())
        except orjson.JSONDecodeError:
            pass
    for pattern in (_BOXED, _FINAL):
        matches = pattern.findall(text)
        if matches:
            text = matches[-1].strip()
    fenced = _FENCED.fullmatch(text)
    text = fenced[1] if fenced else text
    if stance := stance_of(text):
        return _only(stance)
    text = unhedged(_bare(in_plain_signs(in_one_line(text))))
    if stance := stance_of(text):
        return _only(stance)
    text = with_whole_words(_bare(text)) if len(text) <= _SHORT else text
    plain = plain_words(text)
    if not text or len(text) > _SHORT:
        return Sense(plain, frozenset({plain}), frozenset())
    return Sense(plain, frozenset(_whole(text, plain)), frozenset(_short(text)) - {""})


def _only(sense: str) -> Sense:
    return Sense(sense, frozenset({f"={sense}"}), frozenset())


def _bare(text: str) -> str:
    text = text.strip().strip("*`\"'\u201c\u201d\u201e«» ").strip()
    text = text.rstrip(".!").strip("*`\"'\u201c\u201d\u201e«» ").strip()
    return text[1:-1] if text[:1] == "(" and text[-1:] == ")" and "(" not in text[1:] else text


def _whole(text: str, plain: str) -> Iterator[str]:
    """The ways to say what this text says."""
    typed = [*_typed(text)]
    begins = _IN.match(text)
    bare = text[begins.end() :] if begins else ""
    if bare and (bare[0].isupper() or moment_of(bare) or re.fullmatch(r"\d{4}", bare)):
        typed += [*_typed(bare), *_named(plain_words(bare))]
    yield from typed
    if not typed:
        yield from _named(plain)
    if inverted := _INVERTED.fullmatch(text):
        yield from _named(plain_words(f"{inverted[2]} {inverted[1]}"))
    if address := _ADDRESS.fullmatch(text.lower()):
        yield f"={address[1].rstrip('/')}"
    yield from (f"={unit}" for unit in currency_or_rate(text))
    letters = abbreviation(text)
    if letters:
        yield f"#{letters}"


def _named(plain: str) -> Iterator[str]:
    words = without_articles(plain.split())
    yield one_name(" ".join(words) or plain)


def _typed(text: str) -> Iterator[str]:
    """The text as a letter, a moment or an amount, in every way to read it."""
    if letter := _LETTER.fullmatch(text):
        yield letter[1].lower()
        return
    if numbered := _NUMBERED.fullmatch(text):
        yield f"={numbered[1]} "
        return
    if moment := moment_of(text):
        yield f"={moment}"
        return
    if _PHONE.fullmatch(text):
        yield f"=phone {re.sub(_NO_DIGIT, '', text)}"
        return
    bare = _without_article(text)
    amounts = [*amounts_of(bare)]
    for amount in amounts:
        yield f"={amount.number} {amount.dimension}"
        if not amount.dimension and amount.number < 1 and not _DECIMAL.search(bare):
            yield f"={100 * amount.number} percent"  # three quarters
    if not amounts:
        yield from (
            f"=range {low.number} {high.number} {low.dimension}" for low, high in range_of(text)
        )


def _without_article(text: str) -> str:
    first, _, rest = text.partition(" ")
    return rest if first.lower() in ("the", "el", "la", "le", "die", "los", "las") else text


def _short(text: str) -> Iterator[str]:
    if letter := _LETTER_FIRST.match(text):
        yield letter[letter.lastindex or 1].lower()
    for amount in amounts_of(text):
        if amount.dimension in CURRENCIES:
            yield f"={amount.number} "
    if "-" in text and (joined := re.sub(r"(?<=[^\W\d])-(?=\w)", "", text)) != text:
        yield from _named(plain_words(joined))  # email for e-mail
    stated = _HAS_AMOUNT.fullmatch(text)
    yield from (sense for sense in _typed(stated[1] if stated else "") if sense[0] == "=")
    if text.lower() in _NONE:
        yield "=0 "
    if len(text) > 1 and (number := roman(text)):
        yield f"={number} "
    if labelled := _LABELLED.fullmatch(text):
        yield from _typed(labelled[1])
    sentence = _SAID_BY_PRONOUN.fullmatch(text)
    if sentence and not _NEGATIVE.search(text):
        yield from _whole(sentence[2], plain_words(sentence[2]))
        yield from _named(plain_words(f"{sentence[1]} {sentence[2]}"))
    for name in short_names(text):
        yield name if name.startswith("#") else one_name(" ".join(without_articles(name.split())))
    for pattern in (_SUBJECT, _SAID_OF, _BRACKETED):
        part = pattern.fullmatch(text)
        if part and len(part[1].split()) <= 5 and not _NEGATIVE.search(text):
            inner = _bare(unhedged(part[1]))
            yield from _whole(inner, plain_words(inner)) if inner else ()
