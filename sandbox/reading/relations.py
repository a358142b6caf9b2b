"""Reads relations between columns: correlations, and columns computed from others."""

import re
from typing import Literal

from sandbox.reading import naming, patterns
from sandbox.reading.budget import spend
from sandbox.reading.numbers import NUMBER, number
from sandbox.reading.plain_text import Words, column_name
from sandbox.spec import Correlation

_NAME = r"(?:the |their |its |an? |each )?(?P<{0}>[A-Za-z_]\w*(?:[ -](?!and\b|with\b|is\b|are\b|has\b|have\b|should\b|must\b|of\b|at\b|that\b|which\b|correlat)[A-Za-z_]\w*){{0,2}}?)"
_A, _B = _NAME.format("a"), _NAME.format("b")
# Each pattern must match a text in only one way. Otherwise a hostile text could keep it busy for
# exponential time.
_LEVEL = (
    r"(?:\s{0,20}(?:(?:coefficient|score|value|of|is|at|about|around|roughly|approximately|being|be|by|a|an|with|should|must|set|to|equal|strength|level|near|where|having)(?![a-z])|[=:,(~])){0,6}"
    r"\s{0,20}(?P<measure>R2|r|rho|pearson(?:'s)?(?: r)?|correlation)?"
    r"(?:\s{0,20}(?:(?:coefficient|of|is|at|about|around|approximately|be)(?![a-z])|[=:~])){0,4}\s{0,20}"
    rf"(?P<relation>>=?|<=?|greater than|more than|above|over|at least|exceed(?:s|ing)?|higher than|below|less than|under|at most|no less than)?\s{{0,20}}(?:of\s{{0,20}})?(?P<value>{NUMBER})\s?\)?"
)
_STRENGTH = r"(?P<strength>strong(?:ly)?|highly?|weak(?:ly)?|moderate(?:ly)?|perfectly|negative(?:ly)?|positive(?:ly)?|inverse(?:ly)?|tightly|closely)"
_SOME = rf"(?:(?:{_STRENGTH.replace('strength', 'strength0')},?\s*+)?(?:{_STRENGTH.replace('strength', 'strength1')}\s*+)?)"
_PATTERNS = (
    # Matches `r(a, b) = 0.7`.
    rf"\b(?P<measure>R2|r|corr(?:elation)?|rho)\s*+\(\s*+{_A}\s*+,\s*+{_B}\s*+\)\s*+(?P<relation>>=?|<=?|=|of|is|:)?\s*+(?P<value>{NUMBER})",
    # Matches `a correlation of 0.7 between a and b`.
    rf"(?:(?:with|and|have|has|add|at|assume|target|an?) ){{0,4}}(?:{_SOME})(?:(?:pearson|linear|sample|target)\s*+)?(?P<measure>correlat(?:ion|ed)|R2|r|pearson(?:'s)? r|rho)(?:{_LEVEL.replace('measure', 'measure2')})\s*+(?:between|for|of|across)\s++{_A}\s++(?:and|vs\.?|with|to|on)\s++{_B}(?=[^\S\n]*+(?:\n|\s*+(?:[,.;)]|$|\band\b|\bshould\b|\bis\b|\bwith\b)))",
    # Matches `correlation between a and b of 0.7`.
    rf"(?:(?:with|and|have|has|add|at|assume|the|an?) ){{0,4}}(?:{_SOME})(?:(?:pearson|linear|sample|target)\s*+)?(?P<measure>correlation|R2|r|relationship)\s*+(?:coefficient )?(?:between|for|of)\s++{_A}\s++(?:and|vs\.?|with|to|on)\s++{_B}{_LEVEL.replace('measure', 'measure2')}",
    # Matches `a and b are correlated at 0.7`.
    rf"(?<![\w-]){_A}\s++and\s++{_B}\s*+(?:(?:columns?|values?|variables?|that|which|should|must|are|be|is|to be|have|has|with|being|a|an)\s++){{0,5}}(?:{_SOME})correlat(?:ed|ion|e)\b(?: with each other| together)?{_LEVEL}",
    # Matches `b correlates with a at 0.7`.
    rf"(?<![\w-]){_A}\s*+(?:(?:that|which|who|should|must|are|is|be|to be|will|has|have|a|an|,|being|linearly|also)\s++){{0,5}}(?:{_SOME})(?:correlat(?:es?|ed|ing|ion)|related|linked|associated)\s++(?:with|to)\s++{_B}{_LEVEL}",
    # Match `b explained by a with R2 > 0.8` and `b with R2 > 0.8 to a`.
    rf"(?<![\w-]){_A}\s*+(?:(?:is|are|,|should be|driven|explained|predicted|determined|strongly|mostly|largely)\s++){{0,4}}\s*+(?:by|from|on|tied to|follow(?:s|ing)?|depend(?:s|ing)? on|dependent on|scal(?:es|ing) with)\s++{_B}\s*+(?:with|at|\(|,|so that|and)?\s*+(?:an? )?(?P<measure>R2|r)\s*+(?:of|=|is|:)?\s*+(?P<relation>>=?|<=?|above|over|at least|greater than|exceeding)?\s*+(?P<value>{NUMBER})\s*+\)?",
    rf"(?<![\w-]){_A}\s*+(?:with|having|\(|at)\s*+(?:an? )?(?P<measure>R2|r)\s*+(?:of|=|is|:)?\s*+(?P<relation>>=?|<=?|above|over|at least|greater than|exceeding)?\s*+(?P<value>{NUMBER})\s*+\)?\s*+(?:with|to|against|on|vs\.?|versus|relative to|from|for)\s++(?:respect to\s++)?{_B}(?=[^\S\n]*+(?:\n|\s*+(?:[,.;)]|$|\band\b)))",
)  # fmt: skip


def correlations(words: Words) -> list[Correlation]:
    correlations_found: list[Correlation] = []
    for pattern in _PATTERNS:
        spend()
        while (match := patterns.search(pattern, words.text, re.I)) is not None:
            spend()
            made = _made(match)
            if made is None:
                break
            correlations_found.append(made)
            words.blank(*match.span())
    return correlations_found


_HANGING = rf"(?:that|which|and)\s++(?:is\s++|are\s++|should\s++|be\s++){{0,5}}(?:{_SOME})correlat(?:es?|ed)\s++(?:with|to)\s++{_B}{_LEVEL}"


def correlations_of_the_last(words: Words) -> list[tuple[int, Correlation]]:
    """Find correlations without their first column: `sd 14, that correlates with age at 0.5`."""
    correlations_found = []
    while (match := patterns.search(_HANGING, words.text, re.I)) is not None:
        spend()
        made = _valued(match, ("?", _name(match["b"])))
        if made is not None:
            correlations_found.append((match.start(), made))
        words.blank(*match.span())
    return correlations_found


def _made(match: "re.Match[str]") -> Correlation | None:
    return _valued(match, (_name(match["a"]), _name(match["b"])))


def _valued(match: "re.Match[str]", names: tuple[str, str]) -> Correlation | None:
    groups = match.groupdict()
    value = number(groups["value"])
    measures = " ".join(g for key, g in groups.items() if key.startswith("measure") and g)
    measure: Literal["r", "r2"] = "r2" if "R2" in measures or "r2" in measures.lower() else "r"
    strength = " ".join(g for key, g in groups.items() if key.startswith("strength") and g).lower()
    if measure == "r" and value > 0 and ("negative" in strength or "inverse" in strength):
        value = -value
    if not all(names) or names[0] == names[1] or abs(value) > 100:
        return None
    if abs(value) > 1 and "%" not in groups["value"]:
        return None
    return Correlation(names[0], names[1], value, measure, _relation(groups.get("relation")))


def _name(words: str) -> str:
    """The column's name in a phrase: `generate users whose age` gives `age`."""
    parts = [w for w in patterns.split(r"\s++", words.strip()) if w]
    if len(parts) == 1 and len(parts[0]) == 1:  # a single letter is a name, even `a`
        return parts[0].lower()
    while parts and not naming.may_be_name(parts[0]):
        parts = parts[1:]
    return (naming.cleaned(parts) or column_name(" ".join(parts))) if parts else ""


def _relation(words: str | None) -> Literal["=", ">", "<"]:
    low = (words or "").lower()
    if low.startswith(
        (">", "greater", "more", "above", "over", "at least", "exceed", "higher", "no less")
    ):
        return ">"
    return "<" if low.startswith(("<", "below", "less", "under", "at most")) else "="


_SYMBOLS = re.compile(
    r"(?<![\w.])(?P<name>[A-Za-z_]\w*(?: [A-Za-z_]\w*)?)\s*+(?:=|:=|:|is calculated as|is computed as|computed as|calculated as|defined as|as|equals|is|given by|should be|equal to)\s*+"
    r"(?P<formula>\(?\s*+[A-Za-z_0-9][\w.]*\s*+(?:(?:\*\*|[+*/^]|(?<=\s)-(?=\s))\s*+\(?\s*+[A-Za-z_0-9.][\w.]*\s*+\)?\s*+)+)(?:(?<=\s)|(?=[,;.)]|$))"
)
_WORDED = (
    (
        r"(?P<x>[A-Za-z_]\w*(?: [A-Za-z_]\w*)?)\s++(?:times|multiplied by|x)\s++(?P<y>[\w.]+(?: [A-Za-z_]\w*)?)",
        "*",
    ),
    (
        r"(?P<x>[A-Za-z_]\w*(?: [A-Za-z_]\w*)?)\s++(?:minus|less)\s++(?P<y>[\w.]+(?: [A-Za-z_]\w*)?)",
        "-",
    ),
    (r"(?P<x>[A-Za-z_]\w*(?: [A-Za-z_]\w*)?)\s++plus\s++(?P<y>[\w.]+(?: [A-Za-z_]\w*)?)", "+"),
    (
        r"(?P<x>[A-Za-z_]\w*(?: [A-Za-z_]\w*)?)\s++(?:divided by|over)\s++(?P<y>[\w.]+(?: [A-Za-z_]\w*)?)",
        "/",
    ),
    (r"the (?:sum|total) of (?P<x>[A-Za-z_]\w*)\s++and\s++(?P<y>[A-Za-z_]\w*)", "+"),
    (r"the product of (?P<x>[A-Za-z_]\w*)\s++and\s++(?P<y>[A-Za-z_]\w*)", "*"),
    (r"the ratio of (?P<x>[A-Za-z_]\w*)\s++to\s++(?P<y>[A-Za-z_]\w*)", "/"),
    (r"the difference between (?P<x>[A-Za-z_]\w*)\s++and\s++(?P<y>[A-Za-z_]\w*)", "-"),
)
_IS = r"(?<![\w-])(?P<name>[A-Za-z_]\w*(?: [A-Za-z_]\w*)?)\s*+(?:=|:|is calculated as|is computed as|computed as|calculated as|defined as|as|equals|is|equal to|that is|which is|given by|should be|should equal|is the)\s++(?:exactly )?"


def derived(words: Words) -> list[tuple[str, str]]:
    """Find columns that are computed from other columns: pairs of a name and a formula."""
    columns: list[tuple[str, str]] = []
    while (match := _SYMBOLS.search(words.text)) is not None:
        spend()
        formula = _formula(match["formula"])
        if formula and patterns.search(r"[A-Za-z_]", formula):
            name = _name(match["name"])
            if name:
                columns.append((name, formula))
        words.blank(match.start("name"), match.end("formula"))
    for pattern, sign in _WORDED:
        while (match := patterns.search(_IS + pattern, words.text, re.I)) is not None:
            spend()
            name = _name(match["name"])
            if name:
                left, right = _operand(match["x"]), _operand(match["y"])
                columns.append((name, f"{left} {sign} {right}"))
            words.blank(*match.span())
    return columns


def _operand(text: str) -> str:
    return text if patterns.fullmatch(r"[\d.]+", text) else _name(text)


def _formula(text: str) -> str:
    text = text.strip().replace("^", "**")
    if text.count("(") < text.count(")"):
        text = text.rstrip(") ")
    return patterns.sub(r"[A-Za-z_]\w*", lambda m: column_name(m[0]), text)
