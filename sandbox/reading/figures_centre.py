"""Reads figures beside the mean: which values lie above it, and by how much one of them does.

`How many are above the mean` and `which students are above average` ask for the same figures: the
mean, and how many and which values lie on that side of it.
"""

from sandbox.reading.figure_words import STOPS, is_idle, is_word, may_name
from sandbox.reading.figures_methods import ASKING, Claim
from sandbox.reading.figures_request import WHICH, Request
from sandbox.reading.lexicon import plain
from sandbox.reading.rules import NotUnderstood
from sandbox.spec import Analysis

_SIDES = ("above_mean", "below_mean")
_COUNTS = frozenset({"count_where", "share_where", "count"})
_APART = frozenset({"and", "y", "also", "tambien"})
_OF_THEM = frozenset("their its them those these of sus su esos ellos de".split())


def read(request: Request) -> list[Analysis]:
    """The figures beside the mean that a request asks for; it has then taken their claims."""
    sides = [claim for claim in request.claims if claim.name in _SIDES]
    distances = [claim for claim in request.claims if claim.name == "from_mean"]
    if not sides and not distances:
        return []
    if len({claim.name for claim in sides}) > 1 or (sides and distances):
        raise NotUnderstood("it asks for values on both sides of the mean: ask for one of them")
    claim = (sides or distances)[0]
    rest = [c for c in request.claims if c not in sides and c not in distances]
    counts = [c for c in rest if c.name in _COUNTS]
    names = _name_column(request)
    values = request.of.columns.get(names, ())
    if len(set(values)) < len(values):
        raise NotUnderstood(f"a name of {names} has several values: ask for a figure by {names}")
    value = _named_value(request)
    if value and names:
        others = [c for c in rest if c not in counts]
        request.claims = others
        if any(c.kind != "keep_values" for c in request.changes) or others:
            raise NotUnderstood(f"what it wants beside the distance of {value} is not clear")
        request.changes = ()
        column = _column(request, claim)
        return [Analysis("from_mean", (column,), "", {"names": names, "name": value})]
    if distances or request.changes or request.by:
        raise NotUnderstood("it does not say clearly whose distance from the mean it wants")
    for other in rest:
        if other not in counts and not _stands_apart(request, other, claim):
            raise NotUnderstood(f"the {other.name} of values beside the mean is not understood")
    column = _column(request, claim)
    _take_what_is_compared(request, claim)
    request.claims = [c for c in rest if c not in counts]
    return [Analysis(claim.name, (column,), "", {"names": names} if names else {})]


def _take_what_is_compared(request: Request, claim: Claim) -> None:
    """`How many of these test scores are above the mean`, `which students scored above it`."""
    tokens, between = request.reader.tokens, list[int]()
    for i in range(claim.place - 1, max(-1, claim.place - 8), -1):
        if tokens[i].means("figure_how_many", "figure_share_of") or plain(tokens[i].text) in WHICH:
            request.reader.taken.update(between)
            return
        named = may_name(tokens[i]) and not tokens[i].concepts & ASKING
        if not named and not is_idle(tokens[i]):
            return
        between += [i] if named else []


def _column(request: Request, claim: Claim) -> str:
    columns = request.columns(claim)
    if len(columns) != 1:
        raise NotUnderstood("it does not say of which column it wants the mean")
    return columns[0]


def _name_column(request: Request) -> str:
    of = request.of
    return of.names or (of.texts[0] if len(of.texts) == 1 else "")


def _named_value(request: Request) -> str:
    """The only name that the request mentions."""
    values = {m.value for m in request.mentions if m.value is not None}
    return values.pop() if len(values) == 1 else ""


def _stands_apart(request: Request, other: Claim, claim: Claim) -> bool:
    """Whether a figure is one of all values: `the mean, and which are above it`."""
    tokens = request.reader.tokens
    begin, end = sorted((other.place, claim.place))
    between = tokens[begin + 1 : end]
    apart = any(t.stem in STOPS or t.stem == "," or plain(t.text) in _APART for t in between)
    before = tokens[max(0, other.place - 2) : other.place]
    theirs = other.place > claim.place and any(plain(t.text) in _OF_THEM for t in before)
    following = tokens[other.place + 1 : other.place + 4]
    of_them = any(is_word(t, "of_data") or plain(t.text) in _OF_THEM for t in following)
    return apart and not theirs and not (of_them and other.place > claim.place)
