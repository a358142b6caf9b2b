"""Numbers in words of English, Spanish, German and French: `twelve`, `zweiundzwanzig`. Pure."""

import re
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from router.plans.agreement.text import each, folded

EN = each(
    """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen
    """
)
EN_TENS = each("twenty thirty forty fifty sixty seventy eighty ninety")
_ES = each(
    """
    cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince
    dieciseis diecisiete dieciocho diecinueve veinte veintiuno veintidos veintitres
    veinticuatro veinticinco veintiseis veintisiete veintiocho veintinueve
    """
)
_ES_TENS = each("treinta cuarenta cincuenta sesenta setenta ochenta noventa")
_ES_HUNDREDS = each(
    """
    ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos
    ochocientos novecientos
    """
)
_DE = each(
    """
    null eins zwei drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn
    funfzehn sechzehn siebzehn achtzehn neunzehn
    """
)
_DE_TENS = each("zwanzig dreissig vierzig funfzig sechzig siebzig achtzig neunzig")
_FR = each(
    """
    zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze
    seize dix-sept dix-huit dix-neuf
    """
)
_FR_TENS = ["vingt", "trente", "quarante", "cinquante", "soixante"]
_LARGE = {
    **dict.fromkeys(("thousand", "tausend", "mil", "mille", "k"), 10**3),
    **dict.fromkeys(each("million millions millon millones millionen mio mn"), 10**6),
    **dict.fromkeys(each("billion billions milliarde milliarden milliard milliards mrd bn"), 10**9),
    **dict.fromkeys(["trillion", "trillions", "billionen", "billones"], 10**12),
}  # fmt: skip
_AFTER_FIGURES = {**_LARGE, "hundred": 100, "dozen": 12}
_POINTS = frozenset({"point", "coma", "komma", "virgule"})
_LINKS = frozenset({"and", "y", "und", "et"})
_HALVES = (["and", "a", "half"], ["y", "media"], ["y", "medio"], ["et", "demi"], ["et", "demie"])
_AMBIGUOUS = frozenset({"null"})  # a word of programs, too
_PARTS = {
    **{"half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4},
    **{"fifth": 5, "fifths": 5, "tenth": 10, "tenths": 10},
}
_DOZENS = {"dozen": 12, "docena": 12, "dutzend": 12, "douzaine": 12}
_ONE = frozenset({"a", "an", "one", "una", "un", "une", "ein", "eine"})
ORDINALS = {
    word: n
    for n, word in enumerate(
        each(
            """
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
    thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth
    """
        ),
        1,
    )
}


def _english() -> dict[str, int]:
    words = {word: n for n, word in enumerate(EN)}
    for tens, word in enumerate(EN_TENS, 2):
        words[word] = 10 * tens
        words |= {f"{word} {EN[n]}": 10 * tens + n for n in range(1, 10)}
    below = {name: value for name, value in words.items() if value}
    for n in range(1, 10):
        words |= {f"{EN[n]} hundred": 100 * n}
        words |= {f"{EN[n]} hundred {name}": 100 * n + value for name, value in below.items()}
    words |= {"hundred": 100, "a hundred": 100}
    return words


def _spanish() -> dict[str, int]:
    words = {word: n for n, word in enumerate(_ES)} | {"un": 1, "una": 1, "veintiun": 21}
    for tens, word in enumerate(_ES_TENS, 3):
        words[word] = 10 * tens
        words |= {f"{word} {_ES[n]}": 10 * tens + n for n in range(1, 10)}
    below = {name: value for name, value in words.items() if value}
    words["cien"] = 100
    for n, word in enumerate(_ES_HUNDREDS, 1):
        words[word] = words[f"{word[:-2]}as" if n > 1 else word] = 100 * n
        words |= {f"{word} {name}": 100 * n + value for name, value in below.items()}
    return words


def _german() -> dict[str, int]:
    words = {word: n for n, word in enumerate(_DE)} | {"ein": 1, "eine": 1}
    for tens, word in enumerate(_DE_TENS, 2):
        words[word] = 10 * tens
        for n in range(1, 10):
            words[f"{'ein' if n == 1 else _DE[n]}und{word}"] = 10 * tens + n
    below = {name: value for name, value in words.items() if value}
    words["hundert"] = 100
    for n in range(1, 10):
        hundred = f"{'ein' if n == 1 else _DE[n]}hundert"
        words[hundred] = 100 * n
        words |= {f"{hundred}{name}": 100 * n + value for name, value in below.items()}
    return words


def _french() -> dict[str, int]:
    words = {word.replace("-", " "): n for n, word in enumerate(_FR)} | {"une": 1}
    small = [word.replace("-", " ") for word in _FR]
    for tens, word in enumerate(_FR_TENS, 2):
        words[word] = 10 * tens
        top = 20 if tens == 6 else 10
        words |= {f"{word} {small[n]}": 10 * tens + n for n in range(1, top)}
    words |= {"quatre vingts": 80, "quatre vingt": 80}
    words |= {f"quatre vingt {small[n]}": 80 + n for n in range(1, 20)}
    below = {name: value for name, value in words.items() if value}
    for n in range(1, 10):
        hundred = "cent" if n == 1 else f"{small[n]} cent"
        words[hundred] = words[f"{hundred}s"] = 100 * n
        words |= {f"{hundred} {name}": 100 * n + value for name, value in below.items()}
    del words["cents"]
    return words


@lru_cache(maxsize=1)
def _below_thousand() -> tuple[dict[str, int], ...]:
    """The words of each language for the numbers up to 999."""
    return _english(), _spanish(), _german(), _french()


@lru_cache(maxsize=1)
def _number_words() -> frozenset[str]:
    words = {piece for language in _below_thousand() for name in language for piece in name.split()}
    words |= {*_LARGE, *_POINTS, *_LINKS, *_PARTS, *_DOZENS, *_ONE} - {"k"}
    return frozenset(words | {word for half in _HALVES for word in half})


def leading_words(text: str) -> tuple[Fraction, str] | None:
    """The number in words with which a text begins, and the rest of the text."""
    tokens = list(re.finditer(r"[^\W\d_]+", text[:200]))
    spelled: list[str] = []
    before = 0
    for token in tokens:
        if text[before : token.start()].strip(" -\u00a0"):
            break
        if not _may_be_number(token[0]):
            break
        before = token.end()
        spelled.append(token[0])
    for length in range(min(len(spelled), 14), 0, -1):
        if spelled[length - 1].lower() in _LINKS or _is_name(spelled[:length]):
            continue
        value, rest = in_words(spelled[:length]), text[tokens[length - 1].end() :]
        if length == 1 and rest.strip() and folded(spelled[0]) in _ONE - {"one"}:
            continue  # an article
        if value is not None:
            return value, rest
    return None


def _is_name(words: Sequence[str]) -> bool:
    """Whether a short word in capital letters is an abbreviation: `UN` is not the French one."""
    return len(words) == 1 and words[0].isupper() and len(words[0]) <= 3


def _may_be_number(word: str) -> bool:
    plain = folded(word)
    return plain in _number_words() or any(
        part in plain for part in ("tausend", "hundert", "zig", "ssig")
    )


def in_words(words: Sequence[str]) -> Fraction | None:
    """The number that these words are, in one of the languages."""
    plain = [folded(word) for word in words]
    if plain[-1] in _PARTS and len(plain) == 2:
        count = Fraction(1) if plain[0] in _ONE else in_words(words[:1])
        return None if count is None else count / _PARTS[plain[-1]]
    if plain[0] in _AMBIGUOUS and len(plain) == 1:
        return None
    for half in _HALVES:
        if plain[-len(half) :] == half and len(plain) > len(half):
            count = in_words(words[: -len(half)])
            return None if count is None else count + Fraction(1, 2)
    if plain == ["half"]:
        return Fraction(1, 2)
    if plain[-1] in _DOZENS:
        count = Fraction(1) if plain[0] in _ONE or len(plain) == 1 else in_words(words[:-1])
        if plain[:-1] in (["half", "a"], ["media"], ["ein", "halbes"]):
            count = Fraction(1, 2)
        return None if count is None else count * _DOZENS[plain[-1]]
    spaced = " ".join(plain).replace("tausend", " tausend ").split()
    for language in _below_thousand():
        value = _composed(spaced, language)
        if value is not None:
            return value
    return None


def _composed(words: Sequence[str], language: dict[str, int]) -> Fraction | None:
    for n, word in enumerate(words):
        if word in _POINTS:
            return _decimal(words[:n], words[n + 1 :], language)
    total, part = 0, list[str]()
    smallest = 10**15
    for word in words:
        if word in _LARGE and word != "k":
            large = _LARGE[word]
            count = _small(part, language) if part and part not in (["a"], ["an"]) else 1
            if count is None or (large >= smallest and not (large == 10**6 and smallest == 10**3)):
                return None
            if large == 10**6 and smallest == 10**3:  # tres mil millones
                if count != 1 or part:
                    return None
                total *= large
            else:
                total += count * large
            smallest, part = large, []
        else:
            part.append(word)
    if part:
        count = _small(part, language)
        if count is None or (total and count == 0):
            return None
        total += count
    return Fraction(total) if words else None


def _small(words: Sequence[str], language: dict[str, int]) -> int | None:
    return language.get(" ".join(word for word in words if word not in _LINKS))


def _decimal(
    whole: Sequence[str], digits: Sequence[str], language: dict[str, int]
) -> Fraction | None:
    before = _composed(whole, language)
    figures = [language.get(word, 10) for word in digits]
    if before is None or not figures or max(figures) > 9:
        return None
    return before + Fraction(int("".join(map(str, figures))), 10 ** len(figures))


def magnitude(word: str) -> int | None:
    """What a word after figures multiplies them by: `3 million`."""
    return _AFTER_FIGURES.get(folded(word).rstrip("."))
