"""Finds the name of the column that a distribution is about, before the distribution or after it."""

import re

from sandbox.reading import patterns
from sandbox.reading.plain_text import column_name, singular

ENTITIES = frozenset(
    """user customer employee person patient student order transaction product company client
    member visitor subscriber household account enterprise firm respondent participant house car
    flight device store player worker shopper citizen adult individual applicant borrower business
    organization buyer driver voter tenant guest invoice event session home property vehicle
    startup candidate teacher child adult subject survey campaign listing machine server sensor
    supplier vendor partner professional consumer cohort population group profile loan policy claim
    ticket email-address sku purchase hospital school team athlete response""".split()
)
_MADE_UP = frozenset({"synthetic", "random", "fake", "mock", "dummy", "simulated", "generated"}) | {
    "variable",
    "variables",
    "column",
    "columns",
    "feature",
    "features",
    "field",
    "fields",
}
# Names leave these owners out: `user age` is `age`, but `company size` is `company_size`.
_OWNERS = frozenset(
    {"user", "customer", "employee", "person", "patient", "student", "client", "member", "visitor"}
)
GENERIC = frozenset(
    """record row sample value number point observation draw entry item example data variate datum
    instance realization case set pair dataset distribution result variable deviate measurement
    figure list array table file simulation synthetic random dummy fake mock test datapoint
    data-point outcome batch line series integer float decimal digit data_point experiment""".split()
)
_GLUE = frozenset(
    """follow follows following followed is are be been being should must will shall would to from as a an the
    drawn sampled taken distributed generated modeled modelled according approximately roughly
    using via has have having values value random randomly iid independent independently come comes
    coming with of which that by variable column field feature attribute under obey obeys obeying
    assume assumed simulated set picked chosen selected some its their per at this these those it
    they also each pulled based on can may were was need needs samples draws
    in looks look like shaped nearly more less fairly stored computed
    use uses used that's who's it's which whose positive non-negative nonnegative numeric continuous discrete integer integers""".split()
)
_STOP = frozenset(
    """generate create simulate make give me please produce want draw sample where whose and or
    for each every including include containing plus then all i we us you build synthesize
    synthesise construct provide return returns output show get obtain compute prepare let
    add i'd like but while when if into so not no than only just new both one two three
    mean average median sd std deviation sigma mu lambda scale shape alpha beta minimum maximum
    min max probability clipped truncated bounded limited restricted capped between rounded
    correlated correlation unique columns fields features attributes column field dataset data set
    standard parameter parameters trials peaks centered centred averaging within around staying lying falling kept remaining repetition replacement peak modes variance
    seed json csv format document response assume given""".split()
)
_UNITS = (
    r"\bin (?:centimet(?:er|re)s|kilomet(?:er|re)s|kilograms?|millimet(?:er|re)s|degrees(?: celsius| fahrenheit)?|units|points|cm|mm|km|kg|lbs?|pounds|grams?|inches|feet|meters|metres|minutes|mins?|seconds|secs?|ms|"
    r"milliseconds|hours|days|weeks|months|years|dollars|usd|eur|euros|gbp|percent|celsius|fahrenheit|"
    r"thousands|millions|mg/dl|mmhg|bpm)\b|\((?:cm|mm|km|kg|lbs?|minutes|mins?|seconds|secs?|s|ms|hours|"
    r"days|years|usd|\$|eur|€|%|in|inches|°c|°f|bpm|mg/dl|mmhg)\)"
)
_TOKEN = re.compile(r"[A-Za-z_][\w']*(?:-[A-Za-z]\w*)*|[^\sA-Za-z_]")
_PASSED = frozenset(":=~(-\"'")
_MOST_WORDS = 3


def without_units(text: str) -> str:
    return patterns.sub(_UNITS, lambda match: " " * len(match[0]), text, flags=re.I)


def before(text: str, end: int, *, past_comma: bool = False) -> tuple[str, int]:
    """The column's name before `end`, and where the name begins; "" if there is no name."""
    tokens = list(_TOKEN.finditer(text, max(0, end - 120), end))
    at = len(tokens) - 1
    linked = explicit = False  # in `a is` and `a ~`, even the article is a name
    while at >= 0 and _skipped(tokens[at][0], past_comma=past_comma):
        if linked and tokens[at][0] == "a":
            return "a", tokens[at].start()
        past_comma = past_comma and tokens[at][0] != ","
        explicit = explicit or tokens[at][0] in "~="
        linked = tokens[at][0] in ("is", "~", "=", "follows", "has")
        at -= 1
    taken: list[re.Match[str]] = []
    while at >= 0 and len(taken) < _MOST_WORDS and may_be_name(tokens[at][0]):
        if taken and "\n" in text[tokens[at].end() : taken[-1].start()]:
            break
        taken.append(tokens[at])
        at -= 1
    if taken and at >= 1 and tokens[at][0].lower() == "per":  # as in `arrivals per hour`
        return before(text, tokens[at].start())
    if taken and at >= 1 and tokens[at][0] == "of" and tokens[at - 1][0] in ("number", "count"):
        return f"{singular(taken[0][0])}_count", tokens[at - 1].start()
    if (
        taken
        and _only_entities([t[0] for t in taken])
        and at >= 1
        and tokens[at][0].lower() == "of"
    ):
        owner, start = before(text, tokens[at].start())
        if owner:
            return owner, start
    taken.reverse()
    tokens_taken = [t[0] for t in taken]
    name = (
        column_name(tokens_taken[0])
        if explicit and len(tokens_taken) == 1
        else cleaned(tokens_taken)
    )
    return (name, taken[0].start()) if name else ("", end)


_LEAD = re.compile(
    r"(?:\s*+\([^()]*\))?[- ]*(?:ly)?[- ]*(?:distributed|distribution|dist\.?)?\s*+(?:random|numeric|continuous|integer|"
    r"synthetic|fake|independent|of|for|the|their|variable|values of|values for|with)*\s*+",
    re.I,
)


def after(text: str, start: int) -> tuple[str, int]:
    """The name right after a distribution, as in `normally distributed ages`, and where it ends."""
    match = _LEAD.match(text, start)
    begin = match.end() if match else start
    taken: list[re.Match[str]] = []
    for token in _TOKEN.finditer(text, begin, begin + 80):
        if (
            len(taken) == _MOST_WORDS
            or not may_be_name(token[0])
            or token[0].lower() in ("given", "per")
        ):
            break
        if taken and text[taken[-1].end() : token.start()].strip():
            break
        if not taken and text[begin : token.start()].strip():
            break
        taken.append(token)
    name = cleaned([t[0] for t in taken])
    return (name, taken[-1].end()) if name else ("", start)


def cleaned(words: list[str]) -> str:
    """The column's name in a noun phrase, or "" if the phrase only names records."""
    words = [word for word in words if word]
    while len(words) > 1 and singular(words[0]) in _OWNERS | _MADE_UP:
        words = words[1:]
    while len(words) > 1 and words[-1].lower() in _TAIL:
        words = words[:-1]
    if not words or _only_entities(words) or all(singular(w) in GENERIC for w in words):
        return ""
    return column_name(" ".join(words))


_TAIL = frozenset(
    {"shares", "share", "split", "mix", "breakdown", "proportions", "percentages", "values", "data"}
    | {"variable", "variables", "column", "columns", "field", "distribution", "records", "samples"}
)


def _skipped(token: str, *, past_comma: bool) -> bool:
    return token.lower() in _GLUE or token in _PASSED or (past_comma and token == ",")


def is_a_name(word: str) -> bool:
    """Whether a single word can name a column."""
    return may_be_name(word) and word.isidentifier() and singular(word) not in ENTITIES | GENERIC


def may_be_name(token: str) -> bool:
    low = token.lower()
    return (token[0].isalpha() or token[0] == "_") and low not in _GLUE and low not in _STOP


def _only_entities(words: list[str]) -> bool:
    return all(singular(word) in ENTITIES | GENERIC for word in words)
