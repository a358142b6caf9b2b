"""Reads the bounds and decimals of a column, beside its name or in a separate sentence."""

import re
from dataclasses import replace

from sandbox.reading import distributions, patterns
from sandbox.reading.budget import spend
from sandbox.reading.numbers import NUMBER, WHOLE, number
from sandbox.reading.plain_text import Words, column_name
from sandbox.spec import Field


def wants_integers(text: str) -> bool:
    return bool(patterns.search(r"\b(?:integers?|whole numbers?|int)\b", text, re.I))


def decimals_wanted(text: str) -> int | None:
    """The number of decimals: 0 for whole numbers, None if the text does not say."""
    places = patterns.search(
        rf"({WHOLE})\s*+(?:decimal(?: place)?s?|digits after|d\.?p\.?|decimals)\b", text, re.I
    )
    if places:
        return int(number(places[1]))
    if patterns.search(
        r"\b(?:integers?|whole numbers?|whole years?|rounded to (?:the )?nearest (?:integer|whole|year|one)|as int|ints)\b",
        text,
        re.I,
    ):
        return 0
    if patterns.search(r"\b(?:to the cent|cents|two places|2 places)\b", text, re.I):
        return 2
    return None


_CLIP = r"\b(?:clip(?:ped|ping)?|cap(?:ped)?|clamp(?:ed)?|winsori[sz]ed?)\b"


_CUT = r"\b(?:truncat(?:ed|e|ion)|bounded|limit(?:ed|s)?|restrict(?:ed)?|constrained|confined|kept|keep|stay(?:ing|s)?|within|between|range|ranging|from|in|but|only|bounds?|lie|lying|fall|falling|all|values|must be|should be)\b"


def bounds(text: str) -> tuple[float | None, float | None, bool]:
    """The bounds in a text, and whether to move values outside the bounds to the bounds."""
    text = (
        patterns.split(r"\n|;|\.\s", text)[0]
        if "\n" in text or ";" in text or ". " in text
        else text
    )
    spend()
    clip = bool(patterns.search(_CLIP, text, re.I))
    match = patterns.search(
        rf"(?:{_CLIP}|{_CUT})[^\d\n;.]{{0,30}}?[\[(]?\s*+({NUMBER})\s*+(?:and|to|-|,|\.\.)\s*+({NUMBER})\s*+[\])]?",
        text,
        re.I,
    )
    match = match or patterns.search(
        rf"(?:^|,|\()\s*+({NUMBER})\s*+(?:-|to)\s*+({NUMBER})\s*+(?:only|years?)?\s*+(?:\)|$|,|\.)",
        text,
    )
    if match:
        both = distributions.span(match[0][match.start(1) - match.start() :])
        least, most = both or (number(match[1]), number(match[2]))
        return (least, most, clip) if least < most else (None, None, False)
    high = _bound(text, r"no (?:\w+ )?(?:above|over|more than|higher than|greater than|exceeding)")
    low = _bound(text, r"no (?:\w+ )?(?:below|under|less than|lower than|smaller than)")
    if low is not None or high is not None:
        return low, high, clip
    low = _bound(
        text,
        r"(?:min(?:imum)?(?: value)?|at least|no (?:less|lower|smaller) than|not (?:below|less than|under)|lower bound|greater than or equal to|above|over|>=?|floor(?:ed)? at|starting at|never (?:below|less than|under)|bounded below by|clipped at a minimum of|truncated below at|(?:clipped|truncated) below)",
    )
    high = _bound(
        text,
        r"(?:max(?:imum)?(?: value)?|at most|no (?:more|higher|greater|larger) than|not (?:above|more than|exceed(?:ing)?|over)|upper bound|less than or equal to|below|under|<=?|up to|capped at|ceiling of|never (?:above|more than|over|exceed(?:ing|s)?)|bounded above by|truncated above at)",
    )
    if low is None and patterns.search(
        r"\b(?:non-?negative|no negatives?|not negative|never negative|negatives? (?:are |is )?not allowed|clipped at (?:zero|0)|truncated at (?:zero|0)|>= ?0)\b",
        text,
        re.I,
    ):
        low = 0.0
    if low is None and patterns.search(r"\b(?:strictly )?positive\b(?! corr| trend)", text, re.I):
        low = 0.0
    return low, high, clip


def _bound(text: str, words: str) -> float | None:
    match = patterns.search(
        rf"(?<![\w-]){words}\s*+(?:value|of|is|=|:|at|to|be|than)?\s*+({NUMBER})", text, re.I
    )
    return number(match[1]) if match else None


def orders(words: Words) -> list[tuple[str, str]]:
    """Take separate sentences, such as `Round salaries to 2 decimals.`, with the column's name."""
    separate_orders = []
    pattern = r"(?:^|(?<=[.;\n])|(?<=\band)|(?<=,)|(?<=\bthen))\s*+(?:please )?((?:round|clip|truncate|cap|clamp|limit|restrict|bound|keep)\s++(?:all |the )?(?P<name>[a-z_]\w*(?: [a-z_]\w*){0,2}?)(?: values?| column)?\s++(?:to|at|between|within|in|as|under|above|below|from)\b[^.;\n]*(?:\.\d[^.;\n]*)?)"
    for match in patterns.finditer(pattern, words.text, re.I):
        spend()
        name = column_name(match["name"])
        if name in ("it", "them", "value", "result", "everything", "number"):
            name = ""
        separate_orders.append((name, match[1]))
        words.blank(match.start(1), match.end(1))
    for match in patterns.finditer(
        r"(?:^|(?<=[.;\n]))\s*+(?P<name>(?:all )?[a-z_]\w*(?: [a-z_]\w*)?) (?:must|should|have to|need to) (?:be|lie|fall|stay|not)\b[^.;\n]*",
        words.text,
        re.I,
    ):
        spend()
        order = match[0]
        if (
            patterns.search("|".join(p for _, p in distributions.FAMILIES), order, re.I)
            or "%" in order
            or "correlat" in order
        ):
            continue
        name = column_name(patterns.sub(r"^all ", "", match["name"].strip(), flags=re.I))
        separate_orders.append((name, order))
        words.blank(*match.span())
    return separate_orders


def with_orders(fields: list[Field], orders: list[tuple[str, str]]) -> list[Field]:
    for name, order in orders:
        for i, f in enumerate(fields):
            if f.role == "number" and (
                name in (f.name, "") or f.name.endswith("_" + name) or name.endswith("_" + f.name)
            ):
                low, high, clip = bounds(order)
                decimals = decimals_wanted(order)
                unique = f.unique or "unique" in order
                fields[i] = replace(
                    f,
                    low=f.low if low is None else low,
                    high=f.high if high is None else high,
                    clip=f.clip
                    or clip
                    or (low is not None and order.lower().startswith(("clip", "cap", "clamp"))),
                    decimals=f.decimals if decimals is None else decimals,
                    unique=unique,
                )
    return fields
