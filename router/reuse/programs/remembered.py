"""Remembered programs that models wrote: whether they may answer another request. Pure.

Such a program answers a request that asks the same with other numbers. It is kept with a companion:
another author's program for the same request. Both run for the new request, and answer only if they
agree and report every number of it, so a number that nobody changed is noticed.
"""

import re

from router.reuse.acceptance import guarded
from router.reuse.editing import with_numbers
from router.reuse.guards import compare
from router.reuse.solution import Solution
from sandbox.review.parsed import ParsedProgram

FREE = "free"  # the kind in the spec of a program that was written without a spec
PASSED = "passed"  # how the review of a program begins, if it may serve other requests
_NUMBER = re.compile(r"\d[\d,. ]*")
_IDLE = re.compile(r"[^\w%$€£°]+")


def is_free(solution: Solution) -> bool:
    return solution.kind == "program" and solution.spec.get("kind") == FREE


def may_serve(solution: Solution) -> bool:
    return is_free(solution) and solution.reviewed.startswith(PASSED)


def asks_the_same(stored: str, request: str) -> bool:
    """Whether two requests differ in numbers only: to the letter, or as far as the guards know."""
    if _without_numbers(stored) == _without_numbers(request):
        return True
    return guarded(stored, request) and compare(stored, request).likeness in ("words", "parameters")


def for_request(solution: Solution, request: str) -> tuple[str, str] | None:
    """The program and its companion with the numbers of this request; None if it asks for something
    else."""
    if not asks_the_same(solution.request, request):
        return None
    changed: dict[float, float] = {}
    for old, new in zip(_numbers(solution.request), _numbers(request), strict=False):
        if changed.setdefault(old, new) != new:
            changed = {}  # one number would need two replacements: the program must read them
            break
    program, beside = solution.program, str(solution.spec["beside"])
    return _changed(program, solution.request, changed), _changed(beside, solution.request, changed)


def _changed(source: str, request: str, numbers: dict[float, float]) -> str:
    """The program with other numbers, unless it reads them from the request."""
    try:
        if ParsedProgram(source, request).reads_request:
            return source
    except SyntaxError:
        return source
    return with_numbers(source, numbers) or source


def _numbers(text: str) -> list[float]:
    return [float(n.replace(",", "")) for n in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text)]


def _without_numbers(text: str) -> str:
    return _IDLE.sub(" ", _NUMBER.sub(" # ", text.casefold())).strip()
