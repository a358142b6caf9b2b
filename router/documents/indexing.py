"""Updates an index to its documents: only changed files are read and encoded again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from router.documents.chunking import Passage, passages_of
from router.documents.formats import UnreadableDocument, files_of, sections_of
from router.documents.passage_index import (
    Entries,
    digest,
    entries_of,
    intact,
    passage_count,
    write,
)
from router.encoding.encoder import installed_with_waggle
from router.encoding.encodes import Encodes
from router.files import alone

SHIPPED_DOCUMENTS = Path(__file__).parent / "shipped"


class NoDocuments(ValueError):
    """The folder holds no document to index; the message names the folder."""


@dataclass(slots=True)
class IndexReport:
    """The outcome of one indexing: numbers of files and passages, and the unreadable files."""

    files: int = 0
    fresh: int = 0  # new or changed files
    passages: int = 0
    doubles: int = 0  # passages that repeat another passage
    unreadable: dict[str, str] = field(default_factory=dict)
    changed: bool = True


ReportProgress = Callable[[int, int, str], None]  # finished files, all files, name of the next file


def refresh(
    documents: Path, home: Path, encoder: Encodes, progress: ReportProgress = lambda *_: None
) -> IndexReport:
    """Index a folder of documents; if another process indexes it, wait for that process first."""
    if not documents.is_dir():
        raise NoDocuments(f"{documents} is no folder")
    with alone(home / "lock"):
        return _refresh(documents, home, encoder, progress)


def _refresh(
    documents: Path, home: Path, encoder: Encodes, progress: ReportProgress
) -> IndexReport:
    paths = files_of(documents)
    before = entries_of(home, encoder.name) or _installed_entries(documents, encoder)
    report = IndexReport(files=len(paths))
    entries: dict[str, Any] = {}
    for n, path in enumerate(paths):
        name = str(path.relative_to(documents))
        progress(n, len(paths), name)
        sum_ = digest(path)
        if name in before and before[name]["digest"] == sum_:
            entries[name] = before[name]
            continue
        try:
            entries[name] = {"digest": sum_, "passages": _passages(path, name, encoder)}
            report.fresh += 1
        except (UnreadableDocument, OSError) as error:
            report.unreadable[name] = str(error)
    if not any(entry["passages"] for entry in entries.values()):
        reasons = "; ".join(f"{name}: {reason}" for name, reason in report.unreadable.items())
        raise NoDocuments(
            f"{documents} holds nothing to read (.md, .txt, .html, .pdf)"
            + (f": {reasons}" if reasons else "")
        )
    same_files = report.fresh == 0 and entries.keys() == before.keys()
    report.changed = not same_files or intact(home) is None
    report.passages = write(home, entries, encoder) if report.changed else passage_count(home)
    report.doubles = sum(len(entry["passages"]) for entry in entries.values()) - report.passages
    progress(len(paths), len(paths), "")
    return report


def installed_index(shipped: Path) -> Path:
    """Where `make env` keeps the index of a folder of documents that Waggle ships."""
    return installed_with_waggle() / "specialists" / shipped.name


def _installed_entries(documents: Path, encoder: Encodes) -> Entries:
    """The entries of shipped documents, which need not be read and encoded again."""
    if documents.parent != SHIPPED_DOCUMENTS:
        return {}
    return entries_of(installed_index(documents), encoder.name)


def _passages(path: Path, name: str, encoder: Encodes) -> list[dict[str, Any]]:
    return encoded_passages(list(passages_of(name, sections_of(path))), encoder)


def encoded_passages(passages: Sequence[Passage], encoder: Encodes) -> list[dict[str, Any]]:
    """The passages, with the vectors of the passages and of their sentences.

    A heading counts as a sentence: often the heading says most briefly what its passage answers.
    """
    texts = [f"{p.title}. {p.text}" if p.title else p.text for p in passages]
    sentences = [[p.heading, *p.sentences] if p.heading else p.sentences for p in passages]
    flat = [sentence for of_passage in sentences for sentence in of_passage]
    vectors: Any = encoder.encode([*texts, *flat]) if passages else []
    encoded, at = [], len(texts)
    for n, passage in enumerate(passages):
        own = vectors[at : at + len(sentences[n])]
        at += len(sentences[n])
        encoded.append(
            {
                "title": passage.title,
                "text": passage.text,
                "vector": vectors[n].tolist(),
                "sentences": [vector.tolist() for vector in own],
            }
        )
    return encoded
