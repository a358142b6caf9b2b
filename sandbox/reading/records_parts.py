"""Finds how many parts of each record are so, and writes it as a binomial distribution.

`Each batch has 50 parts and each part is bad with probability 4%: number of bad parts` says the same as
`binomial(50, 0.04)`. All three pieces must be there, and what is counted must be what has the
probability; otherwise the text stays as it is, and its words are not understood.
"""

import re

_NO = r"(?!(?:not?|never|at|least|most|if|only|than|first|last|more|less|fewer|except|unless|without|both|either|until|no|nunca|solo|menos|más|al|hasta|sin|si|cuando|primer[oa]?|the|la|el)\b)"
_W = rf"{_NO}[^\W\d_]{{2,20}}(?:-[^\W\d_]{{1,15}})?"
_P = r"(?P<p>\d+(?:[.,]\d+)?\s?%?|[.,]\d+)"
_N = r"(?P<n>\d{1,6})"
_AND = r"[\s,;.]{0,4}(?:\b(?:and|where|y|donde|in which|de los que)\b\s{0,4})?"
_TRIALS = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"\b(?:each|every) {_W} (?:has|have|contains|holds|gets|receives|carries|consists of|is made of) {_N} {_W}",
        rf"\bcada {_W} (?:tiene|trae|contiene|lleva|recibe|consta de) {_N} {_W}",
        rf"\b(?:(?:I|we) {_W} )?{_N} {_W} (?:per|in each|in every) {_W}",
        rf"(?:\b[^\W\d_]{{3,12}}(?:o|amos) )?\b{_N} {_W} (?:por|en cada) {_W}",
        rf"(?<=[a-z]) (?:of|with|de|con) {_N} {_W}(?: each| cada un[oa])?(?=,? (?:where|and|donde|y)?\s*(?:each|every|cada|the|number|el|n[uú]mero))",
    )
)
_EACH = (
    rf"\b(?:each|every)(?: of (?:them|these)| one| {_W})?|\bcada (?:un[oa](?: de ell[oa]s)?|{_W})"
)
_EVENTS = tuple(
    re.compile(rf"{_AND}(?:{_EACH}) {rest}", re.I)
    for rest in (
        rf"(?:(?:is|are|being|gets|comes out|turns out|sale|es|está|resulta|llega) )?(?:an? |una? )?(?P<event>{_W})(?: (?:with|con)(?: an?| una)? (?:probability|chance|probabilidad|prob\.?)(?: of| de| del)?| independently with probability) {_P}",
        rf"(?:has|tiene|with|con)(?: an?| una?)? {_P} (?:chance|probability|likelihood) of (?:being |becoming |getting )?(?P<event>{_W})",
        rf"(?:has|tiene) una probabilidad (?:de |del )?{_P} de (?:ser |estar |salir )?(?P<event>{_W})",
    )
)
_COUNTS = re.compile(
    rf"\(?(?:(?:the |el )?(?:number|count|n[uú]mero|cantidad) (?:of|de)|how many|¿?\s?cu[aá]nt[oa]s)(?: of (?:them|these|the {_W}))?"
    rf"(?P<what>(?: (?:the |los |las |are |is |son )?{_W}){{1,3}}?)(?: (?:per|in each|in every|of each|for each|por|en cada|de cada)(?: {_W})?)?(?=\s*(?:[.,;:?)\n]|$))[?)]?",
    re.I,
)
_TRIED = re.compile(
    rf"(?:the )?number of successes in {_N} (?:independent )?trials(?: each)?,?(?: with| where)?(?: an?)?"
    rf"(?: success)? ?(?:probability(?: of success)?|p|chance of success)(?: of| is)?\s?=?\s?{_P}"
    r"|(?:el )?n[uú]mero de [eé]xitos en (?P<n2>\d{1,6}) (?:ensayos|intentos|pruebas)(?: independientes)?,?(?: con| donde)?(?: una)?"
    r" ?(?:probabilidad(?: de [eé]xito)?|p)(?: de| es)?\s?=?\s?(?P<p2>\d+(?:[.,]\d+)?\s?%?)",
    re.I,
)
_COIN = re.compile(
    r"\b(?:(?:of )?(?:flip|toss)(?:ping|ing)? (?:a|one) (?:fair )?coin (?P<n>\d{1,6}) times"
    r"|(?P<m>\d{1,6}) (?:(?:fair )?coin )?(?:flips|tosses) (?:of a (?:fair )?coin)?)",
    re.I,
)
_HEADS = re.compile(
    r"(?:(?:the )?(?:number of|how many)|count(?:ing)?(?: the)?) (?P<side>heads|tails)"
    r"(?=\s*(?:[.,;:?)\n]|$)| (?:in|per|for) (?:each|every))",
    re.I,
)


def as_binomial(text: str) -> str:
    """The text, with `binomial(n, p)` where it says how many parts of each record are so."""
    tried = _TRIED.search(text)
    if tried:
        return (
            text[: tried.start()]
            + _call(tried["n"] or tried["n2"], tried["p"] or tried["p2"])
            + text[tried.end() :]
        )
    coin, heads = _COIN.search(text), _HEADS.search(text)
    if coin and heads:
        made = f"{heads['side']} {_call(coin['n'] or coin['m'], '0.5')}"
        return _cut(text, {heads.span(): made, coin.span(): ""})
    event = next((m for pattern in _EVENTS if (m := pattern.search(text))), None)
    if event is None:
        return text
    trials = next((m for p in _TRIALS for m in p.finditer(text) if _apart(m, event)), None)
    if trials is None:
        return text
    counts = next(
        (m for m in _COUNTS.finditer(text) if _apart(m, event) and _apart(m, trials) and _same(m, event)),
        None,
    )  # fmt: skip
    if counts is None:
        return text
    before = text[: counts.start()].rstrip()
    bracket = counts[0].startswith("(") or before.endswith(("=", "("))
    name = "" if bracket or _labelled(before) else f"{event['event']} "
    made = f" {name}{_call(trials['n'], event['p'])}"
    return _cut(text, {counts.span(): made, event.span(): "", trials.span(): ""})


def _call(n: str, p: str) -> str:
    share = p.replace(",", ".").replace(" ", "")
    value = float(share.rstrip("%")) / (100 if share.endswith("%") else 1)
    return f"binomial({n}; {value:.12g})"


def _apart(first: "re.Match[str]", other: "re.Match[str]") -> bool:
    return first.end() <= other.start() or other.end() <= first.start()


def _same(counts: "re.Match[str]", event: "re.Match[str]") -> bool:
    """Whether what is counted is what has the probability: `bad parts` and `is bad`."""
    start = event["event"].lower()[:4]
    return any(word.lower().startswith(start) for word in counts["what"].split())


def _labelled(before: str) -> bool:
    """Whether a column's name stands before, as in `defects:`; not the noun of a count."""
    return re.search(r"(?<!\d )\b[^\W\d]+:$", before) is not None


def _cut(text: str, pieces: dict[tuple[int, int], str]) -> str:
    for (start, end), made in sorted(pieces.items(), reverse=True):
        text = f"{text[:start]} {made} {text[end:]}" if made else f"{text[:start]}{text[end:]}"
    return text
