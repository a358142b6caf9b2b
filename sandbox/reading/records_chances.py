"""Reads dice with any number of faces, sums of dice, and coins that are not fair.

`rolls of two dice, the sum` and `a coin that lands heads 60% of the time` are rewritten; the sum becomes
a column of labels whose weights are exact.
"""

import re
from collections import Counter
from itertools import product

from sandbox.reading.records_scan import Scan

_NUMBERS = {"two": 2, "three": 3, "four": 4, "dos": 2, "tres": 3, "cuatro": 4}
_DICE = re.compile(
    r"(?:\b(?:rolls|throws|tiradas|lanzamientos) (?:of|de) |\b(?:roll|throw|rolling|throwing|tira|lanza|tirar|lanzar) )?"
    r"\b(?P<dice>two|three|four|dos|tres|cuatro|[2-4])(?: fair| ordinary| standard| regular| normal)*(?: six-sided| 6-sided)?"
    r" (?:dice|dados)(?: de seis caras| equilibrados| justos| normales)*\b",
    re.I,
)
_SUM = re.compile(
    r"(?:\b(?:and|y),? )?(?:\b(?:give|show|record|report|return|i want|take|dame|quiero|registra|anota|the|la|its|their|me) ){0,4}"
    r"\b(?:sums?|totals?|suma|sumas)\b(?: (?:of|de) (?:the |each |los |cada )?(?:two |both |three |dos |tres )?"
    r"(?:dice|faces|rolls?|results|points|numbers|pips|dados|caras|puntos|tiradas?))?(?: each time| cada vez)?",
    re.I,
)
_SIDED = re.compile(
    r"(?:\b(?:rolls|throws|tiradas|lanzamientos) (?:of|de) |\b(?:roll|throw|tira|lanza) )?(?:\b(?:a|an|one|un) )?(?:(?:fair|dado de) ){0,4}"
    r"(?:\b(?P<sides>\d{1,3})[- ](?:sided|faced) (?:die|dice)|\bd(?P<short>4|8|10|12|20|100)\b|(?<=dado de )(?P<caras>\d{1,3}) caras)",
    re.I,
)
_COIN = re.compile(
    r"(?:\bcoin )?\b(?P<word>flips|tosses|lanzamientos|tiradas) (?:of|with|de|con) (?:an? |una )?(?:(?:biased|unfair|loaded|weighted|trick) )?"
    r"(?:coin|moneda)(?: (?:trucada|cargada|sesgada))?,?(?: (?:that|which|whose|where|with|que|con|has|lands|comes|turns|comes up|shows|up|falls|an?|is|una?|sale|cae|muestra|probability|chance|probabilidad|of|de|on|p))*"
    r"(?:\s?=)? ?(?:(?P<side>heads|tails|caras?|cruz|cruces)(?: (?:is|with|of|en|con|el|del?|a|probability|chance|probabilidad|una?))*\s?=? ?(?P<p>\d+(?:[.,]\d+)?\s?%|[01]?[.,]\d+)(?: (?:of the time|de las veces|del tiempo|probability|de probabilidad))?"
    r"|(?P<p2>\d+(?:[.,]\d+)?\s?%|[01]?[.,]\d+)(?: (?:chance|probability|of|de|probabilidad))* (?P<side2>heads|tails|caras?|cruz))",
    re.I,
)
_LABEL = re.compile(r"(?:sum_of|suma_de)_(\d)_(?:dice|dados)")


def with_chances(text: str) -> str:
    """The text with sums of dice, dice of many faces and unfair coins in words that are read."""
    dice, total = _DICE.search(text), None
    if dice:
        total = next((m for m in _SUM.finditer(text) if not _overlap(m, dice)), None)
    if dice and total:
        number = _NUMBERS.get(dice["dice"].lower()) or int(dice["dice"])
        spanish = "dados" in dice[0].lower()
        mark = f", suma_de_{number}_dados " if spanish else f", sum_of_{number}_dice "
        pieces = sorted(
            ((dice.span(), " filas " if spanish else " rows "), (total.span(), mark)), reverse=True
        )
        for (start, end), made in pieces:
            text = f"{text[:start]}{made}{text[end:]}"
        return text
    coin = _COIN.search(text)
    if coin:
        written = (coin["p"] or coin["p2"]).replace(",", ".").replace(" ", "")
        share = float(written.rstrip("%")) / (100 if written.endswith("%") else 1)
        side = (coin["side"] or coin["side2"]).lower()
        spanish = side.startswith("c")
        sides = ("cara", "cruz") if spanish else ("heads", "tails")
        first = share if side[:3] in ("hea", "car") else 1 - share
        if not 0 < share < 1:
            return text
        made = f"{'filas, lado' if spanish else 'rows, side'} {sides[0]} {100 * first:.10g}%, {sides[1]} {100 - 100 * first:.10g}%"
        return f"{text[: coin.start()]}{made}{text[coin.end() :]}"
    sided = _SIDED.search(text)
    if sided and len(_SIDED.findall(text)) == 1:
        faces = sided["sides"] or sided["short"] or sided["caras"]
        return f"{text[: sided.start()]}integers from 1 to {faces},{text[sided.end() :]}"
    return text


def _overlap(first: "re.Match[str]", other: "re.Match[str]") -> bool:
    return first.start() < other.end() and other.start() < first.end()


def sum_of_dice(scan: Scan, i: int) -> int:
    """Read the mark that `with_chances` left for a sum of dice."""
    match = _LABEL.fullmatch(scan.tokens[i].text)
    if match is None:
        return 0
    counts = Counter(map(sum, product(range(1, 7), repeat=int(match[1]))))
    draft = scan.mention("suma" if scan.language == "es" else "sum", i + 1)
    draft.labels = tuple(map(str, sorted(counts)))
    draft.weights = tuple(round(counts[value] / counts.total(), 12) for value in sorted(counts))
    return i + 1
