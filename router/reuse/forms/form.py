"""The form of a request: its words in order, with a mark in the place of each value. Pure.

Values are numbers (negative ones and those with grouped digits are kinds of their own, which a
program may not read), dates, times, lists of numbers and quoted texts. "add VAT to 20 at 21%" and
"Add VAT to 7.50 at 4%" have one form and different values. Marks of punctuation, accents and
capital letters are no part of a form; signs that calculate or name a unit are.
"""

import re
import unicodedata
from functools import lru_cache

from router.value import value

LONGEST = 600  # characters of a request that has a form; a longer one has too much to overlook
_MOST_WORDS = 80
_TOKEN = re.compile(
    r'(?P<quoted>"[^"]*")'
    r"|(?P<date>\d{4}-\d{2}-\d{2})"
    r"|(?P<time>\d{1,2}:\d{2})(?!\d)"
    r"|(?P<grouped>\d{1,3}(?:,\d{3})+(?:\.\d+)?)(?!\d)"
    r"|(?P<list>\d+(?:\.\d+)?(?:\s?,\s?\d+(?:\.\d+)?){2,}|\d+(?:\.\d+)?(?:\s?\+\s?\d+(?:\.\d+)?){2,})"
    r"|(?P<negative>(?<![^\s(=:])[-\u2212]\d+(?:\.\d+)?)"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<word>[^\W\d_]+)"
    r"|(?P<sign>[%°$€£+=<>/*&^|~#@\\])"
)
_INSIDE = re.compile(r"[^\s.!?:\"(]\s\Z")  # what stands before a word inside a sentence
_APOSTROPHES = str.maketrans("", "", "'\u2019`\u00b4")


@value
class Form:
    """`words` are in lower case; a word that begins with `#` stands for a value of that kind."""

    words: tuple[str, ...]
    values: tuple[str, ...]
    names: frozenset[str] = frozenset()  # words with a capital letter inside a sentence

    @property
    def telling(self) -> bool:
        """Whether the form has enough words to tell it from other forms."""
        return sum(not is_mark(word) for word in self.words) >= 1

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kind of each value, in order."""
        return marks_in(self.words)


@lru_cache(maxsize=4_096)
def form_of(text: str) -> Form | None:
    """The form of a text; None if it is too long to be compared, or has no words."""
    if len(text) > LONGEST:
        return None
    words: list[str] = []
    values: list[str] = []
    names: set[str] = set()
    plain = _plain(text)
    for match in _TOKEN.finditer(plain):
        kind = str(match.lastgroup)
        if kind in ("word", "sign"):
            words.append(match[0].lower())
            if match[0].istitle() and _INSIDE.search(plain, 0, match.start()):
                names.add(words[-1])
        else:
            words.append(f"#{kind}")
            values.append(match[0])
    form = Form(tuple(words), tuple(values), frozenset(names))
    return form if form.telling and len(words) <= _MOST_WORDS else None


def with_values(text: str, form: Form, values: tuple[str, ...]) -> str:
    """A text of this form with other values in their places; empty if that gives another form."""
    places = [m for m in _TOKEN.finditer(text) if m.lastgroup not in ("word", "sign")]
    if tuple(place[0] for place in places) != form.values or len(values) != len(places):
        return ""
    for place, other in reversed(list(zip(places, values, strict=True))):
        text = text[: place.start()] + other + text[place.end() :]
    changed = form_of(text)
    return text if changed is not None and changed.words == form.words else ""


def is_mark(word: str) -> bool:
    """Whether a word of a form stands for a value."""
    return len(word) > 1 and word[0] == "#"


def marks_in(words: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds of a form's values, in order."""
    return tuple(word for word in words if is_mark(word))


def _plain(text: str) -> str:
    """The text without apostrophes and accents; quoted texts keep theirs."""
    pieces = text.split('"')
    for n in range(0, len(pieces), 2):
        bare = unicodedata.normalize("NFKD", pieces[n].translate(_APOSTROPHES))
        pieces[n] = "".join(c for c in bare if not unicodedata.combining(c))
    return '"'.join(pieces)
