"""The promises of every encoder: the exported model, the universal one, and the tests' fake."""

import numpy as np
import pytest

from router.encoding.universal import universal_encoder
from tests.encoding.fakes import RecordingEncoder

TEXTS = ["", "a", "word " * 2000, "日本語 🎉 \x00", "a"]


@pytest.fixture(params=["exported", "universal", "recording"])
def encodes(request):
    if request.param == "exported":
        return request.getfixturevalue("encoder")
    if request.param == "universal":
        return universal_encoder()
    return RecordingEncoder()


def test_any_text_gets_a_vector_of_length_one(encodes):
    vectors = encodes.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), encodes.dimensions)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)


def test_a_vector_depends_on_its_text_alone(encodes):
    words = [f"word{n} " * (1 + 3 * n % 97) for n in range(64 - len(TEXTS))]
    texts = [*TEXTS, *words]
    vectors = encodes.encode(texts)
    for text, vector in zip(texts, vectors, strict=True):
        alone = encodes.encode([text])[0]
        cosine = alone @ vector / np.linalg.norm(alone) / np.linalg.norm(vector)
        assert round(float(cosine), 5) == 1, text[:20]


def test_no_texts_are_no_vectors(encodes):
    assert encodes.encode([]).shape == (0, encodes.dimensions)


def test_an_encoder_has_a_name_to_keep_its_vectors_apart(encodes):
    assert encodes.name
    assert encodes.name == encodes.name.strip()
