"""`python -m tests.check_names [FOLDER]...` finds names that say nothing about what they name."""

import ast
import sys
from pathlib import Path

EMPTY_WORDS = {"told", "found", "asked", "known", "said", "one"}
ROOTS = ("router", "learner", "sandbox", "dashboard", "tests", "experiments")
LEFT_AS_THEY_CAME = ("experiments/growth/worlds", "experiments/training/worlds")


def bindings(tree: ast.AST) -> list[tuple[int, str]]:
    """Every name that the code binds, with its line."""
    names = []
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                names.append((node.lineno, name))
            case ast.Attribute(attr=name, ctx=ast.Store()):
                names.append((node.lineno, name))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.append((node.lineno, name))
            case ast.alias(asname=str(name)):
                names.append((node.lineno, name))
    return names


def main(roots: list[str]) -> int:
    offences = [
        f"{path}:{line}: `{name}` says nothing: name the thing it holds"
        for root in roots or ROOTS
        for path in ([Path(root)] if root.endswith(".py") else sorted(Path(root).rglob("*.py")))
        if not path.as_posix().startswith(LEFT_AS_THEY_CAME)
        for line, name in sorted(bindings(ast.parse(path.read_text())))
        if name.strip("_") in EMPTY_WORDS
    ]
    print(*offences, sep="\n", end="\n" if offences else "")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
