"""Finds the templates of answers: groups of answers with the same words, and the slots between.

An answer's own words are those that its request does not have. Answers that share most of them
are of one form. What all answers of a form have in common, in order, is the form's words; what
differs between them is its slots. Pure functions.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from router.training.examples import Example

_TOKEN = re.compile(r"\[[A-Z]+_\d+\]|\d+|[^\W\d_]+|\s|[^\w\s]|_")
_HELD_BACK = re.compile(r"\[[A-Z]+_\d+\]")  # in place of personal data, which is new each time
_WORD = re.compile(r"[^\W\d_]+")
_SIGNS = frozenset("-/.,:#'\u2019")  # that stand inside a number, a code or a name
_COMMON = 0.5  # the share of a group's answers that have a word that stands for the group
_FIXED = 0.97  # the share of a form's answers that have a token that is no slot
_MOST_ALIGNED = 60  # answers by which a template is found
_LONGEST = 6_000  # characters of an answer
_MOST_SLOTS = 30


@dataclass(frozen=True, slots=True)
class Template:
    """Words and the slots between them, with the answers that were read by it."""

    words: tuple[str, ...]
    rows: tuple[int, ...]
    values: tuple[tuple[str, ...], ...]  # of each row

    def read(self, answers: Sequence[str]) -> "Template | None":
        """The template with the values that it reads in other answers."""
        return _read(self.words, answers, range(len(answers)))

    def column(self, slot: int) -> list[str]:
        return [values[slot] for values in self.values]


def groups_of(examples: Sequence[Example], alike: float, fewest: int) -> list[list[int]]:
    """Groups of answers with mostly the same words of their own, the largest first."""
    groups: list[tuple[Counter[str], list[int]]] = []
    order = sorted(range(len(examples)), key=lambda n: -examples[n].quality)
    for n in order:
        own = _own_words(examples[n])
        best = max(groups, key=lambda group: _share(own, group), default=None)
        if best is not None and _share(own, best) >= alike:
            best[0].update(own)
            best[1].append(n)
        else:
            groups.append((Counter(own), [n]))
    kept = [sorted(members) for _, members in groups if len(members) >= fewest]
    return sorted(kept, key=len, reverse=True)


def _own_words(example: Example) -> set[str]:
    answer = {word.casefold() for word in _WORD.findall(example.answer[:_LONGEST])}
    return answer - {word.casefold() for word in _WORD.findall(example.words.last)} or answer


def _share(own: set[str], group: tuple[Counter[str], list[int]]) -> float:
    counts, members = group
    usual = {word for word, count in counts.items() if count >= _COMMON * len(members)}
    union = len(own | usual)
    return len(own & usual) / union if union else 1.0


def template_of(
    answers: Sequence[str], rows: Sequence[int], *, joined: bool = True
) -> Template | None:
    """The template of answers of one form; None if they have hardly a word in common.

    `joined`: slots with only a space or a sign between them are one slot. The last rows count as
    the best answers."""
    texts = [answers[n] for n in rows if len(answers[n]) <= _LONGEST]
    if not texts:
        return None
    tokens = [_TOKEN.findall(text) for text in texts[-_MOST_ALIGNED:]]
    tokens.sort(key=len)
    base = tokens[len(tokens) // 2]
    matched, grown = [0] * len(base), [0] * (len(base) + 1)
    for other in tokens:
        last = (0, 0)
        for block in SequenceMatcher(None, base, other, autojunk=False).get_matching_blocks():
            for at in range(block.a, block.a + block.size):
                matched[at] += 1
            if block.a == last[0] and block.b > last[1]:
                grown[block.a] += 1  # the other answer has more here
            last = (block.a + block.size, block.b + block.size)
    fixed = [
        count >= _FIXED * len(tokens) and not _HELD_BACK.fullmatch(token)
        for count, token in zip(matched, base, strict=True)
    ]
    opened = [count > (1 - _FIXED) * len(tokens) for count in grown]
    words = _words(base, fixed, opened)
    return _read(_joined(words) if joined else words, answers, rows)


def _words(base: Sequence[str], fixed: Sequence[bool], opened: Sequence[bool]) -> tuple[str, ...]:
    """The words between slots."""
    words, inside = [""], False
    for token, stays, begins in zip(base, fixed, opened, strict=False):
        if not inside and (begins or not stays):
            words.append("")
            inside = True
        if stays:
            words[-1] += token
            inside = False
    return (*words, "") if opened[-1] and not inside else tuple(words)


def _joined(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words without those that are only a space or a sign between two slots."""
    inner = [text for text in words[1:-1] if not (text in _SIGNS or text.isspace()) or "\n" in text]
    return (words[0], *inner, words[-1]) if len(words) > 1 else words


def _read(words: tuple[str, ...], answers: Sequence[str], rows: Sequence[int]) -> Template | None:
    if not any(_WORD.search(text) for text in words) or len(words) - 1 > _MOST_SLOTS:
        return None
    kept, values = [], []
    for n in rows:
        own = _values(words, answers[n].rstrip()) if len(answers[n]) <= _LONGEST else None
        if own is not None:
            kept.append(n)
            values.append(own)
    return Template(words, tuple(kept), tuple(values)) if kept else None


def _values(words: tuple[str, ...], answer: str) -> tuple[str, ...] | None:
    """What stands between a template's words; None if the answer has not these words."""
    last = words[-1].rstrip()
    if len(words) == 1:
        return () if answer == last else None
    if not answer.startswith(words[0]) or not answer.endswith(last):
        return None
    values, at, end = [], len(words[0]), len(answer) - len(last)
    for text in words[1:-1]:
        begin = answer.find(text, at, end)
        if begin < 0:
            return None
        values.append(answer[at:begin])
        at = begin + len(text)
    return (*values, answer[at:end]) if at <= end else None


def held_back(value: str) -> bool:
    """Whether a value stands in place of personal data."""
    return _HELD_BACK.search(value) is not None


def without_slots(template: Template, constant: dict[int, str]) -> Template:
    """The template whose slots with one value are words."""
    words = [template.words[0]]
    for slot, text in enumerate(template.words[1:]):
        if slot in constant:
            words[-1] += constant[slot] + text
        else:
            words.append(text)
    values = tuple(
        tuple(value for slot, value in enumerate(row) if slot not in constant)
        for row in template.values
    )
    return Template(tuple(words), template.rows, values)
