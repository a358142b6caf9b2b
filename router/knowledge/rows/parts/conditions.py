"""Reads which rows a question is about, and joins what `and` and `or` join."""

from collections.abc import Sequence

from router.knowledge.rows.parts.comparisons import read_comparisons
from router.knowledge.rows.parts.days import read_days
from router.knowledge.rows.parts.grouping import read_groups
from router.knowledge.rows.parts.plain_numbers import read_numbers
from router.knowledge.rows.parts.predicates import read_glosses, read_predicates
from router.knowledge.rows.parts.reader import Placed, Reader
from router.knowledge.rows.parts.values import read_values
from router.knowledge.rows.query import AnyOf, Condition, Where
from router.knowledge.rows.schema import Unclear


def read_conditions(reader: Reader) -> None:
    """Take all spans that say which rows are meant, and by what they are grouped."""
    read_groups(reader)
    read_comparisons(reader)
    read_days(reader)
    read_numbers(reader)
    read_values(reader)
    read_predicates(reader)
    read_glosses(reader)
    reader.placed.sort(key=lambda placed: placed.start)
    _consistent(reader)
    _joined(reader)


def _consistent(reader: Reader) -> None:
    """Refuse words of one column's name that say yes and no: `where the queen was not seen`."""
    flags: dict[str, Condition] = {}
    for placed in reader.placed:
        where = placed.where
        if isinstance(where, Condition) and where.relation in ("true", "false"):
            other = flags.setdefault(where.field.sql, where)
            if (other.relation, other.negated) != (where.relation, where.negated):
                raise Unclear(f"`{where.field.name}` would be both yes and no")


def _joined(reader: Reader) -> None:
    """Conditions that `or` joins become one; `and` between conditions is taken."""
    joined: list[Placed] = []
    for placed in reader.placed:
        joint = reader.step(joined[-1].end) if joined else -1
        if joined and 0 <= joint < placed.start and not reader.items[joint].used:
            reaches = reader.step(joint)
            while 0 <= reaches < placed.start and reader.items[reaches].means("linking"):
                reader.take(reaches)  # `hardy and like shade`
                reaches = reader.step(reaches)
            adjoining = reaches == placed.start or (
                reaches >= 0
                and reader.items[reaches].used
                and reaches < placed.start
                and reader.step(reaches) == placed.start
            )
            if adjoining and reader.items[joint].means("or"):
                reader.take(joint)
                joined[-1] = _either_of(joined[-1], placed)
                continue
            if adjoining and reader.items[joint].means("and"):
                reader.take(joint)
        joined.append(placed)
    reader.placed[:] = joined


def _either_of(first: Placed, second: Placed) -> Placed:
    parts: list[Condition] = []
    for placed in (first, second):
        where: Sequence[Where] = (
            placed.where.parts if isinstance(placed.where, AnyOf) else (placed.where,)
        )
        for part in where:
            if not isinstance(part, Condition):
                raise Unclear("only columns of the rows themselves can be joined by `or`")
            parts.append(part)
    return Placed(first.start, second.end, AnyOf(tuple(parts)))
