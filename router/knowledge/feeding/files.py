"""Which files of a folder a store takes, and what a file says as a document."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from router.documents.formats import (
    BETWEEN_HEADINGS,
    DOCUMENTS,
    MOST_BYTES,
    Section,
    UnreadableDocument,
    decoded,
    sections_of,
)
from router.documents.front_matter import metadata_of
from router.knowledge.feeding.code import CODE, code_sections
from router.knowledge.feeding.syndication import feed_sections
from router.knowledge.rows.reading import KINDS as TABLES
from router.knowledge.rows.reading import UnreadableTable, tables_of
from router.knowledge.rows.schema import TypedTable
from router.knowledge.stored import NewDocument

FEEDS = frozenset({".xml", ".rss", ".atom"})
_STATING = frozenset({".md", ".markdown", ".txt", ".text"})  # may begin with metadata
_LEFT_OUT = frozenset({"node_modules", "__pycache__"})


def taken(name: str) -> bool:
    """Whether a file with this name is a document or a table."""
    return Path(name).suffix.lower() in DOCUMENTS | CODE | FEEDS or is_table(name)


def is_table(name: str) -> bool:
    return Path(name).suffix.lower() in TABLES


def tables_in(root: Path, name: str) -> list[TypedTable]:
    """The tables in a file; a table is named by its folders and its file. Raises
    `UnreadableDocument`, `OSError`."""
    try:
        tables = tables_of(root / name)
    except UnreadableTable as error:
        raise UnreadableDocument(str(error)) from None
    above = [*Path(name).parent.parts]
    file = [Path(name).stem] if len(tables) > 1 else []
    return [replace(table, name=" ".join([*above, *file, table.name])) for table in tables]


def files_below(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """The names of all files below a folder and what the system says of each, without hidden files,
    without links that lead outside, and without names that are no UTF-8. Raises `OSError` if the
    folder itself cannot be listed; a folder below it that cannot be listed holds nothing."""
    root = folder.resolve()
    os.scandir(root).close()
    for at, folders, names in os.walk(root):
        folders[:] = sorted(n for n in folders if not n.startswith(".") and n not in _LEFT_OUT)
        for name in sorted(names):
            path = Path(at, name)
            if may_be_read(path, root):
                try:
                    yield path.relative_to(root).as_posix(), path.stat()
                except OSError:  # it was removed meanwhile, or may not be looked at
                    continue


def may_be_read(path: Path, root: Path) -> bool:
    """Whether a path is a file of this folder that is not hidden, and leads nowhere else."""
    parts = path.relative_to(root).parts
    if any(part.startswith(".") or part in _LEFT_OUT for part in parts) or not is_utf_8(path):
        return False
    try:  # a folder on the way may be a link, too
        return path.is_file() and path.resolve().is_relative_to(root)
    except OSError:  # a folder on the way may not be entered
        return False


def is_utf_8(path: Path) -> bool:
    """Whether a store can keep the name of a file."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def stamp_of(facts: os.stat_result) -> str:
    """What changes whenever a file is written or replaced."""
    return f"{facts.st_mtime_ns}-{facts.st_size}-{facts.st_ino}"


def document_of(root: Path, name: str) -> NewDocument:
    """The document in a file. Raises `UnreadableDocument`, `OSError`."""
    path = root / name
    if path.stat().st_size > MOST_BYTES:
        raise UnreadableDocument(f"it is larger than {MOST_BYTES >> 20} MB: split it")
    suffix = path.suffix.lower()
    if suffix in CODE:
        sections = [s for s in code_sections(name, decoded(path.read_bytes())) if s.text.strip()]
    elif suffix in FEEDS:
        sections = feed_sections(path.read_bytes())
    else:
        sections = sections_of(path)
    if not sections:
        raise UnreadableDocument("there is no text in it")
    stated = metadata_of(decoded(path.read_bytes())) if suffix in _STATING else {}
    title = str(stated.get("title") or _title(sections) or path.stem)
    return NewDocument(name, title, name, sections, stated, "folder")


def _title(sections: list[Section]) -> str:
    """The first heading of a document."""
    return sections[0].title.partition(BETWEEN_HEADINGS)[0]
