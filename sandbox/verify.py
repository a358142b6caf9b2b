"""Judges outside the sandbox whether a result is what the spec asks for, and trusts nothing.

Each check stands alone and reports what it measured. A statistical test rejects a correct sample
once in a thousand times; the program then runs again with another seed.
"""

from dataclasses import replace
from typing import Any

from sandbox.judging.calculations import check_calculations
from sandbox.judging.check import StatisticalCheck, Verification
from sandbox.judging.column_tests import check_column, check_correlation
from sandbox.judging.figure_checks import check_figures
from sandbox.judging.series_tests import check_series
from sandbox.spec import Spec
from sandbox.supervisor.terminal_text import terminal_text

_MOST_CELLS = 4_000_000  # records of which the first has many fields, and the others none
_MOST_NAME, _MOST_DETAIL, _MOST_NAMED = 200, 500, 50

__all__ = ["StatisticalCheck", "Verification", "columns_of", "verify"]


def verify(spec: Spec, result: Any) -> Verification:
    check = {"analyse": check_figures, "calculate": check_calculations, "generate": _check_data}
    try:
        checks = check[spec.kind](spec, result)
    except (TypeError, ValueError, OverflowError, KeyError, IndexError) as error:
        checks = [StatisticalCheck("shape", False, f"the result cannot be read: {error}")]
    return Verification(tuple(map(_shown, checks)))


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


def _check_data(spec: Spec, result: Any) -> list[StatisticalCheck]:
    if spec.series is not None:
        return check_series(spec.count, spec.series, columns_of(result))
    columns = columns_of(result)
    wanted = [field for field in spec.fields if field.role != "text"]
    missing = [field.name for field in wanted if field.name not in columns]
    if missing:
        return [
            StatisticalCheck(
                "columns",
                False,
                f"{', '.join(missing)} missing; the result has {list(columns)[:_MOST_NAMED]}",
            )
        ]
    lengths = {name: len(columns[name]) for name in (field.name for field in wanted)}
    checks = [
        StatisticalCheck(
            "count", set(lengths.values()) == {spec.count}, f"{lengths}, asked for {spec.count}"
        )
    ]
    if not checks[0].holds:
        return checks
    for field in wanted:
        checks += check_column(field, columns[field.name], columns)
    for correlation in spec.correlations:
        checks.append(check_correlation(correlation, columns))
    return checks
