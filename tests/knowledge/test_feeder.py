"""The feeder brings folders, queries and vectors of all stores up to date, one turn at a time."""

from pathlib import Path

import pytest

from router.config.knowledge import StoreSettings, TableQuery
from router.knowledge.feeding.feeder import Feeder, StoreFeeding
from router.knowledge.feeding.schedule import run_due
from router.knowledge.opening import StoreShelf
from router.knowledge.store import KnowledgeStore
from router.knowledge.vectors import StoreVectors
from tests.knowledge.test_store import document
from tests.knowledge.word_encoder import WordEncoder


def test_a_turn_reads_what_is_there_and_makes_its_vectors(tmp_path: Path) -> None:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "pool.txt").write_text("The pool opens at seven in summer.")
    encoder = WordEncoder()
    feeder = Feeder(
        tmp_path / "knowledge", {"handbook": StoreSettings(folder=str(folder))}, lambda *_: encoder
    )
    assert feeder.turn()
    assert not feeder.turn()
    store = StoreShelf(tmp_path / "knowledge").kept("handbook")
    assert store.count()["documents"] == 1
    assert StoreVectors(store).lag().events == 0


def test_what_came_by_the_service_gets_vectors_and_a_missing_folder_harms_nobody(
    tmp_path: Path,
) -> None:
    settings = StoreSettings(folder=str(tmp_path / "missing"))
    encoder = WordEncoder()
    feeder = Feeder(tmp_path / "knowledge", {"notes": settings}, lambda *_: encoder)
    store = StoreShelf(tmp_path / "knowledge").kept("notes")
    store.put(document("note", "A note that came by the service."), by="key a")
    assert feeder.turn()
    assert StoreVectors(store).lag().events == 0


def test_a_query_runs_on_its_schedule_and_its_table_goes_with_it(tmp_path: Path) -> None:
    store = KnowledgeStore(tmp_path / "store")
    hourly = {"numbers": TableQuery(sql="SELECT 1 AS n", every="1h")}
    assert run_due(store, hourly, 1_000.0) == 1
    assert run_due(store, hourly, 1_100.0) == 0
    changed = {"numbers": TableQuery(sql="SELECT 2 AS n", every="1h")}
    assert run_due(store, changed, 1_100.0) == 1
    assert run_due(store, changed, 5_000.0) == 0  # it ran again, and nothing was different
    assert [event.kind for event in store.events()] == ["rows", "rows"]
    assert run_due(store, {}, 5_001.0) == 1
    assert store.tables() == []


def test_a_change_comes_before_all_that_waits_for_its_first_reading(tmp_path: Path) -> None:
    folder = tmp_path / "handbook"
    folder.mkdir()
    for n in range(50):
        (folder / f"rule{n}.txt").write_text(f"Rule {n} says who may enter the garden.")
    store = KnowledgeStore(tmp_path / "store")
    settings = StoreSettings(folder=str(folder))
    feeding = StoreFeeding("handbook", "handbook", store, settings, lambda _: WordEncoder())
    assert feeding.turn(set(), 0.0)
    (folder / "rule49.txt").write_text("Nobody may enter the garden by night.")
    assert feeding.turn({"rule49.txt"}, 1.0)
    assert store.count()["documents"] < 50
    (passage,) = store.passages_of("rule49.txt")
    assert StoreVectors(store).of([passage.id])
    turns = 0
    while feeding.turn(set(), 1.0):
        turns += 1
    assert (store.count()["documents"], StoreVectors(store).lag().events) == (50, 0)
    assert turns < 50


def test_the_feeder_erases_what_a_changed_document_said_before(tmp_path: Path) -> None:
    store = KnowledgeStore(tmp_path / "store")
    feeding = StoreFeeding("notes", "notes", store, StoreSettings(), lambda _: WordEncoder())
    for text in ("The xylophonist plays at nine.", "Nobody plays at nine."):
        store.put(document("note", text), by="key a", keep=1)
        while feeding.turn(set(), 0.0):
            pass
    assert not any(b"xylophonist" in path.read_bytes() for path in store.folder.iterdir())
    assert store.by_words(["nobody"], 1)


def test_a_store_that_cannot_be_fed_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = {}
    for name in ("broken", "handbook"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pool.txt").write_text("The pool opens at seven in summer.")
        stores[name] = StoreSettings(folder=str(tmp_path / name))
    feeder = Feeder(tmp_path / "knowledge", stores, lambda _: WordEncoder())

    def fail() -> None:
        raise TypeError("nobody foresaw this")

    monkeypatch.setattr(feeder._feedings["broken"].feed, "difference", fail)
    feeder.turn()
    shelf = StoreShelf(tmp_path / "knowledge")
    counts = {name: shelf.kept(name).count()["documents"] for name in stores}
    assert counts == {"broken": 0, "handbook": 1}
