"""Checks generated records: each column, each stated correlation, and independence of the rest.

Made-up words cannot be checked. A text column is therefore no unchecked part of a request; if the
program gives one, it must have a text in every record. Whoever adds one later answers for it.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.judging.check import Column, StatisticalCheck
from sandbox.judging.samples.columns import judge_column
from sandbox.judging.samples.exact import check_texts
from sandbox.judging.samples.known import unknown_words
from sandbox.judging.samples.measurement import Measurement, decided
from sandbox.judging.samples.pairs import copies, independence, linked_columns, stated
from sandbox.judging.samples.scores import Scores
from sandbox.spec import Spec

_MOST_NAMED = 50
_LEAST_PAIRED = 8  # records from which columns can be tested for independence


def check_records(
    spec: Spec, columns: Mapping[str, Any]
) -> tuple[list[StatisticalCheck], tuple[str, ...]]:
    """All checks, and the parts of the request that none of them covers."""
    wanted = [field for field in spec.fields if field.role != "text"]
    missing = [field.name for field in wanted if field.name not in columns]
    if missing:
        detail = f"{', '.join(missing)} missing; the result has {list(columns)[:_MOST_NAMED]}"
        return [StatisticalCheck("columns", False, detail)], ()
    lengths = {field.name: len(columns[field.name]) for field in wanted}
    detail = f"{lengths}, asked for {spec.count}"
    checks = [StatisticalCheck("count", set(lengths.values()) == {spec.count}, detail)]
    if not checks[0].holds:
        return checks, ()
    linked = linked_columns(spec)
    sorted_by = {linked[field.name] for field in wanted if field.order}
    measurements: list[Measurement] = []
    scores: dict[str, Scores] = {}
    fine: dict[str, Column] = {}
    unchecked = [word for field in spec.fields for word in unknown_words(field)]
    for field in wanted:
        free = linked[field.name] not in sorted_by
        verdict = judge_column(field, columns[field.name], columns, free=free)
        checks += verdict.checks
        measurements += verdict.measurements
        unchecked += [verdict.unchecked] if verdict.unchecked else []
        if verdict.scores is not None:
            scores[field.name] = verdict.scores
            drawn = field.distribution is not None and not field.unique
            if drawn and verdict.codes is not None and verdict.scores.fine:
                fine[field.name] = verdict.codes
    checks += [
        check_texts(field, columns[field.name], spec.count)
        for field in spec.words
        if field.name in columns
    ]
    for correlation in spec.correlations:
        outcome = stated(correlation, columns)
        if isinstance(outcome, Measurement):
            measurements.append(outcome)
        else:
            checks.append(outcome)
    if spec.count >= _LEAST_PAIRED and len(scores) > 1:
        checks += copies(fine, linked)
        outcome_of_pairs = independence(scores, linked)
        measurements += [outcome_of_pairs] if outcome_of_pairs is not None else []
    return checks + decided(measurements), tuple(unchecked)
