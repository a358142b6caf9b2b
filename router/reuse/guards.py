"""Decides whether the answer to one request may be given to another, and says why. Pure.

Similarity only proposes pairs of requests: opposite questions have more similar vectors than most
paraphrases. Two requests are the same if each meaningful word of one has its counterpart in the
same part of the other's sentence. On any doubt the requests are different.

Not covered: requests that are the same only for a reader who knows the subject.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from router.reuse.lexicon import lexicon
from router.reuse.request_words import RequestWords, read_words

Likeness = Literal["same", "parameters", "minor", "other"]


@dataclass(frozen=True, slots=True)
class GuardVerdict:
    """How alike two requests are, and the differences between them."""

    likeness: Likeness
    reasons: tuple[str, ...] = ()
    edits: int = 0  # ignored differences, such as another order of the words
    changed: tuple[tuple[str, str], ...] = ()  # pairs of old and new numbers or words

    @property
    def why(self) -> str:
        return "; ".join(self.reasons) or "the same in other words"


_SAME = GuardVerdict("same")
_OTHER_PARTS = GuardVerdict("other", ("the same words, in other parts",))


def compare(stored: str, request: str) -> GuardVerdict:
    """Compare a request that was answered before with a new request."""
    if " ".join(stored.split()) == " ".join(request.split()):
        return _SAME
    old, new = read_words(stored), read_words(request)
    vetoes = tuple(_vetoes(old, new))
    if vetoes:
        return GuardVerdict("other", vetoes)
    if old.numbers != new.numbers:
        return _other_numbers(old, new)
    if not old.words and not new.words:
        return GuardVerdict("other", ("nothing in them can be compared",))
    if old.chunks == new.chunks:
        return _SAME
    if Counter(old.words) == Counter(new.words):
        return _another_order(old, new)
    return _other_words(old, new)


def _vetoes(old: RequestWords, new: RequestWords) -> Iterator[str]:
    """Each difference that makes two requests different, whatever their other words are."""
    if old.long or new.long:
        yield "they are too long to be compared word by word"
        return
    if old.quoted != new.quoted:
        yield "what is quoted differs"
    if old.own != new.own and (_personal(old) or _personal(new)):
        yield "one of them is about the caller's own affairs"
    if old.intent != new.intent:
        yield f"one asks {old.intent or 'what'}, the other {new.intent or 'what'}"
    if old.negations != new.negations:
        yield "one of them negates"
    if old.tense and new.tense and old.tense != new.tense:
        yield f"one is of the {old.tense}, the other of the {new.tense}"
    if old.modal != new.modal and old.intent not in ("how", "why"):
        yield f"one asks what {old.modal or 'is'}, the other what {new.modal or 'is'}"
    if old.manner != new.manner and not _manners_agree({old.manner, new.manner}):
        yield f"one asks to {old.manner}, the other to {new.manner}"


def _manners_agree(manners: set[str]) -> bool:
    """Whether the manners go together: `explain X` and `what is X` do, `create X` does not."""
    return "" in manners or ("what" in manners and "create" not in manners)


def _personal(words: RequestWords) -> bool:
    return words.own and words.intent not in ("how", "why")


def _other_numbers(old: RequestWords, new: RequestWords) -> GuardVerdict:
    """If only numbers differ, the request is the same task with other parameters."""
    pairs = tuple((a, b) for a, b in zip(old.numbers, new.numbers, strict=False) if a != b)
    shown = ", ".join(f"{a} is not {b}" for a, b in pairs[:3]) or "one has numbers more"
    reasons = (f"numbers differ: {shown}",)
    if len(old.numbers) == len(new.numbers) and old.shape == new.shape:
        return GuardVerdict("parameters", reasons, changed=pairs)
    return GuardVerdict("other", reasons)


def _other_words(old: RequestWords, new: RequestWords) -> GuardVerdict:
    old_count, new_count = Counter(old.words), Counter(new.words)
    gone = list((old_count - new_count).elements())
    come = list((new_count - old_count).elements())
    units = lexicon().units
    if any(word in units for word in (*gone, *come)):
        return GuardVerdict("other", (f"units differ: {_listed(gone)} and {_listed(come)}",))
    reasons = (f"words differ: {_listed(gone)} and {_listed(come)}",)
    few = 0 < len(gone) <= 2 and 0 < len(come) <= 2
    if few and len(old.words) - len(gone) >= 2:
        return GuardVerdict("minor", reasons, changed=tuple(zip(gone, come, strict=False)))
    return GuardVerdict("other", reasons)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:3]) or "nothing"


# A word behind one of these ties has another role than behind any other tie.
_PARTS = frozenset(
    "from by than before after since until over under like against as if because while without "
    "during through via above below behind upon except outside near beside beyond across around".split()
)
_TOGETHER = frozenset({"and", "or", "vs"})
_EFFECTS = frozenset({"effect", "impact", "influence", "affect"})


def _another_order(old: RequestWords, new: RequestWords) -> GuardVerdict:
    """Requests with the same words in another order are the same if each word keeps its role."""
    if _begins_tied(old) != _begins_tied(new):
        return _OTHER_PARTS
    if _parts(old) != _parts(new) or not _same_ends(old, new) or not _same_doers(old, new):
        return _OTHER_PARTS
    old_ranks, new_ranks = set(_ranks(old)), set(_ranks(new))
    if any((low, high) in new_ranks for high, low in old_ranks):
        return _OTHER_PARTS
    return GuardVerdict("same", ("in another order",), edits=1)


def _parts(words: RequestWords) -> Counter[tuple[str, str]]:
    parts = Counter((c.tie, c.words[-1]) for c in words.chunks if c.tie in _PARTS)
    if _EFFECTS & {*words.words} and any(c.tie == "in" for c in words.chunks):
        parts.update((c.tie, c.words[0]) for c in words.chunks if c.tie in ("of", "in"))
    return parts


def _same_ends(old: RequestWords, new: RequestWords) -> bool:
    """Whether one request's words behind `to` are among the other's, as in `to Paris`."""
    old_ends, new_ends = (
        Counter(chunk.words[0] for chunk in words.chunks if chunk.tie == "to")
        for words in (old, new)
    )
    return old_ends <= new_ends or new_ends <= old_ends


def _same_doers(old: RequestWords, new: RequestWords) -> bool:
    """Whether the same person or thing acts: in `how does X make money`, X acts, not the caller."""
    old_doer, new_doer = (
        next((c.words[0] for c in words.chunks if c.tie == "do"), "") for words in (old, new)
    )
    if old_doer and new_doer:
        return old_doer == new_doer
    if old.intent in ("how", "why") and (old_doer or new_doer):
        return old_doer == new.words[0] or new_doer == old.words[0]
    return True


def _ranks(words: RequestWords) -> Iterator[tuple[str, str]]:
    """Pairs of a main word and a word that describes it: `(list, python)` for `a Python list`.

    Words joined by `and` do not describe each other. A superlative behind `is` makes no pair.
    """
    head = last = ""
    for chunk in words.chunks:
        tie = chunk.tie
        if tie == "'s":
            yield from ((chunk.words[-1], last),) if last else ()
        elif tie == "of" and last:
            yield from ((last, word) for word in chunk.words)
        elif tie == "be" and last:
            yield from ((word, last) for word in chunk.words if not word.endswith("est"))
        elif tie not in ("", "be", "to", "between", *_TOGETHER) and head:
            yield from ((head, word) for word in chunk.words)
        for at, word in enumerate(chunk.words):
            yield from ((later, word) for later in chunk.words[at + 1 :])
        if tie in ("", "be", "'s", "to") or not head:
            head = chunk.words[-1]
        last = chunk.words[-1]


def _begins_tied(words: RequestWords) -> bool:
    return bool(words.chunks) and words.chunks[0].tie in ("in", "of", "for", "with", "about")
