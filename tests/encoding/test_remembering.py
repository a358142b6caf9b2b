"""One question, asked of several stores, is encoded once."""

from router.encoding.remembering import RememberingEncoder
from tests.knowledge.word_encoder import WordEncoder


def test_a_single_text_is_encoded_once_and_forgotten_after_others() -> None:
    counted: list[str] = []

    class Counting(WordEncoder):
        def encode(self, texts):  # type: ignore[no-untyped-def]
            counted.extend(texts)
            return super().encode(texts)

    encoder = RememberingEncoder(Counting())
    first = encoder.encode(["parking permit"])
    assert (encoder.encode(["parking permit"]) == first).all()
    assert counted == ["parking permit"]
    for n in range(16):
        encoder.encode([f"question {n}"])
    encoder.encode(["parking permit"])
    assert counted.count("parking permit") == 2
