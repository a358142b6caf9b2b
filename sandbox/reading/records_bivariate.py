"""Finds two columns that are normal together, and writes them as two columns and a correlation.

`x1, x2 ~ bivariate normal, means 0 and 5, sds 1 and 2, rho 0.6` needs no rule of its own then. A text
that gives less than two means, two spreads and a correlation stays as it is.
"""

import math
import re

_NUMBER = r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)"
_NAMES = re.compile(
    r"\(?\b(?P<first>[^\W\d]\w{0,24})\s*+(?:,|\band\b|\b[ye]\b|&)\s*+(?P<second>[^\W\d]\w{0,24})\)?\s*+"
    r"(?:pairs?|values?|pares|points?)?\s*+(?:~|,|from|follow(?:s|ing)?|that follow|drawn from|are|as|with|siguen|sigan|de|con|jointly)?\s*+(?:an? |una? |the )?$",
    re.I,
)
# The word before the phrase that belongs to it, and white space at the end.
_LINKING = re.compile(r"(?:\bfrom|~|\bde|\bwith)\s*+$|(?<!\s)\s*+$|\Z")
_BIVARIATE = re.compile(
    r"(?:(?:an? |una? )?(?:distribuci[oó]n )?(?P<std1>standard )?(?:bi-?variate|2-?d|two-dimensional|jointly)(?P<std2>[ -]standard)? (?:normal(?:ly)?|gaussian)(?: (?:distribution|distributed))?"
    r"|(?:an? |una? )?(?:distribuci[oó]n )?normal(?:es)? (?P<std3>est[aá]ndar )?bivariad[ao]s?(?P<std4> est[aá]ndar)?"
    r"|(?:an? |una? )?(?:distribuci[oó]n )?normal (?P<std5>est[aá]ndar )?bivariante(?P<std6> est[aá]ndar)?"
    r"|(?:are )?(?:both |jointly )*normal(?:ly)?(?: distributed)?(?=,? (?:with )?means \d)"
    r"|(?:son )?normales(?=,? (?:con |de )?medias \d))\b",
    re.I,
)
_PAIR = (
    rf"[\s:=]*+(?:of |are |de |vector |is )?[\[(]?\s*+(?P<one>{_NUMBER})\s*+(?:(?:,|;|\band\b|\by\b|&)\s*+"
    rf"(?P<two>{_NUMBER}))?(?:\s*[\])])?(?:\s*(?:each|both|cada una|ambas))?"
)
_LINK = r"[\s,;]{0,4}(?:\b(?:with|and|con|y|having)\s+)?(?:\ban?\s+|\buna?\s+)?"
_NAMES_AFTER = re.compile(
    r"\A\s*+(?:variables|columns|columnas|pairs|pares)?\s*+\(?(?P<first>[^\W\d]\w{0,24})\s*+(?:,|and|y)\s*+"
    r"(?P<second>[^\W\d]\w{0,24})\)?(?=,| with| con)"
)
_MEANS = re.compile(rf"{_LINK}\b(?:mean vector|means?|mu|μ|medias?)\b{_PAIR}", re.I)
_SPREADS = re.compile(
    rf"{_LINK}\b(?P<what>standard deviations?|std\.? devs?|sds?|stds?|sigmas?|desviaciones(?: (?:est[aá]ndar|t[ií]picas))?"
    rf"|desviaci[oó]n(?: (?:est[aá]ndar|t[ií]pica))?|variances?|varianzas?)\b{_PAIR}",
    re.I,
)
_ZERO = re.compile(rf"{_LINK}\b(?:zero means?|medias? cero)\b", re.I)
_UNIT = re.compile(rf"{_LINK}\b(?:unit variances?|varianzas? unitarias?|varianzas? uno)\b", re.I)
_CORRELATION = re.compile(
    rf"{_LINK}\b(?:correlaci[oó]n|correlation(?: coefficient)?|corr|cor|rho|r)\b|ρ",
    re.I,
)
_LEVEL = re.compile(rf"[\s:=]{{0,6}}(?:of |is |de |igual a )?(?P<r>{_NUMBER})(?!\s*%|\d)", re.I)
_COVARIANCE = re.compile(
    rf"{_LINK}\b(?:covariance matrix|cov|covariance|matriz de covarianzas?)[\s:=]*(?:of |is |de )?"
    rf"\[\s*\[\s*(?P<a>{_NUMBER})\s*,\s*(?P<b>{_NUMBER})\s*\]\s*[,;]\s*\[\s*(?P<c>{_NUMBER})\s*,\s*(?P<d>{_NUMBER})\s*\]\s*\]",
    re.I,
)


def as_two_columns(text: str) -> str:
    """The text, with two columns and their correlation for a bivariate normal distribution."""
    phrase = _BIVARIATE.search(text)
    if phrase is None:
        return text
    standard = any(phrase[f"std{i}"] for i in range(1, 7))
    before, after = text[: phrase.start()], text[phrase.end() :]
    names = _NAMES.search(before)
    later = None if names else _NAMES_AFTER.match(after)
    if later:
        after = after[later.end() :]
    named = names or later
    if named is None and not re.search("bivar|2-?d|two-dim|jointly", phrase[0], re.I):
        return text
    first, second = (named["first"], named["second"]) if named else ("x", "y")
    before = before[: names.start()] if names else _LINKING.sub(" ", before)
    before = re.sub(r"(?:\b(?:of )?two|\b(?:de )?dos)\s*$", "", before)
    covariance = _COVARIANCE.search(after)
    if covariance:
        a, b, c, d = (float(covariance[key]) for key in "abcd")
        if b != c or a <= 0 or d <= 0:
            return text
        spreads, r = (math.sqrt(a), math.sqrt(d)), f"{b / math.sqrt(a * d):.12g}"
        after = after[: covariance.start()] + after[covariance.end() :]
    else:
        taken = _spreads(after, standard=standard)
        level = taken and _level(taken[1])
        if not taken or not level:
            return text
        spreads, (r, after) = taken[0], level
    means = _means(after, standard=standard)
    if means is None:
        return text
    (mean1, mean2), after = means
    spanish = (
        re.search(r"\b(?:bivaria(?:d|nte)|medias?|desviaci|correlaci[oó]n|filas)", text) is not None
    )
    mean, sd, related, and_ = (
        ("media", "desviación", "correlación", "e")
        if spanish
        else ("mean", "sd", "correlation", "and")
    )
    made = (
        f"{first} ~ normal {mean} {mean1:.12g} {sd} {spreads[0]:.12g}; {second} ~ normal {mean} {mean2:.12g} "
        f"{sd} {spreads[1]:.12g}; {related} {r} {'entre' if spanish else 'between'} {first} {and_} {second}; "
    )
    return f"{before}: {made}{after.lstrip(' ,;')}"


def _spreads(text: str, *, standard: bool) -> tuple[tuple[float, float], str] | None:
    match = _SPREADS.search(text)
    unit = _UNIT.search(text)
    if match is None and (standard or unit):
        return (1.0, 1.0), text if unit is None else text[: unit.start()] + text[unit.end() :]
    if match is None or standard:
        return None
    first = float(match["one"])
    second = float(match["two"] or match["one"])
    if "var" in match["what"].lower():
        first, second = math.sqrt(max(first, 0)), math.sqrt(max(second, 0))
    return (first, second), text[: match.start()] + text[match.end() :]


def _means(text: str, *, standard: bool) -> tuple[tuple[float, float], str] | None:
    match = _MEANS.search(text)
    zero = _ZERO.search(text)
    if match is None and (standard or zero):
        return (0.0, 0.0), text if zero is None else text[: zero.start()] + text[zero.end() :]
    if match is None or (standard and float(match["one"]) != 0):
        return None
    first = float(match["one"])
    second = first if match["two"] is None else float(match["two"])
    return (first, second), text[: match.start()] + text[match.end() :]


def _level(text: str) -> tuple[str, str] | None:
    cue = _CORRELATION.search(text)
    level = _LEVEL.match(text, cue.end()) if cue else None
    if cue is None or level is None:
        return None
    return level["r"], text[: cue.start()] + text[level.end() :]
