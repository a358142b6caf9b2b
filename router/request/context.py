"""A request's features: the numbers in its row, and the context that the learner makes of them.

Router and learner make the context by the same function from the same numbers, so the learner sees
exactly what the router decided by. The numbers have a version, and numbers from a lens name the
lens. A router refuses a policy of another version or another lens.

Rows of older versions are rows of this version that end early. Those of version 2 say nothing of an
agent's trajectory. Those of version 1 have fewer directions, too, and belong to one kind and one
neighbourhood as a whole; lenses of version 1 are not used any more.

A request that is not an agent's has the context that it had in version 2.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import log1p
from typing import cast

from learner.policy import Context
from router.domain import Reading, Trajectory
from router.request.agent_kinds import AGENTS
from router.request.complexity import PARTS, Complexity
from router.request.kinds import BY_WORDS, SORTS, weighed
from router.request.language import LANGUAGES, LOOKED_AT
from router.request.lens import FAR_SHARES, MEANING, NEAR_SHARES, WORDS, Lens, PromptView
from router.request.neighbourhoods import Shares
from router.request.terms import make

FEATURES_VERSION = 3
_TEXT = ("chars", "lines", "digits", "capitals", "signs", "asks")
_MEANING_1 = 16  # directions of a sentence vector in version 1
NAMES_1 = (
    "complexity",
    *PARTS,
    *_TEXT,
    "language",
    "sort",
    "tagged",
    "lens",
    "near",
    "far",
    *(f"lex.{n}" for n in range(WORDS)),
    *(f"vec.{n}" for n in range(_MEANING_1)),
)
NAMES_2 = (
    *NAMES_1,
    *(f"vec.{n}" for n in range(_MEANING_1, MEANING)),
    "symbols",
    *(f"sort.{kind}" for kind in BY_WORDS),
    *(f"{name}.{n}" for n in range(2, NEAR_SHARES + 1) for name in ("near", "near.share")),
    *(f"{name}.{n}" for n in range(2, FAR_SHARES + 1) for name in ("far", "far.share")),
)
# What happened in an agent's session. `tests` is 1 if they pass and -1 if they fail; `cached` is
# the share of the prompt that is likely to be in its home's prompt cache.
_PATH = ("turns", "calls", "errors", "errors_row", "repeats", "edits", "tests", "failing_row")
NAMES = (*NAMES_2, "agent", *(f"path.{name}" for name in (*_PATH, "tokens", "cached")))
NAMES_OF = {
    1: NAMES_1,
    2: NAMES_2,
    FEATURES_VERSION: NAMES,
}  # the names of the numbers in a row, by version
_AT = {name: index for index, name in enumerate(NAMES)}
_LENS, _SORT, _SORTS, _SYMBOLS = _AT["lens"], _AT["sort"], _AT["sort.text"], _AT["symbols"]
_VEC = _AT["vec.0"]
_AGENT, _LANGUAGE, _TAGGED, _NEAR = (_AT[name] for name in ("agent", "language", "tagged", "near"))


def numbers(
    reading: Reading,
    score: Complexity,
    *,
    tagged: bool,
    lens: Lens | None = None,
    vector: Sequence[float] | None = None,
    cached: float = 0.0,
) -> tuple[float | None, ...]:
    """The features of a request, in the order of `NAMES`; an unknown feature is None.

    `cached` is the share of an agent's prompt that its home is likely to have in its prompt cache.
    """
    text = reading.words
    head = text[:LOOKED_AT]
    seen: PromptView | None = lens.view(text, vector) if lens is not None else None
    sort = SORTS.index(reading.kind)
    kinds: tuple[float, ...] = ()
    if sort < len(BY_WORDS):
        kinds = weighed(reading.kinds, seen.kinds if seen is not None else None)
        sort = kinds.index(max(kinds))
    measures, symbols = _measured(text, head)
    vec = seen.vec if seen is not None and seen.vec is not None else _NO_MEANING
    return (
        score.score,
        *[score.parts.get(part, 0.0) for part in PARTS],
        *measures,
        float(LANGUAGES.index(reading.language)),
        float(sort),
        float(tagged),
        float(lens.number) if lens is not None else 0.0,
        float(seen.near[0][0]) if seen is not None else None,
        float(seen.far[0][0]) if seen is not None else None,
        *(seen.lex if seen is not None else _NO_WORDS),
        *vec,
        symbols,
        *(kinds or _NO_KINDS),
        *_others(seen.near if seen is not None else (), NEAR_SHARES),
        *_others(seen.far if seen is not None else (), FAR_SHARES),
        *(_NO_PATH if reading.trajectory is None else _path(reading.trajectory, cached)),
    )


def _path(trajectory: Trajectory, cached: float) -> tuple[float, ...]:
    """The kind of an agent's request and the numbers of its trajectory."""
    counts = (
        *(trajectory.turns, trajectory.calls, trajectory.errors, trajectory.errors_in_row),
        *(trajectory.repeats, trajectory.edits),
        {"": 0, "failing": -1, "passing": 1}[trajectory.tests],
        *(trajectory.failing_in_row, trajectory.tokens),
    )
    return (float(AGENTS.index(trajectory.agent)), *map(float, counts), round(cached, 3))


_NO_PATH = (None,) * (len(NAMES) - len(NAMES_2))
_NO_KINDS = (None,) * len(BY_WORDS)
_NO_WORDS = (None,) * WORDS
_NO_MEANING = (None,) * MEANING


def kind_of(row: Sequence[float | None]) -> str:
    """The likeliest kind of a request, by its row."""
    return SORTS[int(row[_SORT] or 0)]


def meaning_of(row: Sequence[float | None]) -> Sequence[float] | None:
    """The meaning of a request under its lens, by its row; None if it had no sentence vector."""
    meaning = row[_VEC:_SYMBOLS]
    return None if not meaning or meaning[0] is None else cast("Sequence[float]", meaning)


def agent_of(row: Sequence[float | None]) -> str:
    """The kind of an agent's request, by its row; empty if it is not an agent's."""
    return AGENTS[int(row[_AGENT] or 0)] if len(row) > _AGENT else ""


def context_of(row: Sequence[float | None], task: str, *, lens: int) -> Context:
    """The context that a row's numbers make, with the numbers of this lens if the row has them.

    A request's likeliest kind comes first among its kinds.
    """
    context = {"complexity": row[0] or 0.0}
    agent = agent_of(row)
    if agent:
        context[f"agent={agent}"] = 1.0
        _add_path(context, row)
    _add_kinds(context, row)
    context[_SPOKEN[int(row[_LANGUAGE] or 0)]] = 1.0
    context["part.complexity"] = (row[0] or 0.0) / 5
    if row[_TAGGED]:
        context[f"task={task}"] = 1.0
    for at, name in _PLAIN if len(row) > _SYMBOLS else _PLAIN_1:
        value = row[at]
        if value:
            context[name] = value
    if lens and row[_LENS] == lens and row[_NEAR] is not None:
        for name, places in _CROWDS:
            _add_shares(context, row, name, places)
        for begin, end, names in _SEEN:
            values = row[begin:end]
            if values and values[0] is not None:
                context.update(zip(names, cast("Sequence[float]", values), strict=False))
    return context


# What a prompt's casing and its sentence marks say is no part of the context: both change when the
# same request is written again.
_PARTS_AT = [(_AT[part], f"part.{part}") for part in PARTS]
_TEXT_AT = [(_AT[name], f"part.{name}") for name in ("chars", "lines", "digits", "symbols")]
_PLAIN = [*_PARTS_AT, *_TEXT_AT]
_PLAIN_1 = [(at, name) for at, name in _PLAIN if at < len(NAMES_1)]
_SPOKEN = tuple(f"language={language}" for language in LANGUAGES)
_OF_KIND = tuple(f"kind={kind}" for kind in BY_WORDS)
_SEEN = [
    (begin, end, NAMES[begin:end])
    for begin, end in ((_AT["lex.0"], _AT["vec.0"]), (_AT["vec.0"], _SYMBOLS))
]
_CROWDS = [
    (name, [(_AT[f"{name}.{n}"], _AT[f"{name}.share.{n}"]) for n in range(2, most + 1)])
    for name, most in (("near", NEAR_SHARES), ("far", FAR_SHARES))
]


def taught(lens: int) -> str:
    """The version of the features that a policy names, for features of this lens."""
    return f"{FEATURES_VERSION}:{lens:x}"


def lens_in(version: str) -> int | None:
    """The lens named in a policy's version; None if the version means other features."""
    own, _, lens = version.partition(":")
    return int(lens, 16) if own == str(FEATURES_VERSION) and lens else None


def readable(version: int, row: Sequence[float | None]) -> bool:
    """Whether a stored row has the numbers of a version that `context_of` reads."""
    return version in NAMES_OF and len(row) == len(NAMES_OF[version])


def _add_path(context: dict[str, float], row: Sequence[float | None]) -> None:
    """Add what happened in the session, each number on a scale to about 1."""
    for at, name, scaled in _STEPS:
        value = scaled(row[at] or 0.0)
        if value:
            context[name] = round(value, 3)


_STEPS: Sequence[tuple[int, str, Callable[[float], float]]] = [
    (_AT[f"path.{name}"], f"path.{called}", scaled)
    for name, called, scaled in (
        ("turns", "turns", lambda n: log1p(n) / 4),
        ("errors", "errors", lambda n: log1p(n) / 3),
        ("errors_row", "error", lambda n: min(n, 1.0)),
        ("errors_row", "errors_row", lambda n: max(min(n, 4.0) - 1, 0.0) / 3),
        ("repeats", "repeats", lambda n: min(n, 3.0) / 3),
        ("edits", "edits", lambda n: log1p(n) / 3),
        ("tests", "passing", lambda n: max(n, 0.0)),
        ("failing_row", "failing", lambda n: min(n, 1.0)),
        ("failing_row", "failing_row", lambda n: max(min(n, 4.0) - 1, 0.0) / 3),
        ("tokens", "tokens", lambda n: log1p(n / 1000) / 5),
        ("cached", "cached", lambda n: n),
    )
]


def _add_kinds(context: dict[str, float], row: Sequence[float | None]) -> None:
    likeliest = kind_of(row)
    context[f"kind={likeliest}"] = 1.0
    shares = row[_SORTS : _SORTS + len(BY_WORDS)]
    if not shares or shares[0] is None:
        return
    for name, share in zip(_OF_KIND, shares, strict=True):
        if share:
            context[name] = share


def _add_shares(
    context: dict[str, float],
    row: Sequence[float | None],
    name: str,
    places: Sequence[tuple[int, int]],
) -> None:
    """Add the neighbourhoods of a row, each with its share; the closest has what is left."""
    left = 1.0
    closest = _numbered(name, row[_AT[name]] or 0.0)
    context[closest] = left
    if len(row) <= places[0][0]:
        return
    for number_at, share_at in places:
        share = row[share_at]
        if share:
            context[_numbered(name, row[number_at] or 0.0)] = share
            left -= share
    context[closest] = round(left, 3)


@lru_cache(maxsize=1_024)
def _numbered(name: str, number: float) -> str:
    return f"{name}={int(number)}"


def _others(shares: Shares, most: int) -> list[float | None]:
    """The numbers and shares of all neighbourhoods but the closest, filled up to `most`."""
    others: list[float | None] = []
    for number, share in shares[1:]:
        others += (float(number), share)
    others += [None] * (2 * (most - 1) - len(others))
    return others


def _measured(text: str, head: str) -> tuple[tuple[float, ...], float]:
    """The measures of a text, in the order of `_TEXT`, and the share of its symbols."""
    size = len(head) or 1
    made = make(head)
    measures = (
        round(log1p(len(text)) / 5 - 1, 3),
        round(min(log1p(text.count("\n")) / 4, 1.0), 3),
        round(min(10 * made.digits / size, 2.0), 3),
        round(min(10 * made.capitals / size, 2.0), 3),
        round(min(8 * made.signs / size, 2.0), 3),
        float(text.rstrip().endswith("?")),
    )
    return measures, round(min(8 * made.symbols / size, 2.0), 3)
