"""Tables of results in the main README, between the marks that name their experiment."""

from collections.abc import Sequence
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def block(name: str, experiment: str = "") -> str:
    """What stands in the README for this experiment, which may have several blocks."""
    return _cut(name, experiment)[1].strip()


def put(name: str, text: str, experiment: str = "") -> None:
    before, _, after = _cut(name, experiment)
    README.write_text(f"{before}\n{text}\n{after}")


def _cut(name: str, experiment: str = "") -> tuple[str, str, str]:
    whole = README.read_text()
    opening = f"<!-- {name}: written by experiments/{experiment or name}/run.py -->"
    start = whole.index(opening) + len(opening)
    end = whole.index(f"<!-- /{name} -->")
    return whole[:start], whole[start:end], whole[end:]
