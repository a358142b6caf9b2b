"""Decides by which column, and in which direction, records are sorted.

`Oldest first` is a large age or an early date, `cheapest first` a small price: such words choose the
column that they are about. Words about no quantity choose a column only if there is no other.
"""

import re
from dataclasses import replace

from sandbox.reading.records_drafts import same_name
from sandbox.reading.records_scan import Scan
from sandbox.reading.rules import NotUnderstood
from sandbox.spec import Field

_ABOUT = (
    (r"old|young|new|recie?nt|earl|latest|chrono|crono|antigu|viej|joven|nuev", r"age|edad|aged|years?|anos?"),
    (r"cheap|expensive|paid|barat|caro", r"price|cost|salary|pay|wage|income|fee|fare|precio|sueldo|"
     r"salario|coste|costo|tarifa|amount|importe"),
    (r"short|tall|alto|bajo", r"height|length|estatura|altura|talla|duration"),
    (r"light|heav|pesad|liger", r"weight|mass|peso"),
)  # fmt: skip
_FROM_THE_LATEST = re.compile(
    r"\A(?:(?:from|the|de|del|la|las|los|el|mas|most) )*(?:young|new|recie?nt|latest|joven|nuev)"
)
_OF_SIZE = re.compile(
    r"small|larg|big|low|high|least|most|worst|best|menor|mayor|bajo|alto|grande|pequen"
)


def in_order(scan: Scan, fields: list[Field]) -> list[Field]:
    """The fields, of which one has the order that the request wants."""
    if not scan.order:
        return fields
    sortable = [f for f in fields if f.role not in ("text", "boolean")]
    by = _by(scan, sortable)
    if not by:
        raise NotUnderstood("it does not say by which column the records are sorted", ("sorted",))
    descending = scan.order == "descending"
    (chosen,) = (f for f in sortable if f.name == by)
    if chosen.role == "date" and re.search(_ABOUT[0][0], scan.order_words):
        descending = bool(_FROM_THE_LATEST.match(scan.order_words))
    order = "descending" if descending else "ascending"
    return [replace(f, order=order) if f.name == by else f for f in fields]  # type: ignore[arg-type]


def _by(scan: Scan, sortable: list[Field]) -> str:
    """The name of the column to sort by; "" if the request leaves it open."""
    names = [f.name for f in sortable]
    if scan.order_by:
        return same_name(scan.order_by, names) or ""
    if len(names) == 1:
        return names[0]
    numbers = [f.name for f in sortable if f.role in ("number", "derived")]
    dates = [f.name for f in sortable if f.role == "date"]
    for i, (words, columns) in enumerate(_ABOUT):
        if re.search(words, scan.order_words):
            about = [n for n in numbers if re.search(rf"(?:^|_)(?:{columns})(?:_|$)", n)]
            about += dates if i == 0 else []
            return about[0] if len(about) == 1 else ""
    if dates and not _OF_SIZE.search(scan.order_words):
        return ""
    return numbers[0] if len(numbers) == 1 else ""
