"""Tells by a column's name and values that it says who did something, or who gave it. Pure."""

from collections.abc import Iterator, Sequence

from router.knowledge.rows.language.column_words import DATE_WORDS, WEAK
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.words import canonical

_ENDINGS = ("er", "or", "ora", "ist", "ista", "ian", "man", "ante", "ero")
_DOERS = frozenset(
    (
        *("host", "guide", "coach", "chef", "lead", "nurse", "clerk", "pilot", "captain", "judge"),
        *("cook", "staff", "by", "guia", "capitan", "juez", "jefa", "maestro", "piloto", "medica"),
    )
)
_THINGS = frozenset(
    (
        *("number", "order", "water", "center", "paper", "color", "floor", "sector", "motor"),
        *("door", "tier", "printer", "river", "letter", "layer", "power", "weather", "tower"),
        *("quarter", "chapter", "semester", "flavor", "server", "error", "factor", "vector"),
        *("gender", "cover", "corner", "border", "newsletter", "voucher", "meter", "filter"),
        *("register", "container", "computer", "trailer", "scooter", "humor", "valor", "numero"),
        *("genero", "other", "offer", "folder", "cluster", "reminder", "calibre", "shelter"),
    )
)
_NAMES = 0.8  # of the values, which must look like names of people
_LONGEST = 3  # words of a name


def names_people(each: Field, content: Sequence[str]) -> bool:
    """Whether a column is called by who does something, and holds names."""
    if each.column.kind != "text" or not content or not each.values:
        return False
    last = content[-1]
    if last not in _DOERS and (not last.endswith(_ENDINGS) or last in _THINGS):
        return False
    return sum(map(_named, each.values)) >= _NAMES * len(each.values)


def _named(value: str) -> bool:
    words = value.split()
    letters = all(word.replace(".", "").replace("-", "").isalpha() for word in words)
    return letters and 1 <= len(words) <= _LONGEST and all(word[0].isupper() for word in words)


_AGAIN = frozenset(map(canonical, ("last", "latest", "next", "previous")))


def held_forms(each: Field, content: Sequence[str]) -> Iterator[str]:
    """The participles that say that a column with gaps holds something: `sponsored`."""
    plain = [word for word in content if word not in _AGAIN | DATE_WORDS]
    if len(plain) != 1 or not each.gaps or plain[0] in WEAK or not plain[0].isalpha():
        return
    word = plain[0]
    if len(word) < 5 or word.endswith(("ed", "o", "a", "i", "s")):
        return
    yield word[:-1] + "ied" if word.endswith("y") and word[-2] not in "aeo" else word + "ed"
    if word.endswith("e"):
        yield word + "d"
    if word.endswith("y"):
        yield word + "ed"


def verbs_of(words: Sequence[str]) -> Iterator[str]:
    """The verbs of whoever a column names: `lead` for a leader, `inspected` for an inspector."""
    last = words[-1]
    if len(last) < 6 or not last.endswith(("er", "or")):
        return
    base = last[:-2]
    yield from (base, base + "s", base + "ed", base + "ing", base + "e", base + "es")
