"""Guesses the language of a text, by its script and its commonest words. Pure functions.

The guess is cheap and coarse, and serves the learner: one of seventeen names.
"""

import re

LOOKED_AT = 4000  # characters of a text that are read
LANGUAGES = (
    *("en", "de", "fr", "es", "it", "pt", "nl", "other", "cyrillic", "greek", "arabic"),
    *("hebrew", "indic", "cjk", "kana", "hangul", "thai"),
)
_SCRIPTS = (
    ("kana", re.compile(r"[\u3040-\u30ff]")),
    ("cjk", re.compile(r"[\u4e00-\u9fff]")),
    ("hangul", re.compile(r"[\uac00-\ud7af]")),
    ("cyrillic", re.compile(r"[\u0400-\u04ff]")),
    ("greek", re.compile(r"[\u0370-\u03ff]{3}")),
    ("arabic", re.compile(r"[\u0600-\u06ff]")),
    ("hebrew", re.compile(r"[\u0590-\u05ff]")),
    ("indic", re.compile(r"[\u0900-\u0dff]")),
    ("thai", re.compile(r"[\u0e00-\u0e7f]")),
)
_WORD = re.compile(r"[^\W\d_]+")
_COMMON = {
    "en": "the of and to in is you that it for are with what how this",
    "de": "der die das und ist nicht ein eine zu den mit von für wie auf",
    "fr": "le la les des est et une pour dans que qui pas sur avec du",
    "es": "el los las una que es por para con del cómo está más como y",
    "it": "il gli che di una per con non sono della come più nel è e",
    "pt": "os uma que para com não por mais como dos das em é ao do",
    "nl": "het een van en de niet is op voor met dat hoe zijn wat te",
}
_SPEAKS: dict[str, tuple[str, ...]] = {}
for _language, _words in _COMMON.items():
    for _word in _words.split():
        _SPEAKS[_word] = (*_SPEAKS.get(_word, ()), _language)


def language(text: str) -> str:
    """A text's language, by its script or its commonest words; else English or `other`."""
    if not text.isascii():
        for name, script in _SCRIPTS:
            if script.search(text):
                return name
    counts: dict[str, int] = {}
    words = _WORD.findall(text[:1000].lower())
    for word in words:
        for spoken in _SPEAKS.get(word, ()):
            counts[spoken] = counts.get(spoken, 0) + 1
    if not counts:
        return "en" if text.isascii() else "other"
    best = max(counts, key=lambda name: (counts[name], name == "en"))
    return best if best == "en" or counts[best] >= 2 else "en"
