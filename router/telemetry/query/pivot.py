"""Rewrites PIVOT without a list of values into PIVOT with one, which is a single SELECT.

DuckDB turns `PIVOT requests ON plan` into two statements, a new type and a SELECT, and shows the
parse tree of neither. With `ON plan IN ('cheap', 'dear')` it is one SELECT that can be checked. The
values come from a query of their own, which is checked like any other.

Not covered: a join between PIVOT and ON without parentheses, and a list of expressions that is one
value, `ON (a, b)`. Such a query is refused and says to name the values.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb

from router.telemetry.query.tree import QueryRefused
from router.telemetry.sql import quoted

_MOST_VALUES = 1_000
_MOST_PIVOTS = 20
_PIVOTS = ("PIVOT", "PIVOT_WIDER")
_ENDS = ("USING", "GROUP", "ORDER", "LIMIT", "UNION", "INTERSECT", "EXCEPT", "HAVING", "WHERE")

Values = Callable[[str], Sequence[str]]  # the values that a query gives in its only column


@dataclass(frozen=True, slots=True)
class _Token:
    start: int  # in the text
    end: int
    word: str  # in upper case; quoted names and strings keep their quotes
    depth: int  # how many parentheses are open around it


def with_values(sql: str, values: Values) -> str:
    """The same query with the values of every PIVOT named."""
    for _ in range(_MOST_PIVOTS):
        named = _with_first_named(sql, values)
        if named is None:
            return sql
        sql = named
    raise QueryRefused(f"A query may have {_MOST_PIVOTS} PIVOTs without values: name the values.")


def _with_first_named(sql: str, values: Values) -> str | None:
    tokens = _tokens(sql)
    for index, token in enumerate(tokens):
        if token.word not in _PIVOTS or _is_clause(tokens, index):
            continue
        on, elements = _elements(tokens, index)
        source = sql[token.end : tokens[on].start]
        for first, last in elements:
            words = [t.word for t in tokens[first : last + 1] if t.depth == token.depth]
            if "IN" in words:
                continue
            expression = sql[tokens[first].start : tokens[last].end]
            before = _visible_names(sql, tokens, index)
            query = (
                f"{before} SELECT DISTINCT CAST(({expression}) AS VARCHAR) FROM {source} "
                f"WHERE ({expression}) IS NOT NULL ORDER BY 1 LIMIT {_MOST_VALUES + 1}"
            )
            listed = _listed(expression, values(query))
            if last > first:  # an operator may bind less than IN
                expression = f"({expression})"
            return f"{sql[: tokens[first].start]}{expression} IN {listed}{sql[tokens[last].end :]}"
    return None


def _listed(expression: str, values: Sequence[str]) -> str:
    if len(values) > _MOST_VALUES:
        raise QueryRefused(
            f"PIVOT ON {expression} would make more than {_MOST_VALUES} columns: name the values."
        )
    return "(" + (", ".join(quoted(value) for value in values) or "NULL") + ")"


def _elements(tokens: Sequence[_Token], pivot: int) -> tuple[int, list[tuple[int, int]]]:
    """Where ON stands, and the first and the last token of each expression after it."""
    depth = tokens[pivot].depth
    here = [i for i in range(pivot + 1, len(tokens)) if _inside(tokens, pivot, i)]
    level = [i for i in here if tokens[i].depth == depth]
    on = next((i for i in level if tokens[i].word == "ON"), None)
    if on is None or any(tokens[i].word == "JOIN" for i in level if i < on):
        raise QueryRefused("Name the values of this PIVOT: ON column IN ('a', 'b').")
    rest = [i for i in here if i > on]
    end = next((i for i in level if i > on and tokens[i].word in _ENDS), len(tokens))
    rest = [i for i in rest if i < end]
    groups: list[list[int]] = [[]]
    for i in rest:
        if tokens[i].word == "," and tokens[i].depth == depth:
            groups.append([])
        else:
            groups[-1].append(i)
    return on, [(group[0], group[-1]) for group in groups if group]


def _inside(tokens: Sequence[_Token], pivot: int, index: int) -> bool:
    """Whether no parenthesis around the PIVOT closes before this token, and no statement ends."""
    depth = tokens[pivot].depth
    return all(t.depth >= depth and t.word != ";" for t in tokens[pivot : index + 1])


def _is_clause(tokens: Sequence[_Token], index: int) -> bool:
    """Whether this is `table PIVOT (... FOR column IN (...))`, whose values are always named."""
    if index + 1 >= len(tokens) or tokens[index + 1].word != "(":
        return False
    inner = tokens[index].depth + 1
    for token in tokens[index + 2 :]:
        if token.depth < inner:
            return False
        if token.depth == inner and token.word == "FOR":
            return True
    return False


def _visible_names(sql: str, tokens: Sequence[_Token], pivot: int) -> str:
    """The WITH clause of the whole query, as far as the PIVOT can see its names."""
    if tokens[0].word != "WITH":
        return ""
    comma = None
    for index, token in enumerate(tokens[:pivot]):
        if token.depth == 0 and token.word == ",":
            comma = token
        closes = token.word == ")" and token.depth == 0 and _opens_body(tokens, index)
        if closes and tokens[index + 1].word != ",":
            return sql[tokens[0].start : token.end]
    return sql[tokens[0].start : comma.start] if comma else ""


def _opens_body(tokens: Sequence[_Token], closing: int) -> bool:
    """Whether the parenthesis that closes here was opened after AS."""
    opening = max(
        i
        for i, t in enumerate(tokens[:closing])
        if t.word == "(" and t.depth == tokens[closing].depth
    )
    return tokens[opening - 1].word in ("AS", "MATERIALIZED")


def _tokens(sql: str) -> list[_Token]:
    raw = sql.encode()
    starts = duckdb.tokenize(sql)
    tokens: list[_Token] = []
    depth = 0
    for (start, kind), (end, _) in zip(starts, [*starts[1:], (len(raw), None)], strict=True):
        if kind == duckdb.token_type.comment:
            continue
        text = raw[start:end].decode(errors="replace").rstrip()
        first = len(raw[:start].decode(errors="replace"))
        if text == ")":
            depth -= 1
        tokens.append(_Token(first, first + len(text), text.upper(), depth))
        if text == "(":
            depth += 1
    return tokens
