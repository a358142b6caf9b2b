"""The files of models: each model is a folder named by the SHA-256 of what is in it.

A folder holds a card and arrays of numbers, and never code: nothing in it is executed or unpickled.
It is written whole before it gets its name, and is checked against its name when it is opened.
"""

import hashlib
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from router.files import whole_folder
from router.models.card import BrokenModel, Card, card_in

CARD = "card.json"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def add(folder: Path, card: Card, files: Mapping[str, bytes]) -> tuple[str, Card]:
    """Write a model, and return the name of its folder and its card, which names its files."""
    card = replace(card, files={name: _digest(content) for name, content in sorted(files.items())})
    contents = {**files, CARD: card.encoded()}
    digest = _digest_of(contents)
    if not (folder / digest).is_dir():
        with whole_folder(folder / digest) as beside:
            beside.chmod(0o700)
            for name, content in contents.items():
                path = beside / name
                path.write_bytes(content)
                path.chmod(0o600)
    return digest, card


def opened(folder: Path, digest: str) -> tuple[Card, dict[str, bytes]]:
    """The card and the other files of a model, after a check that nobody changed them."""
    if not _DIGEST.fullmatch(digest):
        raise BrokenModel(f"{digest[:80]!r} is no name of a model's folder")
    place = folder / digest
    try:
        card_bytes = (place / CARD).read_bytes()
        card = card_in(card_bytes, str(place / CARD))
        for name in card.files:
            if name != Path(name).name:
                raise BrokenModel(f"{place / CARD} names a file outside its folder: {name[:80]!r}")
        files = {name: (place / name).read_bytes() for name in card.files}
    except OSError as error:
        wrong = f"the files of model {digest[:12]} cannot be read ({error.strerror})"
        raise BrokenModel(f"{wrong}: train it again, or `waggle models rollback`") from None
    if _digest_of({**files, CARD: card_bytes}) != digest:
        wrong = f"the files of {card.reference} in {place} were changed since it was made"
        raise BrokenModel(f"{wrong}: train it again, or `waggle models rollback {card.name}`")
    return card, files


def packed(arrays: Mapping[str, Any]) -> bytes:
    """Arrays as the content of one .npz file."""
    import numpy as np  # a list of models needs none of it

    buffer = io.BytesIO()
    named: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    np.savez(buffer, **named)
    return buffer.getvalue()


def unpacked(content: bytes, name: str) -> dict[str, Any]:
    """The arrays in an .npz file; objects, which would have to be unpickled, are refused."""
    import numpy as np

    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}
    except (ValueError, OSError, EOFError) as error:
        raise BrokenModel(f"{name} holds no arrays of numbers ({error}): train again") from None


def _digest_of(contents: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name, content in _sorted(contents.items()):
        whole.update(f"{name} {_digest(content)}\n".encode())
    return whole.hexdigest()


def _sorted(items: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return sorted(items, key=lambda item: item[0])


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
