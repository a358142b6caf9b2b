"""The index of a folder of documents on disk.

Each index has a folder of its own. The file `current` names the folder once the index is complete:
readers never see half of an index, and after a crash the previous index stays in use. An index
whose files differ from the checksums in its manifest is never loaded.
"""

import contextlib
import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from router.documents.chunking import Passage, distinct
from router.documents.content_words import content_words, rarity
from router.encoding.encodes import Encodes
from router.files import whole_folder, write_durably

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

VERSION = 1
_CURRENT = "current"
_BACKGROUND = Path(__file__).with_name("background.txt")  # questions unrelated to any documents
_KEPT = 2  # the current index, and the previous one, which a reader may still be loading

Entries = Mapping[str, Mapping[str, Any]]  # digest and encoded passages of each file


class NoIndex(LookupError):
    """The folder holds no index, or a damaged one; the message names the folder."""


@dataclass(frozen=True, slots=True)
class PassageIndex:
    """Row n of `vectors` is passage n; row m of `sentences` belongs to passage `owners[m]`."""

    passages: tuple[Passage, ...]
    vectors: "Vectors"
    sentences: "Vectors"
    owners: Any
    background: "Vectors"
    words: tuple[tuple[str, ...], ...]
    weights: Mapping[str, float]
    holders: Mapping[str, int]  # how many passages hold each word
    encoder: str
    name: str


def current(home: Path) -> Path | None:
    """The folder of the index in use; its files may be damaged."""
    with contextlib.suppress(OSError):
        folder = home / (home / _CURRENT).read_text().strip()
        return folder if folder.is_dir() else None
    return None


def intact(home: Path) -> Path | None:
    """The folder of the index in use; None if a file does not match its checksum."""
    folder = current(home)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        if folder is not None:
            manifest = _manifest(folder)
            sums = manifest["sums"].items()
            if manifest["version"] == VERSION and all(digest(folder / n) == s for n, s in sums):
                return folder
    return None


def load(home: Path) -> PassageIndex:
    import numpy as np

    folder = intact(home)
    if folder is None:
        raise NoIndex(f"{home} holds no index that is whole")
    passages = tuple(Passage(*p) for p in orjson.loads((folder / "passages.json").read_bytes()))
    words = tuple(tuple(words_of(passage)) for passage in passages)
    return PassageIndex(
        passages,
        np.load(folder / "vectors.npy"),
        np.load(folder / "sentences.npy"),
        np.load(folder / "owners.npy"),
        np.load(folder / "background.npy"),
        words,
        rarity(words),
        Counter(word for own in words for word in set(own)),
        _manifest(folder)["encoder"],
        folder.name,
    )


def entries_of(home: Path, encoder: str) -> Entries:
    """The indexed files, if the index is intact and this encoder made it; else nothing."""
    folder = intact(home)
    if folder is None:
        return {}
    content = orjson.loads((folder / "files.json").read_bytes())
    entries: Entries = content["files"]
    return entries if content["encoder"] == encoder else {}


def passage_count(home: Path) -> int:
    folder = current(home)
    return 0 if folder is None else int(_manifest(folder)["passages"])


def write(home: Path, entries: Entries, encoder: Encodes) -> int:
    """Write an index of these files and put it into use; return its number of passages."""
    content = orjson.dumps({"encoder": encoder.name, "files": entries})
    generation = hashlib.blake2b(content, digest_size=8).hexdigest()
    chosen = _without_duplicates(entries)
    passages = [passage for passage, _ in chosen]
    with whole_folder(home / generation) as folder:
        _write_arrays(folder, [encoded for _, encoded in chosen], encoder)
        rows = [[p.source, p.title, p.text] for p in passages]
        (folder / "passages.json").write_bytes(orjson.dumps(rows))
        (folder / "files.json").write_bytes(content)
        vocabulary = {word for passage in passages for word in words_of(passage)}
        (folder / "words.json").write_bytes(orjson.dumps(sorted(vocabulary)))
        manifest = {
            "version": VERSION,
            "encoder": encoder.name,
            "passages": len(passages),
            "sums": {path.name: digest(path) for path in sorted(folder.iterdir())},
        }
        (folder / "index.json").write_bytes(orjson.dumps(manifest))
    write_durably(home / _CURRENT, generation.encode(), mode=0o644)
    # Whatever the clock says, the current folder is the newest.
    folders = sorted(
        (p for p in home.iterdir() if p.is_dir()),
        key=lambda p: (p.name == generation, p.stat().st_mtime),
    )
    for old in folders[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return len(passages)


def _without_duplicates(entries: Entries) -> list[tuple[Passage, Mapping[str, Any]]]:
    every = [
        (Passage(source, encoded["title"], encoded["text"]), encoded)
        for source, entry in entries.items()
        for encoded in entry["passages"]
    ]
    kept = {id(passage) for passage in distinct([passage for passage, _ in every])}
    return [pair for pair in every if id(pair[0]) in kept]


def _write_arrays(folder: Path, encoded: Sequence[Mapping[str, Any]], encoder: Encodes) -> None:
    import numpy as np

    owners = [n for n, passage in enumerate(encoded) for _ in passage["sentences"]]
    sentences = [vector for passage in encoded for vector in passage["sentences"]]
    arrays: dict[str, Any] = {
        "vectors": np.array([passage["vector"] for passage in encoded], dtype=np.float32),
        "sentences": np.array(sentences, dtype=np.float32).reshape(-1, encoder.dimensions),
        "owners": np.array(owners, dtype=np.int64),
        "background": encoder.encode(background_questions()),
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def background_questions() -> list[str]:
    return _BACKGROUND.read_text("utf-8").splitlines()


def words_of(passage: Passage, language: str = "en") -> Iterator[str]:
    """The content words of a passage; the words of its own heading come twice."""
    texts = passage.title, passage.heading, passage.text
    return (word for text in texts for word in content_words(text, language))


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]


def _manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = orjson.loads((folder / "index.json").read_bytes())
    return manifest
