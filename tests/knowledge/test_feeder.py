"""The feeder brings folders, queries and vectors of all stores up to date, one turn at a time."""

from pathlib import Path

from router.config.knowledge import StoreSettings, TableQuery
from router.knowledge.feeding.feeder import Feeder
from router.knowledge.feeding.schedule import run_due
from router.knowledge.opening import StoreShelf
from router.knowledge.store import KnowledgeStore
from router.knowledge.vectors import StoreVectors
from tests.knowledge.word_encoder import WordEncoder


def test_a_turn_reads_what_is_there_and_makes_its_vectors(tmp_path: Path) -> None:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "pool.txt").write_text("The pool opens at seven in summer.")
    encoder = WordEncoder()
    feeder = Feeder(
        tmp_path / "knowledge", {"handbook": StoreSettings(folder=str(folder))}, lambda _: encoder
    )
    assert feeder.turn()
    assert not feeder.turn()
    store = StoreShelf(tmp_path / "knowledge").kept("handbook")
    assert store.count()["documents"] == 1
    assert StoreVectors(store).lag().events == 0


def test_what_came_by_the_service_gets_vectors_and_a_missing_folder_harms_nobody(
    tmp_path: Path,
) -> None:
    from tests.knowledge.test_store import document

    settings = StoreSettings(folder=str(tmp_path / "missing"))
    encoder = WordEncoder()
    feeder = Feeder(tmp_path / "knowledge", {"notes": settings}, lambda _: encoder)
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
