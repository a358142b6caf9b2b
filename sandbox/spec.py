"""Describes what a request asks for: data to generate, figures of data, or a calculation."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from sandbox.strict_json import read_strictly

Role = Literal["number", "category", "boolean", "date", "id", "text", "derived"]


@dataclass(frozen=True, slots=True)
class Distribution:
    """A family of distributions and its parameters, which have these names in every spec.

    normal: mean, sd. lognormal: mu, sigma (of the logarithm). uniform: low, high. exponential:
    mean. poisson: rate. binomial: n, p. beta: a, b. gamma: shape, scale. pareto: alpha, minimum.
    weibull: shape, scale. triangular: low, mode, high. categorical:
    labels and weights. mixture: parts and weights.
    """

    family: str
    parameters: Mapping[str, float] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    parts: tuple["Distribution", ...] = ()

    @property
    def discrete(self) -> bool:
        return self.family in ("poisson", "binomial")


@dataclass(frozen=True, slots=True)
class Field:
    """One column of the records.

    A number without a distribution follows the column with which it correlates.
    """

    name: str
    role: Role = "number"
    distribution: Distribution | None = None
    low: float | None = None
    high: float | None = None
    clip: bool = False  # move values outside the bounds to the bounds; otherwise draw them again
    decimals: int | None = None  # 0: integers; None: the request does not say
    unique: bool = False
    order: Literal["", "ascending", "descending"] = ""  # in which the records come by this column
    formula: str = ""  # for a derived column
    start: str = ""  # for dates, ISO 8601
    end: str = ""
    prefix: str = ""  # for ids
    suffix: str = ""  # for ids, such as @example.com
    first: int | None = None  # the number of the first id; None: 1
    digits: int | None = None  # of an id after its prefix; None: 5
    multiple: int | None = None  # whole numbers that leave this `remainder` when divided by it
    remainder: int | None = None
    source: str = ""  # of the labels and weights, if they come from a shipped table


@dataclass(frozen=True, slots=True)
class Correlation:
    """Pearson's r of two columns, or its square."""

    first: str
    second: str
    value: float
    measure: Literal["r", "r2"] = "r"
    relation: Literal["=", ">", "<"] = "="


@dataclass(frozen=True, slots=True)
class Series:
    """A value at regular times: level + trend + season + noise."""

    name: str = "value"
    step: Literal["hour", "day", "week", "month"] = "day"
    start: str = "2024-01-01"
    level: float = 100.0
    trend: float = 0.0  # added at each step
    growth: float = 0.0  # replaces `trend`: the share by which the level grows at each step
    period: int = 0  # length of the season in steps; 0: no season
    amplitude: float = 0.0
    noise: float = 1.0  # standard deviation
    time: str = ""  # the name of the column of times; "": date, time or month


@dataclass(frozen=True, slots=True)
class Analysis:
    """One figure or test over columns of the data, or one entry of the catalogue.

    An entry of the catalogue has parameters and no columns.
    """

    method: str
    columns: tuple[str, ...] = ()
    by: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the data before figures are computed.

    drop_first, drop_last, keep_first, keep_last, drop_smallest, drop_largest, keep_smallest,
    keep_largest: `amount` values. drop_outliers: `amount` interquartile ranges outside the
    quartiles. keep_where, drop_where: rows by a number in `column`;
    keep_values, drop_values: rows by a text. keep_odd, drop_even and the like; unique. power, log,
    log10, root, reciprocal, absolute, multiply, add, cap: each value.
    """

    kind: str
    column: str = ""  # "": every column of numbers
    amount: float | None = None
    low: float | None = None
    high: float | None = None
    low_open: bool = False  # above `low`, and not equal to it
    high_open: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spec:
    """A complete request for generated data, for figures of data, or for a calculation."""

    kind: Literal["generate", "analyse", "calculate"] = "generate"
    count: int = 0
    fields: tuple[Field, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    series: Series | None = None
    analyses: tuple[Analysis, ...] = ()
    data: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()  # of the data, in this order, before the analyses
    decimals: int | None = None  # for the computed figures
    seed: int | None = None
    format: Literal["json", "csv"] = "json"
    assumed: tuple[str, ...] = ()  # values that the request left open; usual values replace them

    @classmethod
    def from_json(cls, json_object: Mapping[str, Any]) -> "Spec":
        """Read a spec that `as_json` wrote, which then lacks its data. Raises `ValueError` for any
        other key or type."""
        without = {name: value for name, value in json_object.items() if name != "data"}
        return read_strictly(cls, without)

    @property
    def counts_by_default(self) -> bool:
        """Whether the request does not say how many records it wants."""
        return any("does not say how many" in sentence for sentence in self.assumed)

    @property
    def words(self) -> tuple[Field, ...]:
        """The text columns, which no program can compute."""
        return tuple(field for field in self.fields if field.role == "text")

    @property
    def has_rows(self) -> bool:
        """Whether the data is a table, whose rows belong together, and not lists side by side."""
        texts = any(isinstance(v, str) for values in self.data.values() for v in values)
        paired = any(len(a.columns) > 1 or a.by or "weights" in a.parameters for a in self.analyses)
        filtered = any(change.kind.endswith(("where", "values")) for change in self.changes)
        alike = len({len(values) for values in self.data.values()}) == 1
        return alike and (texts or paired or filtered)

    @property
    def keyed(self) -> list[tuple[str, Analysis]]:
        """Each calculation with its key in the result: its method, numbered from the second on."""
        keys: list[tuple[str, Analysis]] = []
        for analysis in self.analyses:
            again = sum(earlier.method == analysis.method for _, earlier in keys)
            key = f"{analysis.method}_{again + 1}" if again else analysis.method
            keys.append((key, analysis))
        return keys

    @property
    def summary(self) -> str:
        """A short description of the spec without any word of the caller."""
        if self.kind != "generate":
            return ", ".join(sorted({analysis.method for analysis in self.analyses}))
        if self.series is not None:
            return f"a series of {self.count} {self.series.step}s"
        families = [f.distribution.family for f in self.fields if f.distribution is not None]
        return f"{self.count} records, {', '.join(dict.fromkeys(families)) or 'correlated'}"

    def as_json(self) -> dict[str, Any]:
        """The spec as a JSON object, without the data and without empty values."""
        values: dict[str, Any] = _without_empty(asdict(replace(self, data={})))
        return values


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_empty(item) for key, item in value.items() if not _is_empty(item)}
    if isinstance(value, list | tuple):
        return [_without_empty(item) for item in value]
    return value


def _is_empty(value: Any) -> bool:
    return value is None or value is False or (hasattr(value, "__len__") and not len(value))
