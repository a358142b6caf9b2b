"""Which encoder reads a store: the configured one; else the one that suits the store's language.

The process that feeds a store decides, and decides anew when the store has doubled. Whoever asks
the store follows the vectors that the store has.
"""

from collections.abc import Callable

from router.config.knowledge import MULTILINGUAL
from router.documents.languages import SPANISH
from router.encoding.encodes import Encodes
from router.encoding.home import encoder_of
from router.encoding.universal import universal_encoder
from router.knowledge.finding.store_source import language_in
from router.knowledge.store import KnowledgeStore
from router.knowledge.vectors import StoreVectors

EncoderFor = Callable[[KnowledgeStore], Encodes]


def encoder_named(name: str | None, home: str | None) -> Encodes:
    """The encoder of this name: `multilingual`, a model's folder, or the packaged one."""
    return universal_encoder() if name == MULTILINGUAL else encoder_of(name, home)


def encoder_to_fill(home: str | None, name: str | None, store: KnowledgeStore) -> Encodes:
    """The encoder that makes the vectors of a store. `home`: the folder of exported encoders."""
    if name is None and language_in(store) == SPANISH:
        return universal_encoder()
    return encoder_named(name, home)


def encoder_to_ask(home: str | None, name: str | None, store: KnowledgeStore) -> Encodes:
    """The encoder of the vectors that a store has, or will get."""
    if name is not None:
        return encoder_named(name, home)
    vectors = StoreVectors(store).encoder
    if not vectors:
        return encoder_to_fill(home, name, store)
    universal = universal_encoder()
    return universal if vectors == universal.name else encoder_of(None, home)
