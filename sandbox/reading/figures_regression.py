"""Reads which column a regression explains, by which others, and what is wanted of it."""

from itertools import pairwise
from typing import Any

from sandbox.reading.figure_words import is_idle
from sandbox.reading.figures_request import Request
from sandbox.reading.lexicon import plain
from sandbox.reading.rules import NotUnderstood
from sandbox.spec import Analysis

_MODELS = frozenset({"regression", "slope", "intercept", "r2", "slope_interval", "slope_error"})
_ON = frozenset(
    "on from against by using with given ~ vs versus over sobre contra segun con por frente "
    "function funcion partir".split()
)
_WHEN = frozenset("if when for at with where cuando si para con of spend en".split())


def read(request: Request) -> list[Analysis]:
    names = {c.name for c in request.claims if c.method.takes == "regression"}
    if names == {"r2"} and len(request.of.numeric) < 2:
        raise NotUnderstood("r squared needs two columns")
    if not names & _MODELS:
        raise NotUnderstood("it does not say by which model: write `linear regression`")
    columns = _roles(request)
    parameters = _parameters(request, names, columns)
    reader = request.reader
    at = _at(request, columns)
    if at is not None:
        parameters["at"] = at
    elif "predict" in names:
        raise NotUnderstood("it does not say clearly at which value to predict")
    if reader.take_all("figure_line_through"):
        letters = [i for i, t in enumerate(reader.tokens) if t.text in ("a", "b", "m", "c")]
        reader.taken.update(letters)
    reader.take_all(
        "figure_with_intercept",
        "figure_on",
        "figure_p_value",
        "figure_significant",
    )
    _allow_changes(request)
    return [Analysis("regression", tuple(columns), "", parameters)]


def _parameters(request: Request, names: set[str], columns: list[str]) -> dict[str, Any]:
    """What the words ask for beside the coefficients."""
    if len({len(request.of.columns[name]) for name in columns}) > 1:
        raise NotUnderstood(f"{', '.join(columns)} have different lengths")
    parameters: dict[str, Any] = {}
    if names & {"quadratic", "origin"} and (len(columns) != 2 or names >= {"quadratic", "origin"}):
        raise NotUnderstood("such a curve is understood for one explaining column")
    if "quadratic" in names:
        parameters["degree"] = 2
    if "origin" in names:
        parameters["origin"] = True
    if "residuals" in names:
        parameters["residuals"] = True
    if "slope_interval" in names:
        if parameters.get("degree") or parameters.get("origin") or len(columns) != 2:
            raise NotUnderstood("an interval is understood for the slope of a simple regression")
        parameters["interval"] = _interval_level(request)
    return parameters


_ROWS = frozenset(
    "keep_where drop_where keep_values drop_values drop_first drop_last keep_first keep_last".split()
)


def _allow_changes(request: Request) -> None:
    """Rows may be left out of a regression; its columns stay as they are."""
    if any(change.kind not in _ROWS for change in request.changes):
        raise NotUnderstood("this change of the data is not understood in a regression")


def _interval_level(request: Request) -> float:
    for i in request.reader.free("number"):
        token = request.reader.tokens[i]
        if token.unit == "%" and 0.5 <= token.value < 1:
            request.reader.taken.add(i)
            return token.value
    request.assumed.append("a level of 95%")
    return 0.95


def _roles(request: Request) -> list[str]:
    """The column to be explained, then the columns that explain it."""
    of = request.of
    mentioned = list(
        dict.fromkeys(m.column for m in request.named_columns() if m.column in of.numeric)
    )
    columns = mentioned if len(mentioned) >= 2 else [n for n in of.numeric if n != "weights"]
    if len(columns) < 2:
        raise NotUnderstood("a regression needs a column to explain and another that explains it")
    target = _target(request)
    _check_formula(request)
    if target and len(mentioned) == 1 and target == mentioned[0]:
        columns = [n for n in of.numeric if n != "weights"]
    if not target:
        target = next((c for c in columns if c.lower() == "y"), "")
    if not target and len(columns) == 2:
        request.assumed.append(f"{columns[1]} is explained by {columns[0]}")
        target = columns[1]
    if not target or target not in columns:
        raise NotUnderstood("it does not say which column is to be explained")
    return [target, *(c for c in columns if c != target)]


def _check_formula(request: Request) -> None:
    """In a formula such as `y ~ x1 + x2`, both sides must be columns."""
    places = {i for m in request.mentions for i in range(m.begin, m.end)}
    for i, token in enumerate(request.reader.tokens):
        if token.text == "~" and not {i - 1, i + 1} <= places:
            raise NotUnderstood("what stands beside `~` is no column")


def _target(request: Request) -> str:
    reader, mentions = (
        request.reader,
        [m for m in request.named_columns() if m.column in request.of.numeric],
    )
    for first, second in pairwise(mentions):
        between = reader.tokens[first.end : second.begin]
        words = {plain(word) for token in between for word in token.text.split()}
        if words & _ON and not any(t.stem in ".?!\n" for t in between) and len(between) <= 5:
            return first.column
    for place in [c.place for c in request.claims if c.name == "predict"]:
        for mention in mentions:
            between = reader.tokens[place + 1 : mention.begin]
            cue = any(plain(t.text) in _WHEN for t in between)
            if 0 < mention.begin - place <= 4 and all(map(is_idle, between)) and not cue:
                return mention.column
    return ""


def _at(request: Request, columns: list[str]) -> float | None:
    """The value of the explaining column for which the line is wanted."""
    reader = request.reader
    percent = request.of.percent
    free = [i for i in reader.free("number") if not _is_count(request, i)]
    free = [i for i in free if percent or reader.tokens[i].unit != "%"]
    predicting = any(c.name == "predict" for c in request.claims)
    if not free or len(columns) != 2:
        return None
    if len(free) > 1:
        raise NotUnderstood("it has several numbers beside the data, of which one rule uses one")
    place = free[0]
    cue = next((i for i in range(place - 1, max(-1, place - 5), -1)
                if plain(reader.tokens[i].text) in _WHEN), None)  # fmt: skip
    if cue is None and not predicting:
        return None
    near = [m for m in request.mentions if m.of_column and (
        0 <= place - m.end <= 3 or 0 < m.begin - place <= 3)]  # fmt: skip
    if any(m.column == columns[0] for m in near) and not any(m.column == columns[1] for m in near):
        raise NotUnderstood("it gives a value of the column that is explained, not of the other")
    token = reader.tokens[place]
    values = [v for v in request.of.columns[columns[1]] if v is not None]
    if abs(token.value) > 100 * max(abs(v) for v in values):
        raise NotUnderstood(f"{token.text} lies far from the data: write it in the data's units")
    reader.taken.add(place)
    return token.value


def _is_count(request: Request, place: int) -> bool:
    """Whether a number only repeats how many values there are: `7 points`."""
    tokens = request.reader.tokens
    sizes = {len(v) for v in request.of.columns.values()} | {len(request.of.numeric)}
    following = tokens[place + 1 : place + 2]
    before = plain(tokens[place - 1].text) if place else ""
    return (
        tokens[place].value in sizes
        and bool(following)
        and following[0].kind in ("word", "concept")
        and before not in _WHEN | {"=", "is"}
    )
