"""Finds what makes two requests different, and says it. Pure.

Guards only refuse. Two requests in which they find no difference, and whose words are not the same,
are `open`: something that can say no must accept them. The guards know English; see
`router.reuse.acceptance` for other languages.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from router.request.stemming import stem
from router.reuse.lexicon import form_of, lexicon
from router.reuse.request_words import RequestWords, Word, is_number, read_words

# `words`: the same words after a closed list of idle ones. `open`: no guard refuses, words differ.
# `parameters`: only numbers differ. `minor`: a word or two differ. `other`: a guard refuses.
Likeness = Literal["words", "open", "parameters", "minor", "other"]


@dataclass(frozen=True, slots=True)
class GuardVerdict:
    """How alike two requests are, and the differences between them."""

    likeness: Likeness
    reasons: tuple[str, ...] = ()
    changed: tuple[tuple[str, str], ...] = ()  # pairs of old and new numbers or words

    @property
    def debatable(self) -> bool:
        """Whether a backend may be asked about the pair: its words allow both answers.

        Nobody is asked where numbers, units, negations, names, quotations or languages differ.
        """
        if self.likeness in ("words", "open"):
            return True
        return bool(self.reasons) and not any(
            sign in reason
            for reason in self.reasons
            if not _one_sided(reason)
            for sign in _BEYOND_DEBATE
        )

    @property
    def why(self) -> str:
        return "; ".join(self.reasons) or "the same words"


_BEYOND_DEBATE = (
    "numbers differ", "units differs", "negation differs", "is negated", "is the opposite of",
    "what is quoted", "one names", "language", "too long", "nothing in them", "asks to",
    "sign differs",
)  # fmt: skip


def _one_sided(reason: str) -> bool:
    """Whether one request only leaves unsaid what the other says, but for a negation."""
    return "nothing" in reason and "differs" in reason and not reason.startswith("negation")


_SAME = GuardVerdict("words")


def compare(stored: str, request: str) -> GuardVerdict:
    """Compare a request that was answered before with a new request."""
    if " ".join(stored.split()) == " ".join(request.split()):
        return _SAME
    if _grouping(stored) != _grouping(request):
        return GuardVerdict("other", ("the signs of a formula differ",))
    old, new = read_words(stored), read_words(request)
    if old.long or new.long:
        return GuardVerdict("other", ("they are too long to be compared word by word",))
    if not old.words or not new.words:
        return GuardVerdict("other", ("nothing in them can be compared",))
    gone, come = unmatched(old, new)
    if not gone and not come:
        differences = tuple(_differences_of_twins(old, new))
        if not differences:
            return _SAME
        if differences == (_OTHER_PARTS,) and _lacks_a_tie(old, new):
            return GuardVerdict("open", ("a word lacks its tie in one of them",))
        return _other_numbers(old, new, differences)
    if replaced := _replaced(old, new, gone, come):
        return replaced
    vetoes = tuple(_vetoes(old, new, gone, come))
    if old.numbers != new.numbers and Counter(old.numbers) != Counter(new.numbers):
        return _other_numbers(old, new, vetoes)
    if vetoes:
        return _perhaps_minor(old, new, vetoes)
    return GuardVerdict("open", (f"words differ: {_listed(gone)} and {_listed(come)}",))


_FORMULA = re.compile(r"[\d(][\d\s.,()!^*/+%\u00d7\u00f7-]*")
_GROUPING = re.compile(r"[()^]|(?<=\d)!|\*\*")


def _grouping(text: str) -> list[str]:
    """The signs that say how a formula is read: its brackets, powers and factorials."""
    formulas = (match[0] for match in _FORMULA.finditer(text))
    return [
        sign
        for formula in formulas
        if any(c.isdigit() for c in formula)
        for sign in _GROUPING.findall(formula)
    ]


def _replaced(
    old: RequestWords, new: RequestWords, gone: Sequence[str], come: Sequence[str]
) -> GuardVerdict | None:
    """One word stands where another stood: however alike the two, they name different things."""
    if len(gone) != 1 or len(come) != 1 or is_number(gone[0]) or old.quoted != new.quoted:
        return None
    tasks = lexicon().tasks
    if gone[0] in tasks and tasks[gone[0]] == tasks.get(come[0]):
        return None  # `list` and `name` want the same done
    swapped = tuple(come[0] if token == gone[0] else token for token in old.sequence)
    if swapped != new.sequence:
        return None
    pair = (gone[0], come[0])
    reason = f"words differ: {pair[0]} and {pair[1]}"
    return GuardVerdict("minor" if len(old.words) >= 2 else "other", (reason,), changed=(pair,))


def _differences_of_twins(old: RequestWords, new: RequestWords) -> Iterator[str]:
    """What sets two requests apart that have the same words with a meaning: anything at all."""
    if old.quoted != new.quoted and not _quotes_agree(old, new):
        yield "what is quoted differs"
    if old.numbers != new.numbers and Counter(old.numbers) != Counter(new.numbers):
        pairs = [(a, b) for a, b in zip(old.numbers, new.numbers, strict=False) if a != b]
        shown = ", ".join(f"{a} is not {b}" for a, b in pairs[:3]) or "one has numbers more"
        yield f"numbers differ: {shown}"
    for (name, before), (_, after) in zip(old.classes, new.classes, strict=True):
        if before != after and not _means_anybody(name, old, new):
            yield f"{name} differs: {_listed(before)} and {_listed(after)}"
    if _question(old) != _question(new):
        yield f"one asks {_question(old) or 'what'}, the other {_question(new) or 'what'}"
    if old.task != new.task and {old.task, new.task} & lexicon().texts:
        yield f"one asks to {old.task or 'tell'}, the other to {new.task or 'tell'}"
    if _tenses_differ(old, new):
        yield f"one is of the {old.tense}, the other of the {new.tense}"
    if words := _surface_tense(old, new):
        yield f"their times differ: {words}"
    if not _same_order(old, new):
        yield _OTHER_PARTS


_OTHER_PARTS = "the same words, in other parts"


def _lacks_a_tie(old: RequestWords, new: RequestWords) -> bool:
    """Whether the words keep their order, and a tie of one request is unsaid in the other."""
    if len(old.words) < 3 or [w.form for w in old.words] != [w.form for w in new.words]:
        return False
    ties = [(a.tie, b.tie) for a, b in zip(old.words, new.words, strict=True) if a.tie != b.tie]
    return bool(ties) and all("" in pair for pair in ties)


def _same_order(old: RequestWords, new: RequestWords) -> bool:
    """Whether both have the same order, but for phrases that may move and a possessive."""
    first, second = _ordered(old), _ordered(new)
    if first == second or _turned(first, second) or _permuted(first, second):
        return True
    return (
        _fronted(first, second)
        or _fronted(second, first)
        or (new.possessive and not old.possessive and _possessed(first, second))
        or (old.possessive and not new.possessive and _possessed(second, first))
    )


def _possessed(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether the second says `X's Y` where the first says `Y of X`."""
    return any(
        tuple(second) == (*first[at + 1 :], *first[:at])
        for at, word in enumerate(first)
        if word == "of"
    )


def _permuted(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether the same phrases follow the same beginning in another order.

    Each phrase begins with a relation word of its own; a word that came twice would leave open
    which of the others it belongs to.
    """
    phrases = _phrases(first)
    return phrases is not None and phrases == _phrases(second)


def _phrases(words: Sequence[str]) -> tuple[tuple[str, ...], frozenset[tuple[str, ...]]] | None:
    """The words before the first phrase that may move, and such phrases; None if a tie repeats."""
    movable = lexicon().movable
    starts = [at for at, word in enumerate(words) if word in movable]
    if not starts or len({words[at] for at in starts}) < len(starts) or starts[0] == 0:
        return None
    ends = [*starts[1:], len(words)]
    phrases = (tuple(words[at:end]) for at, end in zip(starts, ends, strict=True))
    return tuple(words[: starts[0]]), frozenset(phrases)


def _ordered(words: RequestWords) -> tuple[str, ...]:
    """The words with a meaning and what ties them, without who acts and how much."""
    words_of = lexicon()
    left_out = (
        words_of.quantifiers.keys()
        | words_of.pronouns.keys()
        | words_of.acting
        | words_of.modals.keys()
    )
    kept = (t for t in words.sequence if t not in left_out or t in words_of.relations)
    return tuple(
        words_of.relations.get(t, t)
        for t in kept
        if t not in ("how", "why") and not t.startswith("how")
    )


def _turned(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether only the two sides of one `and`, `or` or `vs` changed places.

    Behind a comparison or a direction the sides have parts of their own, and may not.
    """
    for at, word in enumerate(first):
        if word in ("and", "or", "vs") and not {"than", "from", "by", "before", "after"} & {*first}:
            for left in (1, 2):
                for right in (1, 2):
                    start, end = at - left, at + 1 + right
                    if start < 0 or end > len(first):
                        continue
                    turned = (*first[at + 1 : end], word, *first[start:at])
                    if (*first[:start], *turned, *first[end:]) == tuple(second):
                        return True
    return False


def _question(words: RequestWords) -> str:
    return next((t for t in words.sequence if t in ("how", "why") or t in _ASKED), "")


_ASKED = frozenset({"who", "when", "where", "howmany", "howmuch", "howlong", "howfar", "howold"})


def _fronted(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether the second is the first with its last phrase at the front."""
    if len(first) != len(second) or first[:1] == second[:1] or Counter(first) != Counter(second):
        return False
    movable = lexicon().movable
    return any(
        first[at] in movable and tuple(second) == (*first[at:], *first[:at])
        for at in range(max(1, len(first) - 5), len(first))
    )


# Of these classes, a reworded request may lack what the other has; the acceptor decides.
_MAY_LACK = frozenset({"units", "quantity", "modality", "person", "format", "sign"})


_THEIRS = frozenset({"his", "her", "their", "our"})


def _vetoes(
    old: RequestWords, new: RequestWords, gone: Sequence[str], come: Sequence[str]
) -> Iterator[str]:
    """Each contradiction between two requests in different words."""
    near = _near(gone, come)
    if not _quotes_agree(old, new):
        both = old.quoted and new.quoted
        yield "what is quoted differs" if both else "only one of them quotes"
    for (name, before), (_, after) in zip(old.classes, new.classes, strict=True):
        if name == "who acts" or before == after or _means_anybody(name, old, new):
            continue
        may_lack = name in _MAY_LACK and not (near and name == "quantity")
        if may_lack and not (before and after) and not {*before, *after} & _THEIRS:
            continue
        yield f"{name} differs: {_listed(before)} and {_listed(after)}"
    if (
        old.asks != new.asks
        and old.asks
        and new.asks
        and {old.asks, new.asks} != {"howlong", "howmany"}
    ):
        yield f"one asks {old.asks}, the other {new.asks}"
    if _tasks_differ(old, new):
        yield f"one asks to {old.task or 'tell'}, the other to {new.task or 'tell'}"
    if _tenses_differ(old, new):
        yield f"one is of the {old.tense}, the other of the {new.tense}"
    theirs, ours = sorted({*_unnamed(old, new)}), sorted({*_unnamed(new, old)})
    if theirs and ours:
        yield f"one names {_listed(theirs)}, the other {_listed(ours)}"
    elif theirs or ours:
        yield f"only one of them names {_listed(theirs or ours)}"
    yield from _veto_of_order(old, new, gone, come)
    yield from _veto_of_words(old, new, gone, come)


def _quotes_agree(old: RequestWords, new: RequestWords) -> bool:
    def bare(quotes: tuple[str, ...]) -> list[str]:
        return [" ".join(quote.rstrip(".,!?").split()) for quote in quotes]

    if old.quoted and new.quoted:
        return bare(old.quoted) == bare(new.quoted)
    quotes = old.quoted or new.quoted
    surfaces = new.surfaces if old.quoted else old.surfaces
    return all(len(quote.split()) == 1 and quote.lower() in surfaces for quote in quotes)


def _means_anybody(name: str, old: RequestWords, new: RequestWords) -> bool:
    """Whether `my`, `I` and `you` mean anybody: both ask how or why something is done."""
    if name not in ("person", "who acts"):
        return False
    people = [dict(words.classes)[name] for words in (old, new)]
    if name == "person":
        whose = {*people[0]} ^ {*people[1]}
        return whose <= {"my", "your"} and _asks_a_way(old) and _asks_a_way(new)
    if not {*people[0], *people[1]} <= {"i", "you", "we"}:
        # `Write me a poem` is `write a poem`.
        return {people[0], people[1]} == {(), ("me",)} and old.task == new.task != ""
    # `How do you learn?` may ask whoever answers; a longer question asks for anybody.
    general = _asks_a_way(old) and _asks_a_way(new) and len(old.words) >= 3
    return general or (not all(people) and "you" not in (*people[0], *people[1]))


def _asks_a_way(words: RequestWords) -> bool:
    return bool({"how", "why"} & {*words.sequence})


def _tasks_differ(old: RequestWords, new: RequestWords) -> bool:
    texts = lexicon().texts
    first, second = (words.task if words.task in texts else "" for words in (old, new))
    return first != second


def _tenses_differ(old: RequestWords, new: RequestWords) -> bool:
    return bool(old.tense and new.tense and old.tense != new.tense)


def _surface_tense(old: RequestWords, new: RequestWords) -> str:
    """A verb whose form shows another time: `wins` and `won`."""
    if old.tense == "" or new.tense == "":
        for first in old.surfaces - new.surfaces:
            for second in new.surfaces - old.surfaces:
                if form_of(first) == form_of(second) and _past(first) != _past(second):
                    return f"{first} and {second}"
    return ""


def _past(word: str) -> bool:
    """Whether a word shows the past: `played` and `won`, but not `plays` or `playing`."""
    return not word.endswith(("ing", "s", "er", "ly", "ily")) and stem(word) != word


def _unnamed(naming: RequestWords, other: RequestWords) -> Iterator[str]:
    forms = {word.form for word in other.words} | {*other.sequence} | other.surfaces
    spoken = {*naming.sequence}
    for name in naming.names & spoken:
        if name not in forms and not is_number(name) and not {*name.split("-")} <= forms:
            yield name


# Another of these changes the direction of what is asked.
_DIRECTIONS = (
    frozenset({"from", "to"}),
    frozenset({"before", "after"}),
    frozenset({"with", "without"}),
    frozenset({"before", "during"}),
    frozenset({"after", "during"}),
    frozenset({"over", "under"}),
    frozenset({"for", "against"}),
    frozenset({"by", "to"}),
)
_OWNED = frozenset(
    {"from", "to", "than", "by", "before", "after", "over", "without", "against", "into"}
)


def _near(gone: Sequence[str], come: Sequence[str]) -> bool:
    """Whether so few words differ that every small difference between two requests counts."""
    return len(gone) + len(come) <= 2


def _veto_of_order(
    old: RequestWords, new: RequestWords, gone: Sequence[str], come: Sequence[str]
) -> Iterator[str]:
    """Words that both have must keep their parts."""
    before, after = _once(old.words), _once(new.words)
    shared = [form for form in before if form in after]
    near = _near(gone, come)
    for form in shared:
        ties = {before[form][1].tie, after[form][1].tie}
        if (
            len(ties - {""}) == 2
            and (near or ties in _DIRECTIONS)
            and not _doing(form, ties, old, new)
        ):
            yield f"`{form}` has another part: {' and '.join(sorted(ties))}"
            return
    lost = [(f, before[f][1].tie) for f in shared if before[f][1].tie != after[f][1].tie]
    gained = [(f, after[f][1].tie) for f in shared if before[f][1].tie != after[f][1].tie]
    for form, tie in lost:
        for other, second in gained:
            if tie == second and tie in _OWNED and form != other:
                yield f"`{tie}` belongs to {form} in one, to {other} in the other"
                return
    ranks = sorted(shared, key=lambda form: before[form][0])
    if near and not _in_order(ranks, before, after):
        yield "their words are in another order"


def _doing(form: str, ties: set[str], old: RequestWords, new: RequestWords) -> bool:
    """Whether the tie is that of a verb: `to reset` is `for resetting` and `of resetting`."""
    names = (*old.surfaces, *new.surfaces)
    return "to" in ties and any(name.endswith("ing") and form_of(name) == form for name in names)


def _once(words: Sequence[Word]) -> dict[str, tuple[int, Word]]:
    counts = Counter(word.form for word in words)
    return {word.form: (at, word) for at, word in enumerate(words) if counts[word.form] == 1}


def _in_order(
    ranks: Sequence[str],
    before: Mapping[str, tuple[int, Word]],
    after: Mapping[str, tuple[int, Word]],
) -> bool:
    """Whether the words keep their order, or a phrase that may move stands at another edge."""
    order = [after[form][0] for form in ranks]
    if order == sorted(order):
        return True
    movable = lexicon().movable
    for cut in range(1, len(ranks)):
        for moved, rest in ((ranks[:cut], ranks[cut:]), (ranks[cut:], ranks[:cut])):
            ties = {before[f][1].tie for f in moved} | {after[f][1].tie for f in moved}
            turned = [after[f][0] for f in (*ranks[cut:], *ranks[:cut])]
            if ties - {""} and ties - {""} <= movable and turned == sorted(turned) and rest:
                return True
    inverted = [
        (a, b) for n, a in enumerate(ranks) for b in ranks[n + 1 :] if after[a][0] > after[b][0]
    ]
    return all(before[b][1].joined and after[a][1].joined for a, b in inverted)


def _veto_of_words(
    old: RequestWords, new: RequestWords, gone: Sequence[str], come: Sequence[str]
) -> Iterator[str]:
    words_of = lexicon()
    before, after = {*old.sequence}, {*new.sequence}
    for word in before - after:
        if opposite := words_of.opposites.get(word, frozenset()) & (after - before):
            yield f"{word} is the opposite of {min(opposite)}"
            return
        for prefix in ("un", "in", "im", "non", "dis", "ir"):
            if len(word) < 4:
                continue
            if prefix + word in after - before or (
                word.startswith(prefix) and word[len(prefix) :] in after - before
            ):
                yield f"{word} is negated"
                return
    if bool(gone) != bool(come) and not {*gone, *come} <= words_of.light:
        yield f"one of them says more: {_listed(gone or come)}"


def unmatched(old: RequestWords, new: RequestWords) -> tuple[list[str], list[str]]:
    """The words with a meaning that only the first, and only the second, has."""
    first, second = Counter(w.form for w in old.words), Counter(w.form for w in new.words)
    return list((first - second).elements()), list((second - first).elements())


def _other_numbers(old: RequestWords, new: RequestWords, vetoes: tuple[str, ...]) -> GuardVerdict:
    """If only numbers differ, the request is the same task with other parameters."""
    pairs = tuple((a, b) for a, b in zip(old.numbers, new.numbers, strict=False) if a != b)
    shown = ", ".join(f"{a} is not {b}" for a, b in pairs[:3]) or "one has numbers more"
    reasons = tuple(dict.fromkeys((*vetoes, f"numbers differ: {shown}")))
    if not pairs and len(old.numbers) == len(new.numbers):
        return GuardVerdict("other", vetoes)
    if len(old.numbers) == len(new.numbers) and old.shape == new.shape and old.quoted == new.quoted:
        return GuardVerdict("parameters", (f"numbers differ: {shown}",), changed=pairs)
    return GuardVerdict("other", reasons)


def _perhaps_minor(old: RequestWords, new: RequestWords, vetoes: tuple[str, ...]) -> GuardVerdict:
    """A backend may adapt an answer to one or two other words; never to another format or part."""
    gone, come = unmatched(old, new)
    few = 0 < len(gone) <= 2 and len(come) == len(gone) and len(old.words) - len(gone) >= 2
    if (
        few
        and old.quoted == new.quoted
        and [w.tie for w in old.words] == [w.tie for w in new.words]
    ):
        return GuardVerdict("minor", vetoes, changed=tuple(zip(gone, come, strict=True)))
    return GuardVerdict("other", vetoes)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:3]) or "nothing"
