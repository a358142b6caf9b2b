"""The words that readers know, by concept, in English and Spanish.

Each TOML file beside this module holds the words of one family of requests: a table for a concept,
with its phrases by language. A phrase may stand for several concepts. Words are compared without
case, accents and plural endings, but a word that follows `=` keeps its ending: `=times`. A hyphen
counts as a space. The words of a private file are known only to a reader that names the file, so that
they cannot hide the words of other families.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files

IDLE = "idle"  # words that change nothing
CHANGE = "change"  # words that change what is asked, so that they are never a label
SCENE = "scene"  # words that only set a scene: a factory, a clinic, last Tuesday

# Files whose words count only for the readers that ask for them, by group.
PRIVATE: Mapping[str, tuple[str, ...]] = {
    "records": ("records",),
    "figures": ("figures",),
    "pairs": ("pairs",),
    "chance": ("probability", "games", "inference"),
    "units": ("units", "quantities"),
    "dates": ("dates",),
}
_BESIDE: Mapping[str, tuple[str, ...]] = {  # `20 °C, 22 °C` in data, `2 hours later`
    "figures": ("units",),
    "dates": ("units",),
}
_PRIVATE_FILES = frozenset(name for names in PRIVATE.values() for name in names)
# The private files of whose words each is of one language.
_TELLING = frozenset(
    name
    for group in ("records", "figures", "dates")
    for name in (*PRIVATE[group], *_BESIDE.get(group, ()))
)

Phrases = Mapping[str, Sequence[tuple[tuple[str, ...], frozenset[str]]]]


_SMALL = frozenset({"of", "de"})


@cache
def phrases(language: str, private: str = "") -> Phrases:
    """The phrases by their first word, the longest first, each with its concepts.

    With the name of a private group, only its words and the words that all families share count.

    A Spanish request may hold English terms, such as `t-test`, but no English idle words.
    """
    concepts: dict[tuple[str, ...], set[str]] = {}
    for concept, by_language in _tables(private):
        small = concept in (IDLE, SCENE, CHANGE)
        languages = {language} if small or language == "en" else {language, "en"}
        for each in languages:
            for words in by_language.get(each, ()):
                concepts.setdefault(words, set()).add(concept)
    for words, names in concepts.items():  # `percentile of` means what `percentile` means
        if len(words) > 1 and words[-1] in _SMALL and IDLE not in names:
            names.update(concepts.get(words[:-1], ()))
    by_first: dict[str, list[tuple[tuple[str, ...], frozenset[str]]]] = {}
    for words, names in concepts.items():
        if private == "records" and len(names) > 1:
            names.discard(SCENE)
        by_first.setdefault(words[0], []).append((words, frozenset(names)))
    for listed_phrases in by_first.values():
        listed_phrases.sort(key=lambda pair: -len(pair[0]))
    return by_first


_Words = tuple[str, ...]  # of a phrase
_PARTS = re.compile(r"=(?=[^\W\d_])[\w'’]+|[\w'’]+|>=|<=|!=|==|\*\*|[^\w\s]")


def _words_of(phrase: str) -> _Words:
    return tuple(map(_part, _PARTS.findall(phrase if phrase == "-" else phrase.replace("-", " "))))


def _part(word: str) -> str:
    exact = word[0] == "=" and len(word) > 1 and word[1].isalpha()
    return "=" + plain(word[1:]) if exact else stem(word)


@cache
def language_words() -> Mapping[str, frozenset[str]]:
    """The words of each language alone, by which a reader knows the language of a request."""
    kept: dict[str, set[str]] = {"en": set(), "es": set()}
    for name in _files():
        if name not in _PRIVATE_FILES or name in _TELLING:
            for by_language in _written(name).values():
                for language, listed in by_language.items():
                    kept[language].update(w for phrase in listed for w in phrase.split())
    stems = {language: set(map(stem, words)) for language, words in kept.items()}
    shared = set.intersection(*stems.values())
    return {language: frozenset(words - shared) for language, words in stems.items()}


def _tables(private: str) -> Iterator[tuple[str, Mapping[str, Sequence[_Words]]]]:
    """Each concept of a group, with the words of its phrases by language."""
    for name in _files():
        wanted = name not in _PRIVATE_FILES
        if private:
            wanted = name in ("core", "scene", *PRIVATE[private], *_BESIDE.get(private, ()))
        if wanted:
            yield from _read(name).items()


@cache
def _files() -> tuple[str, ...]:
    names = (file.name.partition(".") for file in files(__name__).iterdir())
    return tuple(sorted(name for name, _, ending in names if ending == "toml"))


@cache
def _written(name: str) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """A file: the phrases of each concept by language."""
    return tomllib.loads((files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def _read(name: str) -> Mapping[str, Mapping[str, Sequence[_Words]]]:
    """The same, with the words of each phrase; several groups share the file."""
    return {
        concept: {each: tuple(map(_words_of, listed)) for each, listed in by_language.items()}
        for concept, by_language in _written(name).items()
    }


@cache
def first_words(*concepts: str) -> frozenset[str]:
    """The first words of the phrases of these concepts, in all languages, as stems."""
    wanted = frozenset(concepts)
    return frozenset(
        words[0].lstrip("=")
        for language in ("en", "es")
        for private in ("", *PRIVATE)
        for listed in phrases(language, private).values()
        for words, names in listed
        if not wanted.isdisjoint(names)
    )


@cache
def _wordings(private: str, concepts: frozenset[str]) -> Mapping[str, Sequence[frozenset[str]]]:
    """The words of each phrase that a reader of this group takes for one of these concepts, by the
    phrase's first word."""
    by_first: dict[str, set[frozenset[str]]] = {}
    for language in ("en", "es"):
        for listed in phrases(language, private).values():
            for words, names in listed:
                if not concepts.isdisjoint(names):
                    by_first.setdefault(_bare(words[0]), set()).add(needed_by(words))
    return {first: tuple(listed) for first, listed in by_first.items()}


def may_mean(private: str, concepts: frozenset[str], present: frozenset[str]) -> bool:
    """Whether a text with these words may hold a phrase for one of these concepts."""
    by_first = _wordings(private, concepts)
    return any(words <= present for first in by_first.keys() & present for words in by_first[first])


@cache
def needed_by(phrase: tuple[str, ...]) -> frozenset[str]:
    """The words without which a text cannot hold a phrase."""
    return frozenset(map(_bare, phrase))


def _bare(word: str) -> str:
    return word[1:] if word[0] == "=" and word[1:2].isalpha() else word


@cache
def all_words() -> frozenset[str]:
    """The stems of all words of all phrases."""
    return frozenset(
        word.lstrip("=")
        for language in ("en", "es")
        for private in ("", *PRIVATE)
        for listed in phrases(language, private).values()
        for words, _ in listed
        for word in words
    )


_IRREGULAR = {
    "people": "person",
    "children": "child",
    "men": "man",
    "women": "woman",
    "dice": "die",
}
_SINGULAR = ("ss", "us", "is", "series", "news")


def plain(word: str) -> str:
    """The word in lower case and without accents."""
    return _known_plain(word) if len(word) < 40 else _plain(word)


@lru_cache(maxsize=16_384)
def _known_plain(word: str) -> str:
    return _plain(word)


def _plain(word: str) -> str:
    word = word.lower()
    if word.isascii():
        return word
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))


@cache
def _stem(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3 or word.endswith(_SINGULAR) or not word.endswith("s"):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith(("ones", "ores", "ares", "ades", "ales", "ueces", "eles", "iles", "anes")):
        return (
            word[:-2] if word.endswith(("ciones", "siones", "ales", "ades", "ores")) else word[:-1]
        )
    return word[:-1]


def stem(word: str) -> str:
    """The word without case, accents and plural ending; the same for a phrase and a request."""
    return _known_stem(word) if len(word) < 40 else plain(word)


@lru_cache(maxsize=16_384)
def _known_stem(word: str) -> str:
    return _stem(_plain(word))
