"""Reads the form of ids and of addresses: `ORD-00001, ORD-00002`, `eight digits`, `@example.com`.

Ids count up, so that they differ and a judge can check each of them. An address in a stated domain is
an id too; any other address is a text, which no program writes.
"""

import re

from sandbox.reading.records_draft import Draft
from sandbox.reading.records_names import column_name
from sandbox.reading.records_scan import Scan
from sandbox.reading.rules import NotUnderstood

_MOST_DIGITS = 12
_FORM = re.compile(
    r"[\"'`]?([A-Za-z]{1,12}[-_#]?)?(\d{1,9})(@[\w-]+(?:\.[\w-]+)+)?[\"'`]?(?![\w-])"
)
_DOMAIN = re.compile(r"[\"'`]?@?((?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24})[\"'`]?(?!\w)")
_RANDOM = frozenset({"random", "aleatorio", "aleatorios"})
_CODES = re.compile(
    r"code|number|reference|sku|key|username|user_name|código|referencia|folio|usuario$"
)
_AND_SO_ON = re.compile(
    r"[\s,]*(?:and so on|and so forth|etc(?:etera)?\b\.?|\.\.\.|…|y así sucesivamente|y asi sucesivamente|"
    r"up to\b|hasta\b)?",
    re.I,
)


def form(scan: Scan, i: int) -> int:
    """Read the form of an id or an address, from the first word that is about it."""
    draft = scan.current
    before = _number_of_digits(scan, i) or _digits_of_the_next(scan, i)
    if draft is None or before:
        return before
    if draft.role == "text" and re.search(r"mail|correo", draft.label):
        return _domain(scan, i, draft) or _like(scan, i, draft)
    if draft.role != "id" and not (_CODES.search(draft.label) and not draft.described):
        return 0
    return _starts(scan, i, draft) or _digits(scan, i, draft) or _like(scan, i, draft)


def _starts(scan: Scan, i: int, draft: Draft) -> int:
    if not scan.means(i, "id_starts") or draft.role != "id":
        return 0
    j = scan.after_glue(i + 1)
    value = scan.number(j)
    if value is None or value != int(value) or value < 0 or draft.first is not None:
        return 0
    draft.first = int(value)
    return j + 1


def _digits(scan: Scan, i: int, draft: Draft) -> int:
    """Read `eight digits`, `8-digit`: numbers that count up from the first of this length."""
    value = scan.number(i) if draft.role == "id" else None
    j = i + 1 + (scan.stem(i + 1) == "-")
    if value is None or not scan.means(j, "digits"):
        return 0
    if value != int(value) or not 1 <= value <= _MOST_DIGITS or draft.digits is not None:
        return 0
    draft.digits = int(value)
    if draft.first is None and not draft.prefix:
        draft.first = 10 ** int(value - 1)
    elif draft.first is not None and len(str(draft.first)) != value:
        raise NotUnderstood(f"{draft.first} has not {value:g} digits")
    return j + 1


_NUMBERS = frozenset(
    "number numbers code codes pin pins numero numeros codigo codigos clave claves".split()
)


def _number_of_digits(scan: Scan, i: int) -> int:
    """Read `a six-digit number` and `un número de seis cifras`: any number of this length."""
    value = scan.number(i)
    j = i + 1 + (scan.stem(i + 1) == "-")
    if value is None or value != int(value) or not 2 <= value <= _MOST_DIGITS:
        return 0
    end, name = 0, ""
    if scan.means(j, "digits") and scan.low(j).split()[-1] in _NUMBERS:
        end, name = j + 1, scan.low(j).split()[-1]
    elif scan.means(j, "digits") and scan.low(j + 1) in _NUMBERS:
        end, name = j + 2, scan.low(j + 1)
    elif (
        scan.means(j, "digits")
        and scan.low(i - 1) in ("de", "of", "with", "con")
        and scan.low(i - 2) in _NUMBERS
    ):
        end, name = j + 1, scan.low(i - 2)
    if not end or scan.count is None or scan.count == value:
        return 0
    label = column_name([name], scan.language)
    current = scan.current.label if scan.current is not None else ""
    draft = scan.mention(current if current.endswith(f"_{label}") else label, end)
    draft.low, draft.high = 10.0 ** (value - 1), 10.0**value - 1
    draft.whole_bounds, draft.decimals, draft.digits = True, 0, int(value)
    return end


def _digits_of_the_next(scan: Scan, i: int) -> int:
    """Read `6-digit` in `a 6-digit employee id`."""
    value = scan.number(i)
    j = i + 1 + (scan.stem(i + 1) == "-")
    end, words = scan.label_run(j + 1)
    if value is None or not scan.means(j, "digits") or not words:
        return 0
    if value != int(value) or not 1 <= value <= _MOST_DIGITS:
        return 0
    if not any(scan.means(k, "id") for k in range(j + 1, end)) or scan.low(i - 1) in _RANDOM:
        return 0
    scan.next_is.add(f"of {value:g} digits")
    return j + 1


def _like(scan: Scan, i: int, draft: Draft) -> int:
    """Read `like ORD-00001`, `in the form ORD-00001, ORD-00002 and so on`."""
    bracket = scan.stem(i) == "("
    cue = scan.means(i, "like", "id_starts") or bracket
    j = i + 1 if cue else i
    while scan.stem(j) == ":" or scan.low(j) in ("with", "con", "at", "like", "of", "as", "como"):
        j += 1
    begin = scan.tokens[j].start if j < len(scan.tokens) else len(scan.text)
    first = _FORM.match(scan.text, begin)
    if first is None or draft.prefix or draft.suffix or (bracket and not first[1]):
        return 0
    if draft.role != "id" and not first[1]:
        return 0
    if re.search(r"mail|correo", draft.label) and not first[3]:
        return 0
    end = _following(scan.text, first)
    if not cue and (not first[1] or end == first.end()):
        return 0
    draft.role, draft.prefix, draft.first = "id", first[1] or "", int(first[2])
    draft.suffix = first[3] or ""
    draft.digits = len(first[2]) if first[1] and first[2][0] == "0" else 1 if first[1] else None
    if first[1] and not first[3] and first[2][0] != "0":
        draft.digits = len(first[2])
    return _token_at(scan, end, j) + (bracket and scan.stem(_token_at(scan, end, j)) == ")")


def _following(text: str, first: "re.Match[str]") -> int:
    """The place after the next ids of a list, which count up, and after `and so on`."""
    number, end = int(first[2]), first.end()
    while True:
        gap = re.compile(r"\s*(?:,|\band\b|\by\b|;)\s*(?:and\s|y\s)?\s*").match(text, end)
        following = _FORM.match(text, gap.end()) if gap else None
        if following is None or (following[1], following[3]) != (first[1], first[3]):
            break
        if following[1] is None or int(following[2]) != number + 1:
            break
        number, end = number + 1, following.end()
    more = _AND_SO_ON.match(text, end)
    return more.end() if more and more[0].strip(" ,\n") and "up" not in more[0] else end


def _domain(scan: Scan, i: int, draft: Draft) -> int:
    """Read `ending in @example.com`, `at example.com`, `with domain test.io`."""
    j = i
    while scan.means(j, "domain") or (j > i and (scan.idle(j) or scan.stem(j) == ":")):
        j += 1
    at = scan.stem(j) == "@" and j + 1 < len(scan.tokens)
    if (j == i and not at) or j >= len(scan.tokens):
        return 0
    domain = _DOMAIN.match(scan.text, scan.tokens[j].start)
    if domain is None or draft.suffix:
        return 0
    draft.role, draft.prefix, draft.suffix = "id", "user", f"@{domain[1].lower()}"
    return _token_at(scan, domain.end(), j)


def _token_at(scan: Scan, place: int, i: int) -> int:
    return next((k for k in range(i, len(scan.tokens)) if scan.tokens[k].start >= place),
                len(scan.tokens))  # fmt: skip
