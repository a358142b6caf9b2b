"""The contract of a routing function: its arguments and its answers.

    def route(request, scores, similar):
        return "plan"                     # or {"plan": share, ...}, or None: no opinion

The function sees numbers, names and some words, never a whole prompt. `request` has kind, task,
language, complexity, parts, input_tokens and some measures of the text; `words`, up to 40 words of
the user's last message; `pattern` and `pattern_name`, the pattern that the request belongs to.
`scores` has the cost and the learner's estimates of each plan that can answer. `similar` lists
remembered answers to similar requests.

What a function says is written to telemetry, and it may be made of the words that it saw: so a
reason quotes only what stands in the function's source.
"""

import ast
import re
from collections.abc import Sequence
from functools import lru_cache
from math import isfinite
from typing import Any

from learner.policy import Arm, Distribution
from router.request.complexity import PARTS
from router.request.context import NAMES, kind_of
from router.request.language import LANGUAGES

NAME = "route"
ARGUMENTS = ("request", "scores", "similar")
_AT = {name: at for at, name in enumerate(NAMES)}
_TEXT = ("chars", "lines", "digits", "capitals", "signs", "asks")
_MOST_LINES = 200
_MOST_SOURCE = 20_000
_BUILTINS = (
    *("abs", "all", "any", "bool", "dict", "enumerate", "float", "int", "isinstance", "len"),
    *("list", "max", "min", "range", "reversed", "round", "set", "sorted", "str", "sum", "tuple"),
    *("zip", "True", "False", "None"),
)


NO_OPINION = "it has no opinion"  # an answer like any other
LOADING = "it is being loaded"
RELOADING = "it is being loaded again"
HELD_UP = "the machine was too busy for an answer in time"
OVERSLEPT = "it slept past its deadline, with CPU time left"
RESTING = "it failed again and again, and is left alone for a while"
NOT_LOADED = "the machine could not load it"
NOWHERE = "no routing function can run here"
LEFT_OUT = "it chose a plan that another trial leaves out of this request"
# These troubles count neither for a function nor against it. Its own troubles are its errors, and
# the CPU time that its worker uses.
NOT_ITS_FAULT = frozenset(
    (LOADING, RELOADING, HELD_UP, OVERSLEPT, RESTING, NOT_LOADED, NOWHERE, LEFT_OUT)
)


class Unanswered(Exception):
    """A routing function gave no usable answer; the message says why."""


class MachineTrouble(Unanswered):
    """A routing function gave no answer because of the machine, for a reason in `NOT_ITS_FAULT`."""


class AnsweredLate(Unanswered):
    """A routing function used more CPU time than its deadline."""


def request_argument(
    numbers: Sequence[float | None],
    *,
    kind: str,
    tagged: bool,
    input_tokens: int,
    words: Sequence[str] | None = None,
    pattern: str | None = None,
    pattern_name: str | None = None,
) -> dict[str, Any]:
    """The request as a routing function sees it. What is None is not in it: nobody knows it."""
    partly = {"words": words, "pattern": pattern, "pattern_name": pattern_name}
    seen = {name: value for name, value in partly.items() if value is not None}
    if not numbers:
        usual = {"kind": kind, "task": kind if tagged else "", "input_tokens": input_tokens}
        return {**usual, **seen}
    return {
        "kind": kind,
        "sort": kind_of(numbers),
        "task": kind if tagged else "",
        "language": LANGUAGES[int(numbers[_AT["language"]] or 0)],
        "complexity": numbers[0] or 0.0,
        **{part: numbers[_AT[part]] or 0.0 for part in (*PARTS, *_TEXT)},
        "input_tokens": input_tokens,
        **seen,
    }


_PARTLY_LOGGED = ("words", "pattern", "pattern_name")  # a logged request may lack these


@lru_cache(maxsize=256)
def looks_at(source: str) -> tuple[str, ...]:
    """What a function looks at of what a logged request may lack."""
    texts = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    return tuple(name for name in _PARTLY_LOGGED if name in texts)


_ERROR = re.compile(r"(\w{0,60}(?:Error|Exception|Exit|Interrupt|Iteration)): (.*)", re.DOTALL)
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
# Python's own sentences about these quote values; another error may be a value from end to end.
_WITH_QUOTES = (
    *("IndexError", "TypeError", "ValueError", "AttributeError", "NameError", "MemoryError"),
    *("ZeroDivisionError", "OverflowError", "RecursionError", "UnboundLocalError"),
)


def without_values(error: str, source: str) -> str:
    """A function's error without the values in it, unless they stand in the function's source."""
    match = _ERROR.fullmatch(error)
    if match is None:
        return error  # a sentence of the sandbox
    kind, detail = match.groups()
    if detail.strip("'\"") in source:
        return error
    if kind not in _WITH_QUOTES:
        return kind
    return f"{kind}: {_QUOTED.sub(lambda part: _hide(part[0], source), detail)}"


def _hide(quoted: str, source: str) -> str:
    return quoted if quoted[1:-1] in source else "'…'"


NUMBERS = ("complexity", *PARTS, *_TEXT, "input_tokens")
WORDS = ("kind", "sort", "task", "language")
# For the prompts of models that write functions.
DESCRIBED = f"""\
def route(request, scores, similar):
    # request: {", ".join(WORDS)}, each a text; {", ".join(NUMBERS)}, each a number;
    #          words: a list of up to 40 words of the user's last message, in small letters;
    #          pattern and pattern_name: the group of alike requests it belongs to, or ""
    # scores: for each plan that can answer, {{"usd", "quality", "deviation", "seconds", "failure",
    #         "utility"}}; a plan that is not in it cannot be chosen
    # similar: what is remembered that is like it: [{{"plan", "similarity", "tier", "rate"}}, ...]
    # returns the name of a plan, or {{plan: share, ...}}, or None for no opinion
"""


def opinion(answer: Any, eligible: Sequence[Arm], source: str = "") -> Distribution:
    """Turn a function's answer into odds. Raises `Unanswered` if the answer cannot be used; the
    reason quotes of the answer only what stands in the function's `source`."""
    if answer is None:
        raise Unanswered(NO_OPINION)
    if isinstance(answer, str):
        if answer not in eligible:
            raise Unanswered(f"it chose {_named(answer, source)}, which cannot answer this request")
        return {arm: float(arm == answer) for arm in eligible}
    if not isinstance(answer, dict) or not answer:
        raise Unanswered(f"it answered with {type(answer).__name__}, not a plan or shares of plans")
    for plan, share in answer.items():
        if plan not in eligible:
            raise Unanswered(f"it chose {_named(plan, source)}, which cannot answer this request")
        number = isinstance(share, int | float) and not isinstance(share, bool)
        if not number or not isfinite(share) or share < 0:
            raise Unanswered(f"the share of {plan} is {_number(share)}, not a number from 0 up")
    total = float(sum(answer.values()))
    if not 0 < total < 1e12:
        raise Unanswered("its shares add up to nothing that can be shared out")
    return {arm: answer.get(arm, 0.0) / total for arm in eligible}


def _named(plan: Any, source: str) -> str:
    name = str(plan)[:60]
    return repr(name) if name in source else "a plan that its source does not name"


def _number(share: Any) -> str:
    if isinstance(share, bool):
        return str(share)
    small = isinstance(share, int | float) and (isinstance(share, float) or abs(share) < 1e12)
    return f"{share:.3g}" if small else type(share).__name__


def lint(source: str, name: str = NAME, arguments: tuple[str, ...] = ARGUMENTS) -> list[str]:
    """The problems in a function's source, found without running the function. The function is
    called `name` and takes these arguments."""
    if len(source) > _MOST_SOURCE or source.count("\n") > _MOST_LINES:
        return [f"it is longer than {_MOST_LINES} lines or {_MOST_SOURCE} characters"]
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        return [f"it is not Python: {str(error)[:120]}"]
    problems = []
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    entry = next((node for node in functions if node.name == name), None)
    if entry is None:
        return [f"it has no function `{name}`"]
    if tuple(arg.arg for arg in entry.args.args) != arguments:
        problems.append(f"`{name}` must take {', '.join(arguments)}")
    made = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and _stores(node)}
    made |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    made |= {node.name for node in functions}
    names = {*made, *_BUILTINS}
    for node in ast.walk(tree):
        where = f"line {getattr(node, 'lineno', 0)}"
        if isinstance(node, _FORBIDDEN):
            problems.append(f"{where}: {type(node).__name__.lower()} is not needed in a function")
        elif isinstance(node, ast.Attribute) and node.attr in ("format", "format_map"):
            problems.append(f"{where}: {node.attr} reads attributes: write an f-string")
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            problems.append(f"{where}: {node.attr} begins with an underscore")
        elif isinstance(node, ast.Name) and node.id not in names:
            problems.append(f"{where}: {node.id} is neither an argument nor one of the built-ins")
    return list(dict.fromkeys(problems))[:10]


def _stores(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


_FORBIDDEN = (
    ast.Import, ast.ImportFrom, ast.ClassDef, ast.AsyncFunctionDef, ast.Await, ast.Global,
    ast.Nonlocal, ast.While, ast.With, ast.AsyncWith, ast.AsyncFor, ast.Yield, ast.YieldFrom,
    ast.Delete, ast.Try, ast.Raise,
)  # fmt: skip
