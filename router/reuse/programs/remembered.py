"""Remembered programs that models wrote: whether they may answer another request. Pure.

Such a program answers a request that asks the same with other values: numbers, and quoted texts if
it reads them. It is kept with a companion, another author's program for the same request. Both run
for the new request, and answer only if they agree and report every value of it, so a value that
nobody changed is noticed.
"""

import re

from router.reuse.acceptance import guarded
from router.reuse.editing import with_numbers
from router.reuse.guards import compare
from router.reuse.solution import Solution
from sandbox.review.parsed import ParsedProgram

FREE = "free"  # the kind in the spec of a program that was written without a spec
PASSED = "passed"  # how the review of a program begins, if it may serve other requests
_QUOTED = re.compile(r"\"[^\"\n]*\"|\u201c[^\u201c\u201d\n]*+\u201d")
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_LIST = re.compile(r"#(?:,? #)+")  # a list of numbers, however long


def is_free(solution: Solution) -> bool:
    return solution.kind == "program" and solution.spec.get("kind") == FREE


def may_serve(solution: Solution) -> bool:
    return is_free(solution) and solution.reviewed.startswith(PASSED)


def asks_the_same(stored: str, request: str) -> bool:
    """Whether two requests differ in values only: in numbers and quoted texts, to the letter, or in
    numbers as far as the guards know."""
    if _without_values(stored) == _without_values(request):
        return True
    verdict = compare(stored, request)
    turned = any(old.startswith("-") != new.startswith("-") for old, new in verdict.changed)
    alike = verdict.likeness in ("words", "parameters") and not turned
    return alike and guarded(stored, request)


def for_request(solution: Solution, request: str) -> tuple[str, str] | None:
    """The program and its companion with the values of this request; None if it asks for something
    else, or if one of them neither reads its values nor can be edited."""
    if not asks_the_same(solution.request, request):
        return None
    changes = _changes(solution.request, request)
    program = _with_values(solution.program, solution.request, changes)
    beside = _with_values(str(solution.spec["beside"]), solution.request, changes)
    return None if program is None or beside is None else (program, beside)


def _changes(stored: str, request: str) -> dict[float, float] | None:
    """What each number becomes; None if no rule says so: a program must then read its values."""
    old, new = _numbers(stored), _numbers(request)
    if len(old) != len(new) or _QUOTED.findall(stored) != _QUOTED.findall(request):
        return None
    changes: dict[float, float] = {}
    for first, second in zip(old, new, strict=True):
        if changes.setdefault(first, second) != second:
            return None
    return changes


def _with_values(source: str, request: str, changes: dict[float, float] | None) -> str | None:
    """The program as it is if it reads its values from the request, or with its numbers changed."""
    try:
        if ParsedProgram(source, request).reads_request:
            return source
    except SyntaxError:
        return None
    return None if changes is None else with_numbers(source, changes)


def _numbers(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in _NUMBER.findall(_QUOTED.sub(" ", text))]


def _without_values(text: str) -> str:
    """The words and signs of a text, which must be the same to the letter but for its values."""
    marked = _NUMBER.sub("#", _QUOTED.sub("<quoted>", text.casefold()))
    return _LIST.sub("#", " ".join(marked.split())).rstrip(" .?!")
