"""Judges outside the sandbox whether a result is what the spec asks for, and trusts nothing.

Each check stands alone and reports what it measured. A statistical test rejects a correct sample
once in a thousand times; the program then runs again with another seed.
"""

from typing import Any

from sandbox.judging.check import StatisticalCheck, Verification
from sandbox.judging.column_tests import check_column, check_correlation
from sandbox.judging.figure_checks import check_figures
from sandbox.judging.series_tests import check_series
from sandbox.spec import Spec

__all__ = ["StatisticalCheck", "Verification", "columns_of", "verify"]


def verify(spec: Spec, result: Any) -> Verification:
    try:
        checks = (
            check_figures(spec, result) if spec.kind == "analyse" else _check_data(spec, result)
        )
    except (TypeError, ValueError, OverflowError, KeyError, IndexError) as error:
        checks = [StatisticalCheck("shape", False, f"the result cannot be read: {error}")]
    return Verification(tuple(checks))


def columns_of(result: Any) -> dict[str, Any]:
    """The columns of a result, which may be a dict of columns or a list of records."""
    if isinstance(result, dict) and len(result) == 1:
        (only,) = result.values()
        if isinstance(only, list) and only and isinstance(only[0], dict):
            result = only
    if isinstance(result, list) and result and all(isinstance(row, dict) for row in result):
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
                "columns", False, f"{', '.join(missing)} missing; the result has {list(columns)}"
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
