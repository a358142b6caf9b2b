"""Writes the program of a request for calculations: one function for each method."""

from collections.abc import Mapping

from sandbox.programs import algebra, dates, finance, inference, probability, units
from sandbox.spec import Spec

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
        calls = (f"{a.method}(**PARAMS['{i}'])" for i, a in enumerate(spec.analyses))
        pairs = zip(spec.keyed, calls, strict=True)
        listed = ", ".join(f'"{key}": {call}' for (key, _), call in pairs)
        result = f"result = {{{listed}}}"
    return f"{head}{body}\n\n\n{result}\n{rounding(spec.decimals)}"


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
