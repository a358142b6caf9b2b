"""A question as a value: what is measured, of which rows, in which groups. Pure."""

from dataclasses import dataclass
from typing import Literal

from router.knowledge.rows.language.profile import Field, Link
from router.knowledge.rows.language.tokens import Days
from router.knowledge.rows.schema import Cell, TableSchema

Operation = Literal["count", "distinct", "sum", "avg", "median", "min", "max"]
Bucket = Literal["", "year", "month", "quarter", "weekday", "day"]
Relation = Literal[
    "in",
    ">",
    ">=",
    "<",
    "<=",
    "between",
    "missing",
    "there",
    "true",
    "false",
    "during",
    "before",
    "after",
    "since",
    "until",
    "weekday",
]


@dataclass(frozen=True, slots=True)
class Condition:
    """What a column of each row must be; `negated` keeps the rows that are otherwise."""

    field: Field
    relation: Relation
    values: tuple[Cell, ...] = ()
    days: Days | None = None
    last: Days | None = None  # the end of a span that is named by both ends
    negated: bool = False


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Several conditions of which one must hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Related:
    """Whether rows of another table name this row by its key, or how many do."""

    link: Link
    negated: bool
    relation: Relation | None = None  # to `count`
    count: float = 0


Where = Condition | AnyOf | Related


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of rows: how many there are, or a figure of a column."""

    operation: Operation
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A column by which rows are grouped; dates are grouped by a span of time."""

    field: Field
    bucket: Bucket = ""


@dataclass(frozen=True, slots=True)
class Rank:
    """The first rows or groups by a figure: how many, and whether the greatest come first."""

    count: int
    descending: bool


@dataclass(frozen=True, slots=True)
class Having:
    """What the figure of a group must be: `owners with more than 3 pets`."""

    relation: Relation
    value: float


Sort = Literal["", "asc", "desc"]
Form = Literal["figure", "groups", "rows", "values", "share", "lookup", "yes"]


@dataclass(frozen=True, slots=True)
class RowQuery:
    """A question on the rows of one table, and of tables that it names by a key."""

    table: TableSchema
    form: Form
    measure: Measure = Measure("count")
    where: tuple[Where, ...] = ()
    groups: tuple[Group, ...] = ()
    rank: Rank | None = None
    shown: tuple[Field, ...] = ()  # columns of rows or values that are listed
    share: tuple[Where, ...] = ()  # the rows whose share is asked for
    links: tuple[Link, ...] = ()
    sort: Sort = ""  # of groups by their figure
    having: Having | None = None  # of groups: those whose figure fits; a figure counts the groups
    none: tuple[Where, ...] = ()  # what no row of a listed value may be
    rival: "RowQuery | None" = None  # another meaning of the words, whose answer must agree
    other: Operation | None = None  # another figure that the words may mean; both must agree
