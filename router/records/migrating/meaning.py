"""How near two names of fields, or two words of values, are in meaning: by tables and spelling."""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from pathlib import Path

from router.records.catalogue import tables
from router.records.catalogue.naming import named, spelled, words_of
from router.records.catalogue.tables import concepts, plain

KeyPath = tuple[str, ...]
Nearness = Callable[[str, str], float]  # cosine of two texts

_SMALL = frozenset([
    "de", "del", "la", "el", "los", "las", "y", "en", "of", "the", "a", "an", "in", "for",
    "per", "is", "has", "esta", "fecha", "date"
])  # fmt: skip
_UNITS = frozenset([
    "kg", "g", "gram", "mg", "lb", "oz", "cm", "mm", "m", "km", "mi", "ft", "inch", "min",
    "minute", "minuto", "sec", "second", "segundo", "s", "ms", "h", "hr", "hour", "hora", "c",
    "f", "cent", "usd", "eur", "gbp", "euro", "pct", "percent", "percentage", "ml", "l", "kmh",
    "mph", "v", "mv", "volt", "w", "kw", "watt", "kwh", "hz", "bar", "celsius",
    "fahrenheit", "kb", "mb", "gb"
])  # fmt: skip
_SAME, _ALIKE, _CONCEPT = 1.0, 0.92, 0.8
_LEAST_COSINE = 0.55


def _listed(file: str) -> list[str]:
    text = (Path(tables.__file__).parent / file).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@cache
def _word_meanings() -> dict[str, frozenset[int]]:
    meanings: dict[str, frozenset[int]] = {}
    for number, line in enumerate(_listed("field_words.txt")):
        for word in line.split():
            meanings[word] = meanings.get(word, frozenset()) | {number}
    return meanings


@cache
def _value_meanings() -> dict[str, frozenset[int]]:
    meanings: dict[str, frozenset[int]] = {}
    for number, line in enumerate(_listed("value_words.txt")):
        for word in line.split(";"):
            key = folded(word)
            meanings[key] = meanings.get(key, frozenset()) | {number}
    return meanings


def folded(value: object) -> str:
    """A word of a value in small letters, without accents, dashes and underscores."""
    return " ".join(plain(str(value)).replace("_", " ").replace("-", " ").split()).strip(".! ")


def same_value(left: str, right: str) -> bool:
    """Whether two words of values stand on one line of the table, or are the same word."""
    a, b = folded(left), folded(right)
    if a == b or a.replace(" ", "") == b.replace(" ", ""):
        return True
    return bool(_value_meanings().get(a, frozenset()) & _value_meanings().get(b, frozenset()))


def alternatives(value: str) -> list[str]:
    """The words on the lines of the table that hold this word."""
    numbers = _value_meanings().get(folded(value), frozenset())
    lines = _listed("value_words.txt")
    return [word.strip() for number in sorted(numbers) for word in lines[number].split(";")]


def shortens(short: str, long: str) -> bool:
    """Whether a word is the other's abbreviation: its beginning, and then consonants in order."""
    if not (2 <= len(short) < len(long)) or short[0] != long[0] or not short.isalpha():
        return False
    pairs = enumerate(zip(short, long, strict=False))
    start = next((at for at, (a, b) in pairs if a != b), len(short))
    rest = iter(long[start:])
    return all(letter in rest and letter not in "aeiou" for letter in short[start:])


def words_in(name: str) -> tuple[str, ...]:
    words = spelled(name).split()
    return tuple(_singular(word) for word in words)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _same_word(left: str, right: str) -> bool:
    if left == right:
        return True
    meanings = _word_meanings()

    def of(word: str) -> frozenset[int]:
        return meanings.get(word, frozenset()) | meanings.get(word + "s", frozenset())

    if of(left) & of(right):
        return True
    pair = sorted((left, right), key=len)
    return len(pair[0]) >= 3 and shortens(pair[0], pair[1])


@lru_cache(maxsize=4096)
def _concepts_of(name: str) -> frozenset[str]:
    """Every concept that a name is listed for, in both languages."""
    whole = " ".join(w for w in spelled(name).split() if w not in {"de", "del", "la", "of", "the"})
    listed = {c.name for c in concepts().values() if whole in c.english or whole in c.spanish}
    named_so = named(name).concept
    return frozenset(listed | ({named_so} if named_so else set()))


@lru_cache(maxsize=16384)
def likeness(left: str, right: str) -> float:
    """How likely two single names mean the same field, from 0 to 1."""
    a, b = words_in(left), words_in(right)
    if not a or not b:
        return float(plain(left) == plain(right))
    if a == b or "".join(a) == "".join(b):
        return _SAME
    core = [_core(words) for words in (a, b)]
    if sorted(core[0]) == sorted(core[1]) or "".join(core[0]) == "".join(core[1]):
        return _ALIKE + 0.04
    shared = _paired(core[0], core[1])
    longest, shortest = max(map(len, core)), min(map(len, core))
    by_words = _ALIKE * shared / longest
    if shared == shortest and longest > shortest:
        by_words = max(by_words, 0.74 if shared > 1 else 0.64)
    same_concept = _concepts_of(left) & _concepts_of(right)
    clash = named(left).role and named(right).role and named(left).role != named(right).role
    by_concept = _CONCEPT if same_concept and not clash else 0.0
    return max(by_words, by_concept)


def _core(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words that say what a field is: without small words, and without its unit."""
    kept = tuple(word for word in words if word not in _SMALL) or words
    return kept[:-1] if len(kept) > 1 and kept[-1] in _UNITS else kept


def _paired(left: Sequence[str], right: Sequence[str]) -> int:
    """How many words of one name have a word of the same meaning in the other."""
    free, count = list(right), 0
    for word in left:
        match = next((other for other in free if _same_word(word, other)), None)
        if match is not None:
            free.remove(match)
            count += 1
    return count


def path_likeness(source: KeyPath, target: KeyPath, near: Nearness | None = None) -> float:
    """How likely two paths mean the same field; the last names count, then the names above."""
    whole = likeness(" ".join(source), " ".join(target))
    # What stands above decides between `billing.city` and `shipping.city`.
    last = likeness(source[-1], target[-1])
    above = 0.97 if len(source) != len(target) or source[:-1] == target[:-1] else 0.9
    best = max(
        whole,
        last * above,
        0.98 * likeness(source[-1], " ".join(target)),
        0.98 * likeness(" ".join(source), target[-1]),
    )
    if best < 0.6 and near is not None:
        cosine = near(" ".join(words_of(source[-1])), " ".join(words_of(target[-1])))
        if cosine >= _LEAST_COSINE:
            best = max(best, min(0.75, cosine))
    return best
