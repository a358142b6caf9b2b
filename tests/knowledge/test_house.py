"""Stores that nobody reads are listed, archived by their owner alone, and come back whole."""

import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.config.knowledge import StoreSettings
from router.config.knowledge_access import StoreAccess
from router.documents.formats import Section
from router.encoding.encodes import Encodes
from router.knowledge.feeding.feeder import Feeder
from router.knowledge.house.archive import archive, restore, stale
from router.knowledge.opening import NoSuchStore, StoreShelf
from router.knowledge.rights.declaring import declare
from router.knowledge.rights.grants import Terms
from router.knowledge.rights.reader import Reader
from router.knowledge.rights.rights import NotOwner, Rights
from router.knowledge.store import KnowledgeStore
from router.knowledge.stored import NewDocument

DAY = 86_400.0
ALICE, BOB = Reader("a", "alice", "law"), Reader("b", "bob", "law")
FEE = NewDocument("fee.md", "Fees", "fee.md", [Section("Fees", "The fee is five euros a day.")], {})


class Shelf:
    def __init__(self, folder: Path) -> None:
        self.now = 1_780_000_000.0
        self.stores = StoreShelf(folder, Rights(folder, wall=lambda: self.now))
        access = {"handbook": StoreAccess(owner="alice"), "cases": StoreAccess(owner="bob")}
        declare(self.stores.rights, access, lambda _: "law")
        for name in access:
            self.stores.kept(name).put(FEE, by="test")

    def unread(self, owner: Reader) -> list[tuple[str, int]]:
        rows = stale(self.stores, owner, {"handbook": 90, "cases": 90, "never": None})
        return [(row.name, row.days) for row in rows]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_only_unread_stores_are_stale_and_only_to_their_owner(shelf: Shelf) -> None:
    shelf.now += 80 * DAY
    assert shelf.unread(ALICE) == []
    shelf.stores.opened("handbook", ALICE)
    shelf.now += 20 * DAY
    assert shelf.unread(ALICE) == []  # it was read 20 days ago
    assert shelf.unread(BOB) == [("cases", 100)]  # and nothing of alice's store
    shelf.now += 80 * DAY
    assert [name for name, _ in shelf.unread(ALICE)] == ["handbook"]
    shelf.stores.close()


def test_an_archived_store_is_nobodys_until_it_comes_back_whole(shelf: Shelf) -> None:
    stores = shelf.stores
    stores.rights.grant(ALICE, "handbook", "key:bob", Terms(), by="test")
    with pytest.raises(NotOwner):
        archive(stores, BOB, "handbook", by="bob")
    archive(stores, ALICE, "handbook", by="alice")
    for reader in (ALICE, BOB):
        with pytest.raises(NoSuchStore):
            stores.opened("handbook", reader)
    with pytest.raises(NoSuchStore):
        stores.kept("handbook")  # no feed makes it anew
    with pytest.raises(NotOwner):
        restore(stores, BOB, "handbook", by="bob")
    stores.place("handbook").mkdir()  # as an index that was being built leaves it
    restore(stores, ALICE, "handbook", by="alice")
    store = stores.opened("handbook", BOB).store
    assert [passage.document for passage in store.all_passages()] == ["fee.md"]
    kinds = [event["kind"] for event in stores.rights.events("handbook")]
    assert kinds == ["declared", "granted", "archived", "restored"]
    stores.close()


def test_an_archived_store_is_not_fed_until_it_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "handbook"
    folder.mkdir()
    settings = {"handbook": StoreSettings(owner="alice", folder=str(folder))}
    stores = StoreShelf(tmp_path / "knowledge")
    declare(stores.rights, settings, lambda _: "law")
    stores.kept("handbook").put(FEE, by="test")
    feeder = Feeder(tmp_path / "knowledge", settings, _no_encoder)
    feeder.turn()
    (folder / "rooms.md").write_text("# Fees\n\nThe fee is five euros a day.\n")
    archive(stores, ALICE, "handbook", by="alice")
    feeder.turn()
    assert not stores.place("handbook").exists()
    restore(stores, ALICE, "handbook", by="alice")
    assert stores.kept("handbook").count()["documents"] == 1
    feeder.turn()
    assert stores.kept("handbook").count()["documents"] == 2
    stores.close()


def test_work_beside_makes_no_store_in_the_place_of_an_archived_one(shelf: Shelf) -> None:
    beside = KnowledgeStore(shelf.stores.place("handbook"), make=False)
    archive(shelf.stores, ALICE, "handbook", by="alice")
    with pytest.raises(sqlite3.Error):
        beside.newest  # noqa: B018
    assert not shelf.stores.place("handbook").exists()
    shelf.stores.close()


def test_a_store_that_is_archived_while_it_is_looked_at_claims_nothing(shelf: Shelf) -> None:
    class Moved(StoreShelf):
        def exists(self, name: str) -> bool:
            present = super().exists(name)
            if present and not self.is_archived(name):
                archive(shelf.stores, ALICE, name, by="alice")
            return present

    assert Moved(shelf.stores.folder, shelf.stores.rights).claimed("handbook", ALICE) is None
    shelf.stores.close()


def _no_encoder(_name: str | None, _store: object) -> Encodes:
    raise OSError("no model")


def test_an_operator_archives_and_restores(tmp_path: Path) -> None:
    config = tmp_path / "waggle.yaml"
    config.write_text(
        "backends: {g: {kind: generator}}\nplans: {ask: {ask: g}}\nknowledge: {handbook: {}}\n"
    )
    stores = StoreShelf(tmp_path / "knowledge")
    stores.kept("handbook").put(FEE, by="test")
    stores.close()

    def run(*args: str) -> str:
        options = ("--data", str(tmp_path), "--config", str(config))
        return " ".join(CliRunner().invoke(app, ["knowledge", *args, *options]).output.split())

    assert run("archive") == "No store has gone unread for its days."
    assert "handbook is not archived" in run("restore", "handbook")
    assert run("archive", "handbook").startswith("handbook is archived.")
    assert "handbook is archived already" in run("archive", "handbook")
    assert run("restore", "handbook") == "handbook is back."
    assert "there is no store nowhere" in run("archive", "nowhere")
