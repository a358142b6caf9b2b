"""Tables of results in the main README, between the marks that name their experiment."""

from collections.abc import Sequence
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def block(name: str) -> str:
    """What stands in the README for this experiment."""
    return _cut(name)[1].strip()


def put(name: str, text: str) -> None:
    before, _, after = _cut(name)
    README.write_text(f"{before}\n{text}\n{after}")


def _cut(name: str) -> tuple[str, str, str]:
    whole = README.read_text()
    opening = f"<!-- {name}: written by experiments/{name}/run.py -->"
    start = whole.index(opening) + len(opening)
    end = whole.index(f"<!-- /{name} -->")
    return whole[:start], whole[start:end], whole[end:]
