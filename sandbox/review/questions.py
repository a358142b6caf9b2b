"""Mistakes about what a question asks: which tail, which test, which mean, which base. Pure.

A part of the reviewer for statistics. Each rule needs words of the request and a step of the
program that contradict each other.
"""

import ast
import re
from collections.abc import Iterator

from sandbox.review.parsed import ParsedProgram, names_in

_DISCRETE = frozenset({"binom", "poisson", "geom", "hypergeom", "nbinom"})
_AT_LEAST = re.compile(r"\bat least\b|\bor more\b|no fewer than|al menos", re.I)
_MORE = re.compile(r"\bmore than\b|\bexceeds?\b|\babove\b", re.I)
_FEWER = re.compile(r"\b(?:fewer|less) than\b|\bbelow\b", re.I)
_AT_MOST = re.compile(r"\bat most\b|\bor fewer\b|\bor less\b|no more than", re.I)
_KEPT_OUT = re.compile(r"without replacement|\bdeck\b|\bnot put back\b|lottery|\braffle", re.I)
_PUT_BACK = re.compile(r"with replacement|\bput back\b|\breplaced\b", re.I)
_PAIRED = re.compile(
    r"\bpaired\b|\bsame (?:\w+ ){0,3}?(?:people|persons?|patients?|subjects?|runners?|students?|"
    r"users?|customers?|machines?|plants?|stores?|shops?|sites?|participants?|volunteers?|workers|"
    r"employees|pupils|athletes?|items?|cars?|households|animals|mice|rats|samples)\b|"
    r"matched pairs|\b(?:same|each|every|their|his|her)\b.{0,80}\bbefore\b.{0,120}\bafter\b|"
    r"\bbefore\b.{0,80}\bafter\b.{0,80}\btheir\b|"
    r"\beach (?:\w+ ){1,2}(?:was )?(?:measured|tested) twice",
    re.I | re.S,
)
_INDEPENDENT = re.compile(r"\bindependent|unpaired|\bwelch|two-sample|different people", re.I)
_FACTORS = re.compile(
    r"(?:average|mean|typical)(?: \w+){0,3} growth|growth factors?|compound(?:ed)? annual|\bcagr\b|"
    r"(?:average|mean)(?: \w+){0,2} (?:annual|yearly|monthly)(?: \w+)? returns?\b|"
    r"(?:average|mean)(?: \w+){0,2} returns? (?:per|a|each) (?:year|month)",
    re.I,
)
_RISE = re.compile(r"\b(?:rise|rose|risen|increase|grow|grew|gain|uplift|went up)\w*", re.I)
_FALL = re.compile(r"\b(?:fall|fell|drop|decreas|declin|reduc|lower|less|lose|lost|loss|cut)", re.I)
_OF_NEW = re.compile(r"margin|discount|share of|markup|mark-up", re.I)
_INTERVAL = re.compile(r"confidence interval|\d ?% (?:ci|interval)|intervalo de confianza", re.I)
_ONE_SIDED = re.compile(
    r"one[- ](?:sided|tailed)|lower bound|upper bound|upper limit|lower limit", re.I
)
_FAMILY = re.compile(
    r"family[- ]?wise|bonferroni|\bholm\b|\bfdr\b|false discovery|"
    r"multiple (?:tests|testing|comparisons)|correct(?:ed|ion)? for|all (?:the )?\d+ tests|"
    r"p[- ]values of (?:all|the|\d+)",
    re.I,
)
_OF_ERROR = re.compile(
    r"standard error|residual (?:variance|standard)|confidence|t[- ]?stat|p[- ]?val", re.I
)
_FROM_FIT = re.compile(r"\bres(?:id(?:ual)?s?)?\b|predict|polyval|fitted", re.I)


def misread(program: ParsedProgram) -> Iterator[str]:
    yield from _tails_of_counts(program)
    yield from _draws(program)
    yield from _pairs(program)
    yield from _means_of_factors(program)
    yield from _bases(program)
    yield from _quantiles(program)
    yield from _standard_error(program)
    yield from _fitted_spread(program)
    yield from _many_tests(program)


def _tails_of_counts(program: ParsedProgram) -> Iterator[str]:
    """The chance of more than k, where the request asks for at least k, and the like."""
    text = program.request
    least, more = _AT_LEAST.search(text), _MORE.search(text)
    fewer, most = _FEWER.search(text), _AT_MOST.search(text)
    if sum(map(bool, (least, more, fewer, most))) != 1:
        return
    for name, call in program.calls:
        parts = name.split(".")
        if len(parts) < 2 or parts[-2] not in _DISCRETE or not call.args:
            continue
        plain = isinstance(call.args[0], ast.Name)
        if isinstance(call.args[0], ast.Constant):  # of the request, and not one less
            plain = call.args[0].value in program.numbers
        written = ast.unparse(call.args[0])
        below = re.search(r"- ?1\b", written) is not None
        if parts[-1] == "sf" and ((least and plain) or (more and below)):
            yield f"line {call.lineno}: `sf(k)` is the chance of more than k, not of at least k"
        elif parts[-1] == "cdf" and ((fewer and plain) or (most and below)):
            yield f"line {call.lineno}: `cdf(k)` is the chance of at most k, not of fewer than k"
        elif (
            parts[-1] == "cdf"
            and _is_rest(program, call)
            and ((least and plain) or (more and below))
        ):
            yield f"line {call.lineno}: `1 - cdf(k)` is the chance of more than k"
    for node in program.nodes:
        if not isinstance(node, ast.GeneratorExp | ast.ListComp) or len(node.generators) != 1:
            continue
        over = node.generators[0].iter
        mass = any(n.rpartition(".")[2] in ("comb", "pmf") for n in program.called_in(node.elt))
        match over:
            case ast.Call(func=ast.Name(id="range"), args=[ast.Name() | ast.Constant()]) if (
                mass and most
            ):
                yield f"line {node.lineno}: `range(k)` leaves out k itself, which at most k counts"


def _is_rest(program: ParsedProgram, call: ast.Call) -> bool:
    """Whether the program takes a chance from 1."""
    return any(
        isinstance(n, ast.BinOp)
        and isinstance(n.op, ast.Sub)
        and isinstance(n.left, ast.Constant)
        and n.left.value == 1
        and n.right is call
        for n in program.nodes
    )


def _draws(program: ParsedProgram) -> Iterator[str]:
    text = program.request
    if not _KEPT_OUT.search(text) or _PUT_BACK.search(text):
        return
    parts = {name.split(".")[-2] for name, _ in program.calls if name.count(".")}
    if "binom" in parts and "hypergeom" not in parts:
        yield "what is drawn is not put back: the distribution is hypergeometric, not binomial"


def _pairs(program: ParsedProgram) -> Iterator[str]:
    text = program.request
    tests = {name.rpartition(".")[2]: call for name, call in program.calls}
    if _PAIRED.search(text) and not _INDEPENDENT.search(text):
        for name in ("ttest_ind", "mannwhitneyu", "ranksums"):
            if name in tests:
                yield f"line {tests[name].lineno}: the values are pairs, and `{name}` ignores that"
    elif _INDEPENDENT.search(text) and not _PAIRED.search(text) and "ttest_rel" in tests:
        yield f"line {tests['ttest_rel'].lineno}: the groups are independent, and no pairs"


def _means_of_factors(program: ParsedProgram) -> Iterator[str]:
    if not _FACTORS.search(program.request) or re.search("arithmetic", program.request, re.I):
        return
    if re.search(r"geometric|gmean|\bprod\b|\*\*|\bpow\(|\blog1?p?\(|\bexp|\*=", program.source):
        return
    averages = any(
        (isinstance(n, ast.Call) and program.dotted(n.func).rpartition(".")[2] in ("mean", "fmean"))
        or (
            isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)
            and "sum(" in ast.unparse(n.left) and "len(" in ast.unparse(n.right)
        )
        for n in program.nodes
    )  # fmt: skip
    if averages:
        yield "rates of growth multiply: their average is the geometric mean"


def _bases(program: ParsedProgram) -> Iterator[str]:
    """A rise that is divided by the later value instead of by the earlier one."""
    text = program.request
    if not _RISE.search(text) or _FALL.search(text) or _OF_NEW.search(text):
        return
    if not re.search(r"per ?cent|%|relative", text, re.I):
        return
    for node in program.nodes:
        match node:
            case ast.BinOp(left=left, op=ast.Div(), right=base):
                change = _change_in(left)
                if change is None:
                    continue
                new, old = change
                if ast.dump(base) == ast.dump(new) and ast.dump(base) != ast.dump(old):
                    yield f"line {node.lineno}: a change is a share of the value that it began from"


def _change_in(node: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    match node:
        case ast.BinOp(left=new, op=ast.Sub(), right=old) if not isinstance(old, ast.Constant):
            return None if isinstance(new, ast.Constant) else (new, old)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _change_in(left) or _change_in(right)
    return None


def _quantiles(program: ParsedProgram) -> Iterator[str]:
    """The quantile of a level itself, where half of the rest lies on either side."""
    text = program.request
    if not _INTERVAL.search(text) or _ONE_SIDED.search(text):
        return
    for name, call in program.calls:
        parts = name.split(".")
        normal = "NormalDist" in ast.unparse(call.func)
        if parts[-1] not in ("ppf", "inv_cdf") or not call.args:
            continue
        if not normal and not {"norm", "t"} & set(parts):
            continue
        level = _written_out(program, call.args[0])
        if re.fullmatch(r"0?\.(?:8|9|90|95|98|99)", level) or (
            "/ 100" in level and not re.search(r"/ 2(?!\d)|\* 2|0\.5|/ 200|\b2\b", level)
        ):
            yield f"line {call.lineno}: two sides: the quantile is that of (1 + level) / 2"


def _written_out(program: ParsedProgram, node: ast.expr, depth: int = 3) -> str:
    """An expression with the names in it replaced by what they are made from."""
    text = ast.unparse(node)
    if depth:
        for name in names_in(node):
            values = program.values.get(name, [])
            if len(values) == 1:
                own = _written_out(program, values[0], depth - 1)
                text = own.join(re.split(rf"\b{re.escape(name)}\b", text))
    return text[:2000]


def _standard_error(program: ParsedProgram) -> Iterator[str]:
    """A spread over n instead of over its square root."""
    for node in program.nodes:
        match node:
            case ast.BinOp(left=left, op=ast.Div(), right=right) if _is_spread(program, left):
                size = ast.unparse(right)
                counts = _written_out(program, right, 1)
                if re.fullmatch(r"len\(\w+\)|\w+\.size", counts) and "sqrt" not in size:
                    yield f"line {node.lineno}: the standard error is the spread over the root of n"


def _is_spread(program: ParsedProgram, node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        values = program.values.get(node.id, [])
        return len(values) == 1 and _is_spread(program, values[0])
    last = program.dotted(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
    return last in ("stdev", "std", "pstdev", "nanstd")


def _fitted_spread(program: ParsedProgram) -> Iterator[str]:
    """Residuals of a fitted line over n - 1 or n: two figures were estimated."""
    for node in program.nodes:
        match node:
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                squares, size = _written_out(program, left, 2), ast.unparse(right)
                alone = re.fullmatch(
                    r"\(?(?:len\(\w+\)|\w+\.size|\w+\.shape\[0\]|n)(?: - 1)?\)?", size
                )
                squared = re.search(r"\bsum\b|@", squares)
                residual = _FROM_FIT.search(ast.unparse(left)) or re.search(
                    r"- \(\w+ \+ \w+ \* \w+\)|- \(\w+ \* \w+ \+ \w+\)|- \w+ - \w+ \* \w+", squares
                )
                tells = _OF_ERROR.search(program.request)
                if alone and squared and "** 2" in squares and residual and tells:
                    yield f"line {node.lineno}: residuals of a line divide by n - 2"


def _many_tests(program: ParsedProgram) -> Iterator[str]:
    """Each p-value beside the level as it is, where the question is about all of them."""
    if not _FAMILY.search(program.request):
        return
    if re.search(r"enumerate\(|len\(|argsort|multipletests|discovery|bonferroni", program.source):
        return
    for node in program.nodes:
        match node:
            case ast.Compare(left=ast.Name(), ops=[ast.Lt() | ast.LtE()], comparators=[bound]):
                written = _written_out(program, bound)
                if re.fullmatch(r"0?\.\d+|\d+ / 100|float\([^/]*", written):
                    yield f"line {node.lineno}: so many tests need a stricter level for each"
