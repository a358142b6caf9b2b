"""Reads how columns hang together: correlations, and columns computed from others."""

from dataclasses import dataclass, field

from sandbox.reading.records_draft import Draft, Relation
from sandbox.reading.records_scan import Scan
from sandbox.reading.rules import NotUnderstood

_RELATIONS = (
    ("more_than", ">"), ("at_least", ">"), ("less_than", "<"), ("at_most", "<"), ("exactly", "="),
)  # fmt: skip


def relation(scan: Scan, i: int) -> int:
    """Read a correlation, from its first word that is no label."""
    if scan.means(i, "strongly", "negatively") and _soon(scan, i + 1):
        scan.sign = -1 if scan.means(i, "negatively") else 1
        return i + 1
    if scan.means(i, "tied") and not scan.means(i, "correlation"):
        end, words = scan.label_run(i + 1 + (scan.low(i + 1) in ("the", "el", "la", "los", "las")))
        j = end
        while scan.stem(j) in (",", "(") or scan.low(j) in ("with", "con", "an", "a"):
            j += 1
        if not words or not scan.means(j, "r", "r2", "correlation"):
            return 0
    elif not scan.means(i, "correlation", "r2") and not (
        scan.means(i, "r") and _is_level(scan, i + 1)
    ):
        return 0
    return _relation(scan, i)


def _soon(scan: Scan, i: int) -> bool:
    while scan.stem(i) == "," or scan.means(i, "strongly", "negatively"):
        i += 1
    return scan.means(i, "correlation", "tied", "r")


def _is_level(scan: Scan, i: int) -> bool:
    """Whether `r` is a measure here: `r = 0.6`, `r of 0.5`, `r(a, b) = 0.7`."""
    return (
        scan.number(scan.after_glue(i)) is not None
        or scan.stem(i) == "("
        or scan.means(i, "more_than", "at_least", "less_than", "at_most", "between")
    )


@dataclass(slots=True)
class _Level:
    """What the words of a correlation say, until they end."""

    names: list[str] = field(default_factory=list)
    value: float | None = None
    measure: str = "r"
    sign: str = "="
    between: bool = False
    them: bool = False
    negative: bool = False


def _relation(scan: Scan, i: int) -> int:
    subjects = [name for name, _ in scan.mentions[-2:]]
    level = _Level(negative=scan.sign < 0)
    j = i
    while j < len(scan.tokens) and not _over(scan, j, level):
        end = _next(scan, j, level)
        if not end:
            break
        j = end
    while scan.stem(j - 1) in (",", ":") or (
        scan.idle(j - 1) and scan.low(j - 1) in ("and", "y", "with", "con", "e")
    ):
        j -= 1
    return _put(scan, i, j, subjects, level)


def _over(scan: Scan, j: int, level: _Level) -> bool:
    return scan.stem(j) in (".", ";", "\n") or (scan.stem(j) == "," and level.value is not None)


def _next(scan: Scan, j: int, level: _Level) -> int:
    """Take one word of a correlation; 0 if it is about something else."""
    number = scan.number(j)
    concept = next((sign for concept, sign in _RELATIONS if scan.means(j, concept)), "")
    open_ = level.value is None
    if scan.means(j, "r2", "r", "correlation", "tied") and open_:
        level.measure = "r2" if scan.means(j, "r2") else level.measure
    elif scan.means(j, "strongly", "negatively"):
        level.negative = level.negative or scan.means(j, "negatively")
    elif number is not None:
        if not open_ or scan.means(j + 1, "record", "entity"):
            return 0
        level.value = number
    elif scan.means(j, "them") and (level.between or not level.names):
        level.them = True
    elif concept and open_:
        level.sign = concept if concept != "=" else level.sign
    else:
        return _operand_or_link(scan, j, level)
    return j + 1


def _operand_or_link(scan: Scan, j: int, level: _Level) -> int:
    open_ = level.value is None
    if scan.means(j, "between", "range") or scan.low(j) in _PREPOSITIONS:
        level.between = level.between or scan.low(j) in ("between", "entre")
        return 0 if not open_ and not _operand_follows(scan, j + 1) else j + 1
    if len(level.names) < 2 and _is_operand(scan, j):
        end, name = _operand(scan, j)
        level.names.append(name)
        if scan.named(name) is None:
            scan.drafts.append(Draft(name))
        return end
    conjunction = scan.low(j) in ("and", "y", "with", "e")
    if not _links(scan, j) or (not open_ and conjunction and len(level.names) != 1):
        return 0
    return j + 1


_PREPOSITIONS = frozenset({"of", "for", "de", "with", "con", "to", "entre"})


def _links(scan: Scan, j: int) -> bool:
    words = (
        "around",
        "about",
        "roughly",
        "and",
        "y",
        "e",
        "vs",
        "coefficient",
        "level",
        "alrededor de",
        "en torno a",
    )
    return scan.idle(j) or scan.stem(j) in ("(", ")", ",", "=", ":", "~") or scan.low(j) in words


def _is_operand(scan: Scan, j: int) -> bool:
    if not (scan.labelable(j, first=True) or _letter(scan, j)):
        return False
    return scan.low(j - 1) in (
        "between", "entre", "of", "for", "de", "with", "con", "to", "(", ",", "and", "y", "e", "the", "el",
        "la", "their", "a", "vs", "on", "los", "las",
    ) or scan.means(j - 1, "tied", "range", "between")  # fmt: skip


def _operand_follows(scan: Scan, j: int) -> bool:
    if j < len(scan.tokens) and _letter(scan, j):
        return True
    while scan.low(j) in ("the", "el", "la", "their"):
        j += 1
    return scan.means(j, "them") or scan.labelable(j, first=True)


def _letter(scan: Scan, j: int) -> bool:
    """Whether a single letter, even `a`, names a column in `between a and b`."""
    return (
        len(scan.tokens[j].text) == 1
        and scan.tokens[j].text.isalpha()
        and (
            scan.low(j - 1) in ("between", "entre", "(")
            or (
                scan.low(j - 1) in ("and", "y", "e", ",")
                and scan.low(j - 3) in ("between", "entre", "(")
            )
        )
    )


def _operand(scan: Scan, j: int) -> tuple[int, str]:
    if _letter(scan, j):
        return j + 1, scan.tokens[j].text.lower()
    end, words = scan.label_run(j)
    return end, scan.name_at(j, end) if words else ""


def _put(scan: Scan, i: int, j: int, subjects: list[str], level: _Level) -> int:
    value = level.value
    if value is None:
        ahead = range(j, len(scan.tokens))
        if len(level.names) != 1 and any(scan.means(k, "correlation", "r", "r2") for k in ahead):
            scan.sign = -1 if level.negative else 1
            scan.correlated = level.names
            return j
        raise NotUnderstood(
            "it does not say how strong the correlation is: write `r = 0.6` or the like",
            (scan.tokens[i].text,),
        )
    if abs(value) > 1 and level.measure == "r":
        raise NotUnderstood(f"a correlation of {value:g} lies outside -1 to 1")
    if level.negative and level.measure == "r":
        value = -abs(value)
    scan.sign = 1
    names = _two(scan, i, subjects, level)
    if len(names) == 2 and names[0] == names[1]:
        raise NotUnderstood(f"{names[0]} cannot correlate with itself")
    scan.relations.append(Relation(tuple(names), value, level.measure, level.sign))
    return j


def _two(scan: Scan, i: int, subjects: list[str], level: _Level) -> list[str]:
    """The two columns of a correlation; none if they are the only two columns of numbers."""
    if len(level.names) == 2 or (not level.names and scan.correlated):
        return level.names or scan.correlated
    if len(level.names) == 1 and subjects:
        current = scan.current.label if scan.current is not None else ""
        return [current or subjects[-1], level.names[0]]
    if not level.names and not level.them and len(subjects) == 2 and scan.mentions[-1][1] >= i - 6:
        return subjects
    return []
