"""Reads figures about names, shares, ranks and bounds, and figures that several words ask for."""

from collections.abc import Mapping
from typing import Any

from sandbox.reading import figures_centre, figures_totals
from sandbox.reading.figure_words import STOPS, is_word, may_name, stems, words
from sandbox.reading.figures_counts import formula
from sandbox.reading.figures_methods import ASKING, Claim
from sandbox.reading.figures_request import WHICH, Request
from sandbox.reading.figures_tests import of_samples
from sandbox.reading.lexicon import IDLE, plain, stem
from sandbox.reading.rules import NotUnderstood
from sandbox.spec import Analysis, Change


def join(request: Request) -> list[Analysis]:
    """Figures that several words ask for together: the biggest rise from a month to the next."""
    names = {c.name for c in request.claims}
    made = []
    if _shares_of_all(request, names):
        made.append(_shares(request))
    made += [*figures_centre.read(request), *figures_totals.read(request)]
    if names & {"percent_changes", "differences"} and names & {"maximum", "minimum"}:
        made.append(_greatest_change(request))
    if {"ci", "mean_difference"} <= names:
        claim = next(c for c in request.claims if c.name == "mean_difference")
        made += of_samples(request, claim)
        request.claims = [
            c for c in request.claims if c.name not in ("ci", "mean", "mean_difference")
        ]
    if (
        request.of.names
        and names & {"sorted", "ascending", "descending"}
        and "ranking" not in names
    ):
        rest = [c for c in request.claims if c.name not in ("sorted", "ascending", "descending")]
        if not rest:
            (column,) = request.columns(request.claims[0])
            given = {"names": request.of.names, "descending": "descending" in names}
            made.append(Analysis("ranking", (column,), "", given))
    if "mode" in names and "count_where" in names and not request.changes:
        request.claims = [c for c in request.claims if c.name != "count_where"]
        mode = next(c for c in request.claims if c.name == "mode")
        made.append(Analysis("mode_count", tuple(request.columns(mode))))
    return made


_PARTS = frozenset(
    "vote votes budget sale sales revenue expense expenses spending visitor visitors customer customers response responses unit units order orders share shares seat seats ticket tickets voto votos presupuesto venta ventas ingreso ingresos gasto gastos visita visitas cliente clientes respuesta respuestas pedido pedidos unidad unidades presupuestos".split()
)


def _shares_of_all(request: Request, names: set[str]) -> bool:
    """Whether shares of the total are wanted, as in `votes: ...; what percentage did each get?`."""
    if "share_where" not in names or any(c.kind.endswith("_where") for c in request.changes):
        return False
    if "sum" in names:
        return True
    counted = any(stem(word) in _PARTS or word in _PARTS for word in _words_of(request))
    each = bool(request.reader.places("each", "figure_each_one"))
    return (
        counted
        and len(names) == 1
        and (each or any(c.kind == "keep_values" for c in request.changes))
    )


def _words_of(request: Request) -> list[str]:
    texts = [token.text for token in request.reader.tokens] + list(request.of.columns)
    return [plain(word) for text in texts for word in text.split()]


def _shares(request: Request) -> Analysis:
    """Which percentage of the total each value is; a named value is among them."""
    if any(len(c.values) > 1 for c in request.changes if c.kind == "keep_values"):
        raise NotUnderstood("the share of several names together is not understood")
    claim = next(c for c in request.claims if c.name in ("sum", "share_where"))
    share = next(c.place for c in request.claims if c.name == "share_where")
    # `In total, and what percentage of it is rent` asks for the total too.
    request.claims = [c for c in request.claims if c.name == "sum" and c.place < share]
    kept = {c.column for c in request.changes if c.kind == "keep_values"}
    request.changes = tuple(c for c in request.changes if c.kind != "keep_values")
    if len(kept) > 1:
        raise NotUnderstood("it does not say clearly which share is wanted")
    _take_each(request)
    (column, *more) = request.columns(claim)
    if more or request.changes:
        raise NotUnderstood("it does not say clearly which share is wanted")
    names = (
        next(iter(kept), "")
        or request.of.names
        or request.by
        or (request.of.texts[0] if len(request.of.texts) == 1 else "")
    )
    return Analysis("percent_of_total", (column,), "", {"names": names} if names else {})


def _greatest_change(request: Request) -> Analysis:
    reader, of = request.reader, request.of
    rises, falls = reader.take_all("figure_rise"), reader.take_all("figure_fall")
    words = [plain(reader.tokens[c.place].text) for c in request.claims]
    percent = bool(reader.take_all("as_percent")) or any("percent" in w or "porcent" in w for w in words)  # fmt: skip
    smallest = any(c.name == "minimum" for c in request.claims)
    rest = [c for c in request.claims if c.name not in ("percent_changes", "differences", "maximum", "minimum")]  # fmt: skip
    if bool(rises) is bool(falls) or smallest or rest:
        raise NotUnderstood(
            "it does not say clearly which change from a value to the next it wants"
        )
    claim, request.claims = request.claims[0], rest
    (column,) = request.columns(claim)
    parameters: dict[str, Any] = {"falling": bool(falls), "percent": percent}
    return Analysis("greatest_change", (column,), "", parameters | ({"names": of.names} if of.names else {}))  # fmt: skip


def read(request: Request, claim: Claim) -> list[Analysis]:
    """Figures about names, or about values that a bound selects."""
    if claim.method.takes == "where":
        return _where(request, claim)
    columns = tuple(request.columns(claim))
    if len(columns) != 1 and not (claim.name in ("minimum", "maximum") and not request.of.names):
        raise NotUnderstood(f"it does not say of which column it wants the {claim.name}")
    names = unrepeated(request, _names_column(request, claim), claim.name)
    if claim.name in ("minimum", "maximum"):
        return _extreme(request, claim, columns, names)
    if claim.name == "percent_of_total":
        names = _with_all_names(request, names)
    if claim.name in ("percent_of_total", "ranking"):
        _take_each(request)
    if claim.name == "percent_of_total":
        text = plain(request.reader.tokens[claim.place].text)
        if len(request.claims) > 1 and text.startswith(("as ", "como ", "en ")):
            raise NotUnderstood(f"`{text}` is not understood for the other figures")
    if claim.name in ("z_score", "percentile_rank"):
        return [Analysis(claim.name, columns, "", _of_value(request, claim))]
    parameters: dict[str, Any] = {"names": names} if names else {}
    if claim.name == "ranking":
        low = any(c.name == "ascending" for c in request.claims)
        parameters["descending"] = not low
        if not names:
            return [Analysis("sorted", columns, "", parameters)]
    return [Analysis(claim.name, columns, "", parameters)]


def _extreme(
    request: Request, claim: Claim, columns: tuple[str, ...], names: str
) -> list[Analysis]:
    """The largest or smallest value, with its name if that is asked for."""
    if not names and (request.asks_who(claim.place) or _asks_which_kind(request, claim)):
        raise NotUnderstood("the data has no names")
    if not names or request.by:
        return [Analysis(claim.name, columns, request.by)]
    _take_kind(request, claim)
    name = {"minimum": "smallest", "maximum": "largest"}[claim.name]
    return [Analysis(name, columns, "", {"names": names})]


def _with_all_names(request: Request, names: str) -> str:
    """The column of names of shares, of which a named one is the share of all: `the part of Lugo`."""
    names = names or request.by or (request.of.texts[0] if len(request.of.texts) == 1 else "")
    request.changes = tuple(
        c for c in request.changes if c.kind != "keep_values" or c.column != names
    )
    return names


def _asks_which_kind(request: Request, claim: Claim) -> bool:
    """Whether `which month was the dearest` asks for a name."""
    tokens = request.reader.tokens
    return any(
        plain(tokens[i].text) in WHICH and is_word(tokens[i + 1], "kinds_of_names")
        for i in range(max(0, claim.place - 5), claim.place)
    )


def _take_kind(request: Request, claim: Claim) -> None:
    """`which day`: what the names are names of."""
    reader = request.reader
    for i in range(claim.place - 1, -1, -1):
        if reader.tokens[i].stem in STOPS or reader.tokens[i].kind == "list":
            return
        if plain(reader.tokens[i].text) in WHICH:
            for j in range(i + 1, min(i + 4, claim.place)):
                token = reader.tokens[j]
                if IDLE in token.concepts or not may_name(token) or token.concepts & ASKING:
                    return
                reader.taken.add(j)
            return


def _names_column(request: Request, claim: Claim) -> str:
    of = request.of
    listed = claim.name in ("percent_of_total", "ranking")
    by_name = request.asks_which(claim.place) or _kind_follows(request, claim)
    if of.names:
        return of.names if listed or by_name else ""
    mentioned = [m.column for m in request.named_columns() if m.column in of.texts]
    if mentioned:
        return mentioned[0]
    texts = (
        of.texts if len(of.texts) == 1 else [c for c in of.texts if set(stems(c)) & words("names")]
    )
    if len(texts) == 1 and (listed or by_name) and not request.by:
        return texts[0]
    return ""


def unrepeated(request: Request, names: str, figure: str) -> str:
    """The column of names, unless a name of it has several values."""
    values = request.of.columns.get(names, ())
    single = figure in ("percent_of_total", "minimum", "maximum")  # of a row, or of a group
    if not single and len(set(values)) < len(values):
        raise NotUnderstood(f"a name of {names} has several values: ask for a figure by {names}")
    return names


def _kind_follows(request: Request, claim: Claim) -> bool:
    """Whether an extreme is one of the things that have names: `the busiest day`."""
    tokens = request.reader.tokens[claim.place + 1 : claim.place + 2]
    return bool(tokens) and is_word(tokens[0], "kinds_of_names")


def _take_each(request: Request) -> None:
    """`of each value`: every value is meant anyhow."""
    for i in request.reader.places("each", "figure_each_one"):
        request.reader.taken.add(i)
        if i + 1 < len(request.reader.tokens) and is_word(request.reader.tokens[i + 1], "of_data"):
            request.reader.taken.add(i + 1)


def _of_value(request: Request, claim: Claim) -> Mapping[str, Any]:
    """The value of which a rank or score is wanted; without one, of every value."""
    reader = request.reader
    ddof = formula(request, "sd") if claim.name == "z_score" else {}
    free = [i for i in reader.free("number") if reader.tokens[i].unit in ("", "$")]
    free = [i for i in free if claim.place < i <= claim.place + 5]
    if not free:
        _take_each(request)
        if claim.name == "percentile_rank":
            raise NotUnderstood("a percentile rank needs the value whose rank is wanted")
        return ddof
    return {**ddof, "value": reader.at(free[0]).value}


def _rows_of(request: Request, rest: list[Change]) -> list[Analysis]:
    """How many rows of a table have these cells: `how many people live in Rome`."""
    full = [c for c in request.of.numeric if None not in request.of.columns[c]]
    if not full or len(rest) != 1:
        raise NotUnderstood("it does not say clearly which rows it wants to be counted")
    return [Analysis("count", (full[0],))]


def _where(request: Request, claim: Claim) -> list[Analysis]:
    """How many values a bound selects, or which share of them."""
    bounds = [c for c in request.changes if c.kind == "keep_where"]
    rest = [c for c in request.changes if c.kind != "keep_where"]
    cells = [c for c in rest if c.kind in ("keep_values",)]
    if len(bounds) + len(cells) != 1:
        if claim.name == "count_where":
            raise NotUnderstood("it does not say clearly what it wants to be counted")
        raise NotUnderstood("it does not say clearly which share is wanted")
    if cells and claim.name == "count_where" and request.reader.table:
        return _rows_of(request, rest)
    if cells:
        raise NotUnderstood("counts of a name are understood as a frequency table")
    (bound,) = bounds
    request.changes = tuple(rest)
    parameters = {
        key: value
        for key in ("low", "high", "low_open", "high_open")
        if (value := getattr(bound, key)) not in (None, False)
    }
    if claim.name == "share_where":
        words = plain(request.reader.tokens[claim.place].text)
        percent = "percent" in words or "porcentaje" in words
        method = "percentage_where" if percent else "proportion_where"
        return [Analysis(method, (bound.column,), request.by, parameters)]
    return [Analysis("count_where", (bound.column,), request.by, parameters)]
