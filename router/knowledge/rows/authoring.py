"""Asks a model for the query of a question that no rule understood, and checks what it writes.

The query may only read (`safe.py`). Its names must be those of the schema, each text that it
compares must occur in the data, and each value and number of the question must stand in it. One
error is shown to the model, which may write once more. What the words mean is not checked: an
answer names its author. A question that asks to change data goes to no model.
"""

import re
from collections.abc import Sequence
from typing import Protocol

from router.knowledge.rows.answering import RowReader, answered_by
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.words import pieces
from router.knowledge.rows.loading import quoted
from router.knowledge.rows.schema import (
    NotUnderstood,
    RowAnswer,
    Rows,
    Run,
    SqlRefused,
    Unclear,
)
from router.knowledge.rows.wording import listed

_TRIES = 2
_FEW_VALUES, _LONGEST_VALUE = 20, 40  # values of a column that a model is shown
_CHANGES = frozenset(
    (
        *("delete", "remove", "drop", "update", "insert", "truncate", "alter", "change", "set"),
        *("replace", "erase", "borra", "borrar", "elimina", "eliminar", "actualiza", "actualizar"),
        *("cambia", "cambiar", "inserta", "insertar", "modifica", "modificar", "quita", "quitar"),
    )
)
_RULES = """Write one SQLite query that answers the question. Answer with the SQL alone.
Use only these tables and columns. Write names in double quotes and texts in single quotes.
Dates are texts such as 2024-03-05; yes and no are 1 and 0.
If the tables cannot answer exactly what is asked, answer with the word CANNOT."""


class QueryAuthor(Protocol):
    """A model that writes SQL."""

    @property
    def name(self) -> str: ...

    async def write(self, prompt: str) -> str: ...


async def answered_with(
    author: QueryAuthor, reader: RowReader, question: str, run: Run, previous: Sequence[str] = ()
) -> RowAnswer | NotUnderstood:
    """The answer by rule; if no rule understands the question, by the author's query."""
    by_rule = answered_by(reader, question, run, previous)
    if isinstance(by_rule, RowAnswer) or _CHANGES & {*pieces(question)}:
        return by_rule
    error = ""
    for _ in range(_TRIES):
        sql = _sql_in(await author.write(_prompt(reader, question, previous, error)))
        if sql == "":
            return by_rule
        try:
            _check(reader, question, sql)
            rows = run(sql)
        except SqlRefused as refused:
            error = f"{sql}\n{refused}"
            continue
        return _answer(author, sql, rows)
    problem = error.rpartition("\n")[2]
    return NotUnderstood(f"{by_rule.reason}; the query of {author.name} is refused: {problem}")


def _answer(author: QueryAuthor, sql: str, rows: Rows) -> RowAnswer:
    reading = f"the query was written by {author.name}; what its words mean was not checked"
    return RowAnswer(listed(rows), sql, rows.columns, rows.rows, reading, author.name)


def _prompt(reader: RowReader, question: str, previous: Sequence[str], error: str) -> str:
    parts = [_RULES, *(_described(fields) for fields in reader.fields), *previous, question]
    if error:
        parts.append(f"This query was refused:\n{error}\nWrite it again without the fault.")
    return "\n\n".join(parts)


def _described(fields: Sequence[Field]) -> str:
    lines = [f"table {quoted(fields[0].table.stored)}, {fields[0].table.rows} rows"]
    for each in fields:
        line = f"  {quoted(each.name)} {each.column.kind} {each.column.unit}".rstrip()
        short = [value for value in each.values if len(value) <= _LONGEST_VALUE]
        if 0 < each.distinct <= _FEW_VALUES and len(short) == each.distinct:
            line += ": " + ", ".join(short)
        lines.append(line)
    return "\n".join(lines)


_BLOCK = re.compile(r"```(?:sql)?(.*?)```", re.S | re.I)


def _sql_in(answer: str) -> str:
    """The query in an answer; empty if the author says that there is none."""
    block = _BLOCK.search(answer)
    sql = (block[1] if block else answer).strip().rstrip(";").strip()
    return sql if re.match(r"(?:SELECT|WITH)\b", sql, re.I) else ""


_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_NAME = re.compile(r'"((?:[^"]|"")*)"')
_ALIAS = re.compile(r'\bAS\s+"((?:[^"]|"")*)"', re.I)
_FORMAT = re.compile(
    r"\A(?=[\d\s:%./TQ+\-]*?(?:%[a-zA-Z]|\d))[\w%:\s./+\-]*+|[+-]?\d+ \w+|start of \w+|"
)


def _check(reader: RowReader, question: str, sql: str) -> None:
    """Refuse a query that names what is not there, or leaves out what the question names."""
    fields = [each for table in reader.fields for each in table]
    texts = [text.replace("''", "'") for text in _LITERAL.findall(sql)]
    bare = _LITERAL.sub("''", sql)
    names = {each.name for each in fields} | {each.table.stored for each in fields}
    for name in _NAME.findall(bare):
        # SQLite reads an unknown name in double quotes as a text, so that no error would show it.
        if name.replace('""', '"') not in names | {*_ALIAS.findall(bare)}:
            raise SqlRefused(f'no table or column is called "{name}"')
    if all(each.values or each.column.kind != "text" or not each.present for each in fields):
        values = {value for each in fields for value in each.values}
        for text in texts:
            if text not in values and not _FORMAT.fullmatch(text):
                raise SqlRefused(f"no column has the value '{text}'")
    try:
        mentioned = reader.mentioned(question)
    except Unclear as unclear:
        raise SqlRefused(str(unclear)) from unclear
    for alike in mentioned.values:
        if alike.isdisjoint(texts):
            raise SqlRefused(f"the question names '{min(alike)}', and the query does not")
    for number in mentioned.numbers:
        if not re.search(rf"(?<![\d.]){re.escape(number)}(?![\d])", sql):
            raise SqlRefused(f"the question names {number}, and the query does not")
