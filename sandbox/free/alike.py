"""Whether two programs are nearly the same text: then their agreement proves nothing.

Names, comments, layout and the numbers themselves do not count, because two copies of one program
differ in them as easily.
"""

import ast
import io
import tokenize
from difflib import SequenceMatcher

_SAME = 0.9  # the share of equal tokens from which two programs are the same text
_MOST_TOKENS = 4_000
_IDLE = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
     tokenize.ENCODING, tokenize.ENDMARKER}
)  # fmt: skip


def nearly_same(first: str, second: str) -> bool:
    left, right = _tokens(first), _tokens(second)
    if left == right:
        return True
    if min(len(left), len(right)) < 0.5 * max(len(left), len(right)):
        return False
    return SequenceMatcher(None, left, right, autojunk=False).ratio() >= _SAME


def _tokens(source: str) -> list[str]:
    """The tokens of a program up to its result, with its own names by their places, and no data."""
    body = source.rpartition('"parameters"')[0] or source
    names = dict.fromkeys(_own_names(source), "")
    tokens: list[str] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(body).readline):
            if token.type in _IDLE:
                continue
            tokens.append(_shown(token, names))
            if len(tokens) >= _MOST_TOKENS:
                break
    except (tokenize.TokenError, SyntaxError, IndentationError):
        pass  # the body was cut off within brackets
    return _without_data(tokens)


def _shown(token: tokenize.TokenInfo, names: dict[str, str]) -> str:
    if token.type == tokenize.NUMBER:
        return "#"
    if token.type == tokenize.STRING:
        return "'"
    if token.string in names:
        names[token.string] = names[token.string] or f"n{sum(map(bool, names.values()))}"
        return names[token.string]
    return token.string


def _own_names(source: str) -> set[str]:
    """The names that a program gives: its variables, arguments and functions."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
    return names


def _without_data(tokens: list[str]) -> list[str]:
    """Runs of `#, #, #` as one number: two programs share the data of their request."""
    kept: list[str] = []
    for token in tokens:
        if token in "#'" and len(kept) >= 2 and kept[-1] == "," and kept[-2] == token:
            kept.pop()
        else:
            kept.append(token)
    return kept
