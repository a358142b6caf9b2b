"""The question that a data set answers: which requests of telemetry, and which of their answers."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

MOST_ROWS = 50_000
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class DataRefused(ValueError):
    """What cannot be done with a data set; the message names the value, the rule and the mend."""


def checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        rule = "1 to 64 small letters, digits, - and _, and begins with a letter or a digit"
        raise DataRefused(f"name = {name!r}: the name of a data set has {rule}")
    return name


@dataclass(frozen=True, slots=True)
class DataQuery:
    """What a data set is made of. A version keeps its query, with the time at which it ended."""

    task: str = ""  # empty: any
    pattern: str = ""
    keys: tuple[str, ...] = ()  # ids of keys; empty: all callers
    plans: tuple[str, ...] = ()  # whose answers are meant; empty: those of all plans
    least_quality: float = 0.8
    demonstrations: bool = True  # answers that callers gave as the right ones
    pairs: bool = False  # better and worse answers to one request, in place of single answers
    least_margin: float = 0.3  # by which the better answer of a pair is better
    since: int = 0  # microseconds
    until: int = 0  # microseconds; 0: the moment of making
    most: int = 20_000  # the latest rows
    test_share: float = 0.15
    validation_share: float = 0.15
    against: tuple[str, ...] = ()  # files of benchmarks and data sets, whose rows must not leak

    def __post_init__(self) -> None:
        for name in ("least_quality", "least_margin", "test_share", "validation_share"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise DataRefused(f"{_option(name)} = {value}: it goes from 0 to 1")
        if self.test_share + self.validation_share > 0.8:
            raise DataRefused(
                f"--test-share {self.test_share} and --validation-share {self.validation_share} "
                "leave less than a fifth for training: take smaller shares"
            )
        if not 1 <= self.most <= MOST_ROWS:
            raise DataRefused(f"--most = {self.most}: it goes from 1 to {MOST_ROWS:,} rows")
        if self.until and self.since >= self.until:
            raise DataRefused("--since must be before --until")

    def as_json(self) -> dict[str, Any]:
        return {n: list(v) if isinstance(v, tuple) else v for n, v in asdict(self).items()}


def query_of(raw: Mapping[str, Any]) -> DataQuery:
    names = {field.name for field in fields(DataQuery)}
    given: dict[str, Any] = {
        n: tuple(v) if isinstance(v, list) else v for n, v in raw.items() if n in names
    }
    return DataQuery(**given)


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
