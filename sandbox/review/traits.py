"""Traits of a program: what may separate programs that succeed from those that fail. Pure."""

import ast
import re

from sandbox.review.parsed import MOST_CHARACTERS, ParsedProgram

# What is said to authors of a trait that helps, and of one that hurts.
SENTENCES: dict[str, tuple[str, str]] = {
    "reads the request": (
        "Read the numbers from PARAMS['request'] with a regular expression instead of typing them.",
        "Type the numbers of the request into named variables instead of parsing its text.",
    ),
    "reports every number": (
        "Report every number of the request in `parameters`, also those that seem idle.",
        "Keep `parameters` to what the computation uses.",
    ),
    "uses numpy or scipy": (
        "Use numpy or scipy where a function of theirs does the step.",
        "Use the standard library where it suffices, not numpy or scipy.",
    ),
    "simulates": (
        "Simulate where a formula is easy to get wrong.",
        "Prefer an exact formula or an enumeration to a simulation.",
    ),
    "has functions": (
        "Put each step into a small function with a telling name.",
        "Write the steps one after another, without functions of your own.",
    ),
    "has comments": (
        "Say in a comment what each clause of the request means before you compute it.",
        "Write no comments.",
    ),
    "checks its input": (
        "Check what was read, and raise ValueError where a figure cannot be worked out.",
        "Do not raise errors of your own.",
    ),
    "rounds": (
        "Round figures as the request says.",
        "Do not round any figure.",
    ),
    "is short": (
        "Keep the program below 25 lines.",
        "Take the lines that the request needs: very short programs left something out.",
    ),
    "says its degrees of freedom": (
        "Pass `ddof` explicitly wherever a spread is computed.",
        "Use functions whose divisor needs no `ddof`.",
    ),
}
_SHORT = 25


def traits(source: str, request: str) -> frozenset[str]:
    """The traits of a program, by their names in `SENTENCES`; none if it is no Python or too long
    to be read."""
    if len(source) > MOST_CHARACTERS:
        return frozenset()
    try:
        program = ParsedProgram(source, request)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    modules = {name.partition(".")[0] for name in program.aliases.values()}
    has = {
        "reads the request": program.reads_request,
        "reports every number": _reports(program),
        "uses numpy or scipy": bool(modules & {"numpy", "scipy"}),
        "simulates": bool(program.drawn),
        "has functions": bool(program.functions),
        "has comments": re.search(r"^\s*#|\s#\s", source, re.M) is not None,
        "checks its input": any(isinstance(node, ast.Raise | ast.Assert) for node in program.nodes),
        "rounds": bool(program.called("round", "around")),
        "is short": len(source.splitlines()) <= _SHORT,
        "says its degrees of freedom": "ddof" in source,
    }
    return frozenset(name for name, holds in has.items() if holds)


def _reports(program: ParsedProgram) -> bool:
    """Whether as many parameters are reported as the request has numbers."""
    for node in program.nodes:
        if isinstance(node, ast.Dict):
            for key, own in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "parameters":
                    return isinstance(own, ast.Dict) and len(own.keys) >= len(program.numbers)
    return False
