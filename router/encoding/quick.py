"""A table that stands for the encoder where being quick matters more: a vector for each token.

The vector of a text is the mean of its tokens' vectors, of length one. The table is fitted to what
the encoder says of some ten thousands of sentences, by least squares: it is the best that any such
table can do on them. It only tells which requests resemble nothing: those need no encoder.
"""

import ast
import fcntl
import json
import re
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from router.encoding.encoder import Encoder, Vectors

Tell = Callable[[str, int, int], None]  # what is being done, how far, of how much

_SENTENCES = 12_000
_ROUNDS = 25
_RIDGE = 0.02
_BATCH = 256
_TABLE = "quick.npy"
# Packages that come with us and whose documentation is English prose.
_READ = ("sklearn", "scipy", "numpy", "duckdb", "transformers", "sentence_transformers", "faker")


class Quick:
    """The table of one encoder, in its folder."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._table = np.load(folder / _TABLE)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(256)
        told = json.loads((folder / "quick.json").read_text())
        self.skips_below: float = told["skips_below"]  # likeness that is none

    def encode(self, text: str) -> "Vectors":
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        mean = self._table[ids].astype(np.float32).sum(axis=0) if ids else self._table[0] * 0.0
        length = float(np.sqrt(mean @ mean))
        found: Vectors = mean / length if length > 1e-6 else mean
        return found


def trained(folder: Path) -> Quick | None:
    """The table that lies beside an exported encoder, if it was fitted."""
    return Quick(folder) if (folder / _TABLE).is_file() else None


def train(encoder: "Encoder", folder: Path, texts: Sequence[str], tell: Tell) -> Path:
    """Fit the table, once: written beside and renamed. `texts` are those that will be asked."""
    path = folder / _TABLE
    with (folder / "quick.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.is_file():
            return path
        sentences = list(dict.fromkeys([*texts, *_prose(_SENTENCES - len(texts))]))
        vectors = _taught(encoder, sentences, tell)
        table = _fitted(folder, encoder, sentences, vectors, tell)
        beside = path.with_suffix(".new")
        with beside.open("wb") as file:
            np.save(file, table.astype(np.float16))
        beside.replace(folder / "quick.made")
        below = _skips_below(table, folder, sentences, vectors)
        told = {"sentences": len(sentences), "skips_below": round(below, 4)}
        (folder / "quick.json").write_text(json.dumps(told))
        (folder / "quick.made").replace(path)
    return path


_NEAR, _LOST, _SAMPLED = 0.8, 0.005, 2_000


def _skips_below(
    table: "Vectors", folder: Path, sentences: Sequence[str], vectors: "Vectors"
) -> float:
    """Where the table says so little likeness, the encoder found hardly any that was near."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    read = tokenizer.encode_batch(list(sentences), add_special_tokens=False)
    quick = np.array([table[one.ids].mean(axis=0) if one.ids else table[0] for one in read])
    quick /= np.maximum(np.linalg.norm(quick, axis=1, keepdims=True), 1e-6)
    some = np.linspace(0, len(sentences) - 1, min(_SAMPLED, len(sentences))).astype(int)
    near: list[float] = []
    for start in range(0, len(some), 200):
        rows = some[start : start + 200]
        likeness = vectors[rows] @ vectors.T
        likeness[np.arange(len(rows)), rows] = -1
        for row, column in np.argwhere(likeness >= _NEAR):
            near.append(float(quick[rows[row]] @ quick[column]))
    return float(np.quantile(near, _LOST)) if len(near) >= 200 else 0.0


def _taught(encoder: "Encoder", sentences: Sequence[str], tell: Tell) -> "Vectors":
    made = np.zeros((len(sentences), encoder.dimensions), dtype=np.float32)
    # By length, so that a batch pads little.
    order = sorted(range(len(sentences)), key=lambda at: len(sentences[at]))
    for start in range(0, len(order), _BATCH):
        some = order[start : start + _BATCH]
        made[some] = encoder.encode([sentences[at] for at in some])
        tell("Asking the encoder", start + len(some), len(sentences))
    return made


def _fitted(
    folder: Path, encoder: "Encoder", sentences: Sequence[str], wanted: "Vectors", tell: Tell
) -> "Vectors":
    """Ridge regression from bags of tokens to vectors, by conjugate gradients: towards what the
    encoder says of each token alone, which is all that is known of those that never came."""
    from scipy.sparse import csr_matrix
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    size = tokenizer.get_vocab_size()
    words = [(tokenizer.id_to_token(at) or "").removeprefix("##") for at in range(size)]
    alone = _taught(encoder, words, tell)
    rows, columns, values = [], [], []
    for row, read in enumerate(tokenizer.encode_batch(list(sentences), add_special_tokens=False)):
        share = 1 / max(len(read.ids), 1)
        rows += [row] * len(read.ids)
        columns += read.ids
        values += [share] * len(read.ids)
    bags: Any = csr_matrix(
        (values, (rows, columns)), shape=(len(sentences), size), dtype=np.float32
    )
    turned = bags.T.tocsr()

    def applied(table: "Vectors") -> "Vectors":
        return np.asarray(turned @ (bags @ table) + _RIDGE * table, dtype=np.float32)

    # Solved for what is missing to the tokens' own vectors.
    missing = np.zeros_like(alone)
    rest = np.asarray(turned @ (wanted - bags @ alone), dtype=np.float32)
    step = rest.copy()
    size_of = (rest * rest).sum(axis=0)
    for turn in range(_ROUNDS):
        moved = applied(step)
        reach = size_of / np.maximum((step * moved).sum(axis=0), 1e-12)
        missing += reach * step
        rest -= reach * moved
        left = (rest * rest).sum(axis=0)
        step = rest + (left / np.maximum(size_of, 1e-12)) * step
        size_of = left
        tell("Fitting the table", turn + 1, _ROUNDS)
    return alone + missing


_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


def _prose(most: int) -> Iterator[str]:
    """Sentences of the documentation that lies on this machine anyway."""
    folder, found = Path(sysconfig.get_paths()["purelib"]), 0
    for package in _READ:
        mine = 0
        for path in sorted((folder / package).rglob("*.py")):
            if "test" in path.name or mine > most / 3:
                continue
            for sentence in _sentences(path):
                yield sentence
                found, mine = found + 1, mine + 1
                if found >= most:
                    return


def _sentences(path: Path) -> Iterable[str]:
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            continue
        for sentence in _SENTENCE.split(" ".join((ast.get_docstring(node) or "").split())):
            words = sentence.split()
            if 4 <= len(words) <= 16 and sum(word.isalpha() for word in words) > 0.7 * len(words):
                yield sentence
