"""Checks every figure of a calculation against the judge of its family.

An entry of the catalogue that no judge knows fails. So does a figure that nobody asked for.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.judging import algebra, dates, finance, inference, probability, units
from sandbox.judging.check import StatisticalCheck
from sandbox.judging.comparison import Tolerance, first_differences, too_many
from sandbox.spec import Analysis, Spec

_FAMILIES = (probability, inference, finance, dates, units, algebra)

Judges = Mapping[str, Callable[..., Mapping[str, Any]]]
EXPECTED: Judges = {
    method: judge for family in _FAMILIES for method, judge in family.EXPECTED.items()
}


def check_calculations(
    spec: Spec, result: Any, judges: Judges = EXPECTED
) -> list[StatisticalCheck]:
    """One check for each calculation, and one for figures that no calculation gives."""
    if not isinstance(result, dict) or not result:
        detail = f"the result is a {type(result).__name__}, not figures by name"
        return [StatisticalCheck("shape", False, detail)]
    if too_many(result):
        return [StatisticalCheck("figures", False, "the result has too many figures")]
    if len(spec.analyses) == 1:
        return [_check(spec.analyses[0], result, judges, spec.decimals)]
    keys = [key for key, _ in spec.keyed]
    others = [str(name) for name in result if name not in keys]
    checks = [
        _check(analysis, result.get(key), judges, spec.decimals) for key, analysis in spec.keyed
    ]
    if others:
        detail = f"{', '.join(others[:5])} was not asked for"
        checks.append(StatisticalCheck("figures", False, detail))
    return checks


def _check(
    analysis: Analysis, figures: Any, judges: Judges, decimals: int | None
) -> StatisticalCheck:
    judge = judges.get(analysis.method)
    if judge is None:
        return StatisticalCheck(analysis.method, False, "no judge works this out again")
    try:
        inspect.signature(judge).bind(**analysis.parameters)
    except TypeError as error:
        return StatisticalCheck(analysis.method, False, f"the judge does not take this: {error}")
    try:
        expected = judge(**analysis.parameters)
    except (ValueError, ArithmeticError) as error:
        return StatisticalCheck(analysis.method, False, f"it cannot be worked out: {error}")
    wrong = first_differences(figures, expected, Tolerance(decimals=decimals), analysis.method)
    detail = wrong or f"worked out again: {', '.join(expected)}"
    return StatisticalCheck(analysis.method, not wrong, detail)
