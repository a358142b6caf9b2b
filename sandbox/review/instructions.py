"""Instructions of a request about its output that no step of the program follows. Pure.

A part of the reviewer for quality: order, decimals, case, forbidden functions, seeds, empty inputs.
"""

import re
from collections.abc import Iterator

from sandbox.review.parsed import ParsedProgram

_ORDER = re.compile(
    r"\bsorted by\b|\bsort (?:the|by|them|it)\b|(?:ascending|descending|alphabetical) order|"
    r"\balphabetically\b|(?:print|give|list|return|output|show)[^.]{0,60}, sorted\b",
    re.I,
)
_SORTS = re.compile(r"sort|most_common|nlargest|nsmallest|heap|bisect|order by|rank|unique", re.I)
_DOWN = re.compile(r"\bdescending\b|(?:largest|highest|biggest|most frequent) first", re.I)
_TURNS = re.compile(
    r"reverse|most_common|nlargest|\[::-1\]|lambda[^:]*: ?\(?-|desc\b|-x|argsort\(-"
)
_DECIMALS = re.compile(
    r"(?:to|with|at) (\d|one|two|three|four|no) (?:decimals?|decimal places?|digits after)|"
    r"rounded to (\d|one|two|three|four)\b",
    re.I,
)
_ROUNDS = re.compile(
    r"round\(|:[^{}\"']{0,12}\.?\d{0,3}[fd%e]\b|%\.\d|quantize|format\(|around\(|\{\w+:"
)
_ANY_CASE = re.compile(r"ignor(?:e|ing) case|case[- ]insensitive|regardless of case", re.I)
_FOLDS = re.compile(r"\.lower\(|\.casefold\(|\.upper\(|IGNORECASE|re\.I\b|\(\?i")
_WITHOUT = re.compile(r"without (?:using |calling )?`?([a-z_]\w*)(?:\(\))?`?", re.I)
_SEED = re.compile(r"\bseed(?:ed)?\b", re.I)
_MAY_BE_EMPTY = re.compile(
    r"(?:may|can|could|might) be empty|possibly empty|if (?:it|the list) is empty"
)
_GUARDS = re.compile(r"\bif\b|\bor\b|default=|try:|\bwhile\b|\bfor\b")


def unfollowed(program: ParsedProgram) -> Iterator[str]:
    text, source = program.request, program.source
    if _ORDER.search(text) and not _SORTS.search(source):
        yield "the request wants an order, and nothing is sorted"
    elif _DOWN.search(text) and _SORTS.search(source) and not _TURNS.search(source):
        yield "the request wants the largest first, and the order is the other way"
    if _DECIMALS.search(text) and not _ROUNDS.search(source):
        yield "the request says how many decimals, and nothing is rounded"
    if _ANY_CASE.search(text) and not _FOLDS.search(source):
        yield "the request ignores case, and the program does not"
    for name in _WITHOUT.findall(text):
        if any(called == name for called, _ in program.calls):
            yield f"the request wants no `{name}`, and the program calls it"
    if _SEED.search(text) and program.drawn and not re.search(r"seed|Random\(|_rng\(", source):
        yield "the request gives a seed, and the draws have none"
    divides = re.search(r"/ len\(|\bmax\(|\bmin\(|\[0\]|mean\(|median\(", source)
    if _MAY_BE_EMPTY.search(text) and divides and not _GUARDS.search(source):
        yield "the input may be empty, and the program fails then"
