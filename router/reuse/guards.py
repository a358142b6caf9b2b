"""May the answer to one request be given to another? Every verdict comes with its reason. Pure.

Similarity only nominates: opposite questions lie closer to each other than most paraphrases. What
decides is whether each word that carries meaning has its counterpart, in the same part; and on any
doubt the two are different.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from router.reuse.lexicon import lexicon
from router.reuse.words import Wording, told

Likeness = Literal["same", "parameters", "minor", "other"]


@dataclass(frozen=True, slots=True)
class GuardVerdict:
    """How two requests are alike, and what sets them apart."""

    likeness: Likeness
    reasons: tuple[str, ...] = ()
    edits: int = 0  # how much had to be read alike: another order, words moved
    changed: tuple[tuple[str, str], ...] = ()  # numbers, or words, that stand for each other

    @property
    def why(self) -> str:
        return "; ".join(self.reasons) or "the same in other words"


_SAME_ORDER: GuardVerdict = GuardVerdict("same")


def compare(stored: str, asked: str) -> GuardVerdict:
    """`stored` is the request whose answer is there."""
    if " ".join(stored.split()) == " ".join(asked.split()):
        return _SAME_ORDER
    one, two = told(stored), told(asked)
    vetoes = tuple(_vetoes(one, two))
    if vetoes:
        return GuardVerdict("other", vetoes)
    if one.numbers != two.numbers:
        return _numbers_apart(one, two)
    if not one.words and not two.words:
        return GuardVerdict("other", ("nothing in them can be compared",))
    if one.chunks == two.chunks:
        return _SAME_ORDER
    if Counter(one.words) == Counter(two.words):
        return _in_another_order(one, two)
    return _words_apart(one, two)


def _vetoes(one: Wording, two: Wording) -> Iterator[str]:
    """What settles it whatever the words are."""
    if one.long or two.long:
        yield "they are too long to be compared word by word"
        return
    if one.quoted != two.quoted:
        yield "what is quoted differs"
    if one.own != two.own and (_personal(one) or _personal(two)):
        yield "one of them is about the caller's own affairs"
    if one.intent != two.intent:
        yield f"one asks {one.intent or 'what'}, the other {two.intent or 'what'}"
    if one.negations != two.negations:
        yield "one of them negates"
    if one.tense and two.tense and one.tense != two.tense:
        yield f"one is of the {one.tense}, the other of the {two.tense}"
    if one.modal != two.modal and one.intent not in ("how", "why"):
        yield f"one asks what {one.modal or 'is'}, the other what {two.modal or 'is'}"
    if one.manner != two.manner and not _asked_alike(one.manner, two.manner):
        yield f"one asks to {one.manner}, the other to {two.manner}"


def _asked_alike(one: str, two: str) -> bool:
    """To be told what something is may be asked in many words; to have it made is another task."""
    manners = {one, two}
    return "" in manners or ("what" in manners and "create" not in manners)


def _personal(one: Wording) -> bool:
    return one.own and one.intent not in ("how", "why")


def _numbers_apart(one: Wording, two: Wording) -> GuardVerdict:
    """Other numbers and nothing else: the same thing to do, with other parameters."""
    pairs = tuple((a, b) for a, b in zip(one.numbers, two.numbers, strict=False) if a != b)
    shown = ", ".join(f"{a} is not {b}" for a, b in pairs[:3]) or "one has numbers more"
    reasons = (f"numbers differ: {shown}",)
    if len(one.numbers) == len(two.numbers) and one.shape == two.shape:
        return GuardVerdict("parameters", reasons, changed=pairs)
    return GuardVerdict("other", reasons)


def _words_apart(one: Wording, two: Wording) -> GuardVerdict:
    mine, theirs = Counter(one.words), Counter(two.words)
    only, others = list((mine - theirs).elements()), list((theirs - mine).elements())
    units = lexicon().units
    if any(word in units for word in (*only, *others)):
        return GuardVerdict("other", (f"units differ: {_listed(only)} and {_listed(others)}",))
    reasons = (f"words differ: {_listed(only)} and {_listed(others)}",)
    alike = 0 < len(only) <= 2 and 0 < len(others) <= 2
    if alike and len(one.words) - len(only) >= 2:
        return GuardVerdict("minor", reasons, changed=tuple(zip(only, others, strict=False)))
    return GuardVerdict("other", reasons)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:3]) or "nothing"


# Ties that name a part: what stands behind one of them is not what stands behind another.
_PARTS = frozenset(
    "from by than before after since until over under like against as if because while without "
    "during through via above below behind upon except outside near beside beyond across around".split()
)
_TOGETHER = frozenset({"and", "or", "vs"})
_EFFECTS = frozenset({"effect", "impact", "influence", "affect"})


def _in_another_order(one: Wording, two: Wording) -> GuardVerdict:
    """The same words, elsewhere. That is the same only where each keeps its part."""
    if _begins_tied(one) != _begins_tied(two):
        return GuardVerdict("other", ("the same words, in other parts",))
    if _parts(one) != _parts(two) or not _same_ends(one, two) or not _same_doers(one, two):
        return GuardVerdict("other", ("the same words, in other parts",))
    mine, theirs = set(_ranks(one)), set(_ranks(two))
    if any((low, high) in theirs for high, low in mine):
        return GuardVerdict("other", ("the same words, in other parts",))
    return GuardVerdict("same", ("in another order",), edits=1)


def _parts(one: Wording) -> Counter[tuple[str, str]]:
    parts = Counter((c.tie, c.words[-1]) for c in one.chunks if c.tie in _PARTS)
    if _EFFECTS & {*one.words} and any(c.tie == "in" for c in one.chunks):
        parts.update((c.tie, c.words[0]) for c in one.chunks if c.tie in ("of", "in"))
    return parts


def _same_ends(one: Wording, two: Wording) -> bool:
    """`to Paris` is an end; where only one says `to`, it may as well be `to reverse`."""
    mine, theirs = (
        Counter(chunk.words[0] for chunk in told.chunks if chunk.tie == "to") for told in (one, two)
    )
    return mine <= theirs or theirs <= mine


def _same_doers(one: Wording, two: Wording) -> bool:
    """Who does it, where that is not the one who asks: `how does X make money`."""
    mine, theirs = (
        next((c.words[0] for c in told.chunks if c.tie == "do"), "") for told in (one, two)
    )
    if mine and theirs:
        return mine == theirs
    if one.intent in ("how", "why") and (mine or theirs):
        return mine == two.words[0] or theirs == one.words[0]
    return True


def _ranks(one: Wording) -> Iterator[tuple[str, str]]:
    """Which word another belongs to: `(list, python)` of a Python list, and of a list in Python.
    What is joined by `and` belongs to neither; a superlative to what it is said of."""
    head = last = ""
    for chunk in one.chunks:
        words, tie = chunk.words, chunk.tie
        if tie == "'s":
            yield from ((words[-1], last),) if last else ()
        elif tie == "of" and last:
            yield from ((last, word) for word in words)
        elif tie == "be" and last:
            yield from ((word, last) for word in words if not word.endswith("est"))
        elif tie not in ("", "be", "to", "between", *_TOGETHER) and head:
            yield from ((head, word) for word in words)
        for at, word in enumerate(words):
            yield from ((later, word) for later in words[at + 1 :])
        if tie in ("", "be", "'s", "to") or not head:
            head = words[-1]
        last = words[-1]


def _begins_tied(one: Wording) -> bool:
    return bool(one.chunks) and one.chunks[0].tie in ("in", "of", "for", "with", "about")
