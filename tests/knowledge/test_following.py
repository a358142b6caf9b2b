"""The index follows the store: what was added is found, what was removed is not."""

from pathlib import Path

import numpy as np
import pytest

from router.knowledge import following, graph
from router.knowledge.following import FollowingIndex
from router.knowledge.store import KnowledgeStore
from router.knowledge.vectors import StoreVectors
from tests.knowledge.test_store import document
from tests.knowledge.word_encoder import WordEncoder


@pytest.fixture
def store(tmp_path: Path) -> KnowledgeStore:
    return KnowledgeStore(tmp_path / "store")


ENCODER = WordEncoder()


def filled(store: KnowledgeStore) -> StoreVectors:
    vectors = StoreVectors(store)
    vectors.use(ENCODER)
    while vectors.fill(ENCODER):
        pass
    return vectors


def nearest(store: KnowledgeStore, index: FollowingIndex, question: str) -> list[str]:
    index.follow()
    ids = [id_ for id_, _ in index.nearest(ENCODER.encode([question])[0], 2, encoder=ENCODER.name)]
    return [passage.document for passage in store.passages(ids)]


def test_the_lag_says_how_far_the_vectors_are_behind(tmp_path: Path) -> None:
    now = [100.0]
    store = KnowledgeStore(tmp_path / "store", wall=lambda: now[0])
    filled(store)
    store.put(document("a", "The pool opens at seven in summer."), by="t")
    now[0] = 103.0
    lag = StoreVectors(store).lag()
    assert (lag.events, lag.seconds) == (1, 3.0)
    assert filled(store).lag().events == 0


@pytest.mark.parametrize("whole", [graph.WHOLE, 1])
def test_an_index_follows_additions_changes_and_removals(
    store: KnowledgeStore, whole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, "WHOLE", whole)
    index = FollowingIndex(store)
    store.put(document("pool", "The swimming pool opens at seven."), by="t")
    store.put(document("library", "The library lends books for weeks."), by="t")
    filled(store)
    graph.build_graph(store)
    assert nearest(store, index, "swimming pool opens")[0] == "pool"
    store.put(document("pool", "Tennis courts need a booking first."), by="t")
    filled(store)
    assert nearest(store, index, "tennis courts booking")[0] == "pool"
    assert index.size == 2
    graph.build_graph(store)
    store.remove("pool", by="t")
    assert nearest(store, index, "tennis courts booking") == ["library"]
    graph.build_graph(store)
    assert nearest(store, FollowingIndex(store), "tennis courts booking") == ["library"]


def test_a_graph_keeps_no_vector_of_what_was_removed(
    store: KnowledgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, "WHOLE", 1)
    for n in range(6):
        store.put(document(f"d{n}", f"Rule number {n} is about thing{n} alone."), by="t")
    vectors = filled(store)
    graph.build_graph(store)
    (passage,) = store.passages_of("d3")
    secret = vectors.of([passage.id])[passage.id].vector.astype(np.float32).tobytes()
    assert any(secret in path.read_bytes() for path in store.folder.glob("*.hnsw"))
    store.remove("d3", by="t")
    assert graph.build_graph(store)
    assert not any(secret in path.read_bytes() for path in store.folder.glob("*.hnsw"))


def test_a_build_that_was_killed_goes_on_from_its_last_saved_state(
    store: KnowledgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, "WHOLE", 1)
    monkeypatch.setattr(graph, "_AT_ONCE", 4)
    monkeypatch.setattr(graph, "_SAVED_EVERY", 4)
    for n in range(12):
        store.put(document(f"d{n}", f"Rule number {n} is about thing{n} alone."), by="t")
    filled(store)
    begun: list[int] = []

    class Killed(StoreVectors):
        def after(self, number: int, most: int):  # type: ignore[no-untyped-def]
            begun.append(number)
            if len(begun) == 2:
                raise KeyboardInterrupt
            return super().after(number, most)

    monkeypatch.setattr(graph, "StoreVectors", Killed)
    with pytest.raises(KeyboardInterrupt):
        graph.build_graph(store)
    assert graph.build_graph(store)
    assert begun[1] == begun[2] == 4  # it began with what came after the saved state
    index = FollowingIndex(store)
    index.follow()
    assert index.size == 12
    assert nearest(store, index, "Rule number 9 is about thing9 alone")[0] == "d9"


def test_a_wide_filter_is_applied_within_the_graph(
    store: KnowledgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, "WHOLE", 1)
    monkeypatch.setattr(following, "_MOST_COMPARED", 2)
    for n in range(40):
        store.put(document(f"d{n}", f"Rule number {n} is about thing{n} alone."), by="t")
    filled(store)
    graph.build_graph(store)
    index = FollowingIndex(store)
    index.follow()
    among = {store.passages_of(f"d{n}")[0].id for n in range(0, 40, 4)}
    vector = WordEncoder().encode(["Rule number 8 is about thing8 alone."])[0]
    best = index.nearest(vector, 3, among, encoder=WordEncoder().name)
    assert best[0][0] == store.passages_of("d8")[0].id
    assert {number for number, _ in best} <= among
    store.remove("d8", by="t")
    index.follow()
    assert index.nearest(vector, 3, among, encoder=WordEncoder().name)[0][0] != best[0][0]


def test_another_encoder_makes_all_vectors_again(store: KnowledgeStore) -> None:
    store.put(document("pool", "The swimming pool opens at seven."), by="t")
    index = FollowingIndex(store)
    filled(store)
    index.follow()
    other = WordEncoder(name="other")
    vectors = StoreVectors(store)
    vectors.use(other)
    index.follow()
    assert (index.size, index.encoder) == (0, "other")
    vectors.fill(other)
    index.follow()
    assert index.size == 1
