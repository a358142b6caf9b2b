"""A `Spec` turned into a short program that a person can read. Deterministic, and no model.

What it writes is trusted no more than anything else: it runs in the sandbox, and its result is
verified outside.
"""

import keyword
import math
import re
from collections.abc import Iterator, Mapping, Sequence

from sandbox.figure_programs import analysis
from sandbox.runner import Program
from sandbox.spec import Correlation, Distribution, Field, Series, Spec

_TAKEN = frozenset(
    {
        "n",
        "np",
        "rng",
        "result",
        "within",
        "distinct",
        "together",
        "following",
        "draw",
        "t",
        "PARAMS",
        "uuid",
        "first",
        "last",
    }
)


class CannotWrite(Exception):
    """A `Spec` that this author has no program for."""


def write_program(spec: Spec, *, seed: int) -> Program:
    """The program, and the seed it is to be run with: the one asked for, where one was."""
    if spec.kind == "analyse":
        return Program(analysis(spec), {"columns": dict(spec.data)}, seed)
    lines = _series(spec.count, spec.series) if spec.series else _records(spec)
    return Program("\n".join(lines) + "\n", seed=seed if spec.seed is None else spec.seed)


def _records(spec: Spec) -> list[str]:
    names = _variables(spec.fields)
    computed = [field for field in spec.fields if field.role not in ("text", "derived")]
    own = [field for field in computed if not _follows(field)]
    body = [line for field in own for line in _column(field, names[field.name])]
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
    result = ", ".join(f'"{field.name}": {names[field.name]}' for field in shown)
    text = "\n".join(body)
    helpers = [line for name, lines in _HELPERS.items() if f"{name}(" in text for line in lines]
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


_HELPERS: Mapping[str, list[str]] = {
    "within": '''
def within(draw, low, high):
    """n draws, each again until it lies between the bounds."""
    drawn = draw(n)
    for _ in range(10_000):
        outside = (drawn < low) | (drawn > high)
        if not outside.any():
            return drawn
        drawn[outside] = draw(outside.sum())
    raise ValueError(f"hardly anything lies between {low} and {high}")

'''.lstrip("\n").split("\n"),
    "distinct": '''
def distinct(drawn, draw):
    """No value twice: those that are there already are drawn again."""
    for _ in range(10_000):
        _, first = np.unique(drawn, return_index=True)
        again = np.setdiff1d(np.arange(n), first)
        if not len(again):
            return drawn
        drawn[again] = draw()[: len(again)]
    raise ValueError("there are not enough different values")

'''.lstrip("\n").split("\n"),
    "following": '''
def following(x, r):
    """A column around 1 that goes with x: as much noise as leaves them the correlation r."""
    noise = rng.standard_normal(n)
    if r <= 0 or x.min() <= 0:
        z = (x - x.mean()) / x.std()
        noise -= noise.mean() + z * (z * noise).mean()
        return 1 + 0.2 * (r * z + np.sqrt(1 - r * r) * noise / noise.std())
    little, much = 0.0, 10.0
    for _ in range(60):
        middle = (little + much) / 2
        y = x * np.exp(middle * noise)
        little, much = (middle, much) if np.corrcoef(x, y)[0, 1] > r else (little, middle)
    return y / np.median(y)

'''.lstrip("\n").split("\n"),
    "together": '''
def together(columns, wanted):
    """The same values in another order, in which they correlate as wanted."""
    values = [np.sort(column) for column in columns]
    z = rng.standard_normal((n, len(columns)))
    z = (z - z.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T))).T
    latent = np.eye(len(columns))
    for _ in range(100):
        share, axes = np.linalg.eigh(latent)
        latent = (axes * np.maximum(share, 1e-6)) @ axes.T
        latent /= np.sqrt(np.outer(np.diag(latent), np.diag(latent)))
        drawn = z @ np.linalg.cholesky(latent).T
        order = np.argsort(np.argsort(drawn, axis=0), axis=0)
        ordered = [column[order[:, i]] for i, column in enumerate(values)]
        worst = 0.0
        for i, j, r in wanted:
            missing = r - np.corrcoef(ordered[i], ordered[j])[0, 1]
            latent[i, j] = latent[j, i] = np.clip(latent[i, j] + 0.7 * missing, -0.9999, 0.9999)
            worst = max(worst, abs(missing))
        if worst < 5e-4:
            break
    return ordered

'''.lstrip("\n").split("\n"),
}


def _follows(field: Field) -> bool:
    return field.role == "number" and field.distribution is None


def _following(field: Field, spec: Spec, names: Mapping[str, str]) -> str:
    """A column of which only its correlation with another is known."""
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
    """What each column is called in the program: its own name wherever Python takes it."""
    return {
        field.name: field.name
        if field.name.isidentifier()
        and not keyword.iskeyword(field.name)
        and field.name not in _TAKEN
        else f"column_{i + 1}"
        for i, field in enumerate(fields)
    }


def _column(field: Field, name: str) -> Iterator[str]:
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
    if field.prefix:
        return f'[f"{field.prefix}{{i:05d}}" for i in range(1, n + 1)]'
    return "np.arange(1, n + 1)"


def _choice(field: Field, name: str) -> Iterator[str]:
    of = field.distribution
    assert of is not None
    labels: object = list(of.labels)
    if field.role == "boolean":
        labels = [label == "true" for label in of.labels]
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
        if field.unique:
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
        low, high = (None if b is None else b for b in (field.low, field.high))
        whole = f"np.rint({drawn}).astype(int)"
        if (low is not None and low != int(low)) or (high is not None and high != int(high)):
            least = "None" if low is None else math.ceil(low)
            most = "None" if high is None else math.floor(high)
            return f"np.clip({whole}, {least}, {most})"
        return whole
    places = field.decimals if field.decimals is not None else places_for(of)
    return f"np.round({drawn}, {places})"


def places_for(of: Distribution) -> int:
    """Decimals, where none were asked for: finer than any test can tell from exact."""
    spread = spread_of(of)
    return max(2, 4 - math.floor(math.log10(spread))) if spread > 0 else 2


def spread_of(of: Distribution) -> float:
    """Roughly how wide the bulk of it is."""
    p = of.parameters
    match of.family:
        case "normal":
            return abs(p["sd"])
        case "lognormal":
            return math.exp(min(p["mu"], 300)) * min(p["sigma"], 1.0)
        case "uniform":
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
    raise CannotWrite(f"no program is known for {of.family}")


def _mixture(of: Distribution, name: str, count: str) -> Iterator[str]:
    if any(part.family != "normal" for part in of.parts):
        raise CannotWrite("only mixtures of normals are known")
    means = [number(part.parameters["mean"]) for part in of.parts]
    deviations = [number(part.parameters["sd"]) for part in of.parts]
    weights = [round(weight, 6) for weight in of.weights]
    yield f"weights = np.array({weights!r})"
    yield f"part = rng.choice({len(of.parts)}, {count}, p=weights / weights.sum())"
    listed = f"np.array([{', '.join(means)}])[part], np.array([{', '.join(deviations)}])[part]"
    yield f"{name} = rng.normal({listed})"


def _ordered(correlations: Sequence[Correlation], names: Mapping[str, str]) -> Iterator[str]:
    columns = list(dict.fromkeys(name for c in correlations for name in (c.first, c.second)))
    wanted = [
        (columns.index(c.first), columns.index(c.second), round(aimed_at(c), 6))
        for c in correlations
    ]
    listed = ", ".join(names[name] for name in columns)
    yield f"{listed} = together([{listed}], {wanted!r})"


def aimed_at(correlation: Correlation) -> float:
    """The r to aim at: well beyond a bound, where there is one."""
    value = correlation.value
    if correlation.measure == "r2":
        share = {"=": value, ">": (1 + value) / 2, "<": value / 2}[correlation.relation]
        return math.sqrt(share)
    if correlation.relation == ">":
        return (1 + value) / 2
    return value / 2 if correlation.relation == "<" else value


def _formula(field: Field, names: Mapping[str, str]) -> str:
    formula = re.sub(r"[A-Za-z_]\w*", lambda found: names[found[0]], field.formula)
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
    return {"hour": "time", "month": "month"}.get(series.step, "date")


def number(value: float) -> str:
    """As a person would write it in a program."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(float(f"{value:.12g}"))


def _bound(value: float | None) -> str:
    return "None" if value is None else number(value)


def _endless(value: float | None, sign: str) -> str:
    return f"{sign}np.inf" if value is None else number(value)
