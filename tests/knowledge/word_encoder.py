"""An encoder without a model: texts that share words are near each other."""

import hashlib

import numpy as np

from router.documents.content_words import content_words


class WordEncoder:
    dimensions = 64

    def __init__(self, name: str = "words") -> None:
        self.name = name

    def encode(self, texts):
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in content_words(text) or [text]:
                digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
                draw = np.random.default_rng(int.from_bytes(digest))
                row += draw.standard_normal(self.dimensions).astype(np.float32)
            row /= np.linalg.norm(row)
        return rows
