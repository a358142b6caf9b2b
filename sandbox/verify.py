"""Judges outside the sandbox whether a result is what the spec asks for, and trusts nothing.

Each check stands alone and reports what it measured. All tests of chance of one result together
reject at most one right result in 2500; the program then runs again with another seed.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from sandbox.judging.calculations import check_calculations
from sandbox.judging.check import StatisticalCheck, Verification
from sandbox.judging.figure_checks import check_figures
from sandbox.judging.samples.known import unknown_parts
from sandbox.judging.samples.records import check_records
from sandbox.judging.series_tests import check_series
from sandbox.spec import Spec
from sandbox.supervisor.terminal_text import terminal_text

_MOST_CELLS = 4_000_000  # records of which the first has many fields, and the others none
# What a program may return in place of columns breaks a judge in one of these ways.
_NOT_A_RESULT = (
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
)
_MOST_NAME, _MOST_DETAIL, _MOST_UNCHECKED = 200, 500, 50

__all__ = ["StatisticalCheck", "Verification", "columns_of", "verify"]


def verify(spec: Spec, result: Any) -> Verification:
    """Judge a result, and name the parts of the request that nothing checks."""
    try:
        with np.errstate(all="ignore"):
            checks, unchecked = _checked(spec, result)
    except _NOT_A_RESULT as error:
        checks = [StatisticalCheck("shape", False, f"the result cannot be read: {error}")]
        unchecked = ()
    names = tuple(terminal_text(part[:_MOST_NAME]) for part in unchecked[:_MOST_UNCHECKED])
    return Verification(tuple(map(_shown, checks)), names)


def _checked(spec: Spec, result: Any) -> tuple[list[StatisticalCheck], tuple[str, ...]]:
    if spec.kind == "analyse":
        return check_figures(spec, result), ()
    if spec.kind == "calculate":
        return check_calculations(spec, result), unknown_parts(spec)
    if spec.series is not None:
        checks = check_series(spec.count, spec.series, columns_of(result))
        return checks, unknown_parts(spec)
    checks, unchecked = check_records(spec, columns_of(result))
    return checks, unchecked + unknown_parts(spec)


def _shown(check: StatisticalCheck) -> StatisticalCheck:
    """The check, whose words may come from the program, in a length and letters fit to be shown."""
    return replace(
        check,
        name=terminal_text(check.name[:_MOST_NAME]),
        detail=terminal_text(check.detail[:_MOST_DETAIL]),
    )


def columns_of(result: Any) -> dict[str, Any]:
    """The columns of a result, which may be a dict of columns or a list of records."""
    if isinstance(result, dict) and len(result) == 1:
        (only,) = result.values()
        if isinstance(only, list) and only and isinstance(only[0], dict):
            result = only
    if isinstance(result, list) and result and all(isinstance(row, dict) for row in result):
        if len(result) * len(result[0]) > _MOST_CELLS:
            raise ValueError(f"{len(result)} records of {len(result[0])} fields are too many")
        return {name: [row.get(name) for row in result] for name in result[0]}
    if isinstance(result, dict):
        return dict(result)
    raise TypeError(f"the result is a {type(result).__name__}, not columns")
