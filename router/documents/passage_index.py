"""A folder of documents as an index on disk: made anew only where documents changed.

An index is a folder of its own, complete before it is named in `current`; who reads one never sees
half of it, and a crash leaves the one before. Whatever does not match its checksum is made again.
"""

import contextlib
import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from router.documents.chunking import Passage, distinct, passages_of
from router.documents.content_words import content_words, rarity
from router.documents.formats import UnreadableDocument, files_of, sections_of
from router.encoding.encodes import Encodes

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

_VERSION = 1
_CURRENT = "current"
_BACKGROUND = Path(__file__).with_name("background.txt")  # what people ask about, and we are not
_KEPT = 2  # indexes: the one in use, and the one that somebody may still be reading


class NoDocuments(ValueError):
    """There is nothing to index; the message says what was looked for."""


@dataclass(frozen=True, slots=True)
class PassageIndex:
    """What is known of a folder's documents. Row n of `vectors` is passage n; row m of `sentences`
    belongs to passage `owners[m]`."""

    passages: tuple[Passage, ...]
    vectors: "Vectors"
    sentences: "Vectors"
    owners: Any
    background: "Vectors"
    words: tuple[tuple[str, ...], ...]
    weights: Mapping[str, float]
    encoder: str
    name: str


@dataclass(slots=True)
class IndexReport:
    """What indexing did."""

    files: int = 0
    fresh: int = 0
    passages: int = 0
    doubles: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)
    changed: bool = True


Tell = Callable[[int, int, str], None]  # done, of so many, which file


def refresh(
    documents: Path, home: Path, encoder: Encodes, tell: Tell = lambda *_: None
) -> IndexReport:
    """Bring the index up to the documents. Files that did not change are not read again."""
    if not documents.is_dir():
        raise NoDocuments(f"{documents} is no folder")
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:  # one at a time, whoever began first
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _refreshed(documents, home, encoder, tell)


def _refreshed(documents: Path, home: Path, encoder: Encodes, tell: Tell) -> IndexReport:
    paths = files_of(documents)
    known = _known(home, encoder)
    report = IndexReport(files=len(paths))
    entries: dict[str, dict[str, Any]] = {}
    for n, path in enumerate(paths):
        name = str(path.relative_to(documents))
        tell(n, len(paths), name)
        digest = _digest(path)
        if name in known and known[name]["digest"] == digest:
            entries[name] = known[name]
            continue
        try:
            entries[name] = {"digest": digest, "passages": _read(path, name, encoder)}
            report.fresh += 1
        except (UnreadableDocument, OSError) as error:
            report.unreadable[name] = str(error)
    if not any(entry["passages"] for entry in entries.values()):
        why = "; ".join(f"{n}: {why}" for n, why in report.unreadable.items())
        raise NoDocuments(
            f"{documents} holds nothing to read (.md, .txt, .html, .pdf){': ' + why if why else ''}"
        )
    report.changed = report.fresh > 0 or entries.keys() != known.keys() or not _whole(home)
    kept = _written(home, entries, encoder) if report.changed else _count(home)
    report.passages = kept
    report.doubles = sum(len(entry["passages"]) for entry in entries.values()) - kept
    tell(len(paths), len(paths), "")
    return report


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]


def _read(path: Path, name: str, encoder: Encodes) -> list[dict[str, Any]]:
    """The passages of one file, with their vectors and those of their sentences."""
    found = list(passages_of(name, sections_of(path)))
    texts = [f"{p.title}. {p.text}" if p.title else p.text for p in found]
    # A heading is a line of its own: it often says most briefly what the passage answers.
    sentences = [[*_heading(p), *p.sentences] for p in found]
    flat = [sentence for some in sentences for sentence in some]
    vectors: Any = encoder.encode([*texts, *flat]) if found else []
    made, at = [], len(texts)
    for n, passage in enumerate(found):
        own = vectors[at : at + len(sentences[n])]
        at += len(sentences[n])
        made.append(
            {
                "title": passage.title,
                "text": passage.text,
                "vector": vectors[n].tolist(),
                "sentences": [v.tolist() for v in own],
            }
        )
    return made


def _heading(passage: Passage) -> list[str]:
    leaf = passage.title.rpartition(" › ")[2]
    return [leaf] if leaf else []


def _written(home: Path, entries: Mapping[str, Any], encoder: Encodes) -> int:
    import numpy as np

    every = [
        (Passage(s, p["title"], p["text"]), p) for s, e in entries.items() for p in e["passages"]
    ]
    kept = {id(p) for p in distinct([passage for passage, _ in every])}
    chosen = [(passage, told) for passage, told in every if id(passage) in kept]
    owners = [n for n, (_, told) in enumerate(chosen) for _ in told["sentences"]]
    sentences = [vector for _, told in chosen for vector in told["sentences"]]
    arrays: dict[str, Any] = {
        "vectors": np.array([told["vector"] for _, told in chosen], dtype=np.float32),
        "sentences": np.array(sentences, dtype=np.float32).reshape(-1, encoder.dimensions),
        "owners": np.array(owners, dtype=np.int64),
        "background": encoder.encode(_BACKGROUND.read_text("utf-8").splitlines()),
    }
    passages = [[p.source, p.title, p.text] for p, _ in chosen]
    content = orjson.dumps({"encoder": encoder.name, "files": entries})
    generation = hashlib.blake2b(content, digest_size=8).hexdigest()
    beside = home / f"{generation}.new"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for name, array in arrays.items():
        np.save(beside / f"{name}.npy", array)
    (beside / "passages.json").write_bytes(orjson.dumps(passages))
    (beside / "files.json").write_bytes(content)
    telling = {word for passage, _ in chosen for word in _words(passage)}
    (beside / "words.json").write_bytes(orjson.dumps(sorted(telling)))
    sums = {path.name: _digest(path) for path in sorted(beside.iterdir())}
    told = {"version": _VERSION, "encoder": encoder.name, "passages": len(passages), "sums": sums}
    (beside / "index.json").write_bytes(orjson.dumps(told))
    shutil.rmtree(home / generation, ignore_errors=True)
    beside.rename(home / generation)
    named = home / f"{_CURRENT}.new"
    named.write_text(generation)
    named.replace(home / _CURRENT)
    _sweep(home)
    return len(passages)


def _sweep(home: Path) -> None:
    folders = sorted((p for p in home.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime)
    for old in folders[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def _known(home: Path, encoder: Encodes) -> dict[str, dict[str, Any]]:
    """The files of the index there is, if it is whole and of this encoder."""
    folder = current(home)
    if folder is None or not _whole(home):
        return {}
    told = orjson.loads((folder / "files.json").read_bytes())
    files: dict[str, dict[str, Any]] = told["files"]
    return files if told["encoder"] == encoder.name else {}


def current(home: Path) -> Path | None:
    with contextlib.suppress(OSError):
        folder = home / (home / _CURRENT).read_text().strip()
        return folder if folder.is_dir() else None
    return None


def _whole(home: Path) -> bool:
    folder = current(home)
    if folder is None:
        return False
    try:
        told = orjson.loads((folder / "index.json").read_bytes())
        return bool(
            told["version"] == _VERSION
            and all(_digest(folder / name) == sum_ for name, sum_ in told["sums"].items())
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _count(home: Path) -> int:
    folder = current(home)
    assert folder is not None
    return int(orjson.loads((folder / "index.json").read_bytes())["passages"])


def load(home: Path) -> PassageIndex:
    """The index in use; `LookupError` where there is none that is whole."""
    import numpy as np

    folder = current(home)
    if folder is None or not _whole(home):
        raise LookupError(f"{home} holds no index that is whole")
    passages = tuple(Passage(*p) for p in orjson.loads((folder / "passages.json").read_bytes()))
    words = tuple(tuple(_words(passage)) for passage in passages)
    told = orjson.loads((folder / "index.json").read_bytes())
    return PassageIndex(
        passages,
        np.load(folder / "vectors.npy"),
        np.load(folder / "sentences.npy"),
        np.load(folder / "owners.npy"),
        np.load(folder / "background.npy"),
        words,
        rarity(words),
        told["encoder"],
        folder.name,
    )


def _words(passage: Passage) -> Iterator[str]:
    """A heading says what the passage is about: its words count twice."""
    titles = content_words(passage.title.rpartition(" › ")[2])
    return iter([*content_words(passage.title), *titles, *content_words(passage.text)])
