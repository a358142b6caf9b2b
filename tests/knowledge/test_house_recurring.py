"""What recurs in telemetry is proposed as a store, to whom it concerns, and made of kept words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from router.backends.knowledge_backend import KnowledgeBackend
from router.config.load import at_home, load
from router.config.made_stores import with_made_stores
from router.domain import CHAT, Call, Fault, new_id
from router.keys import Key, new_key, save_keys
from router.knowledge.house.archive import CannotMove
from router.knowledge.house.deciding import accept, look, refuse
from router.knowledge.house.making import forget_words
from router.knowledge.house.proposals import NoSuchProposal, ProposalBook
from router.knowledge.opening import StoreShelf
from router.knowledge.rights.declaring import declare
from router.knowledge.rights.reader import Reader, reader_of
from router.knowledge.rights.rights import Rights
from router.plans.compiled import Plans
from router.request.sentences import sentence_hashes
from router.telemetry.rows import request_row
from tests.rig import rig
from tests.telemetry.stored import NOON, Stored, request
from tests.upstream import Upstream, completion

PASSAGE = " ".join(
    f"Section {n} of the tariff says that a permit of class {n} costs {40 + n} euros a year."
    for n in range(12)
)
QUESTIONS = [f"What does a permit of class {n} cost in this year, please?" for n in range(9)]
ADMIN = Reader("", "", "", admin=True)


class World:
    """Keys of one team and of another, telemetry, and the shelf of a configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        people = {"alice": "law", "ann": "law", "bob": "sales"}
        self.keys = {n: new_key(n, "2026-01-01", team=team)[1] for n, team in people.items()}
        save_keys(folder / "keys.json", self.keys.values())
        file = folder / "waggle.yaml"
        file.write_text(
            f"server: {{data: {folder}}}\nbackends: {{g: {{kind: generator}}}}\n"
            "plans: {cheap: {ask: g}}\nkeys: {teams: {law: {}, sales: {}}}\n"
        )
        self.config = load(file)
        rights = Rights(self.config.knowledge_folder, wall=lambda: NOON / 1e6 + 3600)
        self.shelf = StoreShelf(self.config.knowledge_folder, rights)
        self.stored = Stored(folder / "telemetry")

    def write(self, rows: list[dict[str, Any]]) -> None:
        self.stored.write("requests", rows)

    def shown(self, who: str = "", *, waiting: bool = True) -> list[Mapping[str, Any]]:
        """What `who` sees after a new look."""
        look(self.shelf, self.config)
        reader = reader_of(self.keys[who]) if who else ADMIN
        book = ProposalBook(self.shelf.rights)
        return [each.shown(reader) for each in book.listed(reader, waiting=waiting)]

    def texts(self, name: str) -> list[str]:
        return [passage.text for passage in self.shelf.kept(name).all_passages()]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def row_of(key: Key, n: int, text: str, **given: Any) -> dict[str, Any]:
    """A row as a router writes it where words are kept."""
    at = NOON + n * 1_000_000
    row = {
        **{"request_id": new_id(at / 1e6), "key_id": key.id, "team": key.team, "prompt": text},
        **{"prompt_parts": [{"role": "user", "characters": len(text)}]},
        **{"request_hash": f"{key.name}{n}", "sentence_hashes": sentence_hashes(text)},
        **{"gen_ai_usage_input_tokens": 400, "gen_ai_usage_output_tokens": 60, "answer": "Ok."},
        **{"answer_hash": f"a{key.name}{n}", "answer_bytes": 700},
    }
    return request(at, **(row | given))


def pasted(key: Key, count: int = 9, **given: Any) -> list[dict[str, Any]]:
    return [row_of(key, n, f"Context: {PASSAGE} {QUESTIONS[n]}", **given) for n in range(count)]


def test_a_passage_that_is_pasted_again_is_proposed_to_its_team_and_made_a_store(world):
    world.write(pasted(world.keys["alice"], 6) + pasted(world.keys["ann"], 2))
    [proposal] = world.shown("alice")
    assert (proposal["kind"], proposal["owner"], proposal["locale"]) == ("store", "alice", "law")
    assert (proposal["documents"], proposal["requests"], proposal["words"]) == (1, 8, True)
    saving = proposal["saving"]
    assert saving["tokens"] > 8 * 100
    assert 0 < saving["usd"] < 8 * 0.001
    rows = world.stored.ask(str(proposal["rows"]))
    assert len(rows) == 8  # the query shows its evidence
    assert "permit" not in str(proposal)  # and no word of it
    assert world.shown("ann")[0]["may_decide"] is False
    assert world.shown("bob") == []
    with pytest.raises(NoSuchProposal):
        accept(world.shelf, world.config, reader_of(world.keys["ann"]), 1, by="key ann")

    accept(world.shelf, world.config, reader_of(world.keys["alice"]), 1, by="key alice")
    [name] = with_made_stores(world.config).knowledge
    settings = with_made_stores(world.config)
    assert settings.knowledge[name].owner == "alice"
    assert settings.knowledge[name].visible == "private"
    assert f"ask-{name}" in settings.plans
    text = " ".join(world.texts(name))
    assert "permit of class 11 costs 51 euros" in text
    assert "please?" not in text
    assert world.shown("alice") == []  # what has a store needs no other
    kinds = [event["kind"] for event in world.shelf.rights.events("")]
    assert kinds == ["proposed", "accepted"]


async def test_a_made_store_answers_its_owner_and_nobody_else(world, encoders):
    alice, bob = world.keys["alice"], world.keys["bob"]
    world.write(pasted(alice))
    world.shown()
    accept(world.shelf, world.config, ADMIN, 1, by="user", name="tariff")
    server = world.config.server.model_copy(update={"encoders": str(encoders)})
    config = with_made_stores(world.config.model_copy(update={"server": server}))
    declare(world.shelf.rights, config.knowledge, lambda _: "law")  # as a reload does
    assert "tariff" in Plans(config)["ask-tariff"].stores
    backend = KnowledgeBackend(at_home(config).backends["tariff"])
    body = orjson.dumps({"messages": [{"role": "user", "content": QUESTIONS[7]}]})
    async with backend.send(Call(CHAT, body, False, "r1", key_id=alice.id)) as reply:
        answer = orjson.loads(b"".join([piece async for piece in reply.body]))
    assert "class 7 costs 47 euros" in answer["choices"][0]["message"]["content"]
    with pytest.raises(Fault):
        async with backend.send(Call(CHAT, body, False, "r2", key_id=bob.id)):
            pass
    await backend.close()


def test_words_of_another_key_enter_no_store(world):
    world.write(pasted(world.keys["alice"], 6, prompt=None) + pasted(world.keys["ann"], 3))
    [proposal] = world.shown("alice")
    assert (proposal["owner"], proposal["words"]) == ("alice", False)  # ann's words are not hers
    alice = reader_of(world.keys["alice"])
    with pytest.raises(CannotMove, match="needs a folder"):
        accept(world.shelf, world.config, alice, 1, by="key alice")
    assert [each["state"] for each in world.shown("alice")] == ["waiting"]
    folder = world.folder / "tariff"
    folder.mkdir()
    args = {"by": "user", "name": "tariff", "folder": str(folder)}
    accept(world.shelf, world.config, ADMIN, 1, **args)
    assert with_made_stores(world.config).knowledge["tariff"].folder == str(folder)


def test_what_was_refused_needs_new_evidence(world):
    alice = world.keys["alice"]
    world.write(pasted(alice))
    assert len(world.shown()) == 1
    refuse(world.shelf, reader_of(alice), 1, by="key alice")
    world.write([row_of(alice, 20 + n, f"{PASSAGE} {QUESTIONS[n]}") for n in range(5)])
    assert world.shown() == []
    other = PASSAGE.replace("permit", "mooring").replace("tariff", "harbour book")
    world.write([row_of(alice, 40 + n, f"{other} {QUESTIONS[n]}") for n in range(6)])
    [proposal] = world.shown()
    assert proposal["requests"] == 6


def test_answers_that_a_plan_gives_again_become_documents_with_their_questions(world):
    alice, words = world.keys["alice"], "The office opens at nine and closes at five on all days."
    again = {"answer": words, "answer_hash": "same", "attempts": [], "plan": "tool"}
    world.write(
        [row_of(alice, n, f"When is the office open, {n}?", **again) for n in range(6)]
        # labels of different requests are no answer that is fetched again
        + [
            row_of(alice, 20 + n, f"Text {n}", answer_hash="label", gen_ai_usage_output_tokens=1)
            for n in range(9)
        ]
    )
    [proposal] = world.shown()
    assert (proposal["plan"], proposal["documents"]) == ("tool", 1)
    assert (proposal["saving"]["ms"], proposal["saving"]["requests"]) == (500, 5)
    accept(world.shelf, world.config, ADMIN, 1, by="user", name="hours")
    [document] = world.shelf.kept("hours").documents()
    assert document.title.startswith("When is the office open")
    assert world.texts("hours") == [words]
    stores = world.config.knowledge_folder
    assert forget_words(stores, ["some other request"]) == 0
    assert len(world.texts("hours")) == 1
    requests = {str(row[0]) for row in world.stored.ask("select request_id from requests")}
    assert forget_words(stores, requests) == 1
    assert world.texts("hours") == []


def test_some_rows_are_never_evidence(world):
    for given in (
        {"no_store": True},
        {"stores": ["handbook"]},
        {"guard": "pii"},
        {"attempts": [{"step": 1, "backend": "d", "gen_ai_provider_name": "knowledge"}]},
        {"reuse_tier": "exact"},
        {"status": 500},
    ):
        world.write(pasted(world.keys["alice"], answer_hash="same", **given))
    assert world.shown() == []


def test_a_proposal_goes_with_its_rows(world):
    world.write(pasted(world.keys["alice"]))
    assert len(world.shown()) == 1
    later = StoreShelf(world.config.knowledge_folder, Rights(world.config.knowledge_folder))
    world.shelf = later  # by the clock of today, the rows are old
    assert world.shown() == []
    assert [each["state"] for each in world.shown(waiting=False)] == ["withdrawn"]


async def test_rows_tell_what_recurs_and_no_word(tmp_path: Path) -> None:
    replies = iter(range(9))

    async def answer(wire: Any) -> None:
        await wire.json(completion("It opens at nine.") | {"id": f"c{next(replies)}"})

    async with Upstream(answer).listening() as upstream:
        backend = f"{{kind: openai, base_url: '{upstream.url}', model: m, api_key: '${{KEY}}'}}"
        config = (
            f"server: {{data: {tmp_path}}}\nbackends: {{m: {backend}}}\nplans: {{p: {{ask: m}}}}"
        )
        async with rig(config) as r:
            await r.chat(f"{PASSAGE} {QUESTIONS[0]}", model="p")
            await r.chat(f"Context: {PASSAGE}\n\n{QUESTIONS[1]}", model="p")
            await r.chat(f"{PASSAGE} {QUESTIONS[2]}", model="p", store=False)
            await r.chat(QUESTIONS[3], model="p")
            rows = [request_row(trace) for trace in r.journal.traces]
    first, second, unstored, short = rows
    assert len(first["sentence_hashes"]) <= 16
    assert len({*first["sentence_hashes"]} & {*second["sentence_hashes"]}) > 8
    assert "sentence_hashes" not in unstored
    assert "sentence_hashes" not in short
    assert len({row["answer_hash"] for row in rows}) == 1  # though each reply has another id
    assert "tariff" not in str(rows)
