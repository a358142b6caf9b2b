"""What the learner knows of a request: numbers kept with its row, and the context they make.

The router that decides and the learner that reads the row later go through the same function, from
the same numbers: there is no other way to make a context, so what is learned is what was decided
by. Numbers have a version, and those that come from a lens name it; a policy that was taught
another version, or through another lens, is refused.
"""

import re
from collections.abc import Mapping, Sequence
from math import log1p
from typing import Any

from learner.policy import Context
from router.request.complexity import PARTS, Complexity
from router.request.lens import DIMENSIONS, Lens, PromptView, make
from router.request.text import prompt_text

VERSION = 1
_TEXT = ("chars", "lines", "digits", "capitals", "signs", "asks")
SORTS = ("text", "question", "reasoning", "code", "json", "tools", "images", "statistics")
LANGUAGES = (
    *("en", "de", "fr", "es", "it", "pt", "nl", "other", "cyrillic", "greek", "arabic"),
    *("hebrew", "indic", "cjk", "kana", "hangul", "thai"),
)
NAMES = (
    "complexity",
    *PARTS,
    *_TEXT,
    "language",
    "sort",
    "tagged",
    "lens",
    "near",
    "far",
    *(f"lex.{n}" for n in range(DIMENSIONS)),
    *(f"vec.{n}" for n in range(DIMENSIONS)),
)
_AT = {name: index for index, name in enumerate(NAMES)}
_LEX, _VEC = _AT["lex.0"], _AT["vec.0"]
_LOOKED_AT = 4000  # characters
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


def numbers(
    fields: Mapping[str, Any],
    score: Complexity,
    *,
    sort: str,
    tagged: bool,
    lens: Lens | None = None,
    vector: Sequence[float] | None = None,
) -> tuple[float | None, ...]:
    """What goes into the row, in the order of `NAMES`; what is unknown is None."""
    text = prompt_text(fields)
    head = text[:_LOOKED_AT]
    seen: PromptView | None = lens.view(text, vector) if lens is not None else None
    return (
        score.score,
        *(score.parts.get(part, 0.0) for part in PARTS),
        *_text(text, head),
        float(LANGUAGES.index(language(head))),
        float(SORTS.index(sort)),
        float(tagged),
        float(lens.number) if lens is not None else 0.0,
        float(seen.near) if seen is not None else None,
        float(seen.far) if seen is not None else None,
        *(seen.lex if seen is not None else _NOTHING),
        *(seen.vec if seen is not None and seen.vec is not None else _NOTHING),
    )


_NOTHING = (None,) * DIMENSIONS


def context_of(told: Sequence[float | None], task: str, *, lens: int) -> Context:
    """The context that a row's numbers make, as seen through this lens."""
    context = {
        "complexity": told[0] or 0.0,
        f"kind={SORTS[int(told[_AT['sort']] or 0)]}": 1.0,
        f"language={LANGUAGES[int(told[_AT['language']] or 0)]}": 1.0,
        "part.complexity": (told[0] or 0.0) / 5,
    }
    if told[_AT["tagged"]]:
        context[f"task={task}"] = 1.0
    for at, name in _PLAIN:
        value = told[at]
        if value:
            context[name] = value
    if lens and told[_AT["lens"]] == lens and told[_AT["near"]] is not None:
        context[f"near={int(told[_AT['near']] or 0)}"] = 1.0
        context[f"far={int(told[_AT['far']] or 0)}"] = 1.0
        for at, name in _SEEN:
            value = told[at]
            if value:
                context[name] = value
    return context


# Points of parts reach 10, and should reach about one.
_PARTS_AT = [(_AT[part], f"part.{part}") for part in PARTS]
_PLAIN = [*_PARTS_AT, *((_AT[name], f"part.{name}") for name in _TEXT)]
_SEEN = [(at, NAMES[at]) for at in range(_LEX, len(NAMES))]


def taught(lens: int) -> str:
    """The version of contexts seen through this lens, as a policy names it."""
    return f"{VERSION}:{lens:x}"


def lens_in(version: str) -> int | None:
    """The lens that a policy of this version needs; None where it is of other numbers."""
    own, _, lens = version.partition(":")
    return int(lens, 16) if own == str(VERSION) and lens else None


def language(text: str) -> str:
    """By script, and where that is Latin by the commonest words; English unless others prevail."""
    if not text.isascii():
        for name, script in _SCRIPTS:
            if script.search(text):
                return name
    heard: dict[str, int] = {}
    words = _WORD.findall(text[:1000].lower())
    for word in words:
        for spoken in _SPEAKS.get(word, ()):
            heard[spoken] = heard.get(spoken, 0) + 1
    if not heard:
        return "en" if text.isascii() else "other"
    best = max(heard, key=lambda one: (heard[one], one == "en"))
    return best if best == "en" or heard[best] >= 2 else "en"


def _text(text: str, head: str) -> tuple[float, ...]:
    size = len(head) or 1
    made = make(head)
    return (
        round(log1p(len(text)) / 5 - 1, 3),
        round(min(log1p(text.count("\n")) / 4, 1.0), 3),
        round(min(10 * made.digits / size, 2.0), 3),
        round(min(10 * made.capitals / size, 2.0), 3),
        round(min(8 * made.signs / size, 2.0), 3),
        float(text.rstrip().endswith("?")),
    )
