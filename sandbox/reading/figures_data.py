"""Finds the data of a request for figures: a table, lists with or without names, or two numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.reading.figures_titles import label, titles_of
from sandbox.reading.lexicon import plain
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood


@dataclass(frozen=True, slots=True)
class Given:
    """The columns of a request. `names` is the column of the names of a `name value` list."""

    columns: Mapping[str, tuple[Any, ...]]
    names: str = ""
    named: bool = False  # the request names the columns
    percent: bool = False
    money: bool = False
    lists: tuple[int, ...] = ()  # places of the lists in the request
    assumed: tuple[str, ...] = field(default=())

    numeric: list[str] = field(init=False)
    texts: list[str] = field(init=False)

    def __post_init__(self) -> None:
        numbers = [name for name, values in self.columns.items() if is_numeric(values)]
        object.__setattr__(self, "numeric", numbers)
        object.__setattr__(self, "texts", [name for name in self.columns if name not in numbers])


def is_numeric(values: Sequence[Any]) -> bool:
    types = {*map(type, values)} - {type(None)}
    return bool(types) and types <= {int, float}


def given(reader: Reader) -> Given | None:
    """The data of a request, which the reader then has taken; None if there is none."""
    lists = reader.free("list")
    if reader.table:
        columns = {name: tuple(values) for name, values in reader.table.items()}
        if lists:
            raise NotUnderstood("the request has a table and a list: name one of them")
        return Given(columns, named=True)
    if not lists:
        return _two_numbers(reader)
    unclear = next((reader.tokens[i].unclear for i in lists if reader.tokens[i].unclear), "")
    if unclear:
        raise NotUnderstood(unclear)
    titles = titles_of(reader, lists)
    for place, title in zip(lists, titles, strict=True):
        reader.taken.add(place)
        if title == "frequencies" and len(lists) == 2:
            cues = (i for i in range(max(0, place - 2), place))
            reader.taken.update(i for i in cues if reader.tokens[i].means("figure_frequencies"))
        if title in ("frequencies", "probabilities") and len(lists) > 1 and not reader.has("mean"):
            raise NotUnderstood(f"{title} of values are understood for their mean alone")
        label(reader, place)
        if reader.tokens[place - 1].stem == "=":
            reader.taken.add(place - 1)
    return _of_lists(reader, lists, titles)


def _of_lists(reader: Reader, lists: Sequence[int], titles: Sequence[str]) -> Given:
    tokens = [reader.tokens[i] for i in lists]
    percent = all(token.unit == "%" for token in tokens)
    money = all(token.unit == "$" for token in tokens)
    if any(token.unit == "%" for token in tokens) and not percent:
        raise NotUnderstood("some of the lists are in percent and others are not")
    columns: dict[str, tuple[Any, ...]] = {}
    names = ""
    titles = [
        "" if set(t.split()) & set(token.names) else t
        for t, token in zip(titles, tokens, strict=True)
    ]
    if tokens[0].names:
        same = all(sorted(token.names) == sorted(tokens[0].names) for token in tokens)
        if not same:
            raise NotUnderstood("the lists have different names: write them as a table")
        names = "name"
        columns[names] = tokens[0].names
    elif any(token.names for token in tokens):
        raise NotUnderstood("some of the lists have names and others have none")
    numbered = bool(titles[0]) and titles[0][-1].isdigit() and not any(titles[1:])
    if len(lists) > 1 and numbered and _is_matrix(reader, lists):
        raise NotUnderstood(f"which of the lists is {titles[0]} is not clear")
    if not any(titles) and len(lists) > 1 and _is_matrix(reader, lists):
        titles = [f"row {i + 1}" for i in range(len(lists))]
    titles = ["weights" if t in ("frequencies", "probabilities") else t for t in titles]
    good = len({t for t in titles if t}) == sum(map(bool, titles))
    for i, (token, title) in enumerate(zip(tokens, titles, strict=True)):
        name = title if title and good and title not in columns else f"x{i + 1}"
        values = [v * 100 if percent else v for v in token.values]
        if names:
            by_name = dict(zip(token.names, values, strict=True))
            values = [by_name[each] for each in columns[names]]
        columns[name] = tuple(map(_plain, values))
    assumed = ("the figures are in percent, as the data is",) if percent else ()
    return Given(columns, names, any(titles) and good, percent, money, tuple(lists), assumed)


def _is_matrix(reader: Reader, lists: Sequence[int]) -> bool:
    """Whether only brackets and commas separate the lists, and they are of the same length."""
    between = reader.tokens[lists[0] : lists[-1]]
    alike = len({len(reader.tokens[i].values) for i in lists}) == 1
    return alike and all(
        t.kind == "list" or t.stem in ("[", "]", ",", "\n", "(", ")") for t in between
    )


def _plain(value: float) -> int | float:
    value = round(value, 12)
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def _two_numbers(reader: Reader) -> Given | None:
    """Two numbers such as `4 and 8`, if the request has no others."""
    free = reader.free("number")
    if len(free) != 2 or reader.tokens[free[0]].unit != reader.tokens[free[1]].unit:
        return None
    between = reader.tokens[free[0] + 1 : free[1]]
    if free[0] and reader.tokens[free[0] - 1].means("sd", "variance"):
        return None  # `sd 12 and 36 people`
    if not between or not all(plain(t.text) in ("and", "y", "e", ",", "&") for t in between):
        return None
    if not reader.has(
        "mean", "sd", "variance", "figure_median", "figure_geometric", "figure_harmonic"
    ):
        return None
    tokens = [reader.at(i) for i in free]
    percent = tokens[0].unit == "%"
    values = tuple(_plain(t.value * 100 if percent else t.value) for t in tokens)
    return Given({"x1": values}, percent=percent, lists=(free[1],))
