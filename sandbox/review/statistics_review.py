"""The reviewer for statistics: mistakes that give a plausible figure. Pure.

It looks for the wrong divisor, a normal distribution where few values call for Student's, one tail
where a question has two, and missing values that are ignored or filled. A request may ask for just
that; then nothing is wrong. Not covered: the choice of a model or a test.
"""

import ast
import re
from collections.abc import Iterator, Sequence

from sandbox.review.changed_values import changed_values
from sandbox.review.parsed import COMPREHENSIONS, LOOPS, Fault, ParsedProgram, names_in
from sandbox.review.questions import misread

_SPREAD = re.compile(
    r"\bstd|\bsd\b|stand(?:ard)? ?dev|standard error|varian|\bvar(?:y|ies)\b|deviation|confidence|"
    r"\bt[- ]?test|\berror\b|spread|cohen|desviaci|varianza",
    re.I,
)
_WHOLE = re.compile(
    r"\bpopulation|whole (?:group|class|team)|\bentire\b|\ball (?:the |of )?(?:\d+|our|my|its|of)|"
    r"\bpobla|ddof ?= ?0|divide(?:d)? by n\b(?! ?-)|\bthese are all",
    re.I,
)
_OF_POPULATION = re.compile(r"population (?:standard dev|var|sd\b|std)|ddof ?= ?0", re.I)
_MEAN_SQUARE = re.compile(
    r"\br?mse\b|mean[- ]squared?|root[- ]mean|\brms\b|brier|moment|skew|kurt", re.I
)
_TESTED = re.compile(r"p[- ]?values?\b|signific|\btest\b|hypothes|reject", re.I)
_DIRECTED = re.compile(
    r"one[- ](?:sided|tailed)|greater|higher|larger|more than|less|lower|smaller|fewer|above|below|"
    r"better|worse|increas|decreas|improve|exceed|at (?:least|most)|reduc|raise|mayor|menor",
    re.I,
)
_SHARES = re.compile(
    r"proportion|conver(?:t|sion)|\bshare\b|\brate\b|\bper ?cent of\b|poll|votes?\b|\d of \d", re.I
)
_KNOWN = re.compile(
    r"\bknown\b|sigma|\u03c3|\bz[- ](?:test|score|value|interval)|normal approx|large sample", re.I
)
_MISSING = re.compile(
    r"missing|blank|\bempty\b|\bnan\b|\bnull|\bn/?a\b|no (?:value|figure|reading|data)|gaps?\b|"
    r"(?:not|never|n't) (?:\w+ )?(?:recorded|measured|reported|available|entered|filled|answered)|"
    r"unrecorded|did ?n[o']t (?:answer|report|reply)|incomplete",
    re.I,
)
_COMPLETE = re.compile(
    r"\b(?:no|none|nothing|not|without)\b(?: \w+){0,3} (?:missing|blank|empty|nan|nulls?|gaps?)\b",
    re.I,
)
_QUANTILES = frozenset({1.96, 1.645, 1.64, 2.576, 2.58, 1.959964, 1.959963984540054, 1.2816})
_FEW = 30


def statistics_faults(program: ParsedProgram) -> Iterator[Fault]:
    reasons = (
        *_divisor(program),
        *_few_values(program),
        *_tails(program),
        *_gaps(program),
        *_claims(program),
        *changed_values(program),
        *misread(program),
    )
    yield from (("revise", reason) for reason in dict.fromkeys(reasons))


def _divisor(program: ParsedProgram) -> Iterator[str]:
    if not _SPREAD.search(program.request + " " + _answer_names(program)):
        return
    whole = _WHOLE.search(program.request) is not None
    of_population = _OF_POPULATION.search(program.request) is not None
    for line, by_n, what in _spreads(program):
        if by_n and not whole:
            yield f"line {line}: `{what}` is a population's spread; a sample's divides by n - 1"
        elif not by_n and of_population:
            yield f"line {line}: `{what}` divides by n - 1; a population's divides by n"
    if whole or _MEAN_SQUARE.search(program.request):
        return
    for node in program.nodes:
        if isinstance(node, ast.expr) and _is_sum_of_squares_by_n(program, node):
            yield (
                f"line {node.lineno}: a sum of squares is divided by n, not by n less "
                "what was estimated"
            )


def _spreads(program: ParsedProgram) -> Iterator[tuple[int, bool, str]]:
    """Each spread that a library works out: its line, whether it divides by n, and its name."""
    for name, call in program.calls:
        last = name.rpartition(".")[2]
        if name.startswith("statistics.") and last in ("pstdev", "pvariance", "stdev", "variance"):
            yield call.lineno, last.startswith("p"), last
        elif last in ("std", "var", "nanstd", "nanvar") and not names_in(call) & program.drawn:
            given = next((word.value for word in call.keywords if word.arg == "ddof"), None)
            by_n = given is None or (isinstance(given, ast.Constant) and given.value == 0)
            yield call.lineno, by_n, f"{last}(ddof={'0' if by_n else '1'})"


def _is_sum_of_squares_by_n(program: ParsedProgram, node: ast.expr) -> bool:
    match node:
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _sums_squares(program, left) and _is_count(program, right)
        case ast.Call(args=[argument, *_]) if program.dotted(node.func) in (
            "numpy.mean",
            "statistics.mean",
        ):
            return _is_centred_square(program, argument)
    return False


def _sums_squares(program: ParsedProgram, node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        values = program.values.get(node.id, [])
        return len(values) == 1 and _sums_squares(program, values[0])
    if not isinstance(node, ast.Call):
        return False
    name = program.dotted(node.func)
    if name in ("sum", "numpy.sum", "math.fsum", "numpy.nansum") and node.args:
        return _is_centred_square(program, node.args[0])
    inner = node.func.value if isinstance(node.func, ast.Attribute) else None
    return name.endswith(".sum") and inner is not None and _is_centred_square(program, inner)


def _is_centred_square(program: ParsedProgram, node: ast.expr) -> bool:
    """Whether an expression squares differences: of the values from a mean, or from a fit."""
    if isinstance(node, ast.GeneratorExp | ast.ListComp):
        node = node.elt
    match node:
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=2)):
            return _is_difference(program, left)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return ast.dump(left) == ast.dump(right) and _is_difference(program, left)
    return False


def _is_difference(program: ParsedProgram, node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return any(
            isinstance(v, ast.BinOp) and _is_difference(program, v)
            for v in program.values.get(node.id, [])
        )
    if not isinstance(node, ast.BinOp):
        return False
    return isinstance(node.op, ast.Sub) and not isinstance(node.right, ast.Constant)


def _is_count(program: ParsedProgram, node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="len")):
            return True
        case ast.Attribute(attr="size"):
            return True
        case ast.Name(id=name):
            values = program.values.get(name, [])
            return (
                len(values) == 1
                and not isinstance(values[0], ast.Name)
                and _is_count(program, values[0])
            )
    return False


def _few_values(program: ParsedProgram) -> Iterator[str]:
    """A normal quantile beside a spread that was estimated from few values."""
    text = program.request
    if (
        _KNOWN.search(text)
        or _SHARES.search(text)
        or not re.search(r"confidence|interval|p[- ]?val|signific|\btest", text, re.I)
    ):
        return
    estimated = any(True for _ in _spreads(program)) or any(
        _sums_squares(program, n.left)
        for n in program.nodes
        if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)
    )
    normal = next((call.lineno for call in _of_normal(program)), 0)
    typed = next(
        (n.lineno for n in program.nodes if isinstance(n, ast.Constant) and n.value in _QUANTILES),
        0,
    )
    few = len(program.numbers) < _FEW and not _stands_guard(program)
    if estimated and few and (normal or typed):
        yield (
            f"line {normal or typed}: with few values, whose spread is estimated, the quantile is "
            "Student's t with n - 1 degrees of freedom, not the normal one"
        )


def _of_normal(program: ParsedProgram) -> list[ast.Call]:
    """The calls of a normal distribution's functions."""
    ends = ("ppf", "cdf", "sf", "isf", "inv_cdf", "interval")
    calls = []
    for name, call in program.calls:
        if name.rpartition(".")[2] not in ends:
            continue
        whole = ast.unparse(call.func)
        if "norm" in name.split(".") or "NormalDist" in whole or "norm." in name:
            calls.append(call)
    return calls


def _stands_guard(program: ParsedProgram) -> bool:
    """Whether the program looks at how many values there are: `if n >= 30`."""
    return any(
        isinstance(n, ast.Compare)
        and any(isinstance(c, ast.Constant) and c.value in (29, 30) for c in n.comparators)
        for n in program.nodes
    )


def _tails(program: ParsedProgram) -> Iterator[str]:
    """One tail of a symmetric distribution where the question has no direction."""
    text = program.request
    if not _TESTED.search(text) or _DIRECTED.search(text):
        return
    tails = [*_of_normal(program), *(call for name, call in program.calls if _is_students(name))]
    tails = [
        call for call in tails if program.dotted(call.func).rpartition(".")[2] in ("cdf", "sf")
    ]
    if not tails or any(_doubles(node) for node in program.nodes):
        return
    yield f"line {tails[0].lineno}: the question has no direction: twice the tail of |t| or |z|"


def _is_students(name: str) -> bool:
    parts = name.split(".")
    return len(parts) > 1 and parts[-2] == "t" and parts[-1] in ("cdf", "sf")


def _doubles(node: ast.AST) -> bool:
    """Whether something is twice, or the sum of two tails: `2 * p`, `p *= 2`."""
    match node:
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            parts = [left, right]
        case ast.AugAssign(op=ast.Mult(), value=value):
            parts = [value]
        case _:
            return False
    return any(isinstance(part, ast.Constant) and part.value == 2 for part in parts)


def _gaps(program: ParsedProgram) -> Iterator[str]:
    source = program.source
    fills = re.search(
        r"\bor 0(?:\.0)?\b(?!\.)|nan_to_num|fillna\(0|else 0(?:\.0)?\b(?= *for| *\)|\])", source
    )
    says = _MISSING.search(_COMPLETE.sub("", program.request)) is not None
    if says and fills and not re.search(r"as (?:0|zero)|zeros?\b", program.request, re.I):
        yield "missing values are filled with 0, which moves the mean: leave them out"
        return
    careful = re.search(
        r"isnan|isfinite|\bnan(?:mean|sum|std|var|median|percentile|quantile|min|max)\b|isnull|"
        r"is not None|is None|not in [({\[]|!= ?[\"']|== ?[\"'][\"']|\.strip\(\)|except ValueError|"
        r"if (?:v|x|value|s|r|row|cell|t|y)\b|dropna|nan_policy",
        source,
    )
    makes_gaps = _reads_gaps(program)
    drops = re.search(
        r"isnan|isfinite|\bnan(?:mean|sum|std|var|median|percentile|quantile|min|max)\b|nan_policy",
        source,
    )
    if makes_gaps and not drops:
        yield "values that are not a number reach the figure, which is then none: leave them out"
    elif says and program.of_columns and not careful:
        yield "the request speaks of missing values, and the program does nothing about them"


def _reads_gaps(program: ParsedProgram) -> bool:
    """Whether what is no number becomes one of the values, and not just a figure."""
    marks = re.compile(r"np\.nan\b|float\([\"']nan[\"']\)|math\.nan\b|genfromtxt")
    parts = (*LOOPS, *COMPREHENSIONS, ast.FunctionDef)
    inside = (ast.unparse(node) for node in program.nodes if isinstance(node, parts))
    return "genfromtxt" in program.source or any(marks.search(text) for text in inside)


def _claims(program: ParsedProgram) -> Iterator[str]:
    """A claim of significance that rests on no test."""
    if not re.search(r"signific", program.request + _answer_names(program), re.I):
        return
    if re.search(r"p[- ]?values?\b", program.request, re.I) and not program.has_contract:
        return  # they are given
    tests = re.search(
        r"p_?val|\bsf\(|\bcdf\(|\bppf\(|pearsonr|spearmanr|ttest|f_oneway|kruskal|mannwhit|wilcox|chi2|permut|bootstrap|linregress|critical",
        program.source,
        re.I,
    )
    if not tests and program.calls:
        yield "it calls a figure significant by its size alone; n decides too"


def _answer_names(program: ParsedProgram) -> str:
    names: Sequence[str] = [
        key.value.replace("_", " ")
        for node in program.nodes if isinstance(node, ast.Dict)
        for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
    ]  # fmt: skip
    return " ".join(names)
