"""An encoder without a model, for tests that look at which texts are encoded together."""

import hashlib

import numpy as np


class RecordingEncoder:
    """Draws a unit vector from a hash of each text, and keeps the batches.

    Refuses every batch that contains the text `bad`.
    """

    name, dimensions = "recording", 8

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def encode(self, texts):
        self.batches.append(list(texts))
        if "bad" in texts:
            raise ValueError("no vector for bad")
        vectors = np.array([self._drawn(text) for text in texts], dtype=np.float32)
        return vectors.reshape(-1, self.dimensions)

    def _drawn(self, text: str) -> np.ndarray:
        seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
        vector = np.random.default_rng(seed).standard_normal(self.dimensions)
        return vector / np.linalg.norm(vector)
