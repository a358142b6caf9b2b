"""Turns a prompt into numbers: directions of its words and of its meaning, and neighbourhoods.

A lens is fitted once, without labels, to some hundred prompts: the first to arrive, or those of
`waggle warm`. The lens stores no words, only weights of hashed words and centres of neighbourhoods.
A prompt belongs to the few closest neighbourhoods in part (`neighbourhoods.py`), so that a small
change of its words changes its numbers a little, and no more.

If a request has a sentence vector, its neighbourhoods are those of its meaning. Neighbourhoods with
and without a vector have different numbers, so that prompts are compared only if they were seen in
the same way.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from hashlib import blake2b
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from router.files import write_whole
from router.request.neighbourhoods import Neighbourhoods, Shares
from router.request.terms import BUCKETS, Terms, terms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

WORDS, MEANING = 16, 48  # directions of words, and of sentence vectors
NEAR, FAR = 48, 10  # numbers of fine and of coarse neighbourhoods
NEAR_SHARES, FAR_SHARES = 6, 6  # neighbourhoods that a prompt belongs to, at most
ENOUGH = 400  # prompts that a lens is fitted to
_WITH_VECTOR = 100  # added to the number of a neighbourhood found with a vector
_FORMAT = 2


@dataclass(frozen=True, slots=True)
class PromptView:
    """A prompt's numbers under a lens: its directions, its neighbourhoods and their kinds."""

    lex: tuple[float, ...]
    vec: tuple[float, ...] | None
    near: Shares
    far: Shares
    kinds: tuple[float, ...] | None  # how usual each kind is there, as far as this can be told


@dataclass(frozen=True)
class Lens:
    """A fitted lens. The arrays for sentence vectors are empty if too few prompts had vectors."""

    weights: "Matrix"  # one weight for each bucket
    words: "Matrix"  # (16, buckets)
    words_middle: "Matrix"
    meaning: "Matrix"  # (48, size of a sentence vector)
    meaning_middle: "Matrix"
    near: Neighbourhoods
    far: Neighbourhoods
    near_meant: Neighbourhoods
    far_meant: Neighbourhoods

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
        shown = tuple([round(value * 1000) / 1000 for value in lex.tolist()])
        if vector is None or not len(self.meaning):
            near, kinds = self.near.view(lex, NEAR_SHARES)
            return PromptView(shown, None, near, self.far.view(lex, FAR_SHARES)[0], kinds)
        vec = self.meaning @ np.asarray(vector, dtype=np.float32) - self.meaning_middle
        near, kinds = self.near_meant.view(vec, NEAR_SHARES)
        far, _ = self.far_meant.view(vec, FAR_SHARES)
        return PromptView(shown, _rounded(vec), _meant(near), _meant(far), kinds)

    def _lex(self, counted: Terms) -> "Matrix":
        import numpy as np

        at = np.fromiter(counted.keys(), np.intp, len(counted))
        value = np.fromiter(counted.values(), np.float32, len(counted))
        np.log1p(value, out=value)
        value *= self.weights.take(at)
        length = sqrt(value @ value) or 1.0
        value /= length
        lex: Matrix = self._by_bucket.take(at, axis=0).T @ value
        lex -= self.words_middle
        return lex

    @cached_property
    def _by_bucket(self) -> "Matrix":
        """The directions of words, with those of a bucket side by side in memory: a prompt has few
        buckets, and each is read at once."""
        import numpy as np

        return np.ascontiguousarray(self.words.T)

    def _arrays(self) -> dict[str, "Matrix"]:
        arrays: dict[str, Matrix] = {}
        for part in fields(self):
            value = getattr(self, part.name)
            if isinstance(value, Neighbourhoods):
                arrays |= {f"{part.name}.{name}": array for name, array in value.arrays().items()}
            else:
                arrays[part.name] = value
        return arrays

    def written(self) -> bytes:
        import numpy as np

        buffer = io.BytesIO()
        arrays: dict[str, Any] = self._arrays()
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue()

    @classmethod
    def read(cls, content: bytes) -> "Lens":
        """Read a lens from bytes. Raises `ValueError` if the content is no lens of this format."""
        import zipfile

        import numpy as np

        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            parts: dict[str, Any] = {n: array for n, array in arrays.items() if "." not in n}
            for name in ("near", "far", "near_meant", "far_meant"):
                parts[name] = Neighbourhoods(**_under(arrays, name))
            return cls(**parts)
        except (OSError, TypeError, KeyError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError(f"this is no lens: {error}") from None


def keep(lens: Lens, folder: Path) -> Path:
    """Write a lens under its number, and keep older lenses, because stored rows name them."""
    path = folder / f"lens-{lens.number:012x}.npz"
    write_whole(path, lens.written())
    write_whole(folder / "lens", f"{lens.number:012x}\n".encode())
    return path


def kept(folder: Path) -> Lens | None:
    """The current lens of a folder; None if it cannot be read, or is of an older format."""
    try:
        name = (folder / "lens").read_text().strip()
        lens = Lens.read((folder / f"lens-{name}.npz").read_bytes())
    except (OSError, ValueError):
        return None
    return lens if f"{lens.number:012x}" == name else None


def fitted(
    prompts: Sequence[Terms],
    vectors: Sequence[Sequence[float] | None],
    kinds: Sequence[Sequence[float]] = (),
) -> Lens:
    """Fit a lens: the directions in which prompts differ most, and the centres of clusters.

    `kinds` says what each prompt's words alone say about its kind. Without it, a prompt's kind is
    read from its own words only.
    """
    import numpy as np

    weights = _weights(prompts)
    rows = np.zeros((len(prompts), BUCKETS), dtype=np.float32)
    for row, counted in zip(rows, prompts, strict=True):
        at = list(counted)
        row[at] = np.log1p([counted[bucket] for bucket in at]) * weights[at]
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    words, lex = _directions(rows, WORDS)
    kind_rows = np.array(kinds, dtype=np.float32) if len(kinds) else np.zeros((0, 0), np.float32)
    with_vector = [at for at, vector in enumerate(vectors) if vector is not None]
    empty = np.zeros((0, 0), dtype=np.float32)
    meaning, middle = empty, np.zeros(0, dtype=np.float32)
    near_meant, far_meant = Neighbourhoods.none(), Neighbourhoods.none()
    if len(with_vector) >= ENOUGH // 2:
        given = np.array([vectors[at] for at in with_vector], dtype=np.float32)
        meaning, vec = _directions(given, MEANING)
        middle = np.asarray(meaning @ given.mean(axis=0), dtype=np.float32)
        its_kinds = kind_rows[with_vector] if len(kind_rows) else kind_rows
        near_meant = Neighbourhoods.fitted(vec, NEAR, its_kinds)
        far_meant = Neighbourhoods.fitted(vec, FAR, its_kinds)
    return Lens(
        weights,
        words,
        np.asarray(words @ rows.mean(axis=0), dtype=np.float32),
        meaning,
        middle,
        Neighbourhoods.fitted(lex, NEAR, kind_rows),
        Neighbourhoods.fitted(lex, FAR, kind_rows),
        near_meant,
        far_meant,
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


def _directions(rows: "Matrix", count: int) -> tuple["Matrix", "Matrix"]:
    """The rows' strongest directions, and the rows' coordinates, scaled to about 1."""
    import numpy as np

    centred = rows - rows.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    directions = np.zeros((count, rows.shape[1]), dtype=np.float32)
    directions[: min(count, len(axes))] = axes[:count]
    # The sign of a direction is arbitrary; fix it, so that every machine agrees.
    directions *= np.where(directions.sum(axis=1, keepdims=True) < 0, -1, 1)
    seen = centred @ directions.T
    scale = max(float(seen.std(axis=0).max()), 1e-6)
    return np.asarray(directions / scale, dtype=np.float32), np.asarray(seen / scale)


def _rounded(values: "Matrix") -> tuple[float, ...]:
    import numpy as np

    return tuple(np.round(values.astype(np.float64), 3).tolist())


def _meant(shares: Shares) -> Shares:
    return tuple((_WITH_VECTOR + number, share) for number, share in shares)


def _under(arrays: dict[str, Any], name: str) -> dict[str, Any]:
    start = name + "."
    return {key.removeprefix(start): a for key, a in arrays.items() if key.startswith(start)}
