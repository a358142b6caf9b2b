"""Writes the program of a request for calculations: one function for each method."""

from collections.abc import Mapping

from sandbox.programs import algebra, dates, finance, inference, probability, units
from sandbox.spec import Analysis, Spec

PROGRAMS: Mapping[str, str] = {
    **probability.PROGRAMS,
    **inference.PROGRAMS,
    **finance.PROGRAMS,
    **dates.PROGRAMS,
    **units.PROGRAMS,
    **algebra.PROGRAMS,
}


def parameters_of(spec: Spec) -> dict[str, object]:
    """The parameters of the program: by method, its arguments."""
    return {f"{i}": dict(analysis.parameters) for i, analysis in enumerate(spec.analyses)}


def calculations_program(spec: Spec) -> str:
    functions = {a.method: PROGRAMS[a.method].strip("\n") for a in spec.analyses}
    body = "\n\n\n".join(functions.values())
    head = "import math\n\nimport numpy as np\n\n\n"
    if len(spec.analyses) == 1:
        result = f'result = {spec.analyses[0].method}(**PARAMS["0"])'
    else:
        listed = ", ".join(
            f'"{key}": {a.method}(**PARAMS["{i}"])' for i, (key, a) in enumerate(keyed(spec))
        )
        result = f"result = {{{listed}}}"
    return f"{head}{body}\n\n\n{result}\n{rounding(spec.decimals)}"


def keyed(spec: Spec) -> list[tuple[str, Analysis]]:
    """Each calculation with its key in the result: the method, numbered if it is not the first."""
    keys: list[tuple[str, Analysis]] = []
    for analysis in spec.analyses:
        again = sum(a.method == analysis.method for _, a in keys)
        keys.append((f"{analysis.method}_{again + 1}" if again else analysis.method, analysis))
    return keys


def rounding(places: int | None) -> str:
    """The lines that round every figure of a result, if the request says to how many decimals."""
    if places is None:
        return ""
    return f"""

def rounded(value):
    if isinstance(value, dict):
        return {{key: rounded(item) for key, item in value.items()}}
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]
    return round(float(value), {places}) if isinstance(value, (float, np.floating)) else value


result = rounded(result)
"""
