"""Writes a short, readable program for a `Spec`, deterministically and without a model.

The program is not trusted: it runs in the sandbox, and its result is verified outside.
"""

import keyword
import math
import re
from collections.abc import Iterator, Mapping, Sequence

from sandbox.column_programs import column_lines, number
from sandbox.figure_programs import figures_program
from sandbox.program_helpers import HELPERS
from sandbox.programs.catalogue import calculations_program, parameters_of
from sandbox.runner import Program
from sandbox.spec import Correlation, Field, Series, Spec

_TAKEN = frozenset(  # names that written programs use themselves
    (
        *("n", "np", "rng", "result", "within", "distinct", "together", "following", "draw", "t"),
        *("PARAMS", "uuid", "first", "last", "order"),
    )
)


def write_program(spec: Spec, *, seed: int) -> Program:
    """Write the program for a spec. A seed in the spec takes precedence over `seed`."""
    if spec.kind == "calculate":
        return Program(calculations_program(spec), data_of(spec), seed)
    if spec.kind == "analyse":
        return Program(figures_program(spec), data_of(spec), seed)
    lines = _series(spec.count, spec.series) if spec.series else _records(spec)
    return Program("\n".join(lines) + "\n", seed=seed if spec.seed is None else spec.seed)


def data_of(spec: Spec) -> dict[str, object]:
    """What the program of a spec reads from PARAMS: the parameters, or the columns of the data."""
    if spec.kind == "calculate":
        return parameters_of(spec)
    return {"columns": dict(spec.data)} if spec.data else {}


def _records(spec: Spec) -> list[str]:
    names = _variables(spec.fields)
    computed = [field for field in spec.fields if field.role not in ("text", "derived")]
    own = [field for field in computed if not _follows(field)]
    body = [line for field in own for line in column_lines(field, names[field.name])]
    followers = {field.name: field for field in computed if _follows(field)}
    between = [c for c in spec.correlations if not {c.first, c.second} & followers.keys()]
    if between:
        body += ["", *_ordered(between, names)]
    for field in followers.values():
        body.append(_following(field, spec, names))
    for field in spec.fields:
        if field.role == "derived":
            body.append(f"{names[field.name]} = {_formula(field, names)}")
    shown = [field for field in spec.fields if field.role != "text"]
    body += _sorted(shown, names)
    result = ", ".join(f'"{field.name}": {names[field.name]}' for field in shown)
    text = "\n".join(body)
    helpers = [line for name, lines in HELPERS.items() if f"{name}(" in text for line in lines]
    imports = ["import uuid", ""] if "uuid.uuid4" in text else []
    return [
        *imports,
        "import numpy as np",
        "",
        "rng = np.random.default_rng()",
        f"n = {spec.count}",
        "",
        *helpers,
        *body,
        "",
        f"result = {{{result}}}",
    ]


def _sorted(fields: Sequence[Field], names: Mapping[str, str]) -> Iterator[str]:
    """The lines that put the records in the order of one column; ids are given out afterwards."""
    by = next((field for field in fields if field.order), None)
    if by is None:
        return
    turned = "[::-1]" if by.order == "descending" else ""
    yield f'order = np.argsort({names[by.name]}, kind="stable"){turned}'
    for field in fields:
        if field.role != "id" or field is by:
            yield f"{names[field.name]} = np.asarray({names[field.name]})[order]"


def _follows(field: Field) -> bool:
    return field.role == "number" and field.distribution is None


def _following(field: Field, spec: Spec, names: Mapping[str, str]) -> str:
    """The line for a column that is defined only by its correlation with another column."""
    relation = next(c for c in spec.correlations if field.name in (c.first, c.second))
    other = relation.second if relation.first == field.name else relation.first
    drawn = f"following({names[other]}, {round(aimed_at(relation), 6)!r})"
    if field.decimals == 0:
        least = 1 if field.low is None else math.ceil(field.low)
        drawn = f"np.rint(np.maximum({least}, 150 * {drawn})).astype(int)"
    else:
        drawn = f"np.round(50 * {drawn}, {2 if field.decimals is None else field.decimals})"
    return f"{names[field.name]} = {drawn}"


def _variables(fields: tuple[Field, ...]) -> dict[str, str]:
    """The variable for each column: the column's name, if the program can use this name."""
    return {
        field.name: field.name
        if field.name.isidentifier()
        and not keyword.iskeyword(field.name)
        and field.name not in _TAKEN
        else f"column_{i + 1}"
        for i, field in enumerate(fields)
    }


def _ordered(correlations: Sequence[Correlation], names: Mapping[str, str]) -> Iterator[str]:
    columns = list(dict.fromkeys(name for c in correlations for name in (c.first, c.second)))
    wanted = [
        (columns.index(c.first), columns.index(c.second), round(aimed_at(c), 6))
        for c in correlations
    ]
    listed = ", ".join(names[name] for name in columns)
    yield f"{listed} = together([{listed}], {wanted!r})"


def aimed_at(correlation: Correlation) -> float:
    """The correlation r that the program aims at. For a bound, r lies well beyond the bound."""
    value = correlation.value
    if correlation.measure == "r2":
        share = {"=": value, ">": (1 + value) / 2, "<": value / 2}[correlation.relation]
        return math.sqrt(share)
    if correlation.relation == ">":
        return (1 + value) / 2
    return value / 2 if correlation.relation == "<" else value


def _formula(field: Field, names: Mapping[str, str]) -> str:
    formula = re.sub(r"[A-Za-z_]\w*", lambda match: names[match[0]], field.formula)
    return formula if field.decimals is None else f"np.round({formula}, {field.decimals})"


def _series(count: int, series: Series) -> list[str]:
    trend = (
        f"{number(series.level)} * (1 + {number(series.growth)}) ** t"
        if series.growth
        else f"{number(series.level)} + {number(series.trend)} * t"
    )
    parts = [trend]
    if series.period and series.amplitude:
        parts.append(f"{number(series.amplitude)} * np.sin(2 * np.pi * t / {series.period})")
    if series.noise:
        parts.append(f"rng.normal(0, {number(series.noise)}, n)")
    times = {
        "hour": f'np.datetime64("{series.start}T00") + t.astype("timedelta64[h]")',
        "day": f'np.datetime64("{series.start}") + t',
        "week": f'np.datetime64("{series.start}") + 7 * t',
        "month": f'np.datetime64("{series.start[:7]}") + t',
    }[series.step]
    return [
        "import numpy as np",
        "",
        "rng = np.random.default_rng()",
        f"n = {count}",
        "t = np.arange(n)",
        "",
        f"time = {times}",
        f"value = {' + '.join(parts)}",
        "",
        f'result = {{"{time_name(series)}": time, "{series.name}": np.round(value, 6)}}',
    ]


def time_name(series: Series) -> str:
    return series.time or {"hour": "time", "month": "month"}.get(series.step, "date")
