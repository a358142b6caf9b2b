"""Writes the lines of a program that draw one column.

The lines draw a number from its distribution, keep it within its bounds, and round it, in this
order.
"""

import math
import re
from collections.abc import Iterator

from sandbox.spec import Distribution, Field


class CannotWrite(Exception):
    """No program can be written for this spec; the message says why."""


def column_lines(field: Field, name: str) -> Iterator[str]:
    if field.role == "id":
        yield f"{name} = {_ids(field)}"
    elif field.role == "date":
        yield f'first, last = np.datetime64("{field.start}"), np.datetime64("{field.end}")'
        yield f"{name} = first + rng.integers(0, (last - first).astype(int) + 1, n)"
    elif field.role in ("category", "boolean"):
        yield from _choice(field, name)
    else:
        yield from _number(field, name)


def _ids(field: Field) -> str:
    if field.prefix == "uuid":
        return "[str(uuid.uuid4()) for _ in range(n)]"
    first = 1 if field.first is None else field.first
    ends = f"n + {first}" if first else "n"
    if field.prefix:
        digits = 5 if field.digits is None else field.digits
        return f'[f"{field.prefix}{{i:0{digits}d}}{field.suffix}" for i in range({first}, {ends})]'
    return f"np.arange({first}, {ends})"


def _choice(field: Field, name: str) -> Iterator[str]:
    of = field.distribution
    assert of is not None
    labels: object = list(of.labels)
    if field.role == "boolean":
        labels = [label == "true" for label in of.labels]
    elif all(re.fullmatch(r"0|-?[1-9]\d{0,8}", label) for label in of.labels):
        labels = [int(label) for label in of.labels]
    shares = [round(weight, 6) for weight in of.weights]
    if len(set(shares)) == 1:
        yield f"{name} = rng.choice({labels!r}, n)"
    else:
        yield f"weights = np.array({shares!r})"
        yield f"{name} = rng.choice({labels!r}, n, p=weights / weights.sum())"


def _number(field: Field, name: str) -> Iterator[str]:
    of = field.distribution
    assert of is not None
    whole = field.decimals == 0
    if of.family == "uniform" and whole:
        low, high = math.ceil(of.parameters["low"]), math.floor(of.parameters["high"])
        if field.multiple:
            rest = field.remainder or 0
            low = rest + field.multiple * math.ceil((low - rest) / field.multiple)
            values = f"np.arange({low}, {high + 1}, {field.multiple})"
            once = ", replace=False" if field.unique else ""
            yield f"{name} = rng.choice({values}, n{once})"
        elif field.unique:
            yield f"{name} = rng.choice(np.arange({low}, {high + 1}), n, replace=False)"
        else:
            yield f"{name} = rng.integers({low}, {high + 1}, n)"
        return
    if of.family == "mixture":
        yield from _mixture(of, name, "n")
        drawn = name
    else:
        drawn = _draw(of, "n")
    low_, high_ = _bound(field.low), _bound(field.high)
    if field.low is not None or field.high is not None:
        if field.clip:
            drawn = f"np.clip({drawn}, {low_}, {high_})"
        elif of.family == "mixture":
            yield f"def draw_{name}(n):"
            yield from (f"    {line}" for line in _mixture(of, name, "n"))
            yield f"    return {name}"
            drawn = f"within(draw_{name}, {_endless(field.low, '-')}, {_endless(field.high, '')})"
        else:
            low_, high_ = _endless(field.low, "-"), _endless(field.high, "")
            drawn = f"within(lambda n: {_draw(of, 'n')}, {low_}, {high_})"
    drawn = _rounded(field, of, drawn)
    if field.unique:
        yield f"{name} = distinct({drawn}, lambda: {drawn})"
    else:
        yield f"{name} = {drawn}"


def _rounded(field: Field, of: Distribution, drawn: str) -> str:
    if field.decimals == 0:
        if of.discrete and field.low is None and field.high is None:
            return drawn
        low, high = field.low, field.high
        whole = f"np.rint({drawn}).astype(int)"
        if (low is not None and low != int(low)) or (high is not None and high != int(high)):
            least = "None" if low is None else math.ceil(low)
            most = "None" if high is None else math.floor(high)
            return f"np.clip({whole}, {least}, {most})"
        return whole
    places = field.decimals if field.decimals is not None else places_for(of)
    return f"np.round({drawn}, {places})"


def places_for(of: Distribution) -> int:
    """How many decimals to keep if the spec gives none. No test notices the rounding."""
    spread = spread_of(of)
    return max(2, 4 - math.floor(math.log10(spread))) if spread > 0 else 2


def spread_of(of: Distribution) -> float:
    """A rough scale on which the distribution's values differ, such as its standard deviation."""
    p = of.parameters
    match of.family:
        case "normal":
            return abs(p["sd"])
        case "lognormal":
            return math.exp(min(p["mu"], 300)) * min(p["sigma"], 1.0)
        case "uniform" | "triangular":
            return p["high"] - p["low"]
        case "exponential":
            return p["mean"]
        case "gamma" | "weibull":
            return p["scale"]
        case "pareto":
            return p["minimum"]
        case "mixture":
            return min(spread_of(part) for part in of.parts)
        case _:
            return 1.0


def _draw(of: Distribution, count: str) -> str:
    p = {name: number(value) for name, value in of.parameters.items()}
    match of.family:
        case "normal":
            return f"rng.normal({p['mean']}, {p['sd']}, {count})"
        case "lognormal":
            return f"rng.lognormal({p['mu']}, {p['sigma']}, {count})"
        case "uniform":
            return f"rng.uniform({p['low']}, {p['high']}, {count})"
        case "exponential":
            return f"rng.exponential({p['mean']}, {count})"
        case "poisson":
            return f"rng.poisson({p['rate']}, {count})"
        case "binomial":
            return f"rng.binomial({p['n']}, {p['p']}, {count})"
        case "beta":
            return f"rng.beta({p['a']}, {p['b']}, {count})"
        case "gamma":
            return f"rng.gamma({p['shape']}, {p['scale']}, {count})"
        case "pareto":
            return f"{p['minimum']} * (1 + rng.pareto({p['alpha']}, {count}))"
        case "weibull":
            return f"{p['scale']} * rng.weibull({p['shape']}, {count})"
        case "triangular":
            return f"rng.triangular({p['low']}, {p['mode']}, {p['high']}, {count})"
    raise CannotWrite(f"there is no program for {of.family}")


def _mixture(of: Distribution, name: str, count: str) -> Iterator[str]:
    if any(part.family != "normal" for part in of.parts):
        raise CannotWrite("there are programs only for mixtures of normals")
    means = [number(part.parameters["mean"]) for part in of.parts]
    deviations = [number(part.parameters["sd"]) for part in of.parts]
    weights = [round(weight, 6) for weight in of.weights]
    yield f"weights = np.array({weights!r})"
    yield f"part = rng.choice({len(of.parts)}, {count}, p=weights / weights.sum())"
    listed = f"np.array([{', '.join(means)}])[part], np.array([{', '.join(deviations)}])[part]"
    yield f"{name} = rng.normal({listed})"


def number(value: float) -> str:
    """Write a number as a person would, without needless decimals."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(float(f"{value:.12g}"))


def _bound(value: float | None) -> str:
    return "None" if value is None else number(value)


def _endless(value: float | None, sign: str) -> str:
    return f"{sign}np.inf" if value is None else number(value)
