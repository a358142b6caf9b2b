"""Values that a program drops, rounds or miscounts on the way, which nobody asked for. Pure.

A part of the reviewer for statistics.
"""

import ast
import re
from collections.abc import Iterator

from sandbox.review.parsed import ParsedProgram

_DROPS = re.compile(r"outlier|extreme|trim|robust|clip|winsor|within|sigma|deviation", re.I)


def changed_values(program: ParsedProgram) -> Iterator[str]:
    yield from _changed_values(program)
    yield from _counted_with_gaps(program)


def _changed_values(program: ParsedProgram) -> Iterator[str]:
    """Values that are dropped or rounded on the way, which nobody asked for."""
    text = program.request
    for node in program.nodes:
        match node:
            case ast.comprehension(
                ifs=[ast.Compare(left=left, ops=[ast.Lt() | ast.LtE()]) as test]
            ):
                far = ast.unparse(left).startswith("abs(") and "-" in ast.unparse(left)
                spread = re.search(
                    r"\b(?:sd|std|stdev|sigma|mad|iqr)\w*\b", ast.unparse(test), re.I
                )
                if far and spread and not _DROPS.search(text):
                    yield f"line {test.lineno}: it leaves out values far from the mean, unasked"
            case ast.BinOp(left=left, op=ast.FloorDiv(), right=ast.Call(func=ast.Name(id="len"))):
                if "sum(" in ast.unparse(left):
                    yield f"line {node.lineno}: `//` cuts the mean down to a whole number"
            case ast.Subscript(
                value=ast.Name(id=name), slice=ast.BinOp(op=ast.FloorDiv()) as middle
            ):
                whole = ast.unparse(middle) in (f"len({name}) // 2", "n // 2")
                if whole and "median" in text.lower() and "sort" not in program.source:
                    yield f"line {node.lineno}: the middle of values that nobody sorted"
            case ast.Call() if re.search("bootstrap", text, re.I):
                name = program.dotted(node.func)
                same_size = len(node.args) > 1 and "len(" in ast.unparse(node.args[1])
                if name.endswith(".sample") and same_size:
                    yield f"line {node.lineno}: a bootstrap draws with replacement: `choices`"


def _counted_with_gaps(program: ParsedProgram) -> Iterator[str]:
    """Missing values are left out of the figure, and counted as if they had been in it."""
    for cleaned, values in program.values.items():
        if len(values) != 1 or not isinstance(values[0], ast.ListComp):
            continue
        (each, *_) = values[0].generators
        drops = any(
            re.search(r"isnan|isfinite|is not None|!= ?None", ast.unparse(c)) for c in each.ifs
        )
        if not drops or not isinstance(each.iter, ast.Name):
            continue
        whole = f"len({each.iter.id})"
        used = [n for n in program.nodes if isinstance(n, ast.Call) and ast.unparse(n) == whole]
        beside = re.search(
            rf"missing|dropped|skipped|total|- len\({cleaned}\)|{whole} -", program.source
        )
        if used and not beside and f"len({cleaned})" in program.source:
            yield f"line {used[0].lineno}: `{whole}` also counts the values that were left out"
