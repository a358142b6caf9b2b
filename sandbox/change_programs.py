"""Writes the lines of a program that change its data, such as leaving out the smallest value."""

from collections.abc import Sequence

from sandbox.spec import Change

_ROWS = '''
def rows_where(columns, keep):
    """The columns with the rows for which `keep` of the row's number is true."""
    kept = [i for i in range(len(next(iter(columns.values())))) if keep(i)]
    return {name: [values[i] for i in kept] for name, values in columns.items()}


'''
_NUMBERS = '''
def each_column(columns, change):
    """The columns, changed."""
    return {name: change([v for v in values if v is not None]) for name, values in columns.items()}


'''
_WITH_EACH = '''
def with_each(columns, column, formula):
    """The columns with each number of a column, or of all columns, worked out by a formula."""
    return {
        name: [formula(v) if isinstance(v, (int, float)) else v for v in values]
        if column in ("", name)
        else values
        for name, values in columns.items()
    }


'''
_EXTREME = '''
def extremes(values, places):
    """Where the values are that have these places among the sorted values."""
    known = [i for i, value in enumerate(values) if value is not None]
    return set(sorted(known, key=lambda i: values[i])[places])


def without_extremes(values, places):
    left_out = extremes(values, places)
    return [value for i, value in enumerate(values) if i not in left_out]


'''
_OUTLYING = '''
def outlying(values, limit):
    """Where the values are that lie so many interquartile ranges outside the quartiles."""
    q1, q3 = np.percentile([v for v in values if v is not None], [25, 75])
    low, high = q1 - limit * (q3 - q1), q3 + limit * (q3 - q1)
    return {i for i, v in enumerate(values) if v is not None and not low <= v <= high}


def without_outlying(values, limit):
    left_out = outlying(values, limit)
    return [value for i, value in enumerate(values) if i not in left_out]


'''
_BY_ROW = frozenset(
    {"keep_where", "drop_where", "keep_values", "drop_values", "drop_first", "drop_last"}
    | {"keep_first", "keep_last"}
)
_EACH = {
    "power": "x ** {amount:g}",
    "log": "math.log(x)",
    "log10": "math.log10(x)",
    "root": "math.sqrt(x)",
    "reciprocal": "1 / x",
    "absolute": "abs(x)",
    "multiply": "x * {amount!r}",
    "add": "x + {amount!r}",
    "cap": "min(x, {amount!r})",
}
_TESTS = {
    "odd": "x % 2 == 1",
    "even": "x % 2 == 0",
    "positive": "x > 0",
    "negative": "x < 0",
}


def change_lines(changes: Sequence[Change], *, rows: bool) -> list[str]:
    """The functions and lines that change `columns`. `rows` says that the columns form rows."""
    body = [line for change in changes for line in _lines(change, rows=rows)]
    text = "\n".join(body)
    helpers = [
        source.strip("\n")
        for name, source in (
            ("rows_where(", _ROWS),
            ("each_column(", _NUMBERS),
            ("with_each(", _WITH_EACH),
            ("extremes(", _EXTREME),
            ("outlying(", _OUTLYING),
        )
        if name in text
    ]
    return [line for source in helpers for line in (*source.split("\n"), "", "")] + body


def _lines(change: Change, *, rows: bool) -> list[str]:
    if change.kind in _EACH:
        formula = _EACH[change.kind].format(amount=change.amount)
        return [f"columns = with_each(columns, {change.column!r}, lambda x: {formula})"]
    if rows and (change.kind in _BY_ROW or change.column):
        return _of_rows(change)
    return [f"columns = each_column(columns, lambda values: {_of_values(change)})"]


def _of_rows(change: Change) -> list[str]:
    amount = int(change.amount or 0)
    if change.kind in ("keep_values", "drop_values"):
        way = "in" if change.kind == "keep_values" else "not in"
        test = f"str(columns[{change.column!r}][i]) {way} {list(change.values)!r}"
    elif change.kind in ("keep_where", "drop_where"):
        inside = _inside(change, "v")
        wanted = f"not ({inside})" if change.kind == "drop_where" else inside
        test = f"(v := columns[{change.column!r}][i]) is not None and ({wanted})"
    elif change.kind.endswith(("smallest", "largest")):
        way = "in" if change.kind.startswith("keep") else "not in"
        smallest = change.kind.endswith("smallest")
        places = f"slice(None, {amount})" if smallest else f"slice(-{amount}, None)"
        extreme = f"chosen = extremes(columns[{change.column!r}], {places})"
        return [extreme, f"columns = rows_where(columns, lambda i: i {way} chosen)"]
    elif change.kind == "drop_outliers":
        chosen = f"chosen = outlying(columns[{change.column!r}], {change.amount})"
        return [chosen, "columns = rows_where(columns, lambda i: i not in chosen)"]
    elif change.kind.partition("_")[2] in _TESTS or change.kind == "unique":
        return _of_row_values(change)
    else:
        count = "len(next(iter(columns.values())))"
        test = {
            "drop_first": f"i >= {amount}",
            "keep_first": f"i < {amount}",
            "drop_last": f"i < {count} - {amount}",
            "keep_last": f"i >= {count} - {amount}",
        }[change.kind]
    return [f"columns = rows_where(columns, lambda i: {test})"]


def _of_row_values(change: Change) -> list[str]:
    """Rows by whether their number is odd, say, or has not occurred before."""
    column = f"columns[{change.column!r}]"
    if change.kind == "unique":
        return [f"columns = rows_where(columns, lambda i: {column}.index({column}[i]) == i)"]
    side, _, what = change.kind.partition("_")
    test = _TESTS[what].replace("x", "v")
    wanted = test if side == "keep" else f"not ({test})"
    whole = f"(v := {column}[i]) is not None and {wanted}"
    return [f"columns = rows_where(columns, lambda i: {whole})"]


def _inside(change: Change, x: str) -> str:
    parts = []
    if change.low is not None:
        parts.append(f"{x} {'>' if change.low_open else '>='} {change.low!r}")
    if change.high is not None:
        parts.append(f"{x} {'<' if change.high_open else '<='} {change.high!r}")
    return " and ".join(parts) or "True"


def _of_values(change: Change) -> str:
    amount = int(change.amount or 0)
    side, _, what = change.kind.partition("_")
    if what in _TESTS:
        test = _TESTS[what] if side == "keep" else f"not ({_TESTS[what]})"
        return f"[x for x in values if {test}]"
    if what == "where":
        inside = _inside(change, "x")
        return f"[x for x in values if {inside if side == 'keep' else f'not ({inside})'}]"
    return {
        "unique": "list(dict.fromkeys(values))",
        "drop_outliers": f"without_outlying(values, {change.amount})",
        "drop_first": f"values[{amount}:]",
        "keep_first": f"values[:{amount}]",
        "drop_last": f"values[:len(values) - {amount}]",
        "keep_last": f"values[len(values) - {amount}:]",
        "drop_smallest": f"without_extremes(values, slice(None, {amount}))",
        "drop_largest": f"without_extremes(values, slice(len(values) - {amount}, None))",
        "keep_smallest": f"without_extremes(values, slice({amount}, None))",
        "keep_largest": f"without_extremes(values, slice(None, len(values) - {amount}))",
    }[change.kind]
