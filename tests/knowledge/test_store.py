"""A store holds each change once, finds by words, and forgets what was removed."""

from pathlib import Path

import pytest

from router.documents.content_words import content_words
from router.documents.formats import Section
from router.knowledge.opening import NoSuchStore, StoreShelf
from router.knowledge.rights.reader import ANYONE, NOBODY
from router.knowledge.store import KnowledgeStore
from router.knowledge.stored import NewDocument


def document(id_: str, text: str, **metadata: object) -> NewDocument:
    return NewDocument(id_, id_, f"{id_}.md", [Section("Rules", text)], metadata)


@pytest.fixture
def store(tmp_path: Path) -> KnowledgeStore:
    return KnowledgeStore(tmp_path / "store")


def answers(store: KnowledgeStore, question: str) -> list[str]:
    ids = store.by_words(content_words(question), 10)
    return [passage.text for passage in store.passages(ids)]


def test_a_document_that_comes_again_is_no_event(store: KnowledgeStore) -> None:
    first = store.put(document("fees", "The fee for a parking permit is forty euros."), by="t")
    again = store.put(document("fees", "The fee for a parking permit is forty euros."), by="t")
    assert (first.made, again.made, again.number) == (True, False, first.number)
    assert [event.kind for event in store.events()] == ["added"]


def test_a_new_version_replaces_what_is_found_and_keeps_what_was_said(
    store: KnowledgeStore,
) -> None:
    store.put(document("fees", "The fee for a parking permit is forty euros."), by="t")
    store.put(document("fees", "The fee for a parking permit is fifty euros."), by="t")
    assert answers(store, "parking fee") == ["The fee for a parking permit is fifty euros."]
    assert [(v.version, "fifty" in v.text) for v in store.versions("fees")] == [
        (2, True),
        (1, False),
    ]


def test_only_as_many_versions_are_kept_as_the_store_says(store: KnowledgeStore) -> None:
    for price in range(6):
        text = f"The fee for a parking permit is {price} euros."
        store.put(document("fees", text), by="t", keep=2)
    assert [version.version for version in store.versions("fees")] == [6, 5]


def test_a_removed_document_leaves_no_word_in_any_file(store: KnowledgeStore) -> None:
    store.put(document("kept", "The library opens at nine in the morning."), by="t")
    store.put(document("secret", "The xylophonist Quetzalcoatl earns plenty here."), by="t")
    store.put(document("secret", "The xylophonist Quetzalcoatl earns nothing here."), by="t")
    assert any(b"etzalcoatl" in file.read_bytes() for file in store.folder.iterdir())
    store.remove("secret", by="t")
    store.erase()
    for file in store.folder.iterdir():
        content = file.read_bytes().lower()
        for word in (b"etzalcoatl", b"xylophonist"):
            assert word not in content, file
    assert answers(store, "xylophonist library") == ["The library opens at nine in the morning."]
    assert [event.kind for event in store.events()] == ["added", "added", "changed", "removed"]


def test_a_document_that_comes_back_goes_on_counting_its_versions(store: KnowledgeStore) -> None:
    store.put(document("fees", "The fee for a parking permit is forty euros."), by="t")
    store.remove("fees", by="t")
    assert (
        store.put(document("fees", "The fee for a permit is now ten euros."), by="t").version == 2
    )


def test_passages_that_say_the_same_are_known_as_alike_unless_a_number_differs(
    store: KnowledgeStore,
) -> None:
    text = "Every visitor of the archive signs the book at the door and leaves the coat outside of"
    store.put(document("a", f"{text} room 4 in the morning."), by="t")
    store.put(document("b", f"{text} room 4 in the mornings."), by="t")
    store.put(document("c", f"{text} room 5 in the morning."), by="t")
    first, repeated, other = store.all_passages()
    assert repeated.alike == first.id
    assert other.alike == other.id


def test_a_hidden_store_and_no_store_are_refused_in_the_same_words(tmp_path: Path) -> None:
    shelf = StoreShelf(tmp_path)
    shelf.kept("books").put(document("a", "There are four words here."), by="t")
    assert shelf.opened("books", ANYONE).store.count()["documents"] == 1
    with pytest.raises(NoSuchStore) as hidden:
        shelf.opened("books", NOBODY)
    with pytest.raises(NoSuchStore) as missing:
        shelf.opened("boots", ANYONE)
    assert str(hidden.value).replace("books", "boots") == str(missing.value)
    shelf.close()


def test_spanish_passages_are_indexed_by_spanish_words(store: KnowledgeStore) -> None:
    text = "Las bibliotecas están abiertas los sábados por la mañana."
    store.put(document("horario", text), by="t")
    ids = store.by_words(content_words("¿Cuándo abre la biblioteca?", "es"), 10)
    assert [passage.text for passage in store.passages(ids)] == [text]
