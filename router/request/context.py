"""A request's features: the numbers in its row, and the context that the learner makes of them.

Router and learner make the context by the same function from the same numbers, so the learner sees
exactly what the router decided by. The numbers have a version, and numbers from a lens name the
lens. A router refuses a policy of another version or another lens.
"""

from collections.abc import Sequence
from math import log1p

from learner.policy import Context
from router.domain import Reading
from router.request.complexity import PARTS, Complexity
from router.request.language import LANGUAGES, LOOKED_AT
from router.request.lens import DIMENSIONS, Lens, PromptView, make

FEATURES_VERSION = 1
_TEXT = ("chars", "lines", "digits", "capitals", "signs", "asks")
SORTS = ("text", "question", "reasoning", "code", "json", "tools", "images", "statistics")
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


def numbers(
    reading: Reading,
    score: Complexity,
    *,
    sort: str,
    tagged: bool,
    lens: Lens | None = None,
    vector: Sequence[float] | None = None,
) -> tuple[float | None, ...]:
    """The features of a request, in the order of `NAMES`; an unknown feature is None."""
    text = reading.text
    head = text[:LOOKED_AT]
    seen: PromptView | None = lens.view(text, vector) if lens is not None else None
    return (
        score.score,
        *(score.parts.get(part, 0.0) for part in PARTS),
        *_text(text, head),
        float(LANGUAGES.index(reading.language)),
        float(SORTS.index(sort)),
        float(tagged),
        float(lens.number) if lens is not None else 0.0,
        float(seen.near) if seen is not None else None,
        float(seen.far) if seen is not None else None,
        *(seen.lex if seen is not None else _NOTHING),
        *(seen.vec if seen is not None and seen.vec is not None else _NOTHING),
    )


_NOTHING = (None,) * DIMENSIONS


def context_of(row: Sequence[float | None], task: str, *, lens: int) -> Context:
    """The context that a row's numbers make, with the numbers of this lens if the row has them."""
    context = {
        "complexity": row[0] or 0.0,
        f"kind={SORTS[int(row[_AT['sort']] or 0)]}": 1.0,
        f"language={LANGUAGES[int(row[_AT['language']] or 0)]}": 1.0,
        "part.complexity": (row[0] or 0.0) / 5,
    }
    if row[_AT["tagged"]]:
        context[f"task={task}"] = 1.0
    for at, name in _PLAIN:
        value = row[at]
        if value:
            context[name] = value
    if lens and row[_AT["lens"]] == lens and row[_AT["near"]] is not None:
        context[f"near={int(row[_AT['near']] or 0)}"] = 1.0
        context[f"far={int(row[_AT['far']] or 0)}"] = 1.0
        for at, name in _SEEN:
            value = row[at]
            if value:
                context[name] = value
    return context


_PARTS_AT = [(_AT[part], f"part.{part}") for part in PARTS]
_PLAIN = [*_PARTS_AT, *((_AT[name], f"part.{name}") for name in _TEXT)]
_SEEN = [(at, NAMES[at]) for at in range(_LEX, len(NAMES))]


def taught(lens: int) -> str:
    """The version of the features that a policy names, for features of this lens."""
    return f"{FEATURES_VERSION}:{lens:x}"


def lens_in(version: str) -> int | None:
    """The lens named in a policy's version; None if the version means other features."""
    own, _, lens = version.partition(":")
    return int(lens, 16) if own == str(FEATURES_VERSION) and lens else None


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
