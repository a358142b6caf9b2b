"""Writes tables of results into README files, between two marks that name the experiment.

A mark stands in exactly one page: `<!-- NAME: written by experiments/EXPERIMENT/run.py -->`.
"""

from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Pages in these folders were downloaded or built.
_NOT_OURS = {"node_modules", "shipped", "var", "build", "dist"}


def pages() -> list[Path]:
    """Every Markdown page of the project, the main README first."""
    folders = [
        folder
        for folder in sorted(ROOT.iterdir())
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in _NOT_OURS
    ]
    below = [path for folder in folders for path in sorted(folder.rglob("*.md"))]
    ours = [path for path in below if not _NOT_OURS & set(path.relative_to(ROOT).parts)]
    return [*sorted(ROOT.glob("*.md"), reverse=True), *ours]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def block(name: str, experiment: str = "") -> str:
    """The text between two marks of a README. An experiment may have several blocks."""
    return _cut(name, experiment)[2].strip()


def put(name: str, text: str, experiment: str = "") -> None:
    page, before, _, after = _cut(name, experiment)
    page.write_text(f"{before}\n{text}\n{after}")


def _cut(name: str, experiment: str) -> tuple[Path, str, str, str]:
    """The page with the marks, and the text before, between and after the marks."""
    opening = f"<!-- {name}: written by experiments/{experiment or name}/run.py -->"
    marked = [page for page in pages() if opening in page.read_text()]
    if len(marked) != 1:
        where = ", ".join(str(page.relative_to(ROOT)) for page in marked) or "no page"
        raise LookupError(f"{opening} must stand in one page; it stands in {where}")
    text = marked[0].read_text()
    start = text.index(opening) + len(opening)
    end = text.index(f"<!-- /{name} -->", start)
    return marked[0], text[:start], text[start:end], text[end:]
