"""What a request says about one column, and about two that correlate."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(slots=True)
class Draft:
    """What a request says about one column."""

    label: str = ""
    family: str = ""
    arguments: list[float] = field(default_factory=list)  # in brackets after a family: N(35, 12)
    numbers: dict[str, list[float]] = field(default_factory=dict)  # parameters by their concept
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    whole_bounds: bool = False
    clip: bool = False
    cut: bool = False  # a word such as `truncated` wants bounds
    decimals: int | None = None
    unique: bool = False
    real: bool = False  # the request wants decimals
    multiple: int = 0
    remainder: int = 0
    labels: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    source: str = ""
    even: bool = False  # the request gives labels without shares
    true_share: float | None = None
    boolean: bool = False
    binary: bool = False
    dates: tuple[date, date] | None = None
    role: str = ""  # "id", "text" or "" by the label alone
    prefix: str = ""
    suffix: str = ""
    first: int | None = None
    digits: int | None = None
    formula: str = ""
    unit: str = ""  # of its figures, such as cm
    percents: set[bool] = field(default_factory=set)  # whether its parameters are percentages
    place: int = -1  # of its label
    counted: bool = False  # the label is the noun after the number of records
    called: bool = False  # the request gives the label as a column's name
    shared: bool = False  # `both normal`: for each column without a family

    @property
    def described(self) -> bool:
        return bool(
            self.family or self.arguments or self.numbers or self.labels or self.dates
            or self.formula or self.boolean or self.binary or self.true_share is not None
            or self.low is not None or self.high is not None or self.multiple
        )  # fmt: skip


@dataclass(slots=True)
class Relation:
    """A correlation as it was read; without names it is about the only two columns of numbers."""

    names: tuple[str, ...]
    value: float
    measure: str
    sign: str
