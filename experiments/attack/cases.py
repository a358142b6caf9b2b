"""Cases that people wrote who had not seen the code: one JSON object a line.

A case with `make` holds a Python expression instead of a long text. The expressions are part of
this repository, so evaluating them runs no foreign code.
"""

import json
import random
import string
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent / "cases"
_NAMES = {"json": json, "random": random, "string": string}


def cases(name: str, folder: Path = CASES) -> list[dict[str, Any]]:
    """The cases of a file, each with the half of the file it belongs to: seen or unseen."""
    rows: list[dict[str, Any]] = []
    for half in ("seen", "unseen"):
        path = folder / f"{name}.{half}.jsonl"
        if path.exists():
            lines = path.read_text().splitlines()
            rows += [json.loads(line) | {"half": half} for line in lines]
    return rows


def made(case: dict[str, Any]) -> Any:
    """What a case's expression gives, or the case's body."""
    if "make" in case:
        return eval(case["make"], dict(_NAMES))
    return case.get("body")


def body_of(case: dict[str, Any]) -> bytes:
    value = made(case)
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "surrogatepass")
