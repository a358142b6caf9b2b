"""The pair verifier: a small model that says how probably one answer serves two requests.

The model is the packaged sentence encoder with small additions (`verifier.npz`, made by
`experiments.reuse.verifier.train`); it reads both requests side by side, and in both orders. Its
probability is calibrated on pairs that no guard refuses, in English, and means nothing for others.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from router.encoding.encoder import (
    fingerprint,
    home_to_export,
    opened,
    packaged_model,
    run_export,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SETTINGS_FILE = "verifier.json"
MOST_TOKENS = 64  # of each request; a longer request is not verified
LEAST_PROBABILITY = 0.91  # the verifier accepts a pair from here on
_EXPORT_VERSION = 1


class PairVerifier:
    """An exported verifier. It loads its model when the first pair arrives."""

    def __init__(self, folder: Path) -> None:
        settings = json.loads((folder / SETTINGS_FILE).read_text())
        self.folder = folder
        self._slope, self._shift = settings["calibration"]
        self._lock = Lock()
        self._session: Any = None
        self._tokenizer: Any = None

    def probability(self, stored: str, request: str) -> float:
        """The probability that one answer serves both requests; 0 if a request is too long."""
        (logit,) = self.logits([(stored, request)])
        if not math.isfinite(logit):
            return 0.0
        return 1.0 / (1.0 + math.exp(-(self._slope * float(logit) + self._shift)))

    def accepts(self, probability: float) -> bool:
        return probability >= LEAST_PROBABILITY

    def logits(self, pairs: Sequence[tuple[str, str]]) -> "NDArray[np.float32]":
        """The model's answer for each pair, the mean of both orders; not a number if too long."""
        import numpy as np

        self._load()
        firsts = self._tokenizer.encode_batch([first for first, _ in pairs])
        seconds = self._tokenizer.encode_batch([second for _, second in pairs])
        result = np.full(len(pairs), np.nan, dtype=np.float32)
        for at, (first, second) in enumerate(zip(firsts, seconds, strict=True)):
            if max(len(first.ids), len(second.ids)) > MOST_TOKENS:
                continue
            orders = ((first.ids, second.ids[1:]), (second.ids, first.ids[1:]))
            ids = np.array([[*a, *b] for a, b in orders], dtype=np.int64)
            kinds = np.array([[1] * len(a) + [2] * len(b) for a, b in orders], dtype=np.int64)
            with self._lock:
                result[at] = self._session.run(None, {"ids": ids, "kinds": kinds})[0].mean()
        return result

    def _load(self) -> None:
        with self._lock:
            if self._session is None:
                self._tokenizer, self._session = opened(self.folder, MOST_TOKENS + 1)


@lru_cache(maxsize=2)
def verifier_of(home: str | None) -> PairVerifier:
    """The verifier of this process; the very first call exports the model, which takes seconds."""
    return PairVerifier(_prepared(Path(home or "var/encoders")))


def _prepared(home: Path) -> Path:
    model = packaged_model()
    with as_file(files("router") / "reuse" / "verifier.npz") as parameters:
        digest = hashlib.blake2b(parameters.read_bytes(), digest_size=8)
        digest.update(f"{fingerprint(model)}{_EXPORT_VERSION}".encode())
        folder = home / f"pairs-{digest.hexdigest()}"
        if (folder / SETTINGS_FILE).is_file():
            return folder
        with home_to_export(home, "the pair verifier"):
            if not (folder / SETTINGS_FILE).is_file():
                run_export("router.reuse.pair_model", model, parameters, folder)
    return folder
