"""Offers what the rows say to a question that is not surely understood, marked as no answer.

Of two readings that fit, both are given. A verb that is not understood is left out.

A verb may be left out only if it joins rows to a value beside it, or says that the rows took place.
Any other word may be what the question is about: a noun, an adjective, a number, a denial, or a
verb that tells rows apart (`cancelled`, `missed`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from router.knowledge.finding.where import EVERYTHING, Where
from router.knowledge.rows.answering import RowReader, answered_by
from router.knowledge.rows.language.column_words import DATE_WORDS, SMALL, name_words
from router.knowledge.rows.language.names import Names
from router.knowledge.rows.language.spans import Span
from router.knowledge.rows.language.words import (
    Language,
    canonical,
    concepts_of,
    language_of,
    left_out,
    opposites,
)
from router.knowledge.rows.parts.targets import fields_of_query
from router.knowledge.rows.query import RowQuery
from router.knowledge.rows.schema import Choice, RowAnswer, Run, Unclear, UnknownWords
from router.request.plain import folded

_MOST_WORDS = 2
_READINGS = 2

_SAID = {
    "en": ("I do not know what {0} means here. Without it, the question reads: {1}"),
    "es": ("No sé qué significa aquí {0}. Sin ello, la pregunta dice: {1}"),
}
_TWO = {
    "en": "The question can be read in two ways. Either: {0}\nOr: {1}",
    "es": "La pregunta puede leerse de dos maneras. O bien: {0}\nO bien: {1}",
}
_AND = {"en": " and ", "es": " y "}


@dataclass(frozen=True, slots=True)
class Offer:
    """What the rows say to a question in two readings, or without some words. It is no answer."""

    left_out: tuple[str, ...]
    answers: tuple[RowAnswer, ...]  # of each of the readings
    language: Language

    @property
    def text(self) -> str:
        readings = [f"{answer.reading}: {answer.text}" for answer in self.answers]
        if len(readings) > 1:
            return _TWO[self.language].format(*readings)
        words = _AND[self.language].join(f"`{word}`" for word in self.left_out)
        return _SAID[self.language].format(words, readings[0])


def offer_of(
    reader: RowReader,
    question: str,
    run: Run,
    previous: Sequence[str] = (),
    where: Where = EVERYTHING,
) -> Offer | None:
    """What the rows say to a question that `answered_by` refuses: in both of two readings that fit,
    or without its unknown verbs."""
    try:
        reader.read(question, previous)
    except UnknownWords as unknown:
        words = unknown.words
    except Choice as choice:
        return _both(reader, choice, question, run, previous, where)
    except Unclear:
        return None
    else:
        return None
    if len(words) > _MOST_WORDS:
        return None
    turns = [*previous, question]
    place = next((i for i in (-1, -2) if len(turns) >= -i and _once(turns[i], words)), 0)
    if not place:
        return None
    whole, turns[place] = turns[place], _without(turns[place], words)
    try:
        interpreted, language = reader.read(turns[-1], turns[:-1])
        query, _ = reader.read(turns[place], turns[:-1][: len(turns) + place])
        names = reader.names_of(query.query.table)
        spans = reader.spans(whole, names, language)
    except Unclear:
        return None
    allowed = not any(map(reader.names_word, words)) and all(
        _may_go(spans, word, language) for word in words
    )
    if not allowed or not _dates_are_plain(interpreted.query, names):
        return None
    answer = answered_by(reader, turns[-1], run, turns[:-1], where)
    return Offer(words, (answer,), language) if isinstance(answer, RowAnswer) else None


def _both(
    reader: RowReader,
    choice: Choice,
    question: str,
    run: Run,
    previous: Sequence[str],
    where: Where,
) -> Offer | None:
    """The answers of both readings, if there are two, and they answer."""
    readers = [reader.preferring(key) for key in choice.keys]
    answers = [
        answer
        for each in readers
        if isinstance(answer := answered_by(each, question, run, previous, where), RowAnswer)
    ]
    if len(readers) != _READINGS or len(answers) != _READINGS:
        return None
    return Offer((), tuple(answers), language_of(question))


def _pattern(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w'\u2019-]){re.escape(word)}(?![\w'\u2019-])")


def _once(text: str, words: Sequence[str]) -> bool:
    return all(len(_pattern(word).findall(text)) == 1 for word in words)


def _without(text: str, words: Sequence[str]) -> str:
    for word in words:
        text = _pattern(word).sub("", text)
    return " ".join(text.split())


def _dates_are_plain(query: RowQuery, names: Names) -> bool:
    """Whether no day of the query is of a column that says more than when a row was.

    A verb beside a day may say of which event the day is: `members who resigned in 2023`.
    """
    plain = names.row_words | DATE_WORDS | SMALL
    return all(
        plain.issuperset(map(canonical, name_words(each.name)))
        for each in fields_of_query(query)
        if each.dated
    )


_DENYING = ("neg", "nor", "unread", "now", "un_col", "un_val", "or_more", "or_less")
_JOINING = ("linking", "earning", "using")


def _may_go(spans: Sequence[Span], word: str, language: Language) -> bool:
    """Whether a word is a verb without which the question keeps its meaning."""
    if any(span.means(*_DENYING) for span in spans):
        return False
    place = next((i for i, span in enumerate(spans) if span.text == word), -1)
    if place < 1:
        return False
    span, plain = spans[place], folded(word)
    if not plain.isalpha() or span.capital or span.quoted or word != word.lower():
        return False
    joins = bool(span.senses) and all(sense.kind in _JOINING for sense in span.senses)
    if span.senses and not joins:
        return False
    concept = (canonical(plain),)
    denies = any(concept in phrases for phrases in opposites().values())
    if (not joins and concept in concepts_of()) or denies:
        return False
    holding = plain in left_out("holding")
    if not holding and plain.startswith(tuple(left_out("telling"))):
        return False
    if any(each.means("much") for each in spans):
        return False  # how much was refunded, lent, owed
    words = [_Word(each, w) for each in spans for w in each.words]
    at = next(i for i, each in enumerate(words) if each.span is span)
    joining = _joins_english if language == "en" else _joins_spanish
    return joining(words[:at], plain, words[at + 1 :], holding)


@dataclass(frozen=True, slots=True)
class _Word:
    span: Span
    word: str

    @property
    def value(self) -> bool:
        return self.span.means("val") and not self.span.filler

    @property
    def rows(self) -> bool:
        return self.span.means("entity", "person", "who") or self.word in _RELATIVE


_RELATIVE = frozenset(("that", "which", "que", "anyone", "everyone"))
_DID = frozenset(("did", "do", "does", "has", "have", "had"))
_WAS = frozenset(("is", "are", "was", "were", "been", "being"))
_US = frozenset(("we", "they", "you", "i"))
_BETWEEN = frozenset(("ever", "also", "just", "already", "still"))
_ARTICLES = frozenset(("the", "a", "an", "our", "el", "la", "los", "las", "un", "una"))
_AWAY = frozenset(("away", "down", "back", "off", "out", "up", "over", "through", "without"))
_TOWARDS = frozenset(("by", "with", "for", "to", "a", "al", "por", "con"))
_PLACES = frozenset(("in", "at", "on", "en"))


def _argument(after: Sequence[_Word], prepositions: frozenset[str]) -> bool:
    """Whether a value follows, perhaps behind one preposition and an article."""
    at = 0
    if at < len(after) and after[at].word in prepositions and not after[at].value:
        at += 1
    while at < len(after) and after[at].word in _ARTICLES and not after[at].value:
        at += 1
    return at < len(after) and after[at].value


def _ends_well(after: Sequence[_Word]) -> bool:
    """Whether no particle changes the verb, and it is no adjective of a noun behind it."""
    if not after:
        return True
    if after[0].word in _AWAY:
        return False
    if after[0].span.means("entity", "col") and not after[0].value:
        return False
    return bool(after[0].span.senses) or after[0].span.days is not None


def _joins_english(
    before: Sequence[_Word], verb: str, after: Sequence[_Word], holding: bool
) -> bool:
    if not before or not _ends_well(after):
        return False
    last, at = before[-1], len(before) - 1
    while at >= 0 and (before[at].value or before[at].word in _US | _BETWEEN | _ARTICLES):
        at -= 1
    subject = before[at + 1 :]
    named, ours = any(each.value for each in subject), any(each.word in _US for each in subject)
    if at > 0 and before[at].word in _DID and last.word not in _ARTICLES and (named or ours):
        counted = before[at - 1].span.means("count", "much")  # `how many does the Arms hold`
        return not counted and (named or holding)
    past = verb.endswith("ed") or holding
    towards = _TOWARDS | _PLACES if holding else _TOWARDS
    if past and last.rows:
        return _argument(after, towards)
    return (
        past
        and last.word in _WAS
        and bool(after)
        and (after[0].word in towards and _argument(after, towards))
    )


_SE = frozenset(("se", "ha", "han", "hemos", "habia", "nos"))
_ESTA = frozenset(("esta", "estan", "estaba", "estaban", "fue", "fueron", "son", "es"))
_SPANISH_VERB = re.compile(r"(?:aron|ieron|[aei]mos|[ai]d[oa]s?|aban|ian|an|en|o|io)\Z")


def _joins_spanish(
    before: Sequence[_Word], verb: str, after: Sequence[_Word], holding: bool
) -> bool:
    if not before or not _ends_well(after) or not _SPANISH_VERB.search(verb):
        return False
    last = before[-1]
    if last.word in ("hemos", "nos") or verb.endswith("mos"):
        return holding
    places = _PLACES if holding or last.word == "se" else frozenset()
    if last.word in _SE | _ESTA or last.rows:
        participle = last.word in _ESTA or last.rows
        direct = bool(after) and (after[0].value or after[0].word in _ARTICLES)
        if participle and direct and not last.rows:
            return False
        return _argument(after, _TOWARDS | places)
    return False
