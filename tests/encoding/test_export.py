"""The files of an export."""

import shutil

import numpy as np

from router.encoding.encoder import ROUNDED, Encoder, packaged_model, prepared
from router.encoding.export import part_weights


def test_weights_beside_a_model_give_the_same_vectors(encoders, encoder, tmp_path):
    """Processes share weights that lie beside the model, and each reads its own copy otherwise."""
    parted = tmp_path / "parted"
    shutil.copytree(prepared(packaged_model(), encoders), parted)
    part_weights(parted / ROUNDED, parted / ROUNDED)
    part_weights(parted / ROUNDED, parted / ROUNDED)  # once more: nothing is added to the weights
    model, weights = (parted / name for name in (ROUNDED, f"{ROUNDED}.weights"))
    assert model.stat().st_size < 2**20 < weights.stat().st_size < 23 * 2**20
    assert model.stat().st_mode == weights.stat().st_mode
    texts = ["How do bees dance?", "Why is the sky blue?"]
    assert np.array_equal(Encoder(parted).encode(texts), encoder.encode(texts))
