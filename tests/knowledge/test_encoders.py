"""Which encoder a store has: by its setting, or by the language of most of its passages."""

from functools import partial
from pathlib import Path

import pytest

from router.documents.formats import Section
from router.encoding.encodes import Encodes
from router.encoding.universal import universal_encoder
from router.knowledge import encoders
from router.knowledge.asking import StoreSearch
from router.knowledge.encoders import encoder_to_ask, encoder_to_fill
from router.knowledge.store import KnowledgeStore
from router.knowledge.stored import NewDocument
from router.knowledge.vectors import StoreVectors
from tests.knowledge.word_encoder import WordEncoder

ENGLISH = "The pool opens at seven in summer. Children do not pay before noon."
SPANISH = (
    "La piscina municipal abre a las siete en verano. Los menores de doce años no pagan.",
    "El carné de la biblioteca caduca a los dos años. Se renueva en el mostrador.",
    "La basura se recoge por la noche de lunes a sábado, menos los festivos.",
)


@pytest.fixture
def packaged(monkeypatch) -> Encodes:
    encoder = WordEncoder()
    monkeypatch.setattr(encoders, "encoder_of", lambda _model, _home: encoder)
    return encoder


def put(store: KnowledgeStore, *texts: str) -> None:
    for n, text in enumerate(texts):
        name = f"{text[:9]}{n}"
        store.put(NewDocument(name, name, name, [Section("Town", text)], {}), by="t")


def filled(store: KnowledgeStore, name: str | None = None) -> None:
    vectors, encoder = StoreVectors(store), encoder_to_fill(None, name, store)
    vectors.use(encoder)
    while vectors.fill(encoder):
        pass


def test_a_setting_goes_before_the_language(tmp_path: Path, packaged: Encodes) -> None:
    store = KnowledgeStore(tmp_path / "store")
    put(store, ENGLISH)
    assert encoder_to_fill(None, None, store) is packaged
    assert encoder_to_fill(None, "multilingual", store) is universal_encoder()
    assert encoder_to_ask(None, "multilingual", store) is universal_encoder()


def test_a_question_follows_the_vectors_that_a_store_has(tmp_path: Path, packaged: Encodes) -> None:
    """Until the feeder has changed them, whatever language most of the store is in by now."""
    store = KnowledgeStore(tmp_path / "store")
    assert encoder_to_ask(None, None, store) is packaged  # it is empty
    put(store, ENGLISH)
    filled(store)
    put(store, *SPANISH)
    assert encoder_to_ask(None, None, store) is packaged
    filled(store)
    assert encoder_to_ask(None, None, store) is universal_encoder()


def test_a_search_goes_on_when_its_store_becomes_spanish(tmp_path: Path, packaged: Encodes) -> None:
    store = KnowledgeStore(tmp_path / "store")
    search = StoreSearch("town", store, partial(encoder_to_ask, None, None))
    put(store, ENGLISH)
    filled(store)
    assert "seven" in search.find("When does the pool open?", 1).hits[0].passage.text
    put(store, *SPANISH)
    filled(store)
    question = "How long is the membership card of the library valid?"
    assert "dos años" in search.find(question, 1).hits[0].passage.text
    assert search.language == "es"
    search.close()
