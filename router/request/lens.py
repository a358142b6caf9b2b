"""Turns the words of a prompt into numbers: hashed TF-IDF, 16 directions, and neighbourhoods.

A lens is fitted once, without labels, to some hundred prompts: the first to arrive, or those of
`waggle warm`. The lens stores no words, only weights of hashed words and centres of neighbourhoods.
If a request has a sentence vector, the lens uses the vector as well. Neighbourhoods with and
without a vector have different numbers, so that prompts are compared only if they were seen in the
same way.
"""

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from math import log, log1p
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from router.files import write_whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

DIMENSIONS = 16
BUCKETS = 4096
NEAR, FAR = 48, 10  # numbers of fine and of coarse neighbourhoods
ENOUGH = 400  # prompts that a lens is fitted to
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\s\w]")
_HEAD, _TAIL = 3000, 1000  # characters read at the start and the end of a long prompt
_WITH_VECTOR = 100  # added to the number of a neighbourhood found with a vector
_FORMAT = 1

Terms = Mapping[int, float]


def terms(text: str) -> Terms:
    """The counts of a text's hashed words and of some marks of its style."""
    cut = text if len(text) <= _HEAD + _TAIL else text[:_HEAD] + text[-_TAIL:]
    tokens = ["#" if token.isdigit() else token for token in _TOKEN.findall(cut.lower())]
    counted: dict[str, float] = {}
    for token in tokens:
        counted[token] = counted.get(token, 0.0) + 1.0
    for sign in _style(text.strip() or " ", tokens):
        counted[sign] = counted.get(sign, 0.0) + 1.0
    hashed: dict[int, float] = {}
    for token, count in counted.items():
        at = crc32(token.encode("utf-8", "replace")) % BUCKETS
        hashed[at] = hashed.get(at, 0.0) + count
    return hashed


def _style(text: str, tokens: Sequence[str]) -> Iterable[str]:
    """Marks of a text's style: its beginning and end, its length, and its sorts of characters."""
    head = text[:_HEAD]
    size, length = len(head), log(1 + len(text))
    yield "^" + _shape(text[0])
    yield "$" + _shape(text[-1])
    yield "^w " + (tokens[0] if tokens else "")
    yield f"length {int(length * 1.5)}"
    yield f"length+ {int(length * 1.5 + 0.5)}"
    yield f"lines {min(int(log1p(text.count(chr(10))) * 2), 6)}"
    made = make(head)
    for name, share in (
        ("digits", 20 * made.digits / size),
        ("capitals", 25 * made.capitals / size),
        ("signs", 25 * made.signs / size),
        ("commas", 40 * head.count(",") / size),
    ):
        yield f"{name} {min(int(share), 4)}"
    yield f"words {int(1.5 * sum(map(len, tokens)) / (len(tokens) + 1))}"


class Make(NamedTuple):
    """The numbers of letters, capitals and other characters in a text. Letters of other alphabets
    count as small letters."""

    letters: int
    capitals: int
    digits: int
    spaces: int
    signs: int


_SORTED = bytes(
    ord("0")
    if 48 <= byte <= 57
    else ord("A")
    if 65 <= byte <= 90
    else ord("a")
    if 97 <= byte <= 122
    else ord(" ")
    if byte in b" \t\r\n\v\f"
    else ord("-")  # a later byte of a character, which does not count
    if 128 <= byte < 192
    else ord("a")
    if byte >= 192
    else ord(".")
    for byte in range(256)
)


def make(text: str) -> Make:
    sorts = text.encode("utf-8", "replace").translate(_SORTED)
    capitals = sorts.count(b"A")
    letters = capitals + sorts.count(b"a")
    return Make(letters, capitals, sorts.count(b"0"), sorts.count(b" "), sorts.count(b"."))


def _shape(letter: str) -> str:
    if letter.isalpha():
        return "U" if letter.isupper() else "l"
    return "0" if letter.isdigit() else letter


@dataclass(frozen=True, slots=True)
class PromptView:
    """A prompt's numbers under a lens: its directions and its neighbourhoods."""

    lex: tuple[float, ...]
    vec: tuple[float, ...] | None
    near: int
    far: int


@dataclass(frozen=True)
class Lens:
    """A fitted lens. The arrays for sentence vectors are empty if too few prompts had vectors."""

    weights: "Matrix"  # one weight for each bucket
    words: "Matrix"  # (16, buckets)
    words_middle: "Matrix"
    near: "Matrix"
    far: "Matrix"
    meaning: "Matrix"  # (16, size of a sentence vector)
    meaning_middle: "Matrix"
    near_both: "Matrix"
    far_both: "Matrix"

    @cached_property
    def number(self) -> int:
        """The lens's fingerprint of 48 bits, which a float in a row holds exactly."""
        fingerprint = blake2b(str(_FORMAT).encode(), digest_size=6)
        for array in self._arrays().values():
            fingerprint.update(array.tobytes())
        return int.from_bytes(fingerprint.digest()) or 1

    def view(self, text: str, vector: Sequence[float] | None = None) -> PromptView:
        import numpy as np

        lex = self._lex(terms(text))
        shown = tuple(round(value, 3) for value in lex.tolist())
        if vector is None or not len(self.meaning):
            return PromptView(shown, None, _closest(self.near, lex), _closest(self.far, lex))
        vec = self.meaning @ np.asarray(vector, dtype=np.float32) - self.meaning_middle
        both = np.concatenate([vec, lex])
        near, far = _closest(self.near_both, both), _closest(self.far_both, both)
        meant = tuple(round(value, 3) for value in vec.tolist())
        return PromptView(shown, meant, _WITH_VECTOR + near, _WITH_VECTOR + far)

    def _lex(self, counted: Terms) -> "Matrix":
        import numpy as np

        at = np.fromiter(counted.keys(), np.intp, len(counted))
        value = np.fromiter(counted.values(), np.float32, len(counted))
        value = np.log1p(value) * self.weights[at]
        length = float(np.sqrt(value @ value)) or 1.0
        return np.asarray(self.words[:, at] @ (value / length) - self.words_middle)

    def _arrays(self) -> dict[str, "Matrix"]:
        return {
            name: getattr(self, name)
            for name in (
                *("weights", "words", "words_middle", "near", "far"),
                *("meaning", "meaning_middle", "near_both", "far_both"),
            )
        }

    def written(self) -> bytes:
        import numpy as np

        buffer = io.BytesIO()
        arrays: dict[str, Any] = self._arrays()
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue()

    @classmethod
    def read(cls, content: bytes) -> "Lens":
        """Read a lens from bytes. Raises `ValueError` if the content is no lens."""
        import zipfile

        import numpy as np

        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                return cls(**{name: arrays[name] for name in arrays.files})
        except (OSError, TypeError, KeyError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError(f"this is no lens: {error}") from None


def keep(lens: Lens, folder: Path) -> Path:
    """Write a lens under its number, and keep older lenses, because stored rows name them."""
    path = folder / f"lens-{lens.number:012x}.npz"
    write_whole(path, lens.written())
    write_whole(folder / "lens", f"{lens.number:012x}\n".encode())
    return path


def kept(folder: Path) -> Lens | None:
    """The current lens of a folder; None if it cannot be read."""
    try:
        name = (folder / "lens").read_text().strip()
        lens = Lens.read((folder / f"lens-{name}.npz").read_bytes())
    except (OSError, ValueError):
        return None
    return lens if f"{lens.number:012x}" == name else None


def fitted(prompts: Sequence[Terms], vectors: Sequence[Sequence[float] | None]) -> Lens:
    """Fit a lens: the directions in which prompts differ most, and the centres of clusters."""
    import numpy as np

    weights = _weights(prompts)
    rows = np.zeros((len(prompts), BUCKETS), dtype=np.float32)
    for row, counted in zip(rows, prompts, strict=True):
        at = list(counted)
        row[at] = np.log1p([counted[bucket] for bucket in at]) * weights[at]
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    words, lex = _directions(rows)
    with_vector = [at for at, vector in enumerate(vectors) if vector is not None]
    empty = np.zeros((0, 0), dtype=np.float32)
    meaning, near_both, far_both, middle = empty, empty, empty, np.zeros(0, dtype=np.float32)
    if len(with_vector) >= ENOUGH // 2:
        given = np.array([vectors[at] for at in with_vector], dtype=np.float32)
        meaning, vec = _directions(given)
        middle = meaning @ given.mean(axis=0)
        both = np.hstack([vec, lex[with_vector]]).astype(np.float32)
        near_both, far_both = _crowds(both, NEAR), _crowds(both, FAR)
    return Lens(
        weights,
        words,
        np.asarray(words @ rows.mean(axis=0), dtype=np.float32),
        _crowds(lex, NEAR),
        _crowds(lex, FAR),
        meaning,
        np.asarray(middle, dtype=np.float32),
        near_both,
        far_both,
    )


def _weights(prompts: Sequence[Terms]) -> "Matrix":
    """The weight of each bucket: rare words weigh more, without drowning a prompt's style."""
    import numpy as np

    seen = np.zeros(BUCKETS)
    for counted in prompts:
        seen[list(counted)] += 1
    weights = np.sqrt(np.log((1 + len(prompts)) / (1 + seen)))
    weights[seen == 0] = 0.0
    return weights.astype(np.float32)


def _directions(rows: "Matrix") -> tuple["Matrix", "Matrix"]:
    """The rows' strongest directions, and the rows' coordinates, scaled to about 1."""
    import numpy as np

    centred = rows - rows.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    directions = np.zeros((DIMENSIONS, rows.shape[1]), dtype=np.float32)
    directions[: min(DIMENSIONS, len(axes))] = axes[:DIMENSIONS]
    # The sign of a direction is arbitrary; fix it, so that every machine agrees.
    directions *= np.where(directions.sum(axis=1, keepdims=True) < 0, -1, 1)
    seen = centred @ directions.T
    scale = max(float(seen.std(axis=0).max()), 1e-6)
    return np.asarray(directions / scale, dtype=np.float32), np.asarray(seen / scale)


def _crowds(points: "Matrix", count: int) -> "Matrix":
    """The centres of k-means clusters, from the best of four runs."""
    import numpy as np
    from sklearn.cluster import KMeans  # type: ignore[import-untyped]

    count = min(count, len(np.unique(points.round(5), axis=0)))
    clusters = KMeans(count, n_init=4, random_state=0).fit(points)
    return clusters.cluster_centers_.astype("float32")  # type: ignore[no-any-return]


def _closest(centres: "Matrix", point: "Matrix") -> int:
    apart = centres - point
    return int((apart * apart).sum(axis=1).argmin())
