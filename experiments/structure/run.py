"""Measures the code's size, and how much of it one chat request visits. `make bench-structure`"""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from experiments.readme import put
from experiments.structure.path import ROOT, of_one_request
from experiments.structure.report import readme_table
from router.config.plan_steps import resolved
from router.request.text import prompt_text
from router.request.wants import shape_in

HERE = Path(__file__).parent
LONG_MODULE, LONG_FUNCTION = 250, 40


def main() -> None:
    result = {"router": lines_of("router"), "request": request_figures(), "layers": layers()}
    (HERE / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    put("structure", readme_table(result))
    for part, figures in result.items():
        table = Table("", part)
        for name, figure in figures.items():
            table.add_row(name, str(figure))
        Console().print(table)


def lines_of(package: str) -> dict[str, Any]:
    """Lines of a package, and the number of its long modules and functions."""
    paths = sorted((ROOT / package).rglob("*.py"))
    lines = {path: len(path.read_text().splitlines()) for path in paths}
    functions = [size for path in paths for size in _function_lines(path)]
    return {
        "lines": sum(lines.values()),
        "modules": sum(size > 0 for size in lines.values()),
        "longest module": max(lines.values()),
        f"modules over {LONG_MODULE} lines": sum(n > LONG_MODULE for n in lines.values()),
        f"functions over {LONG_FUNCTION} lines": sum(n > LONG_FUNCTION for n in functions),
        "functions": len(functions),
    }


def _function_lines(path: Path) -> list[int]:
    tree = ast.parse(path.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    return [(node.end_lineno or node.lineno) - node.lineno + 1 for node in nodes]


def request_figures() -> dict[str, int]:
    calls = of_one_request()
    return {
        "files visited": len(set(calls.files)),
        "moves between files": calls.moves,
        "calls": len(calls.files),
        "prompt parsed for a shape": calls.of(shape_in),
        "walks through the messages": calls.of(prompt_text),
        "plans resolved": calls.of(resolved),
    }


def layers() -> dict[str, int]:
    """How many contracts of import-linter hold, and how many are broken."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    kept, broken = printed.count(" KEPT"), printed.count(" BROKEN")
    return {"contracts kept": kept, "contracts broken": broken}


if __name__ == "__main__":
    main()
