"""Stores that hold the same, or that nobody reads, are proposed to their owner alone."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.config.config import Config
from router.config.knowledge import StoreSettings
from router.config.load import load
from router.documents.formats import Section
from router.encoding.encodes import Encodes
from router.knowledge.feeding.feeder import Feeder
from router.knowledge.house.archive import restore
from router.knowledge.house.deciding import accept, look, refuse
from router.knowledge.house.proposals import NoSuchProposal, ProposalBook
from router.knowledge.opening import StoreShelf
from router.knowledge.rights.declaring import declare
from router.knowledge.rights.reader import Reader
from router.knowledge.rights.rights import Rights
from router.knowledge.stored import NewDocument
from tests.knowledge.test_rights_api import callers

DAY = 86_400.0
ALICE, BOB = Reader("a", "alice", "law"), Reader("b", "bob", "law")
TEXTS = [f"The fee of permit {n} is {n + 4} euros, and it is paid at desk {n}." for n in range(12)]


class House:
    """Alice owns a handbook and a folder with nearly the same, and Bob a store with the same."""

    def __init__(self, home: Path) -> None:
        self.now, self.folder = 1_780_000_000.0, home / "copy"
        self.folder.mkdir()
        for n, text in enumerate(TEXTS[:11]):
            (self.folder / f"{n}.md").write_text(f"# Permit\n\n{text}\n")
        self.stores = {
            "handbook": StoreSettings(owner="alice"),
            "copy": StoreSettings(owner="alice", folder=str(self.folder), stale_days=None),
            "bobs": StoreSettings(owner="bob", stale_days=None),
        }
        given = {"server": {"data": str(home)}, "backends": {"g": {"kind": "generator"}}}
        config = Config.model_validate({**given, "plans": {"ask": {"ask": "g"}}})
        self.config = config.model_copy(update={"knowledge": self.stores})
        folder = self.config.knowledge_folder
        self.shelf = StoreShelf(folder, Rights(folder, wall=lambda: self.now))
        declare(self.shelf.rights, self.stores, lambda _: "law")
        for name in ("handbook", "bobs"):
            for n, text in enumerate(TEXTS):
                self.put(name, f"{n}", text)
        self.feeder = Feeder(folder, self.stores, _no_encoder)
        self.feeder.turn()

    def put(self, name: str, id_: str, text: str) -> None:
        document = NewDocument(id_, id_, id_, [Section("Permit", text)], {})
        self.shelf.kept(name).put(document, by="test")

    def shown(self, reader: Reader) -> list[Any]:
        look(self.shelf, self.config)
        return [each.shown(reader) for each in ProposalBook(self.shelf.rights).listed(reader)]

    def ids(self, name: str) -> set[str]:
        return {document.id for document in self.shelf.kept(name).documents()}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def _no_encoder(_name: str | None, _store: object) -> Encodes:
    raise OSError("no model")


def test_two_stores_of_one_owner_become_one_with_both_feeds_and_part_again(house: House) -> None:
    [proposal] = house.shown(ALICE)
    assert (proposal["kind"], proposal["small"], proposal["large"]) == ("merge", "copy", "handbook")
    assert proposal["overlap"] == 1.0
    assert house.shown(BOB) == []  # nothing of alice's stores, nor that his says the same
    house.put("copy", "by api", "A note that came by the API alone, about the lost keys.")
    with pytest.raises(NoSuchProposal):
        accept(house.shelf, house.config, BOB, 1, by="key bob")
    accept(house.shelf, house.config, ALICE, 1, by="key alice")
    assert house.shelf.is_archived("copy")
    (house.folder / "new.md").write_text("# Boats\n\nA boat pays ninety euros.\n")
    house.feeder.turn()
    assert {"0", "/copy/by api", "/copy/new.md"} < house.ids("handbook")
    assert "0" in house.ids("handbook")
    (house.folder / "new.md").unlink()
    house.feeder._feedings["copy"]._look_at = 0.0  # a minute later
    house.feeder.turn()
    assert "/copy/new.md" not in house.ids("handbook")
    assert "0" in house.ids("handbook")  # the store's own documents stay
    restore(house.shelf, ALICE, "copy", by="alice")
    house.feeder.turn()
    assert house.ids("handbook") == {f"{n}" for n in range(len(TEXTS))}
    assert {"by api", "0.md"} < house.ids("copy")


def test_stores_that_differ_enough_are_left_alone(house: House) -> None:
    for n in range(4):
        for name, what in (("copy", "boats and bridges"), ("handbook", "dogs and their leads")):
            house.put(name, f"more {n}", f"Quite another rule about {what}, number {n}.")
    assert house.shown(ALICE) == []


def test_an_unread_store_is_proposed_to_be_archived_until_somebody_reads_it(house: House) -> None:
    refuse(house.shelf, ALICE, house.shown(ALICE)[0]["number"], by="key alice")  # the merge
    house.now += 91 * DAY
    [proposal] = house.shown(ALICE)
    assert (proposal["kind"], proposal["subject"], proposal["days"]) == ("archive", "handbook", 91)
    assert house.shown(BOB) == []
    house.shelf.opened("handbook", ALICE)
    assert house.shown(ALICE) == []
    house.now += 91 * DAY
    [proposal] = house.shown(ALICE)
    refuse(house.shelf, ALICE, proposal["number"], by="key alice")
    house.now += 30 * DAY
    assert house.shown(ALICE) == []  # unread since the same day
    house.shelf.opened("handbook", ALICE)
    house.now += 91 * DAY
    [proposal] = house.shown(ALICE)
    accept(house.shelf, house.config, ALICE, proposal["number"], by="key alice")
    assert house.shelf.is_archived("handbook")


async def test_proposals_over_the_api_are_their_owners(tmp_path: Path) -> None:
    async with callers(tmp_path) as c:
        rights, config = c.r.engine.rights.rights, c.r.engine.config
        shelf = StoreShelf(config.knowledge_folder, rights)
        shelf.kept("handbook").put(NewDocument("a", "a", "a", [Section("", "Text.")], {}), by="t")
        real, rights.wall = rights.wall, lambda: real() + 100 * DAY
        look(shelf, config)
        listed = {who: await c.send(who, "GET", "../proposals") for who in ("alice", "ann", "root")}
        counts = {who: len(answer.json["data"]) for who, answer in listed.items()}
        assert counts == {"alice": 1, "ann": 0, "root": 1}
        wish = {"do": "accept", "name": "1"}
        assert (await c.send("ann", "POST", "../proposals", wish)).status == 404
        assert (await c.send("alice", "POST", "../proposals", {"do": "x"})).status == 400
        answer = await c.send("alice", "POST", "../proposals", wish)
        assert (answer.status, answer.json["state"]) == (200, "accepted")
        assert shelf.is_archived("handbook")
        assert (await c.send("alice", "POST", "../proposals", wish)).status == 404


def test_an_operator_sees_and_decides_on_the_machine(tmp_path: Path) -> None:
    config = tmp_path / "waggle.yaml"
    config.write_text(
        "backends: {g: {kind: generator}}\nplans: {ask: {ask: g}}\n"
        "knowledge: {first: {}, second: {}}\n"
    )
    shelf = StoreShelf(tmp_path / "knowledge")
    for name in load(config).knowledge:
        for n, text in enumerate(TEXTS):
            document = NewDocument(f"{n}", "", "", [Section("", text)], {})
            shelf.kept(name).put(document, by="t")
    shelf.close()

    def run(*args: str) -> str:
        options = ("--data", str(tmp_path), "--config", str(config))
        return " ".join(CliRunner().invoke(app, ["knowledge", *args, *options]).output.split())

    assert "merge first into second" in run("propose")
    assert "waggle knowledge accept 1" in run("propose")
    assert "no proposal 7 waits" in run("refuse", "7")
    assert run("refuse", "1") == "Proposal 1 is refused."
    assert run("propose") == "Nothing is proposed."
    assert "refused" in run("propose", "--all")
